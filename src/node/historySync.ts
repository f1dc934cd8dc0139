/**
 * A node that began from a snapshot fetches the blocks below it while it runs, from block 1 up, and proves them as an exported file
 * is proved; receipts by the root in each header. Nothing is executed: the snapshot's state root is certified. Everything else
 * comes first: one question at a time, work in slices, and none while the node is busy or behind.
 */
import type { SealerSet } from '../consensus/types.js'
import { type Address, asEpoch, asHeight, type Epoch, type Height } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import type { Receipt } from '../core/receipt.js'
import { extraDataSealerSet, readVanity } from '../core/seal.js'
import type { ChainStore } from '../state/chainStore.js'
import type { PastBlock } from '../state/fetchedBlocks.js'
import type { ChainPoint } from './headerChain.js'
import { HistoryAsk, type HistoryPeers } from './historyAsk.js'
import {
  type HistoryRules,
  type ProvedBlock,
  type ProvedRange,
  proveRange,
  readBlockReceipts,
  receiptCount,
  recoverBody,
} from './historyCheck.js'
import { piecesOf } from './historyPieces.js'
import { SYNC_BLOCKS_MAX } from './limits.js'
import { Pace } from './pace.js'
import type { SyncAnswer } from './sync.js'

/** The node has two certified chains: its own and the one that its peers prove from genesis. */
export class HistoryError extends CodedError<'HISTORY_CONTRADICTION'> {}

export interface HistoryNeeds extends Omit<HistoryRules, 'breathe'> {
  readonly store: ChainStore
  readonly peers: HistoryPeers
  readonly genesis: ChainPoint
  /** Sealers of an epoch that has ended here. */
  readonly setOf: (epoch: Epoch) => SealerSet | undefined
  /** The first kept block from `height` on that has a certificate of its own. */
  readonly certifiedFrom: (height: Height) => Height | undefined
  readonly isBusy: () => boolean
  /** A peer gave something false. */
  readonly onFault: (peer: Address, fault: string) => void
  readonly fatal: (error: unknown) => void
  readonly log: (message: string, fields: Record<string, unknown>) => void
}

export interface HistoryStatus {
  /** Blocks from the first on that are there and proved. */
  readonly checked: number
  /** Blocks below the one with which the node began. */
  readonly total: number
}

export class HistorySync {
  readonly #needs: HistoryNeeds
  readonly #pace: Pace
  readonly #ask: HistoryAsk
  readonly #rules: HistoryRules
  #running: Promise<void> = Promise.resolve()
  /** It was said that nobody has it. */
  #missed = false
  #resting = false

  constructor(needs: HistoryNeeds) {
    const { rules, readBlock, peers } = needs
    this.#needs = needs
    this.#pace = new Pace({ now: peers.now, isBusy: needs.isBusy })
    this.#ask = new HistoryAsk(peers, this.#pace)
    this.#rules = { rules, readBlock, breathe: () => this.#pace.breathe() }
  }

  /** Begins, or goes on; nothing where the history is whole or was pruned. */
  start(): void {
    if (this.#needs.store.fetchedBlock() === undefined) return
    this.#running = this.#run().catch((error) => this.#needs.fatal(error))
  }

  /** Undefined where no history is wanted. */
  status(): HistoryStatus | undefined {
    const { store } = this.#needs
    const checked = store.fetchedBlock()
    return checked === undefined ? undefined : { checked, total: store.oldestBlock() - 1 }
  }

  /** An answer of the blocks channel that is not one of range sync. */
  take(from: Address, answer: SyncAnswer): void {
    this.#ask.take(from, answer)
  }

  peerCame(): void {
    if (this.#resting) this.#pace.wake()
  }

  peerGone(peer: Address): void {
    this.#ask.forget(peer)
  }

  /** Resolves when nothing is written any more. Idempotent. */
  stop(): Promise<void> {
    this.#pace.stop()
    return this.#running
  }

  async #run(): Promise<void> {
    const { store, log } = this.#needs
    log('history: fetching the blocks below the snapshot', { ...this.status() })
    // A chain file may have brought blocks from above meanwhile: what remains is to see that both meet.
    let point = this.#pointAt(asHeight(Math.min(store.fetchedBlock()!, store.oldestBlock() - 2)))
    while (!this.#pace.stopped && store.fetchedBlock() !== undefined) {
      const range = await this.#range(point)
      if (range === undefined || !(await this.#fill(range.blocks))) continue
      point = range.point
    }
    if (store.fetchedBlock() === undefined) log('history: whole, every block is checked', { blocks: point.height })
  }

  /** Where a run goes on: block `height` and all below are proved and on disk. */
  #pointAt(height: Height): ChainPoint {
    const { store, genesis, setOf } = this.#needs
    const header = store.headerByNumber(height)!
    if (height === 0) return genesis
    const { epoch, view } = readVanity(header.extraData)
    const listed = extraDataSealerSet(header.extraData)
    const set = listed === null ? setOf(epoch)! : { epoch: asEpoch(epoch + 1), sealers: listed }
    return { hash: store.canonicalHash(height)!, height, view, set }
  }

  /** The next range, proved; undefined when it has to be asked for again. */
  async #range(point: ChainPoint): Promise<ProvedRange | undefined> {
    const { store, certifiedFrom } = this.#needs
    await this.#pace.breathe()
    // Where the block below the oldest one has no certificate of its own, one further up covers it.
    const oldest = store.oldestBlock()
    const end = certifiedFrom(asHeight(oldest - 1)) ?? oldest
    const to = asHeight(Math.min(end, point.height + SYNC_BLOCKS_MAX))
    const given = await this.#answered(() => this.#ask.range({ from: asHeight(point.height + 1), to }))
    if (given === undefined) return undefined
    const { from, answer } = given
    const proved = answer.blocks.length === 0 ? undefined : await proveRange(point, answer.blocks, this.#rules)
    if (this.#pace.stopped) return undefined
    if (proved === undefined || typeof proved === 'string') {
      this.#refuse(from, proved)
      return undefined
    }
    for (const block of proved.blocks) {
      if (!(await this.#pace.breathe())) return undefined
      this.#compare(block)
    }
    return proved
  }

  /** Asks, and waits a while where there is nobody to ask. */
  async #answered<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
    if (this.#pace.stopped) return undefined
    if (this.#ask.hasPeers) {
      const answer = await ask()
      if (answer !== undefined) this.#missed = false
      return this.#pace.stopped ? undefined : answer
    }
    if (!this.#missed) this.#needs.log('history: no connected peer has it now', { ...this.status() })
    this.#missed = true
    this.#resting = true
    await this.#ask.rest()
    this.#resting = false
    return undefined
  }

  #refuse(peer: Address, fault: string | undefined): void {
    this.#ask.setAside(peer)
    if (fault !== undefined) this.#needs.onFault(peer, fault)
  }

  /** Throws HistoryError where the node's own headers, certified through the snapshot, say otherwise. */
  #compare({ sealed: { height, hash, parent } }: ProvedBlock): void {
    const { store } = this.#needs
    const own = store.canonicalHash(height) ?? store.headerByNumber(asHeight(height + 1))?.parentHash
    const below = store.canonicalHash(asHeight(height - 1)) ?? parent
    if ((own === undefined || own === hash) && below === parent) return
    throw new HistoryError(
      'HISTORY_CONTRADICTION',
      `peers prove block ${height} ${hash} from genesis on, this node began from a snapshot with ${own ?? `block ${height - 1} ${below}`}: sealers certified two chains; compare with other nodes, then load another snapshot into an empty folder`,
    )
  }

  /** Fetches the receipts of a proved range and writes it; false when the node stops. */
  async #fill(range: readonly ProvedBlock[]): Promise<boolean> {
    const { store } = this.#needs
    const oldest = store.oldestBlock()
    const end = Math.min(range.at(-1)!.sealed.height, oldest - 1)
    let waiting = range.filter(({ sealed }) => sealed.height < oldest)
    while (waiting.length > 0) {
      const receipts = await this.#receipts(waiting)
      for (const piece of piecesOf(await this.#blocks(waiting, receipts))) {
        if (!(await this.#pace.breathe())) return false
        waiting = waiting.slice(piece.length)
        await store.addFetched(piece, waiting.length === 0 ? asHeight(end) : null)
      }
      if (this.#pace.stopped) return false
    }
    return true
  }

  /** Receipts of the first of `blocks`, as many as one answer holds, or of the first one in several answers of one peer. */
  async #receipts(blocks: readonly ProvedBlock[]): Promise<readonly (readonly Receipt[])[]> {
    const [first] = blocks as [ProvedBlock]
    const empty = blocks.findIndex((block) => receiptCount(block) > 0)
    if (empty !== 0) return (empty === -1 ? blocks : blocks.slice(0, empty)).map(() => [])
    const from = first.sealed.height
    const to = blocks.at(-1)!.sealed.height
    let head: readonly Uint8Array[] = []
    let peer: Address | undefined
    for (;;) {
      const index = head.length
      const given = await this.#answered(() => this.#ask.receipts({ from, to, index }, peer))
      if (given === undefined || (peer !== undefined && given.from !== peer)) return []
      peer = given.from
      const [start = [], ...rest] = given.answer.blocks
      head = [...head, ...start]
      const checked = await this.#checkReceipts(blocks, [head, ...rest])
      if (typeof checked === 'string' || start.length === 0) {
        this.#refuse(peer, typeof checked === 'string' ? checked : undefined)
        return []
      }
      if (checked.length > 0 || this.#pace.stopped) return checked
    }
  }

  /** Of the blocks whose receipts are complete; a string is the fault of who gave them. */
  async #checkReceipts(
    blocks: readonly ProvedBlock[],
    given: readonly (readonly Uint8Array[])[],
  ): Promise<readonly (readonly Receipt[])[] | string> {
    const checked: (readonly Receipt[])[] = []
    for (const [index, encoded] of given.entries()) {
      const block = blocks[index]
      if (block === undefined || encoded.length > receiptCount(block))
        return 'SYNC_RECEIPTS: there are more than were asked for'
      if (encoded.length < receiptCount(block)) {
        // Only the last one may break off.
        return index === given.length - 1 ? checked : `SYNC_RECEIPTS: block ${block.sealed.height} lacks some`
      }
      await this.#pace.breathe()
      const receipts = readBlockReceipts(block, encoded)
      if (typeof receipts === 'string') return receipts
      checked.push(receipts)
    }
    return checked
  }

  async #blocks(proved: readonly ProvedBlock[], receipts: readonly (readonly Receipt[])[]): Promise<PastBlock[]> {
    const blocks: PastBlock[] = []
    for (const [index, given] of receipts.entries()) {
      const block = proved[index]!
      const { sealed, header, certificate } = block
      const transactions = await recoverBody(block, () => this.#pace.breathe())
      blocks.push({ block: { header, transactions }, hash: sealed.hash, receipts: given, certificate })
    }
    return blocks
  }
}
