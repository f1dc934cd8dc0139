/** Strict cursor over RLP (yellow paper, appendix B) for decoders on the hot path: no intermediate items. */
import { bytesToUint } from './bytes.js'
import { CodedError } from './codedError.js'

export type RlpErrorCode =
  | 'TRUNCATED'
  | 'TRAILING_BYTES'
  | 'NOT_CANONICAL'
  | 'TOO_DEEP'
  | 'TOO_MANY_ITEMS'
  | 'UNEXPECTED_LIST'
  | 'UNEXPECTED_STRING'
  | 'BAD_INTEGER'

/** Malformed RLP; `offset` is the byte in the decoded input at which it was found. */
export class RlpError extends CodedError<RlpErrorCode> {
  constructor(
    code: RlpErrorCode,
    message: string,
    readonly offset: number,
  ) {
    super(code, `malformed RLP at byte ${offset}: ${message}`)
  }
}

/**
 * Reads the items of one list (or the top level) in order. Every header is checked to be canonical and to end within the
 * list that holds it. Strings are views into the input. Methods throw RlpError.
 */
export class RlpReader {
  /** Payload of the item whose header was read last. */
  private payloadAt = 0
  private payloadEnd = 0
  private isList = false

  constructor(
    readonly bytes: Uint8Array,
    /** Offset of the next item. */
    public at = 0,
    readonly end = bytes.length,
  ) {}

  get done(): boolean {
    return this.at >= this.end
  }

  /** True when the next item is a list; false at a string. */
  nextIsList(): boolean {
    if (this.at >= this.end) throw new RlpError('TRUNCATED', 'an item is missing', this.at)
    return this.bytes[this.at]! >= 0xc0
  }

  /** The next item, a string, as a view. */
  string(): Uint8Array {
    this.header()
    if (this.isList) throw new RlpError('UNEXPECTED_LIST', 'expected a byte string', this.at)
    this.at = this.payloadEnd
    return this.bytes.subarray(this.payloadAt, this.payloadEnd)
  }

  /** Cursor over the next item, a list; this cursor moves past it. */
  list(): RlpReader {
    this.header()
    if (!this.isList) throw new RlpError('UNEXPECTED_STRING', 'expected a list', this.at)
    this.at = this.payloadEnd
    return new RlpReader(this.bytes, this.payloadAt, this.payloadEnd)
  }

  /** Moves past the next item, without looking into it when it is a list. */
  skip(): void {
    this.header()
    this.at = this.payloadEnd
  }

  /** The next item with its header, as a view; not looked into when it is a list. */
  item(): Uint8Array {
    const from = this.at
    this.skip()
    return this.bytes.subarray(from, this.at)
  }

  /** The next item as an unsigned integer of at most `bytesMax` bytes without leading zeros. */
  uint(bytesMax: number): bigint {
    this.integerHeader(bytesMax)
    const { bytes, payloadAt, payloadEnd } = this
    this.at = payloadEnd
    return bytesToUint(bytes, payloadAt, payloadEnd)
  }

  /** The next item as an unsigned integer below 2^48. */
  number(): number {
    this.integerHeader(6)
    this.at = this.payloadEnd
    return numberAt(this.bytes, this.payloadAt, this.payloadEnd)
  }

  /** Throws TRAILING_BYTES unless every item was read. */
  finish(): void {
    if (this.at !== this.end)
      throw new RlpError('TRAILING_BYTES', `${this.end - this.at} bytes follow the last item`, this.at)
  }

  private integerHeader(bytesMax: number): void {
    this.header()
    if (this.isList) throw new RlpError('UNEXPECTED_LIST', 'expected an integer', this.at)
    const length = this.payloadEnd - this.payloadAt
    if (length > bytesMax)
      throw new RlpError('BAD_INTEGER', `integer has ${length} bytes, at most ${bytesMax} allowed`, this.at)
    if (length > 0 && this.bytes[this.payloadAt] === 0) {
      throw new RlpError('BAD_INTEGER', 'integer has a leading zero byte', this.at)
    }
  }

  private header(): void {
    const { bytes, at, end } = this
    if (at >= end) throw new RlpError('TRUNCATED', 'an item is missing', at)
    const first = bytes[at]!
    this.isList = first >= 0xc0
    if (first < 0x80) {
      this.payloadAt = at
      this.payloadEnd = at + 1
      return
    }
    const short = first - (this.isList ? 0xc0 : 0x80)
    if (short <= 55) {
      this.payloadAt = at + 1
      this.payloadEnd = at + 1 + short
      if (this.payloadEnd > end) throw new RlpError('TRUNCATED', `item of ${short} bytes does not fit`, at)
      if (short === 1 && !this.isList && bytes[at + 1]! < 0x80) {
        throw new RlpError('NOT_CANONICAL', 'a single byte below 0x80 must stand for itself', at)
      }
      return
    }
    this.longHeader(short - 55)
  }

  private longHeader(lengthBytes: number): void {
    const { bytes, at, end } = this
    const payloadAt = at + 1 + lengthBytes
    if (payloadAt > end) throw new RlpError('TRUNCATED', 'length does not fit', at)
    if (bytes[at + 1] === 0) throw new RlpError('NOT_CANONICAL', 'length has a leading zero byte', at)
    // Exact below 2^53; a longer length is far beyond `end` however it rounds.
    let length = 0
    for (let i = at + 1; i < payloadAt; i++) length = length * 256 + bytes[i]!
    if (length <= 55) throw new RlpError('NOT_CANONICAL', `length ${length} must use the short form`, at)
    if (length > end - payloadAt) throw new RlpError('TRUNCATED', `item of ${length} bytes does not fit`, at)
    this.payloadAt = payloadAt
    this.payloadEnd = payloadAt + length
  }
}

function numberAt(bytes: Uint8Array, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i++) value = value * 256 + bytes[i]!
  return value
}
