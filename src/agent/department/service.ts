/** A department's agent as a long-lived part of a process: `concordat department serve` and the demo run it. */
import { setTimeout as pause } from 'node:timers/promises'
import { ROLE } from '../../contracts/codes.js'
import type { Address, Hash } from '../../core/bytes.js'
import { RpcClientError } from '../../rpc/client.js'
import { RpcError } from '../../rpc/errors.js'
import { AgentError } from '../agentError.js'
import { type Connection, type ConnectionOptions, connect } from '../connection.js'
import { DatabaseError, type DepartmentDatabase } from '../database/departmentDatabase.js'
import type { AgentLog } from '../log.js'
import { activeIdentity, replacedKey } from '../replacedKey.js'
import { DepartmentAgent } from './agent.js'

export interface DepartmentServiceOptions {
  readonly connection: ConnectionOptions
  /** X25519 private keys, the current one first. */
  readonly encryptionKeys: readonly Uint8Array[]
  /** First block to look at when the database has no cursor; default 0. */
  readonly fromHeight?: number
  /** See DepartmentAgentOptions. */
  readonly questionWaitMs?: number
  /** See DepartmentAgentOptions. */
  readonly agreementPaceMs?: number
}

export interface DepartmentServiceNeeds {
  /** The service uses it until it has stopped; closing it is the caller's. */
  readonly database: DepartmentDatabase
  readonly log: AgentLog
}

export interface DepartmentService {
  /** First block that is not wholly handled yet. */
  readonly height: number
  /** Rejects when the agent cannot go on (its database failed, or its key acts no more: AgentError KEY_REPLACED); resolves after `stop`. */
  readonly finished: Promise<void>
  /** Ends after the event in hand. What became of transactions under way is looked up at the next start. */
  stop(): Promise<void>
}

/** Pause after trouble with the node or the database. */
const TROUBLE_MS = 1_000

/**
 * Connects, checks that the account is a department, and follows the chain until stopped. Trouble with the node and a
 * database that is away are waited out; any other fault of the database ends the service.
 */
export async function startDepartmentService(
  options: DepartmentServiceOptions,
  needs: DepartmentServiceNeeds,
): Promise<DepartmentService> {
  const connection = await connect(options.connection)
  try {
    await assertDepartment(connection)
    return await startOn(connection, options, needs)
  } catch (error) {
    connection.close()
    throw error
  }
}

type StartOptions = Pick<
  DepartmentServiceOptions,
  'encryptionKeys' | 'fromHeight' | 'questionWaitMs' | 'agreementPaceMs'
>

/** The same over a connection that is there already; `stop` closes it. */
export async function startOn(
  connection: Connection,
  options: StartOptions,
  needs: DepartmentServiceNeeds,
): Promise<DepartmentService> {
  const loop = new ServiceLoop(connection, { ...options, self: await connection.account() }, needs)
  await loop.open()
  const finished = loop.run()
  // Whoever awaits `finished` sees the fault; nobody has to.
  finished.catch(() => {})
  return {
    get height() {
      return loop.agent.height
    },
    finished,
    stop: () => loop.stop(finished),
  }
}

/** Who is in trouble that waiting ends; null: nobody, the fault stays. */
function passingTrouble(error: unknown): 'the node' | 'the database' | null {
  if (error instanceof RpcClientError || error instanceof RpcError) return 'the node'
  return error instanceof DatabaseError && error.code === 'UNAVAILABLE' ? 'the database' : null
}

async function assertDepartment({ client, sender }: Connection): Promise<void> {
  const { role } = await activeIdentity(client, sender.address)
  if (role !== ROLE.department) throw new AgentError('WRONG_ROLE', `${sender.address} is not a department`)
  const replaced = await replacedKey(client, sender.address)
  if (replaced) throw replaced
}

class ServiceLoop {
  readonly agent: DepartmentAgent
  readonly #connection: Connection
  readonly #needs: DepartmentServiceNeeds
  #stopping = false
  #due = true
  #wakeUp: (() => void) | undefined

  constructor(
    connection: Connection,
    options: StartOptions & { readonly self: Address },
    needs: DepartmentServiceNeeds,
  ) {
    const { chainId, client, deliveries, directory, sender } = connection
    this.#connection = connection
    this.#needs = needs
    const wake = () => this.#wake()
    const mayHold = (height: number, topic: Hash) => connection.heads.mayHold(height, topic)
    this.agent = new DepartmentAgent(
      { chainId, ...options },
      { client, deliveries, directory, sender, ...needs, wake, mayHold },
    )
  }

  async open(): Promise<void> {
    await this.agent.open()
    this.#connection.heads.onHead(() => this.#wake())
  }

  async run(): Promise<void> {
    while (!this.#stopping) {
      this.#due = false
      try {
        const { height } = this.#connection.heads
        if (height >= 0) {
          await this.agent.catchUp(height)
          await this.agent.pump()
        }
      } catch (error) {
        const trouble = passingTrouble(error)
        if (trouble === null) {
          this.#needs.log.error({ reason: String(error) }, 'the department agent stops')
          throw error
        }
        this.#needs.log.warn({ reason: (error as Error).message }, `trouble with ${trouble}, trying again`)
        this.#due = true
        await pause(TROUBLE_MS)
      }
      await this.#nextWake()
    }
  }

  async stop(finished: Promise<void>): Promise<void> {
    this.#stopping = true
    this.#wake()
    await finished.catch(() => {})
    this.#connection.heads.stop()
    await this.agent.close().finally(() => this.#connection.close())
  }

  #wake(): void {
    this.#due = true
    this.#wakeUp?.()
  }

  #nextWake(): Promise<void> {
    if (this.#due || this.#stopping) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wakeUp = () => {
        this.#wakeUp = undefined
        resolve()
      }
    })
  }
}
