/**
 * What stands in a transaction in place of an envelope that travels directly:
 *
 *     tag 1 (0xd1) | SHA-256 of the envelope 32 | its length in bytes 4 | expiry height 8 | carrier 20
 *
 * Integers are big-endian. The tag is no suite of an envelope, so that neither can be taken for the other. `carrier` is the
 * member whose node took the envelope from the sender: with the recipient it is who holds a copy.
 */
import { type Address, concatBytes, fromHex, type Hash, toAddress, toHash } from '../core/bytes.js'
import { envelopeBytesMax, envelopeLifetimeBlocksMax } from '../core/limits.js'

export interface EnvelopeReference {
  /** SHA-256. */
  readonly hash: Hash
  readonly lengthBytes: number
  /** Last block for which the envelope is kept. */
  readonly expiresAt: bigint
  readonly carrier: Address
}

export const REFERENCE_TAG = 0xd1
export const referenceBytes = 65
const HASH_AT = 1
const LENGTH_AT = 33
const EXPIRY_AT = 37
const CARRIER_AT = 45

/** Whether these bytes are a reference and no envelope. */
export const isReference = (bytes: Uint8Array): boolean => bytes.length === referenceBytes && bytes[0] === REFERENCE_TAG

export function encodeReference({ hash, lengthBytes, expiresAt, carrier }: EnvelopeReference): Uint8Array {
  const numbers = new Uint8Array(EXPIRY_AT + 8 - LENGTH_AT)
  const view = new DataView(numbers.buffer)
  view.setUint32(0, lengthBytes)
  view.setBigUint64(EXPIRY_AT - LENGTH_AT, expiresAt)
  return concatBytes(Uint8Array.of(REFERENCE_TAG), fromHex(hash), numbers, fromHex(carrier))
}

/** `bytes` must be a reference, see isReference. */
export function decodeReference(bytes: Uint8Array): EnvelopeReference {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    hash: toHash(bytes.subarray(HASH_AT, LENGTH_AT)),
    lengthBytes: view.getUint32(LENGTH_AT),
    expiresAt: view.getBigUint64(EXPIRY_AT),
    carrier: toAddress(bytes.subarray(CARRIER_AT)),
  }
}

/** Says what is wrong with a reference in block `height`; undefined when it is sound. */
export function referenceFault({ lengthBytes, expiresAt }: EnvelopeReference, height: number): string | undefined {
  if (lengthBytes < 1 || lengthBytes > envelopeBytesMax) return `length must be from 1 to ${envelopeBytesMax} bytes`
  const last = BigInt(height) + BigInt(envelopeLifetimeBlocksMax)
  if (expiresAt <= BigInt(height)) return `expires at ${expiresAt}, which is no later block`
  return expiresAt > last ? `expires at ${expiresAt}, later than ${last}` : undefined
}
