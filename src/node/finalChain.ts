/**
 * The final chain of this node: takes executed blocks with their certificates, makes them durable one after the other and
 * tells everyone who waits, each only after the block can be read (P4).
 */

import { decodeCertificate } from '../consensus/codec.js'
import type { Certificate } from '../consensus/types.js'
import { assert } from '../core/assert.js'
import { asHeight, type Hash, type Height } from '../core/bytes.js'
import type { ChainHead, ChainStore } from '../state/chainStore.js'
import type { JournalPosition } from '../state/journal.js'
import type { Candidate, Ground } from './blocks.js'
import { encodePosition, JOURNAL_META } from './ownJournal.js'
import type { SyncedBlock } from './syncMessages.js'

export type FinalListener = (candidate: Candidate) => void

export class FinalChain {
  readonly #store: ChainStore
  readonly #listeners: FinalListener[] = []
  readonly #fatal: (error: unknown) => void
  readonly #position: () => JournalPosition
  /** Last block that is final, perhaps still on its way to the disk. */
  #queued: { readonly hash: Hash; readonly height: Height }
  /** Blocks handed to `commit` that are not yet on disk. */
  #pending = 0

  /** `position`: how far the journal has come; kept with each block, so that an older journal is noticed. */
  constructor(store: ChainStore, fatal: (error: unknown) => void, position: () => JournalPosition) {
    const head = store.head()
    assert(head !== undefined, 'the store is initialised before the chain')
    this.#store = store
    this.#fatal = fatal
    this.#position = position
    this.#queued = { hash: head.hash, height: head.height }
  }

  /** The last final block on disk. */
  head(): ChainHead {
    return this.#store.head()!
  }

  /** The last final block, on disk or on its way. */
  queued(): { readonly hash: Hash; readonly height: Height } {
    return this.#queued
  }

  /** Final blocks that are being written. */
  get pending(): number {
    return this.#pending
  }

  ground(): Ground {
    const head = this.head()
    return { hash: head.hash, header: head.header, state: this.#store.state() }
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
    const { hash, height } = candidate.sealed
    if (height <= this.#queued.height) return
    this.#pending++
    const { block, receipts, overlay } = candidate
    try {
      assert(
        height === this.#queued.height + 1 && candidate.sealed.parent === this.#queued.hash,
        `block ${height} ${hash} does not follow the final block ${this.#queued.height}`,
      )
      this.#queued = { hash, height }
      const meta = { [JOURNAL_META]: encodePosition(this.#position()) }
      await this.#store.commit({ block, hash, receipts, certificate, overlay, meta })
      for (const listener of this.#listeners) listener(candidate)
    } catch (error) {
      this.#fatal(error)
      throw error
    } finally {
      this.#pending--
    }
  }

  /** Certificate that makes `height` final: its own, or that of the next block that has one. */
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
