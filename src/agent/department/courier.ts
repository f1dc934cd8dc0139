/** Sends a department's unconfirmed messages until the chain has taken each of them once. */
import { assert } from '../../core/assert.js'
import type { Address } from '../../core/bytes.js'
import { agentTransactionsInFlightMax, attestAnswersMax } from '../../core/limits.js'
import type { RpcClient } from '../../rpc/client.js'
import { RpcClientError } from '../../rpc/client.js'
import { RpcError } from '../../rpc/errors.js'
import { AgentError } from '../agentError.js'
import { ContractRevert, dataSharing, keyAgreement, view } from '../contractClient.js'
import { DatabaseError, type OutboxItem } from '../database/departmentDatabase.js'
import { WaitError } from '../heads.js'
import type { AgentLog } from '../log.js'
import type { TransactionSender } from '../sender.js'
import {
  type Acknowledgement,
  type AgreementStep,
  type Answer,
  decodeMessage,
  type Message,
  messageKey,
} from './outbox.js'

export interface CourierNeeds {
  readonly client: RpcClient
  readonly sender: TransactionSender
  readonly log: AgentLog
  /** Takes messages out of the outbox that the chain has or will never take. */
  settle(keys: readonly string[]): Promise<void>
  /** Asks for another `pump` soon. */
  readonly wake: () => void
}

/** Refusals that pass: the department is suspended, say. All others are final. */
const PASSING = new Set(['NotActiveMember', 'NotActiveDepartment'])

/** Pause before a message is tried again. */
const RETRY_MS = 1_000

/** Messages looked at in one pump: more than fit under way. */
const PUMP_MESSAGES = agentTransactionsInFlightMax * attestAnswersMax

/** Gas of a first try: each message is calldata and a few storage words; one that completes a quorum writes a portrait entry. */
const GAS_BASE = 200_000n
const GAS_MESSAGE = 300_000n

/** One transaction's worth of messages. */
type Load = readonly [Acknowledgement] | readonly [AgreementStep] | readonly [Answer, ...Answer[]]

export class Courier {
  readonly #self: Address
  readonly #needs: CourierNeeds
  /** Handed to the node and not settled yet. */
  readonly #underway = new Set<string>()
  /** Whose sending failed: sent alone next time, after a look at the chain. */
  readonly #doubtful = new Set<string>()
  readonly #running = new Set<Promise<void>>()
  /** The key acts for the department no more: nothing will ever be taken from it. */
  #replaced: AgentError | undefined

  constructor(self: Address, needs: CourierNeeds) {
    this.#self = self
    this.#needs = needs
  }

  /** Messages from a former run: the chain is asked before they are sent again. */
  doubt(items: readonly OutboxItem[]): void {
    for (const item of items) this.#doubtful.add(item.key)
  }

  /** Starts to send what is not under way, as far as the limit of transactions allows. Throws AgentError KEY_REPLACED. */
  pump(outbox: readonly OutboxItem[]): void {
    if (this.#replaced) throw this.#replaced
    const waiting = outbox.filter((item) => !this.#underway.has(item.key))
    for (const load of this.#loads(waiting.slice(0, PUMP_MESSAGES).map(decodeMessage))) {
      if (this.#running.size >= agentTransactionsInFlightMax) return
      for (const message of load) this.#underway.add(messageKey(message))
      const run = this.#deliver(load)
        .catch((error: unknown) => this.#unsettled(load, error))
        .finally(() => {
          this.#running.delete(run)
          this.#needs.wake()
        })
      this.#running.add(run)
    }
  }

  /** The chain has these messages. */
  settled(keys: readonly string[]): void {
    for (const key of keys) {
      this.#underway.delete(key)
      this.#doubtful.delete(key)
    }
  }

  /** Resolves when nothing is being sent. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Acknowledgements and steps travel alone, answers together; a doubtful message travels alone. */
  *#loads(waiting: readonly Message[]): Generator<Load> {
    const together: Answer[] = []
    for (const message of waiting) {
      if (message.kind === 'acknowledgement') yield [message]
      else if (message.kind === 'agreementStep') yield [message]
      else if (this.#doubtful.has(messageKey(message))) yield [message]
      else together.push(message)
    }
    for (let from = 0; from < together.length; from += attestAnswersMax) {
      const [first, ...rest] = together.slice(from, from + attestAnswersMax)
      if (first) yield [first, ...rest]
    }
  }

  async #deliver(load: Load): Promise<void> {
    const keys = load.map(messageKey)
    const doubtful = keys.some((key) => this.#doubtful.has(key))
    try {
      if (doubtful && (await this.#chainHas(load[0]))) return await this.#done(keys)
      const transaction = await this.#send(load, doubtful)
      const sent = performance.now()
      const receipt = await this.#needs.sender.final(transaction)
      if (receipt.status === '0x1') {
        this.#needs.log.info({ ...subjectOf(load), ms: performance.now() - sent }, 'messages are final')
        return
      }
      const hash = receipt.transactionHash
      this.#needs.log.warn(
        { transaction: hash, messages: keys.length },
        'a transaction failed, its messages are sent one by one',
      )
      this.#retry(keys)
    } catch (error) {
      await this.#failed(load, keys, error)
    }
  }

  /** A first try spares the node the estimate; it goes with a doubtful one, to learn of a refusal before sending. */
  #send(load: Load, doubtful: boolean) {
    const [first] = load
    const gasLimit = doubtful ? undefined : GAS_BASE + GAS_MESSAGE * BigInt(load.length)
    const { sender } = this.#needs
    // Its proofs cost far more gas than other messages, and come seldom: the node estimates.
    if (first.kind === 'agreementStep') return this.#sendStep(first)
    if (first.kind === 'acknowledgement') {
      const { submissionId, part, accepted, code } = first
      return sender.send(dataSharing, 'acknowledge', { submissionId, part, accepted, code }, gasLimit)
    }
    const answers = (load as readonly Answer[]).map(({ requestId, attribute, existence, confirmed }) => {
      return { requestId, attribute, existence, confirmed }
    })
    return sender.send(dataSharing, 'attest', { answers }, gasLimit)
  }

  #sendStep({ group, attempt, step, words }: AgreementStep) {
    const { sender } = this.#needs
    const [first, second, third] = words
    const at = { group, attempt }
    if (step === 'abort') return sender.send(keyAgreement, 'abortAgreement', at)
    assert(first !== undefined, 'a step carries its words')
    if (step === 'confirmation') return sender.send(keyAgreement, 'confirmKey', { ...at, publicKey: first })
    if (step === 'proof') return sender.send(keyAgreement, 'proveKey', { ...at, exponent: first })
    assert(second !== undefined && third !== undefined, 'a contribution carries its proof')
    const contribution = { element: first, challenge: second, response: third }
    return step === 'share'
      ? sender.send(keyAgreement, 'postShare', { ...at, share: contribution })
      : sender.send(keyAgreement, 'postLink', { ...at, link: contribution })
  }

  async #chainHas(message: Message): Promise<boolean> {
    const { client } = this.#needs
    // The contract refuses a second one, and the estimate before sending says so.
    if (message.kind === 'agreementStep') return false
    if (message.kind === 'acknowledgement') {
      const { submissionId, part } = message
      return (await view(client, dataSharing, 'acknowledgedBy', { submissionId, part })).includes(this.#self)
    }
    const { requestId, attribute } = message
    const answer = await view(client, dataSharing, 'answerOf', { requestId, attribute, supervisor: this.#self })
    // It wants none to a question that was withdrawn.
    return answer.existence !== 0 || (await view(client, dataSharing, 'consentOfRequest', { requestId })).withdrawn
  }

  async #failed(load: Load, keys: readonly string[], error: unknown): Promise<void> {
    const { log } = this.#needs
    // The next start asks the chain what became of them.
    if (error instanceof WaitError && error.code === 'STOPPED') return
    if (error instanceof ContractRevert && load.length === 1 && !PASSING.has(error.error)) {
      if (!error.error.startsWith('Already')) {
        log.warn({ message: keys[0], refusal: error.error }, 'the chain refuses a message for good, it is dropped')
      }
      return this.#done(keys)
    }
    if (isPassing(error)) {
      log.warn({ messages: keys.length, reason: String(error) }, 'messages could not be sent, they are tried again')
      return this.#retry(keys)
    }
    if (error instanceof AgentError && error.code === 'KEY_REPLACED') this.#replaced = error
    // A defect: keep the messages for the next start, say so, and do not repeat it for ever.
    log.error({ messages: keys, reason: String(error) }, 'messages cannot be sent')
  }

  async #done(keys: readonly string[]): Promise<void> {
    await this.#needs.settle(keys)
    this.settled(keys)
  }

  /** The database failed, and the agent meets that itself: it stops, or goes on when the database is back. */
  #unsettled(load: Load, error: unknown): void {
    this.#needs.log.error({ reason: String(error) }, 'a delivery ended badly')
    if (isPassing(error)) this.#retry(load.map(messageKey))
  }

  /** They stay under way, and so out of reach of `pump`, until the pause is over. */
  #retry(keys: readonly string[]): void {
    for (const key of keys) this.#doubtful.add(key)
    const pause = setTimeout(() => {
      for (const key of keys) this.#underway.delete(key)
      this.#needs.wake()
    }, RETRY_MS)
    pause.unref()
  }
}

/** What the messages are about, for the log. */
function subjectOf(load: Load): Readonly<Record<string, unknown>> {
  const [first] = load
  if (first.kind === 'agreementStep') return { group: first.group, attempt: first.attempt, step: first.step }
  if (first.kind === 'acknowledgement') return { submission: first.submissionId.toString(), part: first.part }
  return { requests: [...new Set((load as readonly Answer[]).map(({ requestId }) => requestId.toString()))] }
}

function isPassing(error: unknown): boolean {
  return (
    error instanceof ContractRevert ||
    error instanceof RpcClientError ||
    error instanceof RpcError ||
    (error instanceof WaitError && error.code !== 'STOPPED') ||
    (error instanceof DatabaseError && error.code === 'UNAVAILABLE')
  )
}
