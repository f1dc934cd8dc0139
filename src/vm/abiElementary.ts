/** Codecs of the elementary ABI types: one word each, and bytes and string. */
import { utf8Length, writeHex } from '../core/bytes.js'
import type { AbiCodec } from './abiCodec.js'
import { AbiError, type AbiReader } from './abiReader.js'

const encoder = new TextEncoder()

/** Codec of `address`, `bool`, `bytes`, `string`, `bytesN`, `uintN` or `intN`. */
export function elementaryCodec(type: string): AbiCodec {
  if (type === 'address') return ADDRESS
  if (type === 'bool') return BOOL
  if (type === 'bytes') return BYTES
  if (type === 'string') return STRING
  const match = /^(bytes|uint|int)(\d+)$/.exec(type)
  const size = Number(match?.[2])
  if (match?.[1] === 'bytes' && size >= 1 && size <= 32) return size === 32 ? WORD : fixedBytes(size)
  if (match !== null && size >= 8 && size <= 256 && size % 8 === 0) return integer(size, match[1] === 'int')
  throw new AbiError('TYPE_MISMATCH', '', `${type} is not an ABI type`)
}

interface WordRules {
  /** Throws AbiError when `value` is not of the type. */
  check(value: unknown): void
  write(out: DataView, at: number, value: never): void
  read(reader: AbiReader, at: number): unknown
}

function wordCodec(rules: WordRules): AbiCodec {
  return {
    dynamic: false,
    headBytes: 32,
    size(value) {
      rules.check(value)
      return 32
    },
    write(out, at, value) {
      rules.write(out, at, value as never)
      return at + 32
    },
    read: (reader, at) => rules.read(reader, at),
  }
}

const ADDRESS = wordCodec({
  check: (value) => checkHex(value, 20),
  write: (out, at, value: string) => writeHex(out, at + 12, value),
  read: (reader, at) => reader.address(at),
})

/** bytes32. */
export const WORD = wordCodec({
  check: (value) => checkHex(value, 32),
  write: (out, at, value: string) => writeHex(out, at, value),
  read: (reader, at) => reader.word(at),
})

const BOOL = wordCodec({
  check(value) {
    if (typeof value !== 'boolean') throw new AbiError('TYPE_MISMATCH', '', 'must be true or false')
  },
  write: (out, at, value: boolean) => out.setUint8(at + 31, value ? 1 : 0),
  read(reader, at) {
    const bit = reader.small(at)
    if (bit > 1) throw new AbiError('OUT_OF_RANGE', '', 'bool must be 0 or 1')
    return bit === 1
  },
})

function fixedBytes(size: number): AbiCodec {
  return wordCodec({
    check: (value) => checkHex(value, size),
    write: (out, at, value: string) => writeHex(out, at, value),
    read: (reader, at) => reader.fixed(at, size),
  })
}

function integer(bits: number, signed: boolean): AbiCodec {
  const max = 2n ** BigInt(signed ? bits - 1 : bits) - 1n
  const min = signed ? -max - 1n : 0n
  const asNumber = bits <= 48
  const maxNumber = Number(max)
  const outOfRange = () => new AbiError('OUT_OF_RANGE', '', `integer must be from ${min} to ${max}`)
  return wordCodec({
    check(value) {
      if (typeof value === 'number' ? !Number.isSafeInteger(value) : typeof value !== 'bigint') {
        throw new AbiError('TYPE_MISMATCH', '', 'must be an integer')
      }
      if ((value as number | bigint) < min || (value as number | bigint) > max) throw outOfRange()
    },
    write: (out, at, value: number | bigint) => writeInteger(out, at, value),
    read(reader, at) {
      if (asNumber && !signed) {
        const value = reader.small(at)
        if (value > maxNumber) throw outOfRange()
        return value
      }
      const raw = reader.uint(at)
      const value = signed ? BigInt.asIntN(256, raw) : raw
      if (value < min || value > max) throw outOfRange()
      return asNumber ? Number(value) : value
    },
  })
}

const BYTES: AbiCodec = {
  dynamic: true,
  headBytes: 32,
  size(value) {
    if (!(value instanceof Uint8Array)) throw new AbiError('TYPE_MISMATCH', '', 'must be a Uint8Array')
    return 32 + ((value.length + 31) & ~31)
  },
  write: (out, at, value) => writeBytes(out, at, value as Uint8Array),
  read: (reader, at) => reader.bytes(at),
}

const STRING: AbiCodec = {
  dynamic: true,
  headBytes: 32,
  size(value) {
    if (typeof value !== 'string') throw new AbiError('TYPE_MISMATCH', '', 'must be a string')
    return 32 + ((utf8Length(value) + 31) & ~31)
  },
  write: (out, at, value) => writeBytes(out, at, encoder.encode(value as string)),
  read: (reader, at) => reader.text(at),
}

function writeBytes(out: DataView, at: number, bytes: Uint8Array): number {
  out.setUint32(at + 28, bytes.length)
  new Uint8Array(out.buffer, out.byteOffset + at + 32, bytes.length).set(bytes)
  return at + 32 + ((bytes.length + 31) & ~31)
}

function writeInteger(out: DataView, at: number, value: number | bigint): void {
  if (value >= 0 && value <= 0xffff_ffff) {
    out.setUint32(at + 28, Number(value))
    return
  }
  const unsigned = BigInt.asUintN(256, BigInt(value))
  for (let i = 0; i < 4; i++) out.setBigUint64(at + 24 - 8 * i, BigInt.asUintN(64, unsigned >> BigInt(64 * i)))
}

const HEX = /^0x[0-9a-fA-F]*$/

function checkHex(value: unknown, size: number): void {
  if (typeof value !== 'string' || value.length !== 2 + 2 * size || !HEX.test(value)) {
    throw new AbiError('TYPE_MISMATCH', '', `must be 0x and ${2 * size} hex digits`)
  }
}
