/**
 * Deadlines of key agreements are heights, and a chain on which nothing happens makes no block. While a round waits, those who
 * have done their part see to it that blocks come: one a second at most, from one of them at a time. A chain that stands still
 * for lack of sealers makes none either way, and nobody is silent then.
 */

import { AGREEMENT_PHASE } from '../../contracts/codes.js'
import type { Address } from '../../core/bytes.js'
import { ZERO_HASH } from '../../core/bytes.js'
import type { RpcClient } from '../../rpc/client.js'
import { keyAgreement, view } from '../contractClient.js'
import type { AgentLog } from '../log.js'
import type { TransactionSender } from '../sender.js'

export interface RunningRound {
  readonly group: Address
  readonly attempt: number
  /** Last block of the round. */
  readonly deadline: number
}

export interface IdleRoundsOptions {
  /** Account of the department. */
  readonly self: Address
  /** Without a block for so long the chain is idle. The next member waits as long for the one before it. */
  readonly stillMs: number
}

export interface IdleRoundsNeeds {
  readonly client: RpcClient
  readonly sender: TransactionSender
  readonly log: AgentLog
  /** Asks for another `tick` soon. */
  readonly wake: () => void
}

/** Blocks before a deadline that are made for it alone: longer rounds wait for others' blocks first. */
const IDLE_BLOCKS_MAX = 400

export class IdleRounds {
  readonly #self: Address
  readonly #stillMs: number
  readonly #needs: IdleRoundsNeeds
  #height = -1
  /** When the chain moved, or was last given a push. */
  #movedMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor({ self, stillMs }: IdleRoundsOptions, needs: IdleRoundsNeeds) {
    this.#self = self
    this.#stillMs = stillMs
    this.#needs = needs
  }

  /** `running`: rounds that wait at this height. Rejects with RpcClientError or RpcError. */
  async tick(height: number, running: readonly RunningRound[]): Promise<void> {
    if (height > this.#height) this.#movedMs = Date.now()
    this.#height = Math.max(this.#height, height)
    clearTimeout(this.#timer)
    const round = running.find(({ deadline }) => deadline - height < IDLE_BLOCKS_MAX)
    if (round === undefined) return
    const stillMs = Date.now() - this.#movedMs
    if (stillMs < this.#stillMs) return this.#tickIn(this.#stillMs - stillMs)
    const waitMs = this.#stillMs * (1 + (await this.#place(round))) - stillMs
    if (waitMs > 0) return this.#tickIn(waitMs)
    this.#push(round)
    this.#tickIn(this.#stillMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #tickIn(ms: number): void {
    this.#timer = setTimeout(this.#needs.wake, ms).unref()
  }

  /** Members who have done their part come first: others may not be there. */
  async #place({ group, attempt }: RunningRound): Promise<number> {
    const { client } = this.#needs
    const [{ roster }, { phase, shares, links, confirmations }] = await Promise.all([
      view(client, keyAgreement, 'groupOf', { group }),
      view(client, keyAgreement, 'attemptOf', { group, attempt }),
    ])
    const words = { [AGREEMENT_PHASE.shares]: shares, [AGREEMENT_PHASE.links]: links }[phase] ?? confirmations
    const isDone = (member: Address) => words[roster.indexOf(member)] !== ZERO_HASH
    return [...roster.filter(isDone), ...roster.filter((member) => !isDone(member))].indexOf(this.#self)
  }

  /** Any transaction makes a block; reading the attempt changes nothing. */
  #push({ group, attempt }: RunningRound): void {
    const { sender, log } = this.#needs
    this.#movedMs = Date.now()
    sender.send(keyAgreement, 'attemptOf', { group, attempt }).catch((error: unknown) => {
      log.warn({ group, reason: String(error) }, 'a block for a waiting key agreement could not be asked for')
    })
  }
}
