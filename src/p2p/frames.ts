/**
 * Frames on a byte stream.
 *
 *   frame        = first continuation*
 *   first        = channel u8 | length u32 (of the whole payload, big-endian) | payload[0 .. min(length, fragmentBytesMax)]
 *   continuation = 0x80 + channel u8 | the next min(rest, fragmentBytesMax) bytes
 *
 * Fragments of different channels may alternate; those of one channel may not. The decoder holds at most one unfinished frame a
 * channel, never longer than that channel's cap, and memory for what arrived, not for what a length claims.
 */
import {
  blocksFrameBytesMax,
  consensusFrameBytesMax,
  envelopesFrameBytesMax,
  fragmentBytesMax,
  pingFrameBytesMax,
  transactionsFrameBytesMax,
} from '../core/limits.js'

/** Any channel, the network's own one included. */
export type WireChannel = 0 | 1 | 2 | 3 | 4

/** Cap on the payload of one frame, in bytes, by channel. */
export const frameBytesMaxOf: readonly [number, number, number, number, number] = [
  pingFrameBytesMax,
  consensusFrameBytesMax,
  transactionsFrameBytesMax,
  blocksFrameBytesMax,
  envelopesFrameBytesMax,
]

export const FRAME_HEADER_BYTES = 5
const CONTINUATION = 0x80

export type FrameFaultCode = 'CHANNEL_UNKNOWN' | 'FRAME_TOO_LARGE' | 'FRAME_INTERRUPTED' | 'CONTINUATION_UNEXPECTED'

/** What a peer sent is no sequence of frames; the stream cannot be read on. */
export class FrameFault extends Error {
  override readonly name = 'FrameFault'
  constructor(
    readonly code: FrameFaultCode,
    message: string,
  ) {
    super(message)
  }
}

/** Writes the header of a first fragment at `at`; the offset behind it. */
export function writeFrameHeader(out: Uint8Array, at: number, channel: WireChannel, length: number): number {
  out[at] = channel
  out[at + 1] = length >>> 24
  out[at + 2] = length >>> 16
  out[at + 3] = length >>> 8
  out[at + 4] = length
  return at + FRAME_HEADER_BYTES
}

/** Writes the header of a continuation at `at`; the offset behind it. */
export function writeContinuationHeader(out: Uint8Array, at: number, channel: WireChannel): number {
  out[at] = CONTINUATION | channel
  return at + 1
}

interface OpenFrame {
  readonly length: number
  /** Grows with what arrives, up to `length`. */
  bytes: Uint8Array
  filled: number
}

function openFrame(length: number): OpenFrame {
  return { length, bytes: new Uint8Array(Math.min(length, fragmentBytesMax)), filled: 0 }
}

/** Room for `count` more bytes; at least doubles, so that a frame of n bytes is copied fewer than 2n bytes. */
function grow(frame: OpenFrame, count: number): void {
  const needed = frame.filled + count
  if (needed <= frame.bytes.length) return
  const larger = new Uint8Array(Math.min(frame.length, Math.max(needed, 2 * frame.bytes.length)))
  larger.set(frame.bytes.subarray(0, frame.filled))
  frame.bytes = larger
}

type FrameSink = (channel: WireChannel, payload: Uint8Array) => void

/** Cuts a byte stream into frames. `push` throws FrameFault, after which the decoder must not be used. */
export class FrameDecoder {
  readonly #sink: FrameSink
  readonly #open: [OpenFrame?, OpenFrame?, OpenFrame?, OpenFrame?, OpenFrame?] = []
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES)
  #headerFilled = 0
  #channel: WireChannel = 0
  /** Bytes of the current fragment still to come; 0 when a header is next. */
  #rest = 0

  /** `sink` is handed each whole payload, its own copy. */
  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** Bytes held for unfinished frames. */
  get heldBytes(): number {
    return this.#open.reduce((sum, frame) => sum + (frame?.bytes.length ?? 0), 0)
  }

  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) at = this.#rest > 0 ? this.#readBody(chunk, at) : this.#readHeader(chunk, at)
  }

  #readHeader(chunk: Uint8Array, start: number): number {
    let at = start
    if (this.#headerFilled === 0) {
      const first = chunk[at++]!
      if ((first & CONTINUATION) !== 0) {
        this.#beginContinuation(first & ~CONTINUATION)
        return at
      }
      this.#header[0] = first
      this.#headerFilled = 1
      this.#requireChannel(first)
    }
    while (this.#headerFilled < FRAME_HEADER_BYTES && at < chunk.length)
      this.#header[this.#headerFilled++] = chunk[at++]!
    if (this.#headerFilled === FRAME_HEADER_BYTES) this.#beginFrame()
    return at
  }

  #requireChannel(channel: number): asserts channel is WireChannel {
    if (channel > 4) throw new FrameFault('CHANNEL_UNKNOWN', `channel ${channel} is unknown`)
  }

  #beginFrame(): void {
    const header = this.#header
    const channel = header[0] as WireChannel
    const length = header[1]! * 2 ** 24 + ((header[2]! << 16) | (header[3]! << 8) | header[4]!)
    this.#headerFilled = 0
    if (length > frameBytesMaxOf[channel]) {
      const message = `frame of ${length} bytes on channel ${channel}, at most ${frameBytesMaxOf[channel]} are allowed`
      throw new FrameFault('FRAME_TOO_LARGE', message)
    }
    if (this.#open[channel] !== undefined) {
      throw new FrameFault('FRAME_INTERRUPTED', `a frame began on channel ${channel} inside another`)
    }
    const frame = openFrame(length)
    this.#open[channel] = frame
    this.#channel = channel
    this.#rest = Math.min(length, fragmentBytesMax)
    if (length === 0) this.#finish(frame)
  }

  #beginContinuation(channel: number): void {
    this.#requireChannel(channel)
    const frame = this.#open[channel]
    if (frame === undefined) {
      throw new FrameFault('CONTINUATION_UNEXPECTED', `a continuation on channel ${channel} has no beginning`)
    }
    this.#channel = channel
    this.#rest = Math.min(frame.length - frame.filled, fragmentBytesMax)
  }

  #readBody(chunk: Uint8Array, at: number): number {
    const frame = this.#open[this.#channel]!
    const count = Math.min(this.#rest, chunk.length - at)
    grow(frame, count)
    frame.bytes.set(chunk.subarray(at, at + count), frame.filled)
    frame.filled += count
    this.#rest -= count
    if (frame.filled === frame.length) this.#finish(frame)
    return at + count
  }

  #finish(frame: OpenFrame): void {
    this.#open[this.#channel] = undefined
    this.#sink(this.#channel, frame.bytes)
  }
}
