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

/** Node's own coding of hex is native; browsers have none, there it is done here. */
const NodeBuffer = (globalThis as { readonly Buffer?: typeof Buffer }).Buffer

/** `0x`-prefixed lower-case hex of any length. */
export function toHex(bytes: Uint8Array): Hex {
  if (NodeBuffer === undefined) return `0x${plainDigits(bytes, 0, bytes.length)}`
  return `0x${NodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

/** Digits, without 0x, of the bytes from one place up to another: for those who read many places of the same bytes. */
export function hexDigits(bytes: Uint8Array): (from: number, to: number) => string {
  if (NodeBuffer === undefined) return (from, to) => plainDigits(bytes, from, to)
  const buffer = NodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (from, to) => buffer.toString('hex', from, to)
}

function plainDigits(bytes: Uint8Array, from: number, to: number): string {
  let digits = ''
  for (let i = from; i < to; i++) digits += (bytes[i]! < 16 ? '0' : '') + bytes[i]!.toString(16)
  return digits
}

/** Value of each ASCII hex digit; 255 for everything else. */
const DIGITS = new Uint8Array(128).fill(255)
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  DIGITS[digit.charCodeAt(0)] = value
  DIGITS[digit.toUpperCase().charCodeAt(0)] = value
}

const HEX = /^0x[0-9a-fA-F]*$/

/** Bytes of a `0x` hex string of even length. Throws BytesError naming `title` when it is anything else. */
export function fromHex(hex: string, title = 'hex string'): Uint8Array {
  if (hex.length % 2 !== 0 || hex.charCodeAt(0) !== 0x30 || hex.charCodeAt(1) !== 0x78) throw notHex(title)
  const out = new Uint8Array((hex.length - 2) >> 1)
  // Calls into the runtime pay off from about two words on. Node alone would cut wide characters to their low byte.
  if (out.length > 64 && NodeBuffer !== undefined) {
    if (!HEX.test(hex)) throw notHex(title)
    NodeBuffer.from(out.buffer).write(hex.slice(2), 'hex')
    return out
  }
  for (let i = 0, at = 2; i < out.length; i++, at += 2) {
    const high = DIGITS[hex.charCodeAt(at)] ?? 255
    const low = DIGITS[hex.charCodeAt(at + 1)] ?? 255
    if ((high | low) > 15) throw notHex(title)
    out[i] = (high << 4) | low
  }
  return out
}

function notHex(title: string): BytesError {
  return new BytesError(`${title} must be 0x-prefixed hex with an even number of digits`)
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
  if (a.length !== b.length) return false
  if (NodeBuffer !== undefined) return NodeBuffer.compare(a, b) === 0
  return a.every((byte, i) => byte === b[i])
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  return NodeBuffer === undefined ? utf8(text).length : NodeBuffer.byteLength(text, 'utf8')
}

/** Writes the digits of a hex string that was checked into the bytes from `at` on. */
export function writeHex(out: DataView, at: number, hex: string): void {
  if (NodeBuffer !== undefined) {
    NodeBuffer.from(out.buffer, out.byteOffset + at, (hex.length - 2) / 2).write(hex.slice(2), 'hex')
    return
  }
  new Uint8Array(out.buffer, out.byteOffset + at).set(fromHex(hex))
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const WORD_END = 2n ** 256n
/** One word through which integers and bytes change into each other. */
const word = new DataView(new ArrayBuffer(32))
const wordBytes = new Uint8Array(word.buffer)

/** Big-endian bytes of a non-negative integer without leading zeros (0 is empty), as RLP wants. */
export function uintToBytes(value: bigint | number): Uint8Array {
  if (typeof value === 'bigint' && value > MAX_SAFE) {
    if (value >= WORD_END) return longUintToBytes(value)
    writeWord(value)
    let from = 0
    while (wordBytes[from] === 0) from++
    return wordBytes.slice(from)
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

/** Unsigned integer of the big-endian bytes from `from` up to `to`; none is 0. */
export function bytesToUint(bytes: Uint8Array, from = 0, to = bytes.length): bigint {
  const length = to - from
  if (length <= 6) return BigInt(smallUint(bytes, from, to))
  if (length > 32) return BigInt(toHex(bytes.subarray(from, to)))
  const start = 32 - length
  wordBytes.fill(0, 0, start)
  for (let i = 0; i < length; i++) wordBytes[start + i] = bytes[from + i]!
  if (length <= 8) return word.getBigUint64(24)
  const low = (word.getBigUint64(16) << 64n) | word.getBigUint64(24)
  return length <= 16 ? low : (word.getBigUint64(0) << 192n) | (word.getBigUint64(8) << 128n) | low
}

/** Unsigned integer below 2^53 of big-endian bytes; throws BytesError when it is larger. */
export function bytesToNumber(bytes: Uint8Array, title = 'integer'): number {
  if (bytes.length <= 6) return smallUint(bytes, 0, bytes.length)
  const value = bytesToUint(bytes)
  if (value > MAX_SAFE) throw new BytesError(`${title} must be below 2^53`)
  return Number(value)
}

/** Big-endian word of 32 bytes. Throws BytesError unless 0 <= value < 2^256. */
export function uintToWord(value: bigint | number): Uint8Array {
  const integer = typeof value === 'bigint' ? value : safeUint(value)
  if (integer < 0n) throw new BytesError(`not an unsigned integer: ${value}`)
  if (integer >= WORD_END) throw new BytesError('integer does not fit in 256 bits')
  writeWord(integer)
  return wordBytes.slice()
}

function safeUint(value: number): bigint {
  if (!Number.isSafeInteger(value)) throw new BytesError(`not an unsigned integer: ${value}`)
  return BigInt(value)
}

function writeWord(value: bigint): void {
  word.setBigUint64(24, value)
  word.setBigUint64(16, value >> 64n)
  word.setBigUint64(8, value >> 128n)
  word.setBigUint64(0, value >> 192n)
}

function longUintToBytes(value: bigint): Uint8Array {
  const hex = value.toString(16)
  return fromHex(`0x${hex.length % 2 ? '0' : ''}${hex}`)
}

/** Up to six bytes: what a double holds exactly. */
function smallUint(bytes: Uint8Array, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i++) value = value * 256 + bytes[i]!
  return value
}

function preview(value: unknown): string {
  const text = typeof value === 'string' ? value : typeof value
  return text.length > 80 ? `${text.slice(0, 80)}... (${text.length} characters)` : text
}
