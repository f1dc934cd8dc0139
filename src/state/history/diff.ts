/**
 * What a block replaced in the state: the value before of every key it wrote. Kept in parts of about `PART_BYTES`, by a
 * fingerprint of the key, so that a read takes one part and the batch of a block a few records instead of thousands.
 */
import type { Height } from '../../core/bytes.js'
import { diffKey, diffPartKey } from '../store/keys.js'
import type { KeyValueReader, WriteOperation } from '../store/keyValueStore.js'

/** One read fetches one part: larger parts cost the reader, smaller ones the writer. */
const PART_BYTES = 16 * 1024
/** Part that holds the fingerprints of all keys. */
const FINGERPRINTS = 0xffffffff
/** Length that stands for: there was no value. */
const ABSENT = 0xffff

export interface ReplacedValue {
  /** Undefined: the block added the key. */
  readonly before: Uint8Array | undefined
}

export interface WrittenDiff {
  readonly operations: readonly WriteOperation[]
  readonly fingerprints: Uint32Array
}

/** FNV-1a. Keys of a block that share one are told apart by their bytes. */
export function fingerprintOf(key: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key[i]!, 0x01000193)
  return hash >>> 0
}

/** Takes the entries of one block's diff, one after the other. */
export class DiffWriter {
  private bytes = new Uint8Array(4 * PART_BYTES)
  private used = 0
  /** Where each entry begins. */
  private readonly starts: number[] = []
  private readonly fingerprints: number[] = []

  /** `before` null: the block added the key. Copies both. */
  add(key: Uint8Array, before: Uint8Array | null): void {
    const end = this.used + 1 + key.length + 2 + (before?.length ?? 0)
    if (end > this.bytes.length) this.grow(end)
    this.starts.push(this.used)
    this.fingerprints.push(fingerprintOf(key))
    writeEntry(this.bytes, this.used, key, before)
    this.used = end
  }

  finish(height: Height): WrittenDiff {
    const parts = Math.ceil(this.used / PART_BYTES)
    const fingerprints = Uint32Array.from(this.fingerprints)
    const operations: WriteOperation[] = this.cut(parts).map((value, part) => ({
      type: 'put',
      key: diffPartKey(height, part),
      value,
    }))
    operations.push({ type: 'put', key: diffPartKey(height, FINGERPRINTS), value: new Uint8Array(fingerprints.buffer) })
    operations.push({ type: 'put', key: diffKey(height), value: countRecord(parts) })
    return { operations, fingerprints }
  }

  private cut(parts: number): Uint8Array[] {
    const lengths = new Array<number>(parts).fill(0)
    this.starts.forEach((start, i) => {
      lengths[this.fingerprints[i]! % parts]! += (this.starts[i + 1] ?? this.used) - start
    })
    const cut = lengths.map((length) => new Uint8Array(length))
    const ends = new Array<number>(parts).fill(0)
    this.starts.forEach((start, i) => {
      const part = this.fingerprints[i]! % parts
      const entry = this.bytes.subarray(start, this.starts[i + 1] ?? this.used)
      cut[part]!.set(entry, ends[part])
      ends[part]! += entry.length
    })
    return cut
  }

  private grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length))
    larger.set(this.bytes.subarray(0, this.used))
    this.bytes = larger
  }
}

/** Appends what removes the diff of block `height`; nothing where there is none. */
export function removeDiff(reader: KeyValueReader, height: Height, operations: WriteOperation[]): void {
  const parts = partsOf(reader, height)
  if (parts === undefined) return
  for (let part = 0; part < parts; part++) operations.push({ type: 'del', key: diffPartKey(height, part) })
  operations.push({ type: 'del', key: diffPartKey(height, FINGERPRINTS) })
  operations.push({ type: 'del', key: diffKey(height) })
}

export function hasDiff(reader: KeyValueReader, height: Height): boolean {
  return reader.getSync(diffKey(height)) !== undefined
}

/** Fingerprints of the keys that block `height` wrote; undefined where no diff of it is kept. */
export function readFingerprints(reader: KeyValueReader, height: Height): Uint32Array | undefined {
  const list = reader.getSync(diffPartKey(height, FINGERPRINTS))
  return list && new Uint32Array(list.slice().buffer)
}

/** Entry of `key` in the diff of block `height`; undefined where the block did not write it, or its diff is not kept. */
export function readReplaced(reader: KeyValueReader, height: Height, key: Uint8Array): ReplacedValue | undefined {
  const parts = partsOf(reader, height)
  if (parts === undefined || parts === 0) return undefined
  const part = reader.getSync(diffPartKey(height, fingerprintOf(key) % parts))
  return part && findEntry(part, key)
}

function partsOf(reader: KeyValueReader, height: Height): number | undefined {
  const record = reader.getSync(diffKey(height))
  return record && new DataView(record.buffer, record.byteOffset).getUint32(0)
}

function countRecord(parts: number): Uint8Array {
  const record = new Uint8Array(4)
  new DataView(record.buffer).setUint32(0, parts)
  return record
}

/** key length u8 | key | value length u16 (ABSENT: none) | value */
function writeEntry(out: Uint8Array, from: number, key: Uint8Array, before: Uint8Array | null): void {
  out[from] = key.length
  out.set(key, from + 1)
  const at = from + 1 + key.length
  const length = before?.length ?? ABSENT
  out[at] = length >> 8
  out[at + 1] = length & 0xff
  if (before !== null) out.set(before, at + 2)
}

function findEntry(part: Uint8Array, key: Uint8Array): ReplacedValue | undefined {
  for (let at = 0; at < part.length; ) {
    const keyEnd = at + 1 + part[at]!
    const length = (part[keyEnd]! << 8) | part[keyEnd + 1]!
    const end = keyEnd + 2 + (length === ABSENT ? 0 : length)
    if (isAt(part, at + 1, keyEnd, key)) return { before: length === ABSENT ? undefined : part.slice(keyEnd + 2, end) }
    at = end
  }
  return undefined
}

function isAt(bytes: Uint8Array, from: number, to: number, key: Uint8Array): boolean {
  if (to - from !== key.length) return false
  for (let i = 0; i < key.length; i++) if (bytes[from + i] !== key[i]) return false
  return true
}
