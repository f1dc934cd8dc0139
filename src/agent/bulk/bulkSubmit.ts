/**
 * Many enterprises in one run, each with its own key. What may have left is durable before it leaves (bulkJournal.ts): a run that was killed is started
 * again, looks up on chain what it is unsure of, and goes on. Nothing is submitted twice: a transaction that may still be somewhere and the one
 * sent in its place have the same nonce, so that at most one of them can become final.
 */
import path from 'node:path'
import { CodedError } from '../../core/codedError.js'
import { bulkUnacknowledgedMax } from '../../core/limits.js'
import { privateKeyToAddress } from '../../crypto/secp256k1.js'
import { RpcClientError } from '../../rpc/client.js'
import { RpcError } from '../../rpc/errors.js'
import type { Connection } from '../connection.js'
import type { Declaration } from '../declaration.js'
import { EnterpriseProxy } from '../enterpriseProxy.js'
import { WaitError } from '../heads.js'
import type { PartReport } from '../partReports.js'
import { portraitKeysIn } from '../portraitKeyFile.js'
import { createSender } from '../sender.js'
import { keySigner } from '../signer.js'
import { type AcknowledgementWatch, watchAcknowledgements } from './acknowledgements.js'
import type { BulkItem } from './bulkInput.js'
import { type BulkJournal, BulkJournalError, type JournalEntry, type JournalPart } from './bulkJournal.js'
import { enterpriseKey, newEnterprise, registerEnterprise, registrationsMax } from './bulkRegister.js'
import { type BulkOutcome, type BulkSummary, BulkTally } from './bulkReport.js'
import { findStored } from './findStored.js'
import { inParallel } from './inParallel.js'
import type { KnownDeclaration } from './knownDeclaration.js'

export interface BulkOptions {
  /** Holds CREDIT_CODE.key of the enterprises whose key the input does not name. */
  readonly keysDir: string
  /** Password of the keys that are keystores. */
  readonly passwordFile?: string
  /** Register who is no member yet, and make keys that are missing; the connection is the operator's then. */
  readonly register: boolean
  /** Enterprises submitted at a time. */
  readonly concurrency: number
  /** How long no department may answer anything until the rest is shown as pending. Default 60,000. */
  readonly acknowledgeTimeoutMs?: number
  readonly finalTimeoutMs?: number
}

export interface BulkProgress {
  readonly phase: 'register' | 'submit'
  readonly total: number
  readonly done: number
  readonly failed: number
  /** Final and waiting for departments. */
  readonly waiting: number
  /** In this phase so far. */
  readonly perSecond: number
}

export interface BulkNeeds {
  /** Its client should batch (batchingClient.ts); its key registers, if anything. */
  readonly connection: Connection
  readonly journal: BulkJournal
  readonly onOutcome?: (outcome: BulkOutcome) => void
  readonly onProgress?: (progress: BulkProgress) => void
}

/** How often an item is tried again when the node or the network is in trouble. */
const TRIES = 3
const RETRY_MS = 1_000
/** Items that fail in a row for trouble with the node until the run stops. */
const TROUBLE_MAX = 2 * TRIES

/** One outcome an item, also for those that fail. Throws when the node cannot be reached or the journal cannot be written. */
export async function bulkSubmit(
  items: readonly BulkItem[],
  options: BulkOptions,
  needs: BulkNeeds,
): Promise<BulkSummary> {
  return new BulkRun(items, options, needs).run()
}

class BulkRun {
  readonly #items: readonly BulkItem[]
  readonly #options: BulkOptions
  readonly #needs: BulkNeeds
  readonly #tally = new BulkTally()
  readonly #watch: AcknowledgementWatch
  /** Credit code -> place of the item that has it. */
  readonly #seen = new Map<string, string>()
  /** Place -> why its enterprise could not be registered. */
  readonly #unregistered = new Map<string, unknown>()
  /** Entries become durable in order: with this one all of them are. */
  #lastNote: Promise<void> = Promise.resolve()
  #journalFault: unknown
  #registered = 0
  #stored = 0
  #trouble = 0

  constructor(items: readonly BulkItem[], options: BulkOptions, needs: BulkNeeds) {
    this.#items = items
    this.#options = options
    this.#needs = needs
    this.#watch = watchAcknowledgements(needs.connection)
  }

  async run(): Promise<BulkSummary> {
    try {
      if (this.#options.register) await this.#registerAll()
      const started = performance.now()
      await inParallel(this.#items, this.#options.concurrency, async (item) => {
        await this.#roomForAnswers()
        await this.#one(item)
        this.#progress('submit', this.#tally.done, started)
      })
      const seconds = (performance.now() - started) / 1000
      await this.#watch.settled(this.#options.acknowledgeTimeoutMs ?? 60_000)
      this.#progress('submit', this.#tally.done, started)
      await this.#lastNote
      if (this.#journalFault !== undefined) throw this.#journalFault
      return this.#tally.summary(this.#registered, this.#stored, seconds)
    } finally {
      this.#watch.stop()
    }
  }

  async #registerAll(): Promise<void> {
    const { connection } = this.#needs
    const started = performance.now()
    let done = 0
    await inParallel(this.#items, registrationsMax, async (item) => {
      try {
        const declaration = await item.declaration()
        const enterprise = newEnterprise(
          declaration,
          await enterpriseKey(this.#keyFile(item, declaration), true, this.#options.passwordFile),
        )
        if (await this.#steadily(() => registerEnterprise(connection, enterprise))) this.#registered++
      } catch (error) {
        // Told with its outcome; what it cannot be, an unreadable declaration, is told there too.
        this.#unregistered.set(item.place, this.#expected(error))
      }
      done++
      this.#progress('register', done, started)
    })
    connection.directory.clear()
  }

  async #one(item: BulkItem): Promise<void> {
    let declaration: Declaration | undefined
    try {
      if (this.#unregistered.has(item.place)) throw this.#unregistered.get(item.place)
      declaration = await item.declaration()
      this.#claim(item, declaration)
      await this.#submit(item, declaration)
    } catch (error) {
      const { code, message } = reasonOf(this.#expected(error))
      const creditCode = declaration && { creditCode: declaration.creditCode }
      this.#end({ place: item.place, ...creditCode, status: 'failed', before: false, reason: { code, message } })
    }
  }

  #claim({ place }: BulkItem, { creditCode }: Declaration): void {
    const before = this.#seen.get(creditCode)
    if (before !== undefined)
      throw new BulkItemError('TWICE', `${creditCode} is declared in ${before} already: remove one`)
    this.#seen.set(creditCode, place)
  }

  async #submit(item: BulkItem, read: Declaration): Promise<void> {
    const { journal } = this.#needs
    const declaration = await this.#known(item, read)
    const { creditCode: enterprise, documentHash: document } = declaration
    const known = journal.progress(enterprise, document)
    if (known.parts && known.final) {
      this.#end({
        ...this.#stateOf(item, enterprise, known.final, true),
        status: statusOf(known.parts),
        parts: known.parts,
      })
      return
    }
    const proxy = await this.#proxy(item, declaration)
    const sent = this.#stored
    const stored = await this.#steadily(() => this.#store(proxy, declaration))
    const before = this.#stored === sent && known.final !== undefined
    if (!journal.progress(enterprise, document).shared) {
      await this.#steadily(() => proxy.shareKey(declaration, stored.height))
      await journal.append({ enterprise, document, at: 'shared' })
    }
    this.#watch.add(stored.submissionId, (parts) => {
      const answered = parts.flatMap(answeredPart)
      const status = answered.length < parts.length ? 'pending' : statusOf(answered)
      if (status !== 'pending')
        this.#lastNote = this.#note({ enterprise, document, at: 'acknowledged', parts: answered })
      this.#end({ ...this.#stateOf(item, enterprise, stored, before), status, parts: answered })
    })
  }

  /** The hash of a plain file takes the enterprise's portrait key, which is made now if there is none. */
  async #known(item: BulkItem, declaration: Declaration): Promise<KnownDeclaration> {
    const { documentHash } = declaration
    if (typeof documentHash === 'string') return { ...declaration, documentHash }
    const proxy = await this.#proxy(item, declaration)
    return { ...declaration, documentHash: await this.#steadily(() => proxy.documentHash(declaration)) }
  }

  /** A fault ends the run, with the next entry or at its end. */
  async #note(entry: JournalEntry): Promise<void> {
    try {
      await this.#needs.journal.append(entry)
    } catch (error) {
      this.#journalFault ??= error
    }
  }

  #stateOf(
    { place }: BulkItem,
    creditCode: string,
    stored: { submissionId: bigint; transaction: string; height: number },
    before: boolean,
  ) {
    const { submissionId, transaction, height } = stored
    return { place, creditCode, submissionId, transaction, height, before }
  }

  /** Final now, or found final. */
  async #store(proxy: EnterpriseProxy, declaration: KnownDeclaration) {
    const { connection, journal } = this.#needs
    const { creditCode: enterprise, documentHash: document } = declaration
    const progress = journal.progress(enterprise, document)
    if (progress.final) return progress.final
    const found = await findStored(connection, declaration, progress.sending, this.#options.finalTimeoutMs ?? 30_000)
    const stored =
      found ??
      (await proxy.store(declaration, async (transaction) => {
        const afterHeight = connection.heads.height
        await journal.append({ enterprise, document, at: 'sending', transaction, afterHeight })
      }))
    const { transaction, height } = stored
    await journal.append({
      enterprise,
      document,
      at: 'final',
      transaction,
      submission: String(stored.submissionId),
      height,
    })
    this.#stored++
    return stored
  }

  async #proxy(item: BulkItem, declaration: Declaration): Promise<EnterpriseProxy> {
    const { connection } = this.#needs
    const { client, heads, chainId } = connection
    const file = this.#keyFile(item, declaration)
    const privateKey = await enterpriseKey(file, false, this.#options.passwordFile)
    const { finalTimeoutMs } = this.#options
    const sender = createSender(
      { chainId, signer: keySigner(privateKey), ...(finalTimeoutMs && { finalTimeoutMs }) },
      { client, heads },
    )
    // Members that were registered a moment ago were looked for before.
    if ((await connection.directory.member(privateKeyToAddress(privateKey))) === null) connection.directory.clear()
    return new EnterpriseProxy(
      { portraitKeys: portraitKeysIn(`${file}.portrait.json`) },
      { ...connection, sender, close() {} },
    )
  }

  #keyFile({ keyFile }: BulkItem, { creditCode }: Declaration): string {
    return keyFile ?? path.join(this.#options.keysDir, `${creditCode}.key`)
  }

  /** Trouble on the way is tried again, with a look at what had been done before it. */
  async #steadily<T>(act: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        const result = await act()
        this.#trouble = 0
        return result
      } catch (error) {
        if (!isTrouble(error)) throw error
        this.#trouble++
        if (tries >= TRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, tries * RETRY_MS))
      }
    }
  }

  /** Faults of an item are its outcome. What will hit every item, and defects, end the run. */
  #expected(error: unknown): unknown {
    if (error instanceof BulkJournalError) throw error
    if (isTrouble(error) && this.#trouble > TROUBLE_MAX * this.#options.concurrency) throw error
    if (error instanceof CodedError || error instanceof RpcError) return error
    throw error
  }

  async #roomForAnswers(): Promise<void> {
    while (this.#watch.waiting >= bulkUnacknowledgedMax)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS / 4))
  }

  #end(outcome: BulkOutcome): void {
    this.#tally.add(outcome)
    this.#needs.onOutcome?.(outcome)
  }

  #progress(phase: BulkProgress['phase'], done: number, started: number): void {
    const seconds = (performance.now() - started) / 1000
    // What an earlier run has done takes no time and says nothing about the rest.
    const moved = phase === 'register' ? done : this.#stored
    const { failed } = this.#tally
    const total = this.#items.length
    this.#needs.onProgress?.({
      phase,
      total,
      done,
      failed,
      waiting: this.#watch.waiting,
      perSecond: moved / Math.max(seconds, 0.001),
    })
  }
}

/** An item that cannot be submitted, for a reason in the input. */
export class BulkItemError extends CodedError<'TWICE'> {}

const statusOf = (parts: readonly JournalPart[]) =>
  parts.every(({ status }) => status === 'accepted') ? 'accepted' : 'rejected'

function answeredPart({ department, status, code }: PartReport): JournalPart[] {
  return status === 'pending' ? [] : [{ department, status, code }]
}

/** Not the item's fault: the node, the way to it, or a network that makes no blocks. */
function isTrouble(error: unknown): boolean {
  if (error instanceof RpcClientError) return true
  if (error instanceof WaitError) return true
  return error instanceof RpcError && /txpool is full|syncing|not ready/i.test(error.message)
}

function reasonOf(error: unknown): { code: string; message: string } {
  if (error instanceof CodedError) return { code: String(error.code), message: error.message }
  return { code: error instanceof RpcError ? String(error.code) : 'UNEXPECTED', message: (error as Error).message }
}
