/** Everything final: blocks, receipts, certificates and the state after the latest block. What is not final never gets here. */

import { assert } from '../core/assert.js'
import type { Block } from '../core/block.js'
import { type Address, asHeight, EMPTY_BYTES, type Hash, type Height, toHash } from '../core/bytes.js'
import type { Header } from '../core/header.js'
import { recentBlocksMax } from '../core/limits.js'
import type { Receipt } from '../core/receipt.js'
import type { RecoveredTransaction } from '../crypto/transaction.js'
import { type Account, EMPTY_ACCOUNT } from './account.js'
import { StateError } from './errors.js'
import { FETCHED_META, fetchedOperations, OLDEST_BLOCK_META, type PastBlock, SNAPSHOT_META } from './fetchedBlocks.js'
import { FinalState, stateOperations } from './finalState.js'
import { PastState } from './history/pastState.js'
import { StateHistory, type StateHistoryOptions } from './history/stateHistory.js'
import { trieKey } from './keys.js'
import { EMPTY_STATE, type StateLayer } from './layer.js'
import type { StateOverlay } from './overlay.js'
import { addBlock } from './store/blockOperations.js'
import { readBlock, readHeaderRecord, readRawBlock, readReceipts } from './store/blockRecords.js'
import {
  bodyKey,
  certificateKey,
  headerKey,
  headKey,
  heightOfHashKey,
  LAYOUT_VERSION,
  layoutKey,
  metaKey,
  readHeight,
  receiptsKey,
  transactionKey,
} from './store/keys.js'
import type { KeyValueReader, KeyValueSnapshot, KeyValueStore, WriteOperation } from './store/keyValueStore.js'
import { openLevelStore } from './store/level.js'
import { MemoryStore } from './store/memory.js'

export type StoredBlock = Block<RecoveredTransaction>

export interface ChainHead {
  readonly header: Header
  readonly hash: Hash
  readonly height: Height
  /** Finality certificate; empty for genesis. */
  readonly certificate: Uint8Array
}

/** The block after the head, with the proof that it is final and everything its execution gave. */
export interface FinalBlock {
  readonly block: StoredBlock
  readonly hash: Hash
  readonly receipts: readonly Receipt[]
  readonly certificate: Uint8Array
  /** The block's execution, on top of `state()` or of the overlay of the block before it. Frozen and taken over by commit. */
  readonly overlay: StateOverlay
  /** Written in the same batch; read back with `meta`. */
  readonly meta?: Readonly<Record<string, Uint8Array>>
}

export interface GenesisBlock {
  readonly block: StoredBlock
  readonly hash: Hash
  /** On top of EMPTY_STATE. */
  readonly overlay: StateOverlay
}

export interface TransactionLocation {
  readonly height: Height
  readonly index: number
}

/** EIP-1186. Proofs are encoded trie nodes from the root down. */
export interface AccountProof {
  readonly account: Account
  readonly proof: Uint8Array[]
  readonly storage: { readonly slot: Hash; readonly word: Hash; readonly proof: Uint8Array[] }[]
}

export type ChainStoreOptions = ({ readonly dir: string } | { readonly store: KeyValueStore }) & {
  /** Trie nodes kept in memory, roughly. */
  readonly trieNodesMax?: number
  /** Which past states can be read; none when left out. */
  readonly history?: StateHistoryOptions
}

interface RecentBlock {
  readonly block: StoredBlock
  readonly receipts: readonly Receipt[]
}

/**
 * Reads are synchronous and always of one final block and its state, also while the next block is being written. Writes go
 * one block at a time, each one batch that is on disk when `commit` resolves. After a failed write nothing more is written.
 */
export class ChainStore {
  private current: { readonly head: ChainHead; readonly state: FinalState } | undefined
  /** What reads see while a batch is being written. */
  private snapshot: KeyValueSnapshot | undefined
  private writing: Promise<void> = Promise.resolve()
  private failure: StateError | undefined
  private readonly recent = new Map<Height, RecentBlock>()
  private readonly reader: KeyValueReader = {
    getSync: (key) => (this.snapshot ?? this.store).getSync(key),
  }
  private readonly history: StateHistory

  private constructor(
    private readonly store: KeyValueStore,
    private readonly trieNodesMax: number | undefined,
    history: StateHistoryOptions = { recentBlocks: 0 },
  ) {
    this.loadHead()
    this.history = new StateHistory(history, this.reader, this.current?.head.height)
  }

  /**
   * Opens the store in folder `dir`, or on `store` (closed by `close`). Throws StoreError LOCKED or NOT_OPENED, StateError
   * WRONG_CHAIN for a folder of another layout and CORRUPT for one that lacks its head.
   */
  static async open(options: ChainStoreOptions): Promise<ChainStore> {
    const store = 'dir' in options ? await openLevelStore(options.dir) : options.store
    try {
      return new ChainStore(store, options.trieNodesMax, options.history)
    } catch (error) {
      await store.close()
      throw error
    }
  }

  /** A store that is gone with the process, for tests and tools. */
  static memory(): Promise<ChainStore> {
    return ChainStore.open({ store: new MemoryStore() })
  }

  /** Undefined until `init`. */
  head(): ChainHead | undefined {
    return this.current?.head
  }

  /** The state after the head. Ask again after each commit: an older one throws StateError SUPERSEDED. */
  state(): StateLayer {
    return this.requireCurrent().state
  }

  /** The first block whose state can be read besides the head's; the head's height when there is none. */
  oldestState(): Height {
    return this.history.oldest
  }

  /**
   * The state after the final block at `height`; undefined when it is not kept or not there yet. Reading it after it has
   * left the window throws StateError SUPERSEDED.
   */
  stateAt(height: Height): StateLayer | undefined {
    const { head, state } = this.requireCurrent()
    if (height === head.height) return state
    const header = height > head.height || height < this.history.oldest ? undefined : this.headerByNumber(height)
    return header && new PastState({ getSync: (key) => this.valueAt(height, key) }, header.stateRoot)
  }

  /** Writes genesis into an empty store. In a store that has it already: does nothing. Throws StateError WRONG_CHAIN, CORRUPT. */
  async init(genesis: GenesisBlock): Promise<void> {
    const stored = this.canonicalHash(asHeight(0))
    if (stored === genesis.hash) return
    if (stored !== undefined) {
      throw new StateError(
        'WRONG_CHAIN',
        `the data folder holds the chain with genesis ${stored}, not ${genesis.hash}: choose another folder`,
      )
    }
    for await (const _ of this.store.range({ limit: 1 }))
      throw new StateError(
        'CORRUPT',
        'the data folder holds part of a state and no chain, as a snapshot leaves it whose loading broke off: delete the folder',
      )
    assert(genesis.block.header.number === 0, 'genesis has number 0')
    if (!genesis.overlay.standsOn(EMPTY_STATE) || genesis.overlay.root() !== genesis.block.header.stateRoot) {
      throw new StateError(
        'NOT_NEXT',
        'the genesis state does not stand on the empty state, or is not what its header says',
      )
    }
    const { block, hash, overlay } = genesis
    const operations: WriteOperation[] = []
    stateOperations(overlay.changes(), operations)
    addBlock({ block, hash, receipts: [], certificate: EMPTY_BYTES }, operations)
    operations.push({ type: 'put', key: layoutKey(), value: Uint8Array.of(LAYOUT_VERSION) })
    await this.write(operations)
    this.loadHead()
    this.history.advance(asHeight(0))
    overlay.settle(this.state())
  }

  /**
   * Writes the next block, in the order of the calls. Resolves when it is on disk. Rejects with StateError NOT_NEXT when it
   * does not follow the head (nothing is written), FAILED when this or an earlier write failed: then stop the process.
   */
  commit(final: FinalBlock): Promise<void> {
    const done = this.writing.then(() => this.commitNext(final))
    this.writing = done.catch(() => undefined)
    return done
  }

  headerByNumber(height: Height): Header | undefined {
    const recent = this.recent.get(height)
    if (recent !== undefined) return recent.block.header
    const record = this.record(headerKey, height)
    return record && readHeaderRecord(record).header
  }

  headerByHash(hash: Hash): Header | undefined {
    const height = this.heightOf(hash)
    return height === undefined ? undefined : this.headerByNumber(height)
  }

  /** Hash of the final block at `height`. */
  canonicalHash(height: Height): Hash | undefined {
    const record = this.record(headerKey, height)
    return record && toHash(record.subarray(0, 32))
  }

  blockByNumber(height: Height): StoredBlock | undefined {
    const recent = this.recent.get(height)
    if (recent !== undefined) return recent.block
    const header = this.record(headerKey, height)
    const body = this.record(bodyKey, height)
    return header && body && readBlock(header, body)
  }

  blockByHash(hash: Hash): StoredBlock | undefined {
    const height = this.heightOf(hash)
    return height === undefined ? undefined : this.blockByNumber(height)
  }

  /** The block's RLP as it travels between nodes; cheaper than encoding `blockByNumber`. */
  rawBlock(height: Height): Uint8Array | undefined {
    const header = this.record(headerKey, height)
    const body = this.record(bodyKey, height)
    return header && body && readRawBlock(header, body)
  }

  /** One for each transaction of the block. */
  receipts(height: Height): readonly Receipt[] | undefined {
    const recent = this.recent.get(height)
    if (recent !== undefined) return recent.receipts
    const record = this.record(receiptsKey, height)
    return record && readReceipts(record)
  }

  /** RLP list of the encoded receipts, as stored; cheaper than encoding `receipts`. */
  rawReceipts(height: Height): Uint8Array | undefined {
    return this.record(receiptsKey, height)
  }

  /** Finality certificate; empty for genesis. */
  certificate(height: Height): Uint8Array | undefined {
    return this.record(certificateKey, height)
  }

  heightOf(hash: Hash): Height | undefined {
    const record = this.reader.getSync(heightOfHashKey(hash))
    return record && asHeight(readHeight(record))
  }

  transactionLocation(hash: Hash): TransactionLocation | undefined {
    const record = this.reader.getSync(transactionKey(hash))
    return (
      record && {
        height: asHeight(readHeight(record)),
        index: new DataView(record.buffer, record.byteOffset).getUint32(6),
      }
    )
  }

  /** What the latest commit that named `key` wrote. */
  meta(key: string): Uint8Array | undefined {
    return this.reader.getSync(metaKey(key))
  }

  /** First block above genesis whose body and receipts are kept; all later ones are. */
  oldestBlock(): Height {
    const record = this.meta(OLDEST_BLOCK_META)
    return asHeight(record === undefined ? 1 : readHeight(record))
  }

  /**
   * Up to which block from the first on the history below `oldestBlock` was fetched; 0: none of it. Undefined where none is
   * wanted: the store is whole, or was pruned on purpose.
   */
  fetchedBlock(): Height | undefined {
    if (this.oldestBlock() === 1 || this.meta(SNAPSHOT_META) === undefined) return undefined
    const record = this.meta(FETCHED_META)
    return asHeight(record === undefined ? 0 : readHeight(record))
  }

  /**
   * Writes blocks below `oldestBlock`, in its turn among the commits. `fetched`: up to where all of them are there and proved; with
   * the last one the store is whole. Resolves when they are on disk; rejects with StateError FAILED as `commit` does.
   */
  addFetched(blocks: readonly PastBlock[], fetched: Height | null): Promise<void> {
    const done = this.writing.then(() => this.write(fetchedOperations(blocks, fetched, this.oldestBlock())))
    this.writing = done.catch(() => undefined)
    return done
  }

  /** Proofs against the state root of `state` (by default the head's), of values and of their absence. */
  prove(address: Address, slots: readonly Hash[], state: StateLayer = this.state()): AccountProof {
    const storageTrie = state.storageTrie(address)
    return {
      account: state.account(address) ?? EMPTY_ACCOUNT,
      proof: state.accountTrie().prove(trieKey(address)),
      storage: slots.map((slot) => ({
        slot,
        word: state.storage(address, slot),
        proof: storageTrie.prove(trieKey(slot)),
      })),
    }
  }

  /** Waits for writes under way. Idempotent. */
  async close(): Promise<void> {
    await this.writing
    this.snapshot?.close()
    this.snapshot = undefined
    await this.store.close()
  }

  private async commitNext(final: FinalBlock): Promise<void> {
    const { head, state } = this.requireCurrent()
    const { block, hash, overlay } = final
    const { header } = block
    if (header.number !== head.height + 1 || header.parentHash !== head.hash || !overlay.standsOn(state)) {
      throw new StateError(
        'NOT_NEXT',
        `block ${header.number} ${hash} or its state does not follow the head ${head.height} ${head.hash}`,
      )
    }
    if (overlay.root() !== header.stateRoot || final.receipts.length !== block.transactions.length) {
      throw new StateError(
        'NOT_NEXT',
        `block ${header.number} ${hash} comes with the state or receipts of another block`,
      )
    }
    const operations: WriteOperation[] = []
    this.history.record(header.number, state, overlay.changes(), operations)
    addBlock(final, operations)
    await this.write(operations)
    const next = state.next(overlay.changes())
    overlay.settle(next)
    this.current = { head: { header, hash, height: header.number, certificate: final.certificate }, state: next }
    this.history.advance(header.number)
    this.remember(final)
  }

  /** Reads see what was there before until the batch is on disk; after a failure they go on doing so. */
  private async write(operations: readonly WriteOperation[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    this.snapshot = this.store.snapshot()
    try {
      await this.store.batch(operations, { sync: true })
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      this.failure = new StateError('FAILED', `a final block could not be stored (${reason}): the node must stop`, {
        cause,
      })
      throw this.failure
    }
    this.snapshot.close()
    this.snapshot = undefined
  }

  private remember(final: FinalBlock): void {
    const { block, receipts } = final
    this.recent.set(block.header.number, { block, receipts })
    this.recent.delete(asHeight(block.header.number - recentBlocksMax))
  }

  private loadHead(): void {
    const pointer = this.store.getSync(headKey())
    if (pointer === undefined) return
    const layout = this.store.getSync(layoutKey())?.[0]
    if (layout !== LAYOUT_VERSION) {
      throw new StateError(
        'WRONG_CHAIN',
        `the data folder has layout ${layout}, this version reads ${LAYOUT_VERSION}: sync into an empty folder`,
      )
    }
    const height = asHeight(readHeight(pointer))
    const record = this.store.getSync(headerKey(height))
    const certificate = this.store.getSync(certificateKey(height))
    const hash = toHash(pointer.subarray(6))
    const stored = record && readHeaderRecord(record)
    if (stored?.hash !== hash || certificate === undefined) {
      throw new StateError(
        'CORRUPT',
        `the head block ${height} ${hash} is not in the data folder: sync into an empty folder`,
      )
    }
    const { header } = stored
    this.current = {
      head: { header, hash, height, certificate },
      state: FinalState.open(this.reader, header.stateRoot, this.trieNodesMax),
    }
  }

  private valueAt(height: Height, key: Uint8Array): Uint8Array | undefined {
    if (height < this.history.oldest)
      throw new StateError('SUPERSEDED', `the state of block ${height} is not kept any more: ask for a later one`)
    return this.history.valueAt(height, key)
  }

  private record(keyOf: (height: Height) => Uint8Array, height: Height): Uint8Array | undefined {
    if (!Number.isSafeInteger(height) || height < 0) return undefined
    return this.reader.getSync(keyOf(height))
  }

  private requireCurrent(): { readonly head: ChainHead; readonly state: FinalState } {
    if (this.current === undefined)
      throw new StateError('NO_GENESIS', 'the data folder is empty: initialise it from genesis first')
    return this.current
  }
}
