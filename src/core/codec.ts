/** Checked reading of decoded RLP items: each function names the field it reads in its error. */
import { type Address, bytesToNumber, bytesToUint, type Hash, toAddress, toHash } from './bytes.js'
import { CodedError } from './codedError.js'
import type { RlpItem } from './rlp.js'

export type CodecErrorCode = 'FIELD_KIND' | 'FIELD_COUNT' | 'FIELD_LENGTH' | 'FIELD_RANGE' | 'TOO_LARGE' | 'UNSUPPORTED'

/** Well-formed RLP that is not the structure it should be; `field` names the culprit. */
export class CodecError extends CodedError<CodecErrorCode> {
  constructor(
    code: CodecErrorCode,
    readonly field: string,
    problem: string,
  ) {
    super(code, `${field} ${problem}`)
  }
}

/** Items of a list of `min` to `max` entries. */
export function listField(item: RlpItem | undefined, field: string, min: number, max = min): readonly RlpItem[] {
  if (item === undefined || item instanceof Uint8Array) throw new CodecError('FIELD_KIND', field, 'must be a list')
  if (item.length < min || item.length > max) {
    const wanted = min === max ? `${min}` : `${min} to ${max}`
    throw new CodecError('FIELD_COUNT', field, `must have ${wanted} entries, got ${item.length}`)
  }
  return item
}

/** Byte string of at most `bytesMax` bytes. */
export function bytesField(item: RlpItem | undefined, field: string, bytesMax: number): Uint8Array {
  if (!(item instanceof Uint8Array)) throw new CodecError('FIELD_KIND', field, 'must be a byte string')
  if (item.length > bytesMax) {
    throw new CodecError('FIELD_LENGTH', field, `must have at most ${bytesMax} bytes, got ${item.length}`)
  }
  return item
}

/** Byte string of exactly `length` bytes. */
export function fixedField(item: RlpItem | undefined, field: string, length: number): Uint8Array {
  if (!(item instanceof Uint8Array)) throw new CodecError('FIELD_KIND', field, 'must be a byte string')
  if (item.length !== length)
    throw new CodecError('FIELD_LENGTH', field, `must have ${length} bytes, got ${item.length}`)
  return item
}

export function hashField(item: RlpItem | undefined, field: string): Hash {
  return toHash(fixedField(item, field, 32))
}

export function addressField(item: RlpItem | undefined, field: string): Address {
  return toAddress(fixedField(item, field, 20))
}

/** Unsigned integer of at most `bytesMax` bytes without leading zeros. */
export function uintField(item: RlpItem | undefined, field: string, bytesMax = 32): bigint {
  return bytesToUint(integerBytes(item, field, bytesMax))
}

/** Unsigned integer up to `max` (at most 2^53 - 1) without leading zeros. */
export function numberField(item: RlpItem | undefined, field: string, max = Number.MAX_SAFE_INTEGER): number {
  const bytes = integerBytes(item, field, 8)
  const value = bytes.length <= 6 ? bytesToNumber(bytes) : Number(bytesToUint(bytes))
  if (value > max) throw new CodecError('FIELD_RANGE', field, `must be at most ${max}`)
  return value
}

function integerBytes(item: RlpItem | undefined, field: string, bytesMax: number): Uint8Array {
  const bytes = bytesField(item, field, bytesMax)
  if (bytes.length > 0 && bytes[0] === 0) throw new CodecError('FIELD_RANGE', field, 'has a leading zero byte')
  return bytes
}
