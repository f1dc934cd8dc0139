/** RLP (yellow paper, appendix B): general encoder and strict decoder. */
import { rlpDepthMax, rlpItemsMax } from './limits.js'
import { RlpError, RlpReader } from './rlpReader.js'

export { RlpError, type RlpErrorCode, RlpReader } from './rlpReader.js'

export type RlpItem = Uint8Array | readonly RlpItem[]

/** Payload lengths of the lists of the item being encoded, in the order in which they are entered. */
const listLengths: number[] = []
let listAt = 0

/** Canonical encoding. Nesting is bounded by the stack: structures are our own. */
export function rlpEncode(item: RlpItem): Uint8Array {
  listLengths.length = 0
  const out = new Uint8Array(measure(item))
  listAt = 0
  write(item, out, 0)
  return out
}

/** Bytes of the header in front of a payload of `length` bytes (1 + length bytes of a long form). */
export function rlpHeaderBytes(length: number): number {
  if (length <= 55) return 1
  let n = 2
  for (let rest = length; rest >= 256; rest = Math.floor(rest / 256)) n++
  return n
}

/** Writes the header of a list of `length` payload bytes; returns the offset after it. */
export function writeListHeader(out: Uint8Array, at: number, length: number): number {
  return writeHeader(out, at, length, 0xc0)
}

/** Writes the header of a string of `length` bytes (not for a single byte below 0x80); returns the offset after it. */
export function writeStringHeader(out: Uint8Array, at: number, length: number): number {
  return writeHeader(out, at, length, 0x80)
}

export interface RlpDecodeOptions {
  /** Nested lists allowed; a string at the top has depth 0. */
  readonly depthMax?: number
  /** Strings and lists allowed in all. */
  readonly itemsMax?: number
}

/** Decodes exactly one canonical item. Strings are views into `bytes`. Throws RlpError. */
export function rlpDecode(bytes: Uint8Array, options: RlpDecodeOptions = {}): RlpItem {
  const reader = new RlpReader(bytes)
  const budget = { items: options.itemsMax ?? rlpItemsMax }
  const item = decodeItem(reader, options.depthMax ?? rlpDepthMax, budget)
  reader.finish()
  return item
}

function decodeItem(reader: RlpReader, depthLeft: number, budget: { items: number }): RlpItem {
  if (--budget.items < 0) throw new RlpError('TOO_MANY_ITEMS', 'more items than allowed', reader.at)
  if (!reader.nextIsList()) return reader.string()
  if (depthLeft === 0) throw new RlpError('TOO_DEEP', 'lists are nested deeper than allowed', reader.at)
  const inner = reader.list()
  const items: RlpItem[] = []
  while (!inner.done) items.push(decodeItem(inner, depthLeft - 1, budget))
  return items
}

/** Encoded length of `item`; notes the payload length of each list in `listLengths`. */
function measure(item: RlpItem): number {
  if (item instanceof Uint8Array) return stringBytes(item)
  const slot = listLengths.push(0) - 1
  let length = 0
  for (let i = 0; i < item.length; i++) length += measure(item[i]!)
  listLengths[slot] = length
  return rlpHeaderBytes(length) + length
}

function stringBytes(bytes: Uint8Array): number {
  const { length } = bytes
  if (length === 1 && bytes[0]! < 0x80) return 1
  return length <= 55 ? length + 1 : rlpHeaderBytes(length) + length
}

function write(item: RlpItem, out: Uint8Array, at: number): number {
  if (item instanceof Uint8Array) return writeString(item, out, at)
  let next = writeHeader(out, at, listLengths[listAt++]!, 0xc0)
  for (let i = 0; i < item.length; i++) next = write(item[i]!, out, next)
  return next
}

function writeString(bytes: Uint8Array, out: Uint8Array, at: number): number {
  const { length } = bytes
  if (length === 1 && bytes[0]! < 0x80) {
    out[at] = bytes[0]!
    return at + 1
  }
  const next = writeHeader(out, at, length, 0x80)
  // A loop beats the call into the runtime up to about a hash's length.
  if (length <= 32) for (let i = 0; i < length; i++) out[next + i] = bytes[i]!
  else out.set(bytes, next)
  return next + length
}

function writeHeader(out: Uint8Array, at: number, length: number, offset: 0x80 | 0xc0): number {
  if (length <= 55) {
    out[at] = offset + length
    return at + 1
  }
  const headerBytes = rlpHeaderBytes(length)
  out[at] = offset + 54 + headerBytes
  let rest = length
  for (let i = at + headerBytes - 1; i > at; i--) {
    out[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return at + headerBytes
}
