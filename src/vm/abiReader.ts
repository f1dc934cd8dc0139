/** Bounded, strict reading of ABI-encoded bytes. */
import { type Address, type Hash, type Hex, hexDigits, toHex } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'

export type AbiErrorCode =
  | 'OUT_OF_BOUNDS'
  | 'NOT_CANONICAL'
  | 'OUT_OF_RANGE'
  | 'TRAILING_BYTES'
  | 'NOT_UTF8'
  | 'TYPE_MISMATCH'

/** Bytes that are not the canonical encoding of the type, or a value that does not fit it; the message names the field. */
export class AbiError extends CodedError<AbiErrorCode> {
  constructor(
    code: AbiErrorCode,
    readonly path: string,
    readonly reason: string,
  ) {
    super(code, path === '' ? reason : `${path}: ${reason}`)
  }

  within(parent: string): AbiError {
    const join = this.path === '' || this.path.startsWith('[') ? '' : '.'
    return new AbiError(this.code, `${parent}${join}${this.path}`, this.reason)
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Words of ABI-encoded bytes; positions are byte offsets. */
export class AbiReader {
  /** End of what was read last: where the next tail has to begin. */
  end = 0
  readonly #bytes: Uint8Array
  /** Digits from one byte up to another. */
  readonly #digits: (from: number, to: number) => string
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#digits = hexDigits(bytes)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get length(): number {
    return this.#bytes.length
  }

  need(at: number, length: number): void {
    if (at + length > this.#bytes.length) {
      throw new AbiError('OUT_OF_BOUNDS', '', `needs ${length} bytes at ${at}, ${this.#bytes.length} are there`)
    }
  }

  /** Unsigned integer below 2^48, as lengths and offsets must be. The word must be within bounds. */
  small(at: number): number {
    const view = this.#view
    const high =
      view.getUint32(at) |
      view.getUint32(at + 4) |
      view.getUint32(at + 8) |
      view.getUint32(at + 12) |
      view.getUint32(at + 16) |
      view.getUint32(at + 20) |
      view.getUint16(at + 24)
    if (high !== 0) throw new AbiError('OUT_OF_RANGE', '', 'integer has more than 48 bits')
    return view.getUint16(at + 26) * 0x1_0000_0000 + view.getUint32(at + 28)
  }

  uint(at: number): bigint {
    const view = this.#view
    const high =
      view.getUint32(at) |
      view.getUint32(at + 4) |
      view.getUint32(at + 8) |
      view.getUint32(at + 12) |
      view.getUint32(at + 16) |
      view.getUint32(at + 20)
    return high === 0 ? view.getBigUint64(at + 24) : BigInt(`0x${this.#digits(at, at + 32)}`)
  }

  word(at: number): Hash {
    return `0x${this.#digits(at, at + 32)}` as Hash
  }

  /** `count` words from `at` on, faster than one by one. */
  words(at: number, count: number): Hash[] {
    const hex = this.#digits(at, at + 32 * count)
    const words: Hash[] = new Array(count)
    for (let i = 0; i < count; i++) words[i] = `0x${hex.slice(64 * i, 64 * i + 64)}` as Hash
    return words
  }

  address(at: number): Address {
    const view = this.#view
    if ((view.getUint32(at) | view.getUint32(at + 4) | view.getUint32(at + 8)) !== 0) {
      throw new AbiError('OUT_OF_RANGE', '', 'address has more than 20 bytes')
    }
    return `0x${this.#digits(at + 12, at + 32)}` as Address
  }

  /** Left-aligned bytes of a bytesN word. */
  fixed(at: number, size: number): Hex {
    this.#zeros(at + size, at + 32)
    return toHex(this.#bytes.subarray(at, at + size))
  }

  /** Content of `bytes` or `string` at `at`: a view of the input. */
  bytes(at: number): Uint8Array {
    this.need(at, 32)
    const length = this.small(at)
    if (length > this.#bytes.length) throw new AbiError('OUT_OF_BOUNDS', '', `length ${length} exceeds the data`)
    const padded = (length + 31) & ~31
    this.need(at + 32, padded)
    this.#zeros(at + 32 + length, at + 32 + padded)
    this.end = at + 32 + padded
    return this.#bytes.subarray(at + 32, at + 32 + length)
  }

  text(at: number): string {
    try {
      return decoder.decode(this.bytes(at))
    } catch (error) {
      if (error instanceof AbiError) throw error
      throw new AbiError('NOT_UTF8', '', 'text is not valid UTF-8')
    }
  }

  #zeros(from: number, to: number): void {
    for (let i = from; i < to; i++) {
      if (this.#bytes[i] !== 0) throw new AbiError('NOT_CANONICAL', '', 'padding is not zero')
    }
  }
}
