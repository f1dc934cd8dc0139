/**
 * For each key of the state the blocks that changed it, for ever. Segments of `SEGMENT_BLOCKS` heights, and for each key a
 * list of the segments that name it: the first change after a height is found with three reads at most.
 */
import { asHeight, type Height } from '../../core/bytes.js'
import { changesKey } from '../store/keys.js'
import type { KeyValueReader, WriteOperation } from '../store/keyValueStore.js'

/** A key that every block changes has a segment of 8 KiB. */
const SEGMENT_BLOCKS = 4096
/** Number under which a key's list of segments stands. */
const DIRECTORY = 0xffffffff

/** Appends what notes that block `height` changed `key`. */
export function noteChange(
  reader: KeyValueReader,
  height: Height,
  key: Uint8Array,
  operations: WriteOperation[],
): void {
  const segment = Math.floor(height / SEGMENT_BLOCKS)
  const at = changesKey(key, segment)
  const known = reader.getSync(at)
  operations.push({ type: 'put', key: at, value: appended(known, 2, height % SEGMENT_BLOCKS) })
  if (known !== undefined) return
  const directory = changesKey(key, DIRECTORY)
  operations.push({ type: 'put', key: directory, value: appended(reader.getSync(directory), 4, segment) })
}

/** The first block above `height` that changed `key`. */
export function firstChangeAbove(reader: KeyValueReader, height: Height, key: Uint8Array): Height | undefined {
  const segments = reader.getSync(changesKey(key, DIRECTORY))
  if (segments === undefined) return undefined
  const wanted = Math.floor((height + 1) / SEGMENT_BLOCKS)
  for (let i = firstAtLeast(segments, 4, wanted); 4 * i < segments.length; i++) {
    const segment = numberAt(segments, 4, i)
    const offsets = reader.getSync(changesKey(key, segment))
    if (offsets === undefined) return undefined
    const from = segment === wanted ? (height + 1) % SEGMENT_BLOCKS : 0
    const found = firstAtLeast(offsets, 2, from)
    if (2 * found < offsets.length) return asHeight(segment * SEGMENT_BLOCKS + numberAt(offsets, 2, found))
  }
  return undefined
}

function appended(list: Uint8Array | undefined, width: 2 | 4, value: number): Uint8Array {
  const length = list?.length ?? 0
  const out = new Uint8Array(length + width)
  if (list !== undefined) out.set(list)
  const view = new DataView(out.buffer)
  if (width === 2) view.setUint16(length, value)
  else view.setUint32(length, value)
  return out
}

function numberAt(list: Uint8Array, width: 2 | 4, index: number): number {
  const view = new DataView(list.buffer, list.byteOffset)
  return width === 2 ? view.getUint16(2 * index) : view.getUint32(4 * index)
}

/** Place of the first number of an ascending list that is `value` or more. */
function firstAtLeast(list: Uint8Array, width: 2 | 4, value: number): number {
  let low = 0
  let high = list.length / width
  while (low < high) {
    const middle = (low + high) >> 1
    if (numberAt(list, width, middle) < value) low = middle + 1
    else high = middle
  }
  return low
}
