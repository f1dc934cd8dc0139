/**
 * ABI coding (Solidity "Contract ABI Specification"), compiled once from the types. Decoding takes only the canonical form:
 * tails in order, without gaps, overlaps or trailing bytes, so decoded data is never larger than its input.
 */
import type { AbiParameter } from 'viem'
import { assert } from '../core/assert.js'
import { elementaryCodec, WORD } from './abiElementary.js'
import { AbiError, AbiReader } from './abiReader.js'

/** Writes and reads one type. `unknown` values: the types of the callers (abiTypes.ts) say what they are. */
export interface AbiCodec {
  /** True when the value stands in the tail and an offset in the head. */
  readonly dynamic: boolean
  /** Bytes in the head: 32 when dynamic. */
  readonly headBytes: number
  /** Bytes of the value without its offset. Throws AbiError when `value` is not of the type. */
  size(value: unknown): number
  /** Writes into zeroed bytes at `at`; returns the end. */
  write(out: DataView, at: number, value: unknown): number
  /** Value at `at`; when dynamic, leaves its end in `reader.end`. */
  read(reader: AbiReader, at: number): unknown
}

interface Field {
  readonly name: string
  readonly codec: AbiCodec
}

/** Codec of one parameter. Nesting is bounded by the ABI constant, not by input. */
export function codecOf(parameter: AbiParameter): AbiCodec {
  const array = /^(.*)\[(\d*)\]$/.exec(parameter.type)
  if (array !== null) {
    const item = codecOf({ ...parameter, type: array[1]! })
    return new ArrayCodec(item, array[2] === '' ? undefined : Number(array[2]))
  }
  if (parameter.type === 'tuple') {
    return new TupleCodec((parameter as { components: readonly AbiParameter[] }).components)
  }
  return elementaryCodec(parameter.type)
}

/** Struct, or a whole parameter list: an object by field names (`0`, `1`... where a parameter has no name). */
export class TupleCodec implements AbiCodec {
  readonly dynamic: boolean
  readonly headBytes: number
  readonly #fields: readonly Field[]
  readonly #headSize: number

  constructor(parameters: readonly AbiParameter[]) {
    this.#fields = parameters.map((parameter, index) => ({
      name: parameter.name || String(index),
      codec: codecOf(parameter),
    }))
    this.dynamic = this.#fields.some((field) => field.codec.dynamic)
    this.#headSize = this.#fields.reduce((sum, field) => sum + field.codec.headBytes, 0)
    this.headBytes = this.dynamic ? 32 : this.#headSize
  }

  size(value: unknown): number {
    const object = asObject(value)
    let size = this.#headSize
    for (const { name, codec } of this.#fields) {
      try {
        const own = codec.size(object[name])
        if (codec.dynamic) size += own
      } catch (error) {
        throw nested(error, name)
      }
    }
    return size
  }

  write(out: DataView, at: number, value: unknown): number {
    const object = value as Record<string, unknown>
    let head = at
    let tail = at + this.#headSize
    for (const { name, codec } of this.#fields) {
      if (codec.dynamic) {
        out.setUint32(head + 28, tail - at)
        tail = codec.write(out, tail, object[name])
      } else {
        codec.write(out, head, object[name])
      }
      head += codec.headBytes
    }
    return tail
  }

  read(reader: AbiReader, at: number): Record<string, unknown> {
    reader.need(at, this.#headSize)
    const object: Record<string, unknown> = {}
    let head = at
    let tail = at + this.#headSize
    for (const { name, codec } of this.#fields) {
      try {
        object[name] = readMember(reader, codec, at, head, tail)
      } catch (error) {
        throw nested(error, name)
      }
      if (codec.dynamic) tail = reader.end
      head += codec.headBytes
    }
    reader.end = tail
    return object
  }
}

class ArrayCodec implements AbiCodec {
  readonly dynamic: boolean
  readonly headBytes: number

  /** `length` undefined: any number of items. */
  constructor(
    readonly item: AbiCodec,
    readonly length: number | undefined,
  ) {
    assert(item.headBytes > 0 && length !== 0, 'ABI array of nothing')
    this.dynamic = length === undefined || item.dynamic
    this.headBytes = this.dynamic ? 32 : length! * item.headBytes
  }

  size(value: unknown): number {
    const items = asArray(value, this.length)
    let size = (this.length === undefined ? 32 : 0) + items.length * this.item.headBytes
    for (let i = 0; i < items.length; i++) {
      try {
        const own = this.item.size(items[i])
        if (this.item.dynamic) size += own
      } catch (error) {
        throw nested(error, `[${i}]`)
      }
    }
    return size
  }

  write(out: DataView, at: number, value: unknown): number {
    const items = value as readonly unknown[]
    const base = this.length === undefined ? at + 32 : at
    if (this.length === undefined) out.setUint32(at + 28, items.length)
    let head = base
    let tail = base + items.length * this.item.headBytes
    for (const item of items) {
      if (this.item.dynamic) {
        out.setUint32(head + 28, tail - base)
        tail = this.item.write(out, tail, item)
      } else {
        this.item.write(out, head, item)
      }
      head += this.item.headBytes
    }
    return tail
  }

  read(reader: AbiReader, at: number): unknown[] {
    const [count, base] = this.#open(reader, at)
    if (this.item === WORD) {
      reader.end = base + 32 * count
      return reader.words(base, count)
    }
    const items: unknown[] = new Array(count)
    const step = this.item.headBytes
    let tail = base + count * step
    for (let i = 0; i < count; i++) {
      try {
        items[i] = readMember(reader, this.item, base, base + i * step, tail)
      } catch (error) {
        throw nested(error, `[${i}]`)
      }
      if (this.item.dynamic) tail = reader.end
    }
    reader.end = tail
    return items
  }

  #open(reader: AbiReader, at: number): [count: number, base: number] {
    if (this.length !== undefined) {
      reader.need(at, this.length * this.item.headBytes)
      return [this.length, at]
    }
    reader.need(at, 32)
    const count = reader.small(at)
    if (count * this.item.headBytes > reader.length - at - 32) {
      throw new AbiError('OUT_OF_BOUNDS', '', `${count} items do not fit into the data`)
    }
    return [count, at + 32]
  }
}

function readMember(reader: AbiReader, codec: AbiCodec, base: number, head: number, tail: number): unknown {
  if (!codec.dynamic) return codec.read(reader, head)
  if (base + reader.small(head) !== tail) {
    throw new AbiError('NOT_CANONICAL', '', 'offset does not point to the next tail')
  }
  return codec.read(reader, tail)
}

/** Encodes an object of named values. Throws AbiError naming the field that does not fit. */
export function encodeTuple(codec: TupleCodec, value: unknown, prefix?: Uint8Array): Uint8Array {
  const start = prefix?.length ?? 0
  const out = new Uint8Array(start + codec.size(value))
  if (prefix !== undefined) out.set(prefix)
  codec.write(new DataView(out.buffer, start), 0, value)
  return out
}

/** Decodes bytes that are exactly the encoding of the tuple. Throws AbiError naming the field. */
export function decodeTuple(codec: TupleCodec, bytes: Uint8Array): Record<string, unknown> {
  const reader = new AbiReader(bytes)
  const value = codec.read(reader, 0)
  if (reader.end !== bytes.length) {
    throw new AbiError('TRAILING_BYTES', '', `${bytes.length - reader.end} bytes after the last value`)
  }
  return value
}

function nested(error: unknown, parent: string): unknown {
  return error instanceof AbiError ? error.within(parent) : error
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new AbiError('TYPE_MISMATCH', '', 'must be an object')
  return value as Record<string, unknown>
}

function asArray(value: unknown, length: number | undefined): readonly unknown[] {
  if (!Array.isArray(value)) throw new AbiError('TYPE_MISMATCH', '', 'must be an array')
  if (length !== undefined && value.length !== length) {
    throw new AbiError('TYPE_MISMATCH', '', `must have ${length} items, got ${value.length}`)
  }
  return value
}
