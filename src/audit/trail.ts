/**
 * The trail of a query over final blocks, page by page: which logs can match, what each of them says, which of them do match.
 * Memory is bounded by a page and by what is kept of exchanges.
 */
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { membersInterface } from '../contracts/members.js'
import { type Address, fromHex, type Hash } from '../core/bytes.js'
import { rpcLogRangeBlocksMax } from '../core/limits.js'
import { addressWord } from '../vm/storage.js'
import type { TraceEntry } from './entry.js'
import type { Args } from './eventTable.js'
import { type Exchange, Exchanges } from './exchanges.js'
import {
  directFilters,
  exchangeFilters,
  isAbout,
  type LogFilter,
  type Subject,
  selected,
  type TraceQuery,
  tellingEvents,
} from './query.js'
import { callOf, eventOf, type KnownEvent } from './readings.js'
import type { TraceLog, TraceSource, TraceTransaction } from './source.js'
import { wordText } from './words.js'

export interface TrailPage {
  readonly entries: readonly TraceEntry[]
  readonly fromBlock: number
  readonly toBlock: number
}

/** Logs of one page below which the next one may be wider. */
const SPARSE_LOGS = 1_000
/** Exchanges of one subject that are remembered by their number. */
const IDS_MAX = 1_000_000

/** An event of the chain, decoded. */
interface Step {
  readonly known: KnownEvent
  readonly args: Args
  readonly log: TraceLog
  readonly block: number
  readonly exchange: { readonly kind: string; readonly id: bigint; readonly key: string } | undefined
}

/** Reads trails from one source. What it has learnt of exchanges serves later queries too. */
export class Trail {
  readonly #source: TraceSource
  readonly #exchanges: Exchanges
  /** Exchanges that concern the subject, by kind, up to a block. */
  #subjectKey = ''
  #ids = new Map<string, Set<bigint>>()
  #idsTo = -1

  constructor(source: TraceSource) {
    this.#source = source
    this.#exchanges = new Exchanges(source)
  }

  /** Pages in order of blocks; each holds all entries of its blocks. Throws what the source throws. */
  async *pages(query: TraceQuery): AsyncGenerator<TrailPage> {
    const subject = await this.#subject(query)
    const events = selected(query.kinds)
    // All of it first: an exchange may concern the subject by a later step of it alone.
    if (isAbout(subject)) await this.#learn(subject, query.toBlock)
    const filters = async () => {
      const direct = directFilters(events, subject)
      return isAbout(subject) ? [...direct, ...exchangeFilters(events, this.#ids)] : direct
    }
    for await (const { logs, fromBlock, toBlock } of this.#logPages(filters, query.fromBlock, query.toBlock)) {
      const entries = await this.#entries(stepsOf(logs))
      const matching = entries.filter(({ entry, step, words }) =>
        matches(query, subject, entry, words, this.#concerns(step)),
      )
      yield { entries: matching.map(({ entry }) => entry), fromBlock, toBlock }
    }
  }

  async #subject({ enterprise, department }: TraceQuery): Promise<Subject> {
    // What names the department is the smaller part; the enterprise is looked at afterwards.
    if (department !== undefined) return { account: addressWord(department) }
    if (enterprise === undefined) return {}
    const calldata = membersInterface.encodeCall('memberById', { id: enterprise })
    const answer = await this.#source.view(CONTRACT_ADDRESSES.members, calldata)
    if (answer === undefined) return { enterprise }
    return { enterprise, account: addressWord(membersInterface.decodeResult('memberById', answer).account) }
  }

  /** Pages as wide as the source takes them. */
  async *#logPages(filters: () => Promise<readonly LogFilter[]>, fromBlock: number, last: number) {
    let span = rpcLogRangeBlocksMax
    for (let from = fromBlock; from <= last; ) {
      const toBlock = Math.min(last, from + span - 1)
      const blocks = toBlock - from + 1
      let logs: readonly TraceLog[]
      try {
        logs = await this.#source.logs(await filters(), from, toBlock)
      } catch (error) {
        if (!this.#source.isTooWide(error, blocks)) throw error
        span = Math.ceil(blocks / 2)
        continue
      }
      yield { logs, fromBlock: from, toBlock }
      from = toBlock + 1
      if (logs.length < SPARSE_LOGS) span = Math.min(rpcLogRangeBlocksMax, 2 * span)
    }
  }

  /** Finds the exchanges that concern the subject, those that began before the query too. */
  async #learn(subject: Subject, toBlock: number): Promise<void> {
    const key = JSON.stringify(subject)
    if (key !== this.#subjectKey) {
      this.#subjectKey = key
      this.#ids = new Map()
      this.#idsTo = -1
    }
    const filters = async () => directFilters(tellingEvents, subject)
    for await (const page of this.#logPages(filters, this.#idsTo + 1, toBlock)) {
      for (const { exchange } of stepsOf(page.logs)) if (exchange) this.#remember(exchange.kind, exchange.id)
      this.#idsTo = page.toBlock
    }
  }

  #remember(kind: string, id: bigint): void {
    const ids = this.#ids.get(kind) ?? new Set<bigint>()
    if (ids.size < IDS_MAX) ids.add(id)
    this.#ids.set(kind, ids)
  }

  #concerns({ exchange }: Step): boolean {
    return exchange !== undefined && (this.#ids.get(exchange.kind)?.has(exchange.id) ?? false)
  }

  async #entries(steps: readonly Step[]) {
    const wanted = steps.filter(({ known: { reading } }) => reading.who === undefined || reading.call !== undefined)
    const transactions = await this.#source.transactions([...new Set(wanted.map(({ log }) => log.transactionHash))])
    const times = await this.#source.times([...new Set(steps.map(({ block }) => block))])
    const made: { entry: TraceEntry; step: Step; words: Words }[] = []
    for (const step of steps) {
      const timeMs = times.get(step.block) ?? 0
      const words = await this.#words(step, transactions.get(step.log.transactionHash), timeMs)
      made.push({ step, words, entry: entryOf(step, words, timeMs) })
    }
    return made
  }

  async #words(step: Step, transaction: TraceTransaction | undefined, timeMs: number): Promise<Words> {
    const { known, args, exchange } = step
    const { reading } = known
    const who = reading.who === undefined ? transaction?.from : (args[reading.who] as Address)
    const call = reading.call && transaction ? callOf(transaction.to, transaction.input) : undefined
    const detail = call && reading.call ? reading.call(call, args) : {}
    const own = {
      who: who ?? (`0x${'00'.repeat(20)}` as Address),
      parties: listOf<Address>(args, reading.parties),
      enterprise: wordOf(args, reading.enterprise),
      attributes: detail.attributes ?? listOf<Hash | AskedItem>(args, reading.attributes).map(attributeOf),
      purpose: wordOf(args, reading.purpose),
      basis: detail.basis ?? wordOf(args, reading.basis),
    }
    if (exchange === undefined) return { ...own, began: undefined }
    if (reading.opens) {
      const { enterprise, purpose, basis } = own
      this.#exchanges.open(exchange.key, { block: step.block, timeMs, by: own.who, enterprise, purpose, basis })
    }
    const began = await this.#exchanges.read(exchange.kind, exchange.id, exchange.key)
    const { enterprise = null, purpose = null, basis = null } = began ?? {}
    return {
      ...own,
      enterprise: own.enterprise ?? enterprise,
      purpose: own.purpose ?? purpose,
      basis: own.basis ?? basis,
      began,
    }
  }
}

interface AskedItem {
  readonly attribute: Hash
}

const attributeOf = (item: Hash | AskedItem): Hash => (typeof item === 'string' ? item : item.attribute)

interface Words {
  readonly who: Address
  readonly parties: readonly Address[]
  readonly enterprise: Hash | null
  readonly attributes: readonly Hash[]
  readonly purpose: Hash | null
  readonly basis: Hash | null
  readonly began: Exchange | undefined
}

/** Decoded logs in the order of the chain, each once. Logs that no line of the table reads are left out. */
function stepsOf(logs: readonly TraceLog[]): Step[] {
  const steps = new Map<string, Step>()
  for (const log of logs) {
    const known = eventOf(log.address, log.topics[0])
    const args = known?.decode({ topics: log.topics, data: fromHex(log.data, 'data of a log') })
    if (known === undefined || args === undefined) continue
    steps.set(`${log.blockNumber}/${log.logIndex}`, {
      known,
      args,
      log,
      block: Number(log.blockNumber),
      exchange: exchangeOf(known, args),
    })
  }
  return [...steps.values()].sort((a, b) => a.block - b.block || Number(a.log.logIndex) - Number(b.log.logIndex))
}

/** Kinds of exchanges are counted by each contract on its own. */
function exchangeOf({ contract, reading }: KnownEvent, args: Args): Step['exchange'] {
  if (reading.exchange === undefined) return undefined
  const [kind, argument] = reading.exchange
  const id = BigInt(args[argument] as bigint | Hash)
  return { kind, id, key: `${contract}/${kind}/${id}` }
}

function entryOf({ known, args, log, block, exchange }: Step, words: Words, timeMs: number): TraceEntry {
  const { contract, event, reading } = known
  const { began } = words
  const opened = reading.opens === true || began === undefined
  return {
    kind: reading.kind,
    contract,
    event,
    block,
    timeMs,
    transaction: log.transactionHash,
    logIndex: Number(log.logIndex),
    who: words.who,
    says: reading.says,
    parties: words.parties,
    enterprise: words.enterprise && wordText(words.enterprise),
    attributes: words.attributes.map((word) => wordText(word) ?? word),
    purpose: words.purpose && wordText(words.purpose),
    basis: words.basis && wordText(words.basis),
    outcome: reading.outcome?.(args) ?? null,
    exchange: exchange === undefined ? null : exchangeName(exchange),
    after: opened ? null : { blocks: block - began.block, ms: timeMs - began.timeMs },
  }
}

const exchangeName = ({ kind, id }: NonNullable<Step['exchange']>): string =>
  id < 2n ** 64n ? `${kind} ${id}` : `${kind} ${wordText(`0x${id.toString(16).padStart(64, '0')}` as Hash)}`

function matches(query: TraceQuery, subject: Subject, entry: TraceEntry, words: Words, concerns: boolean): boolean {
  const { attribute, purpose, enterprise, department, kinds } = query
  if (kinds !== undefined && !kinds.includes(entry.kind)) return false
  if (attribute !== undefined && !words.attributes.includes(attribute)) return false
  if (purpose !== undefined && words.purpose !== purpose) return false
  const named = [words.who, ...words.parties]
  if (enterprise !== undefined) {
    const ofAccount = department === undefined && named.some((account) => addressWord(account) === subject.account)
    if (words.enterprise !== enterprise && !ofAccount) return false
  }
  return department === undefined || concerns || named.includes(department)
}

const wordOf = (args: Args, name: string | undefined): Hash | null => (name === undefined ? null : (args[name] as Hash))

function listOf<T>(args: Args, name: string | undefined): readonly T[] {
  const value = name === undefined ? undefined : args[name]
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value as T]
}
