/**
 * States of past blocks: what each block replaced (diff.ts) is written in its own batch and kept for the last blocks, or for
 * ever. A value as of height h is what the first block above h that changed its key replaced, else what stands there now.
 */
import { assert } from '../../core/assert.js'
import { asHeight, type Height } from '../../core/bytes.js'
import { recentStateEntriesMax } from '../../core/limits.js'
import { type Replaced, stateOperations } from '../finalState.js'
import type { StateLayer } from '../layer.js'
import type { StateChanges } from '../overlay.js'
import { metaKey, readHeight, writeHeight } from '../store/keys.js'
import type { KeyValueReader, WriteOperation } from '../store/keyValueStore.js'
import { firstChangeAbove, noteChange } from './archiveIndex.js'
import { DiffWriter, fingerprintOf, hasDiff, readFingerprints, readReplaced, removeDiff } from './diff.js'
import { RecentChanges } from './recentChanges.js'

export interface StateHistoryOptions {
  /** Blocks before the head whose states can be read. */
  readonly recentBlocks: number
  /** Keep all states from now on. */
  readonly archive?: boolean
}

/** Diffs of blocks that left the window and are removed with one more block: more than one, so that a window that was made smaller shrinks. */
const REMOVED_PER_BLOCK_MAX = 8

const META = metaKey('history')
const NONE = 2 ** 48 - 1

/** What is on disk; written with every block. */
interface Kept {
  /** First block whose diff may be there. */
  readonly from: number
  /** Last block that was recorded. */
  readonly to: number
  /** First height of the archive, or NONE. */
  readonly archiveFrom: number
}

export class StateHistory {
  private readonly recent = new RecentChanges()
  private kept: Kept
  private pending: { readonly height: Height; readonly fingerprints: Uint32Array; readonly kept: Kept } | undefined

  /** Of the chain that `reader` holds, whose head is at `head`; undefined for an empty store. */
  constructor(
    private readonly options: StateHistoryOptions,
    private readonly reader: KeyValueReader,
    private head: Height | undefined,
  ) {
    this.kept = this.open()
  }

  private get isRecording(): boolean {
    return this.options.recentBlocks > 0 || this.options.archive === true
  }

  /** First block whose state can be read; the head's always can. */
  get oldest(): Height {
    const head = this.head ?? asHeight(0)
    const recent = this.recent.from === undefined ? head : this.recent.from - 1
    return asHeight(Math.min(recent, this.kept.archiveFrom, head))
  }

  /**
   * Appends to `operations` what turns `state`, the head's, into the one after block `height`, and what has to be written
   * besides so that the state before it can still be read.
   */
  record(height: Height, state: StateLayer, changes: StateChanges, operations: WriteOperation[]): void {
    if (!this.isRecording) {
      stateOperations(changes, operations)
      return
    }
    assert(this.head === undefined || height === this.head + 1, 'blocks are recorded in order')
    const { reader, options } = this
    const diff = new DiffWriter()
    const replaced: Replaced = (key, before) => {
      diff.add(key, before === undefined ? (reader.getSync(key) ?? null) : before)
      if (options.archive) noteChange(reader, height, key, operations)
    }
    stateOperations(changes, operations, { state, replaced })
    const written = diff.finish(height)
    for (const operation of written.operations) operations.push(operation)
    const from = options.archive ? this.kept.from : this.removeOld(height, operations)
    const kept = { from, to: height, archiveFrom: this.kept.archiveFrom }
    operations.push({ type: 'put', key: META, value: encodeKept(kept) })
    this.pending = { height, fingerprints: written.fingerprints, kept }
  }

  /** The block at `height` is on disk. */
  advance(height: Height): void {
    this.head = height
    if (this.pending?.height !== height) return
    this.kept = this.pending.kept
    this.remember(height, this.pending.fingerprints)
    this.pending = undefined
  }

  /** Value of `key` after block `height`, which is `oldest` or later. */
  valueAt(height: Height, key: Uint8Array): Uint8Array | undefined {
    const { reader } = this
    for (const changed of this.changesAbove(height, key)) {
      const entry = readReplaced(reader, changed, key)
      if (entry !== undefined) return entry.before
    }
    return reader.getSync(key)
  }

  /** Blocks above `height` that may have changed `key`, oldest first; the first that did is among them. */
  private changesAbove(height: Height, key: Uint8Array): readonly Height[] {
    const { from } = this.recent
    if (from !== undefined && height + 1 >= from) return this.recent.above(height, fingerprintOf(key)).reverse()
    const first = firstChangeAbove(this.reader, height, key)
    return first === undefined ? [] : [first]
  }

  /** Appends removals of diffs that leave the window with block `height`; returns the first that stays. */
  private removeOld(height: Height, operations: WriteOperation[]): number {
    const firstWanted = Math.max(this.recent.from ?? height, height - this.options.recentBlocks + 1)
    const end = Math.min(firstWanted, this.kept.from + REMOVED_PER_BLOCK_MAX)
    for (let at = this.kept.from; at < end; at++) removeDiff(this.reader, asHeight(at), operations)
    return Math.max(this.kept.from, end)
  }

  private remember(height: Height, fingerprints: Uint32Array): void {
    this.recent.add(height, fingerprints)
    while (this.isOverfull(height)) this.recent.dropOldest()
  }

  private isOverfull(height: Height): boolean {
    const { recent, options } = this
    if (recent.from === undefined) return false
    return recent.from <= height - options.recentBlocks || (recent.size > recentStateEntriesMax && recent.from < height)
  }

  /** Takes up what is on disk, as far as it reaches the head without a gap. */
  private open(): Kept {
    const { head, options, reader } = this
    const next = head === undefined ? 0 : head + 1
    const stored = readKept(reader.getSync(META))
    const isWhole = stored?.to === head
    const archiveFrom = isWhole && stored !== undefined ? stored.archiveFrom : NONE
    const kept = {
      from: stored?.from ?? next,
      to: head ?? 0,
      archiveFrom: options.archive ? Math.min(archiveFrom, head ?? 0) : NONE,
    }
    if (!isWhole || head === undefined) return kept
    const first = this.firstInRow(head)
    for (let at = first; at <= head; at = asHeight(at + 1)) this.remember(at, readFingerprints(reader, at)!)
    return kept
  }

  /** First block of the window from which on every block up to the head has its diff. */
  private firstInRow(head: Height): Height {
    let first = head + 1
    while (first > 1 && head + 1 - first < this.options.recentBlocks && hasDiff(this.reader, asHeight(first - 1)))
      first--
    return asHeight(first)
  }
}

/** from u48 | to u48 | archiveFrom u48 */
function encodeKept({ from, to, archiveFrom }: Kept): Uint8Array {
  const record = new Uint8Array(18)
  writeHeight(record, 0, from)
  writeHeight(record, 6, to)
  writeHeight(record, 12, archiveFrom)
  return record
}

function readKept(record: Uint8Array | undefined): Kept | undefined {
  return record && { from: readHeight(record, 0), to: readHeight(record, 6), archiveFrom: readHeight(record, 12) }
}
