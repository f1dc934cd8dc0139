/** Filters that clients poll (eth_newFilter & co.). Bounded in number, in what each holds and in idle time. */
import { randomBytes } from 'node:crypto'
import { asHeight, type Hash, type Hex } from '../core/bytes.js'
import type { ChainApi, Unsubscribe } from './chainApi.js'
import { serverError } from './errors.js'
import type { LogMatcher } from './logFilter.js'
import type { LogScanner } from './logScan.js'
import type { RpcLimits } from './rpcLimits.js'
import type { Slices } from './slices.js'
import type { RpcLog } from './wire.js'

export interface LogFilterState {
  readonly kind: 'logs'
  readonly matcher: LogMatcher
  /** As the filter names them; eth_getFilterLogs searches all of it. */
  readonly fromBlock: number | undefined
  readonly toBlock: number | undefined
  /** First block that the next poll searches. */
  next: number
}

type FilterState =
  | LogFilterState
  | { readonly kind: 'blocks'; next: number }
  | { readonly kind: 'pending'; hashes: Hash[]; readonly stop: Unsubscribe }

interface Entry {
  readonly state: FilterState
  usedMs: number
}

/** Unguessable id of 128 bits, without leading zeros as a quantity. */
export function randomId(): Hex {
  return `0x${BigInt(`0x${randomBytes(16).toString('hex')}`).toString(16)}`
}

export class Filters {
  readonly #entries = new Map<string, Entry>()

  constructor(
    readonly api: ChainApi,
    readonly scanner: LogScanner,
    readonly limits: Pick<RpcLimits, 'filtersMax' | 'filterHashesMax' | 'filterIdleMs' | 'logRangeBlocksMax'>,
    readonly now: () => number = () => performance.now(),
  ) {}

  get size(): number {
    return this.#entries.size
  }

  addLogs(matcher: LogMatcher, fromBlock: number | undefined, toBlock: number | undefined): Hex {
    return this.#add({ kind: 'logs', matcher, fromBlock, toBlock, next: this.#headNumber() + 1 })
  }

  addBlocks(): Hex {
    return this.#add({ kind: 'blocks', next: this.#headNumber() + 1 })
  }

  addPending(): Hex {
    const hashes: Hash[] = []
    const stop = this.api.onPendingTransaction(({ hash }) => {
      hashes.push(hash)
      // Nobody polls: drop the filter rather than hashes in its middle.
      if (hashes.length > this.limits.filterHashesMax) this.remove(id)
    })
    const id = this.#add({ kind: 'pending', hashes, stop })
    return id
  }

  /** What is new since the last poll. A log poll spans at most the allowed range; the next one goes on from there. */
  changes(id: string, slices: Slices): readonly Hash[] | Promise<RpcLog[]> {
    const state = this.#use(id)
    if (state.kind === 'pending') return state.hashes.splice(0)
    return state.kind === 'blocks' ? this.#newBlocks(state) : this.#newLogs(state, slices)
  }

  /** The log filter itself. Throws -32000 when it is lost or of another kind. */
  logFilter(id: string): LogFilterState {
    const state = this.#use(id)
    if (state.kind !== 'logs') throw filterNotFound()
    return state
  }

  remove(id: string): boolean {
    const entry = this.#entries.get(id)
    if (!entry) return false
    if (entry.state.kind === 'pending') entry.state.stop()
    return this.#entries.delete(id)
  }

  close(): void {
    for (const id of [...this.#entries.keys()]) this.remove(id)
  }

  #headNumber(): number {
    return this.api.head().header.number
  }

  #add(state: FilterState): Hex {
    this.#sweep()
    if (this.#entries.size >= this.limits.filtersMax) {
      if (state.kind === 'pending') state.stop()
      throw serverError(`too many filters: ${this.limits.filtersMax} are open, use eth_subscribe or eth_getLogs`)
    }
    const id = randomId()
    this.#entries.set(id, { state, usedMs: this.now() })
    return id
  }

  #use(id: string): FilterState {
    this.#sweep()
    const entry = this.#entries.get(id)
    if (!entry) throw filterNotFound()
    // Insertion order is order of use: the sweep looks at the oldest only.
    this.#entries.delete(id)
    this.#entries.set(id, entry)
    entry.usedMs = this.now()
    return entry.state
  }

  #sweep(): void {
    const oldest = this.now() - this.limits.filterIdleMs
    for (const [id, entry] of this.#entries) {
      if (entry.usedMs >= oldest) return
      this.remove(id)
    }
  }

  #claim(state: { next: number }, to: number): { from: number; to: number } {
    const from = state.next
    const last = Math.min(to, from + this.limits.logRangeBlocksMax - 1)
    state.next = Math.max(from, last + 1)
    return { from, to: last }
  }

  #newBlocks(state: { next: number }): Hash[] {
    const { from, to } = this.#claim(state, this.#headNumber())
    const hashes: Hash[] = []
    for (let number = from; number <= to; number++) {
      const hash = this.api.hashOf(asHeight(number))
      if (hash) hashes.push(hash)
    }
    return hashes
  }

  async #newLogs(state: LogFilterState, slices: Slices): Promise<RpcLog[]> {
    const head = this.#headNumber()
    const { from, to } = this.#claim(state, Math.min(head, state.toBlock ?? head))
    try {
      return await this.scanner.scan(state.matcher, Math.max(from, state.fromBlock ?? 0), to, slices)
    } catch (error) {
      state.next = from
      throw error
    }
  }
}

/** Geth's text; -32000 makes clients install the filter anew. */
const filterNotFound = () => serverError('filter not found')
