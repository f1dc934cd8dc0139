/**
 * The agent beside a department's database: follows final blocks, stores what is submitted, answers what is asked. Each
 * event has its effect exactly once: database write, message to send and cursor are one durable change, and the chain takes
 * each message once.
 */
import { ACK_CODE, EXISTENCE } from '../../contracts/codes.js'
import { assert } from '../../core/assert.js'
import { type Address, type Hash, ZERO_HASH } from '../../core/bytes.js'
import type { RpcClient } from '../../rpc/client.js'
import type { RpcTransaction } from '../../rpc/wire.js'
import { dataSharing, view } from '../contractClient.js'
import {
  type Cursor,
  DatabaseError,
  type DepartmentDatabase,
  type NamedSecret,
  type OutboxItem,
  type PortraitKeyEntry,
  type RecordWrite,
} from '../database/departmentDatabase.js'
import type { Deliveries, Received } from '../delivery/delivery.js'
import type { Directory } from '../directory.js'
import type { AgentLog } from '../log.js'
import type { TransactionSender } from '../sender.js'
import { Agreement, type RoundOutcome } from './agreement.js'
import { type Awaited, awaitedKey, encodeAwaited, isAwaited, restoreAwaited } from './awaited.js'
import {
  type Carried,
  type CarriedQuestion,
  carriedKeyShare,
  carriedPart,
  carriedQuestions,
  readTransactions,
} from './carried.js'
import { Courier } from './courier.js'
import { type DepartmentEvent, readEvents, topicOf } from './events.js'
import { groupPrivateKey } from './groupKeys.js'
import { handleKeyShare, handleQuestion, handleStored } from './handlers.js'
import { IdleRounds } from './idleRounds.js'
import { encodeMessage } from './outbox.js'
import { Renewal } from './renewal.js'

export interface DepartmentAgentOptions {
  readonly chainId: number
  /** Account of the department: what is meant for it names this, whichever of its keys sends. */
  readonly self: Address
  /** X25519 private keys, the current one first. */
  readonly encryptionKeys: readonly Uint8Array[]
  /** First block to look at when the database has no cursor; default 0. */
  readonly fromHeight?: number
  /** How long the envelope of a question is waited for before it is refused; default 30,000. */
  readonly questionWaitMs?: number
  /** Pause after which blocks are made for a key agreement on an idle chain; five of it are another member's turn. Default 1,000. */
  readonly agreementPaceMs?: number
}

export interface DepartmentAgentNeeds {
  readonly client: RpcClient
  readonly database: DepartmentDatabase
  readonly directory: Directory
  /** Of a key that acts for the department. */
  readonly sender: TransactionSender
  readonly deliveries: Pick<Deliveries, 'receive'>
  readonly log: AgentLog
  /** Asks for another `pump` soon. */
  readonly wake: () => void
  /** False when block `height` surely has no log with this topic: then it is not asked for. */
  readonly mayHold: (height: number, topic: Hash) => boolean
}

/** Blocks without an event for this department after which the cursor is stored anyway. */
const CURSOR_BLOCKS = 1_000

/** Pause before the node is asked again for an envelope that is under way. */
const AWAIT_MS = 500
const QUESTION_WAIT_MS = 30_000
const AGREEMENT_PACE_MS = 1_000

/** Draft of one durable change. */
interface Draft {
  readonly writes: RecordWrite[]
  readonly outboxPut: OutboxItem[]
  readonly outboxDelete: string[]
  readonly portraitKeys: PortraitKeyEntry[]
  readonly secrets: NamedSecret[]
  /** Events that wait for their envelope from now on. */
  readonly awaited: Awaited[]
}

const emptyDraft = (): Draft => {
  return { writes: [], outboxPut: [], outboxDelete: [], portraitKeys: [], secrets: [], awaited: [] }
}

const isAway = (error: unknown): boolean => error instanceof DatabaseError && error.code === 'UNAVAILABLE'

export class DepartmentAgent {
  readonly self: Address
  readonly #options: DepartmentAgentOptions
  readonly #needs: DepartmentAgentNeeds
  readonly #courier: Courier
  readonly #agreement: Agreement
  readonly #renewal: Renewal
  readonly #idleRounds: IdleRounds
  /** By key; in the outbox too. */
  readonly #awaited = new Map<string, Awaited>()
  /** Of a former run, not read again yet. */
  #unrestored: readonly OutboxItem[] = []
  #retryTimer: NodeJS.Timeout | undefined
  /** Where reading goes on; at or after the stored cursor. Undefined before `open`. */
  #cursor: Cursor | undefined
  #storedHeight = -1
  /** The database went away during a change: what it holds now is asked before anything is done again. */
  #inDoubt = false

  constructor(options: DepartmentAgentOptions, needs: DepartmentAgentNeeds) {
    this.self = options.self
    this.#options = options
    this.#needs = needs
    this.#agreement = new Agreement(options.chainId, this.self, needs)
    const { agreementPaceMs = AGREEMENT_PACE_MS } = options
    this.#renewal = new Renewal({ self: this.self, turnMs: 5 * agreementPaceMs }, needs)
    this.#idleRounds = new IdleRounds({ self: this.self, stillMs: agreementPaceMs }, needs)
    this.#courier = new Courier(this.self, {
      client: needs.client,
      sender: needs.sender,
      log: needs.log,
      wake: needs.wake,
      settle: (keys) => needs.database.apply({ outboxDelete: keys }),
    })
  }

  /** Height of the first block that is not wholly handled. */
  get height(): number {
    return this.#cursor?.height ?? 0
  }

  async open(): Promise<void> {
    const { database } = this.#needs
    this.#cursor = (await database.cursor()) ?? { height: this.#options.fromHeight ?? 0, logIndex: 0 }
    this.#storedHeight = this.#cursor.height
    const outbox = await database.outbox()
    this.#unrestored = outbox.filter(isAwaited)
    this.#courier.doubt(outbox.filter((item) => !isAwaited(item)))
  }

  /**
   * Handles all events up to the final block `toHeight`. Rejects with RpcClientError, RpcError or DatabaseError; it can be
   * called again then and goes on where it was.
   */
  async catchUp(toHeight: number): Promise<void> {
    const { client } = this.#needs
    if (this.#inDoubt) await this.#resolveDoubt()
    await this.#agreement.open()
    await this.#restore()
    while (this.#at().height <= toHeight) {
      const { height, logIndex } = this.#at()
      if (logIndex === 0 && !this.#mayConcern(height)) {
        this.#cursor = { height: height + 1, logIndex: 0 }
        continue
      }
      const page = await readEvents(client, this.self, this.#agreement.groups, height, toHeight)
      await this.#handle(page.events.filter((event) => event.height > height || event.logIndex >= logIndex))
      this.#cursor = { height: page.toHeight + 1, logIndex: 0 }
      if (this.#cursor.height - this.#storedHeight >= CURSOR_BLOCKS) await this.#commit(emptyDraft(), this.#cursor)
    }
    await this.#abortOverdue(toHeight)
    await this.#renewal.look(toHeight)
    await this.#idleRounds.tick(toHeight, this.#agreement.running)
  }

  /** Starts to send what the chain has not confirmed. Only after `catchUp`: what the chain already has is not sent again. */
  async pump(): Promise<void> {
    await this.#retryAwaited()
    const outbox = await this.#needs.database.outbox()
    this.#courier.pump(outbox.filter((item) => !isAwaited(item)))
  }

  /** Lets running sends end and stores the cursor. */
  async close(): Promise<void> {
    clearTimeout(this.#retryTimer)
    this.#idleRounds.stop()
    await this.#renewal.stop()
    await this.#courier.idle()
    if (!this.#cursor || this.#cursor.height <= this.#storedHeight) return
    await this.#commit(emptyDraft(), this.#cursor).catch((error: unknown) => {
      // The next start reads some blocks again, no more than that.
      if (!isAway(error)) throw error
      this.#needs.log.warn({ reason: String(error) }, 'the cursor is not stored, the database is away')
    })
  }

  /** A group that becomes known here was never agreed on without this department: no part for it can be in a block before. */
  #mayConcern(height: number): boolean {
    return [this.self, ...this.#agreement.groups].some((address) => this.#needs.mayHold(height, topicOf(address)))
  }

  /** Any member may end an attempt that waits for a silent one; the chain takes the first. */
  async #abortOverdue(height: number): Promise<void> {
    const outboxPut = this.#agreement.overdue(height).map(encodeMessage)
    if (outboxPut.length > 0) await this.#needs.database.apply({ outboxPut })
  }

  #at(): Cursor {
    assert(this.#cursor, 'the agent is open')
    return this.#cursor
  }

  async #handle(events: readonly DepartmentEvent[]): Promise<void> {
    if (events.length === 0) return
    const hashes = events.filter(carriesSomething).map((event) => event.transactionHash)
    const transactions = await readTransactions(this.#needs.client, [...new Set(hashes)])
    let draft = emptyDraft()
    for (const event of events) {
      // A question about a record that this change writes has to find it written.
      if (event.kind === 'wanted' && draft.writes.length > 0) {
        await this.#commit(draft, { height: event.height, logIndex: event.logIndex })
        draft = emptyDraft()
      }
      await this.#one(event, transactions, draft)
    }
    const last = events.at(-1)
    assert(last, 'there is a last event')
    await this.#commit(draft, { height: last.height, logIndex: last.logIndex + 1 })
  }

  async #one(event: DepartmentEvent, transactions: ReadonlyMap<Hash, RpcTransaction>, draft: Draft): Promise<void> {
    if (event.kind === 'settled') return settle(draft, [event.messageKey])
    if (event.kind === 'agreementRound') {
      const { group, attempt, phase, deadline } = event
      return addOutcome(draft, await this.#agreement.round(group, attempt, phase, deadline))
    }
    if (event.kind === 'agreementEnded') {
      settle(draft, event.messageKeys)
      this.#renewal.notice()
      return addOutcome(draft, await this.#agreement.ended(event.group, event.attempt, event.agreed))
    }
    const transaction = transactions.get(event.transactionHash)
    assert(transaction, 'the transaction of each event was read')
    if (event.kind === 'keyShared') return this.#keyShared(transaction, draft)
    const awaited = { event, transaction, since: Date.now() }
    if (await this.#receive(awaited, draft)) return
    draft.awaited.push(awaited)
    draft.outboxPut.push(encodeAwaited({ ...event, since: awaited.since }))
    this.#needs.log.info({ transaction: event.transactionHash, kind: event.kind }, 'its envelope is waited for')
  }

  /** Handles a part or question; false when its envelope is still under way. */
  async #receive({ event, transaction, since }: Awaited, draft: Draft): Promise<boolean> {
    const { chainId } = this.#options
    if (event.kind === 'stored') {
      const carried = carriedPart(chainId, transaction, event.part)
      const received = await this.#arrived(event.kind, carried, since)
      if (received) await this.#stored(event, carried, received, draft)
      return received !== undefined
    }
    const recipients = [this.self, ...this.#agreement.groups]
    const carried = carriedQuestions(chainId, transaction, recipients, event.attributes)
    const received = await Promise.all(carried.map((question) => this.#arrived(event.kind, question, since)))
    const all = received.filter((one) => one !== undefined)
    if (all.length < carried.length) return false
    await this.#wanted(event, carried, all, draft)
    return true
  }

  /** Undefined while the envelope is waited for. */
  async #arrived(kind: Awaited['event']['kind'], carried: Carried, since: number): Promise<Received | undefined> {
    const received = await this.#needs.deliveries.receive(carried.envelope, carried.context.sender)
    const waits = received.state === 'underWay' && !this.#isOverdue(kind, received.expiresAt, since)
    return waits ? undefined : received
  }

  /** A submission may come until its envelope expires; who asks a question waits for the answer. */
  #isOverdue(kind: Awaited['event']['kind'], expiresAt: number, since: number): boolean {
    if (this.#at().height > expiresAt) return true
    return kind === 'wanted' && Date.now() - since > (this.#options.questionWaitMs ?? QUESTION_WAIT_MS)
  }

  async #restore(): Promise<void> {
    for (const item of this.#unrestored) this.#awaited.set(item.key, await restoreAwaited(this.#needs.client, item))
    this.#unrestored = []
  }

  /** Asks again for what is under way, oldest first; each is handled in a change of its own. */
  async #retryAwaited(): Promise<void> {
    for (const [key, awaited] of this.#awaited) {
      const draft = emptyDraft()
      if (!(await this.#receive(awaited, draft))) continue
      draft.outboxDelete.push(key)
      await this.#commit(draft, this.#at())
    }
    clearTimeout(this.#retryTimer)
    if (this.#awaited.size > 0) this.#retryTimer = setTimeout(this.#needs.wake, AWAIT_MS).unref()
  }

  /**
   * What a later submission says about the same attributes stands: an earlier one whose envelope comes after it would put
   * old values in the place of new ones.
   */
  #supersede(submissionId: bigint, { enterpriseId, attributes }: Carried['context'], draft: Draft): void {
    for (const { event, transaction } of [...this.#awaited.values(), ...draft.awaited]) {
      if (event.kind !== 'stored' || event.submissionId >= submissionId) continue
      const { context } = carriedPart(this.#options.chainId, transaction, event.part)
      if (context.enterpriseId !== enterpriseId || !context.attributes.some((own) => attributes.includes(own))) continue
      const key = awaitedKey(event)
      const unsaved = draft.outboxPut.findIndex((item) => item.key === key)
      if (unsaved >= 0) draft.outboxPut.splice(unsaved, 1)
      draft.outboxDelete.push(key)
      this.#acknowledge(event.submissionId, event.part, ACK_CODE.notDelivered, draft)
    }
  }

  #acknowledge(submissionId: bigint, part: number, code: number, draft: Draft): void {
    const accepted = code === ACK_CODE.ok
    draft.outboxPut.push(encodeMessage({ kind: 'acknowledgement', submissionId, part, accepted, code }))
    this.#needs.log.info({ submission: submissionId.toString(), part, accepted, code }, 'submission handled')
  }

  async #stored(
    { submissionId, part }: Extract<DepartmentEvent, { kind: 'stored' }>,
    carried: Carried,
    received: Received,
    draft: Draft,
  ): Promise<void> {
    if (received.state !== 'here') return this.#acknowledge(submissionId, part, ACK_CODE.notDelivered, draft)
    const outcome = await handleStored({ ...carried, envelope: received.envelope }, this.#handlerNeeds())
    const { code, write, portraitKey } = outcome
    if (write) {
      this.#supersede(submissionId, carried.context, draft)
      draft.writes.push(write)
    }
    if (portraitKey) draft.portraitKeys.push(portraitKey)
    this.#acknowledge(submissionId, part, code, draft)
  }

  async #wanted(
    { requestId, attributes }: Extract<DepartmentEvent, { kind: 'wanted' }>,
    carried: readonly [CarriedQuestion, ...CarriedQuestion[]],
    received: readonly Received[],
    draft: Draft,
  ): Promise<void> {
    const [{ basis, context: asked }] = carried
    if (basis !== ZERO_HASH && (await this.#isWithdrawn(requestId))) {
      this.#needs.log.info({ request: requestId.toString() }, 'question withdrawn, it is not answered')
      return
    }
    const [first, ...others] = carried.flatMap((question, i) => {
      const own = received[i]
      return own?.state === 'here' ? [{ ...question, envelope: own.envelope }] : []
    })
    if (!first) {
      const refused = { kind: 'answer', requestId, existence: EXISTENCE.refused, confirmed: false } as const
      draft.outboxPut.push(...attributes.map((attribute) => encodeMessage({ ...refused, attribute })))
      this.#needs.log.warn({ request: requestId.toString() }, 'a question is refused: its envelope did not arrive')
      return
    }
    // Read from the node before the clock starts: what is timed is the department's own work.
    await this.#needs.directory.memberById(asked.enterpriseId)
    const started = performance.now()
    const answers = await handleQuestion(requestId, first, this.#handlerNeeds(), others)
    const ms = performance.now() - started
    draft.outboxPut.push(...answers.map(encodeMessage))
    this.#needs.log.info({ request: requestId.toString(), answers: answers.length, ms }, 'question answered')
  }

  /** The enterprise has revoked its consent, or its time is over. */
  async #isWithdrawn(requestId: bigint): Promise<boolean> {
    return (await view(this.#needs.client, dataSharing, 'consentOfRequest', { requestId })).withdrawn
  }

  #keyShared(transaction: RpcTransaction, draft: Draft): void {
    const carried = carriedKeyShare(this.#options.chainId, transaction, this.self)
    const entry = handleKeyShare(carried, this.#options.encryptionKeys)
    if (entry) draft.portraitKeys.push(entry)
    else this.#needs.log.warn({ transaction: transaction.hash }, 'a shared portrait key does not open with our keys')
  }

  #handlerNeeds() {
    const { database, directory } = this.#needs
    const groupKey = (group: Address, keyEpoch: bigint) => groupPrivateKey(database, group, keyEpoch)
    const { encryptionKeys } = this.#options
    return { database, directory, encryptionKeys, joint: { self: this.self, groupKey } }
  }

  async #resolveDoubt(): Promise<void> {
    const { database } = this.#needs
    const stored = await database.cursor()
    const at = this.#at()
    if (stored && (stored.height > at.height || (stored.height === at.height && stored.logIndex > at.logIndex))) {
      this.#cursor = stored
      this.#storedHeight = stored.height
    }
    this.#unrestored = (await database.outbox()).filter(isAwaited)
    this.#awaited.clear()
    this.#inDoubt = false
  }

  async #commit(draft: Draft, cursor: Cursor): Promise<void> {
    const { awaited, ...change } = draft
    await this.#needs.database.apply({ ...change, cursor }).catch((error: unknown) => {
      this.#inDoubt = isAway(error)
      throw error
    })
    for (const entry of awaited) this.#awaited.set(awaitedKey(entry.event), entry)
    for (const key of draft.outboxDelete) this.#awaited.delete(key)
    this.#cursor = cursor
    this.#storedHeight = cursor.height
    this.#courier.settled(draft.outboxDelete)
  }
}

/** Whether the event's transaction has to be read. */
function carriesSomething({ kind }: DepartmentEvent): boolean {
  return kind === 'stored' || kind === 'wanted' || kind === 'keyShared'
}

function settle(draft: Draft, messageKeys: readonly string[]): void {
  for (const key of messageKeys) {
    const unsent = draft.outboxPut.findIndex((item) => item.key === key)
    if (unsent >= 0) draft.outboxPut.splice(unsent, 1)
    draft.outboxDelete.push(key)
  }
}

function addOutcome(draft: Draft, { secrets, step }: RoundOutcome): void {
  draft.secrets.push(...secrets)
  if (step) draft.outboxPut.push(encodeMessage(step))
}
