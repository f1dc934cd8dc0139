/** Bytes, hex strings and numbers in the forms that Ethereum uses. Identities (hashes, addresses) are lower-case hex strings, payloads are Uint8Array. */

export type Hex = `0x${string}`

declare const brand: unique symbol
type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** 20 bytes as lower-case hex with 0x: the identity of a member, node or contract. */
export type Address = Brand<Hex, 'Address'>
/** 32 bytes as lower-case hex with 0x: keccak digests, roots, storage slots and words. */
export type Hash = Brand<Hex, 'Hash'>
/** Block number; contiguous from genesis = 0. */
export type Height = Brand<number, 'Height'>
/** One turn of the leader schedule; grows over the whole life of the chain, view >= height. */
export type View = Brand<number, 'View'>
/** A period with one sealer set; starts at 0. */
export type Epoch = Brand<number, 'Epoch'>

export const EMPTY_BYTES = new Uint8Array(0)
export const ZERO_ADDRESS = `0x${'00'.repeat(20)}` as Address
export const ZERO_HASH = `0x${'00'.repeat(32)}` as Hash

export class BytesError extends Error {
  override readonly name = 'BytesError'
}

/** `0x`-prefixed lower-case hex of any length. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

const HEX = /^0x(?:[0-9a-fA-F]{2})*$/

/** Bytes of a `0x` hex string of even length. Throws BytesError naming `title` when it is anything else. */
export function fromHex(hex: string, title = 'hex string'): Uint8Array {
  if (!HEX.test(hex)) throw new BytesError(`${title} must be 0x-prefixed hex with an even number of digits`)
  const buffer = Buffer.from(hex.slice(2), 'hex')
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const HASH = /^0x[0-9a-fA-F]{64}$/

/** Checks and lower-cases an address from outside. */
export function asAddress(value: string, title = 'address'): Address {
  if (!ADDRESS.test(value)) throw new BytesError(`${title} must be 0x followed by 40 hex digits, got ${preview(value)}`)
  return value.toLowerCase() as Address
}

/** Checks and lower-cases a 32-byte hash from outside. */
export function asHash(value: string, title = 'hash'): Hash {
  if (!HASH.test(value)) throw new BytesError(`${title} must be 0x followed by 64 hex digits, got ${preview(value)}`)
  return value.toLowerCase() as Hash
}

/** Address of exactly 20 bytes. */
export function toAddress(bytes: Uint8Array): Address {
  if (bytes.length !== 20) throw new BytesError(`address must have 20 bytes, got ${bytes.length}`)
  return toHex(bytes) as Address
}

/** Hash of exactly 32 bytes. */
export function toHash(bytes: Uint8Array): Hash {
  if (bytes.length !== 32) throw new BytesError(`hash must have 32 bytes, got ${bytes.length}`)
  return toHex(bytes) as Hash
}

export const asHeight = (n: number): Height => n as Height
export const asView = (n: number): View => n as View
export const asEpoch = (n: number): Epoch => n as Epoch

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** Big-endian bytes of a non-negative integer without leading zeros (0 is empty), as RLP wants. */
export function uintToBytes(value: bigint | number): Uint8Array {
  if (typeof value === 'bigint' && value > MAX_SAFE) {
    const hex = value.toString(16)
    return new Uint8Array(Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex'))
  }
  let rest = Number(value)
  if (!(rest >= 0) || !Number.isSafeInteger(rest)) throw new BytesError(`not an unsigned integer: ${value}`)
  let length = 0
  for (let n = rest; n > 0; n = Math.floor(n / 256)) length++
  const out = new Uint8Array(length)
  for (let i = length - 1; i >= 0; i--) {
    out[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return out
}

/** Unsigned integer of big-endian bytes; empty is 0. */
export function bytesToUint(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`)
}

/** Unsigned integer below 2^53 of big-endian bytes; throws BytesError when it is larger. */
export function bytesToNumber(bytes: Uint8Array, title = 'integer'): number {
  const value = bytes.length <= 6 ? undefined : bytesToUint(bytes)
  if (value !== undefined) {
    if (value > MAX_SAFE) throw new BytesError(`${title} must be below 2^53`)
    return Number(value)
  }
  let n = 0
  for (const byte of bytes) n = n * 256 + byte
  return n
}

/** Big-endian word of 32 bytes. */
export function uintToWord(value: bigint | number): Uint8Array {
  const bytes = uintToBytes(value)
  if (bytes.length > 32) throw new BytesError('integer does not fit in 256 bits')
  const word = new Uint8Array(32)
  word.set(bytes, 32 - bytes.length)
  return word
}

function preview(value: unknown): string {
  const text = typeof value === 'string' ? value : typeof value
  return text.length > 80 ? `${text.slice(0, 80)}... (${text.length} characters)` : text
}
