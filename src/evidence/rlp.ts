/** RLP of which the shape is known: what has another is a fault of the file, with its name. */
import { type NestedUint8Array, RLP } from '@ethereumjs/rlp'
import { EvidenceError, must } from './evidenceError.js'

export type RlpItem = Uint8Array | NestedUint8Array

/** Throws EvidenceError MALFORMED unless the bytes are one item. */
export function decodeRlp(bytes: Uint8Array, title: string): RlpItem {
  try {
    return RLP.decode(bytes)
  } catch {
    throw new EvidenceError('MALFORMED', `${title} is not RLP`)
  }
}

/** Throws EvidenceError MALFORMED for a string of bytes. */
export function itemsOf(item: RlpItem | undefined, title: string): readonly RlpItem[] {
  must(Array.isArray(item), 'MALFORMED', () => `${title} is no list`)
  return item
}

/** Throws EvidenceError MALFORMED for a list, and for more than `bytesMax` bytes. */
export function bytesOf(item: RlpItem | undefined, title: string, bytesMax = Number.POSITIVE_INFINITY): Uint8Array {
  must(item instanceof Uint8Array && item.length <= bytesMax, 'MALFORMED', () => `${title} is none, or too long`)
  return item
}
