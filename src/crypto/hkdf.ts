/** HMAC-SHA256 (RFC 2104) and HKDF-SHA256 (RFC 5869). */
import { EMPTY_BYTES } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { primitives } from './primitives.js'

export const sha256Bytes = 32
/** RFC 5869, 2.3: at most 255 blocks. */
export const hkdfBytesMax = 255 * sha256Bytes

export class HkdfError extends CodedError<'TOO_LONG'> {}

/** Tag of 32 bytes over the parts, taken one after the other. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  return primitives.hmacSha256(key, parts)
}

/** Pseudo-random key of 32 bytes; the input keying material is given in parts. */
export function hkdfExtract(salt: Uint8Array, ...ikm: readonly Uint8Array[]): Uint8Array {
  return hmacSha256(salt, ...ikm)
}

/** `length` bytes; `info` is given in parts. Throws HkdfError TOO_LONG above hkdfBytesMax. */
export function hkdfExpand(prk: Uint8Array, length: number, ...info: readonly Uint8Array[]): Uint8Array {
  if (length > hkdfBytesMax)
    throw new HkdfError('TOO_LONG', `HKDF gives at most ${hkdfBytesMax} bytes, asked for ${length}`)
  const out = new Uint8Array(length)
  let block: Uint8Array = EMPTY_BYTES
  for (let at = 0, counter = 1; at < length; at += sha256Bytes, counter++) {
    block = hmacSha256(prk, block, ...info, Uint8Array.of(counter))
    out.set(block.subarray(0, Math.min(sha256Bytes, length - at)), at)
  }
  return out
}
