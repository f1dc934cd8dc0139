/**
 * The final chain of this node: takes executed blocks with their certificates, makes them durable one after the other and
 * tells everyone who waits, each only after the block can be read (P4).
 */

import { decodeCertificate } from '../consensus/codec.js'
import type { Certificate, SealerSet } from '../consensus/types.js'
import { sealerSetOf } from '../contracts/sealers.js'
import { assert } from '../core/assert.js'
import { asEpoch, asHeight, bytesToNumber, type Epoch, type Height, uintToBytes } from '../core/bytes.js'
import { extraDataSealerSet, readVanity } from '../core/seal.js'
import type { ChainHead, ChainStore } from '../state/chainStore.js'
import type { JournalPosition } from '../state/journal.js'
import type { Candidate, Ground } from './blocks.js'
import type { ChainPoint } from './headerChain.js'
import { LruMap } from './lru.js'
import { encodePosition, JOURNAL_META } from './ownJournal.js'
import type { SyncedBlock } from './syncMessages.js'

export type FinalListener = (candidate: Candidate) => void

/** Sealer sets of past epochs kept decoded: those whose certificates are asked for. */
const PAST_SETS_MAX = 64

export class FinalChain {
  readonly #store: ChainStore
  readonly #listeners: FinalListener[] = []
  readonly #fatal: (error: unknown) => void
  readonly #position: (() => JournalPosition) | null
  readonly #past = new LruMap<Epoch, SealerSet>(PAST_SETS_MAX)
  readonly #genesisSet: SealerSet
  /** Sealers of the block after the head on disk. */
  #set: SealerSet
  /** Last block that is final, perhaps still on its way to the disk. */
  #queued: ChainPoint
  /** Blocks handed to `commit` that are not yet on disk. */
  #pending = 0

  /**
   * `genesisSet`: the sealers of epoch 0. `position`: how far the journal has come; kept with each block, so that an older
   * journal is noticed; null where no journal is at hand, and what is kept stays as it is.
   */
  constructor(
    store: ChainStore,
    genesisSet: SealerSet,
    fatal: (error: unknown) => void,
    position: (() => JournalPosition) | null,
  ) {
    const head = store.head()
    assert(head !== undefined, 'the store is initialised before the chain')
    this.#store = store
    this.#genesisSet = genesisSet
    this.#fatal = fatal
    this.#position = position
    this.#set = sealerSetOf(store.state())
    const { view } = readVanity(head.header.extraData)
    this.#queued = { hash: head.hash, height: head.height, view, set: this.#set }
  }

  /** The last final block on disk. */
  head(): ChainHead {
    return this.#store.head()!
  }

  /** The last final block, on disk or on its way, and the sealers of the one after it. */
  queued(): ChainPoint {
    return this.#queued
  }

  /** Sealers of the block after the last one on disk: the same object until the epoch ends. */
  get set(): SealerSet {
    return this.#set
  }

  /** Sealers of an epoch that has begun here; undefined for a later one. */
  setOf(epoch: Epoch): SealerSet | undefined {
    if (epoch === this.#set.epoch) return this.#set
    if (epoch > this.#set.epoch) return undefined
    if (epoch === 0) return this.#genesisSet
    const known = this.#past.get(epoch)
    if (known !== undefined) return known
    const closing = this.closing(asEpoch(epoch - 1))
    const header = closing === undefined ? undefined : this.#store.headerByNumber(closing)
    const sealers = header === undefined ? null : extraDataSealerSet(header.extraData)
    assert(sealers !== null, `the block that opened epoch ${epoch} is in the store`)
    const set = { epoch, sealers }
    this.#past.set(epoch, set)
    return set
  }

  /** The block that closed the epoch of block `height`; undefined while that epoch lasts. */
  epochEnd(height: Height): Height | undefined {
    const header = this.#store.headerByNumber(height)
    return header === undefined ? undefined : this.closing(readVanity(header.extraData).epoch)
  }

  /** Height of the block that closed `epoch`; undefined while it lasts. */
  closing(epoch: Epoch): Height | undefined {
    return closingHeight(this.#store, epoch)
  }

  /** Final blocks that are being written. */
  get pending(): number {
    return this.#pending
  }

  ground(): Ground {
    const head = this.head()
    return { hash: head.hash, header: head.header, state: this.#store.state(), set: this.#set }
  }

  /** Adds a listener that runs once a final block is on disk and can be read, in order of height. */
  onFinal(listener: FinalListener): void {
    this.#listeners.push(listener)
  }

  /**
   * Commits an executed block; resolves when it is on disk. A block that is final already is passed over. `certificate` is
   * empty where a later block's certificate covers this one.
   */
  async commit(candidate: Candidate, certificate: Uint8Array): Promise<void> {
    const { hash, height, view, epoch } = candidate.sealed
    if (height <= this.#queued.height) return
    this.#pending++
    const { block, receipts, overlay, nextSet } = candidate
    const closing = nextSet === null ? {} : { [closingKey(epoch)]: uintToBytes(height) }
    try {
      assert(
        height === this.#queued.height + 1 && candidate.sealed.parent === this.#queued.hash,
        `block ${height} ${hash} does not follow the final block ${this.#queued.height}`,
      )
      this.#queued = { hash, height, view, set: nextSet ?? this.#queued.set }
      const position = this.#position?.()
      const meta = position === undefined ? closing : { ...closing, [JOURNAL_META]: encodePosition(position) }
      await this.#store.commit({ block, hash, receipts, certificate, overlay, meta })
      if (nextSet !== null) this.#set = nextSet
      for (const listener of this.#listeners) listener(candidate)
    } catch (error) {
      this.#fatal(error)
      throw error
    } finally {
      this.#pending--
    }
  }

  /** Certificate that makes `height` final: its own, or that of the next block that has one; the epoch is the same. */
  certificateFor(height: Height): { readonly height: Height; readonly certificate: Certificate } | undefined {
    const head = this.head().height
    for (let at = height; at <= head && at > 0; at = asHeight(at + 1)) {
      const bytes = this.#store.certificate(at)
      if (bytes !== undefined && bytes.length > 0) return { height: at, certificate: decodeCertificate(bytes) }
    }
    return undefined
  }

  /** What range sync sends of one block. */
  serve(height: Height): SyncedBlock | undefined {
    if (height < 1 || height > this.head().height) return undefined
    const block = this.#store.rawBlock(height)
    const certificate = this.#store.certificate(height)
    return block === undefined || certificate === undefined ? undefined : { block, certificate }
  }
}

/** Height of the block that closed `epoch`, as a store has it; undefined while it lasts. */
export function closingHeight(store: Pick<ChainStore, 'meta'>, epoch: Epoch): Height | undefined {
  const height = store.meta(closingKey(epoch))
  return height === undefined ? undefined : asHeight(bytesToNumber(height, closingKey(epoch)))
}

/** Name of the metadata that gives the block which closed `epoch`. */
export const closingKey = (epoch: Epoch): string => `closing/${epoch}`
