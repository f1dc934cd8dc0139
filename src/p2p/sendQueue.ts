/**
 * Frames waiting for one peer, in order of urgency: ping and consensus first, then transactions and blocks in turn, so that
 * neither a flood of transactions nor a long sync starves the other; envelopes when nothing else waits. Bounded by channel; what does not fit is refused.
 */
import {
  blocksQueueBytesMax,
  consensusQueueBytesMax,
  envelopesQueueBytesMax,
  fragmentBytesMax,
  pingQueueBytesMax,
  queuedFrameOverheadBytes,
  transactionsQueueBytesMax,
  writeBytesMax,
} from '../core/limits.js'
import { FRAME_HEADER_BYTES, type WireChannel, writeContinuationHeader, writeFrameHeader } from './frames.js'

const queueBytesMaxOf: readonly [number, number, number, number, number] = [
  pingQueueBytesMax,
  consensusQueueBytesMax,
  transactionsQueueBytesMax,
  blocksQueueBytesMax,
  envelopesQueueBytesMax,
]

/** First in, first out without shifting an array for each frame. */
class FrameFifo {
  #frames: Uint8Array[] = []
  #head = 0
  /** Bytes of the first frame that were taken already. */
  sent = 0
  /** What the frames cost: bytes and overhead. */
  costBytes = 0

  get first(): Uint8Array | undefined {
    return this.#frames[this.#head]
  }

  push(frame: Uint8Array): void {
    this.#frames.push(frame)
    this.costBytes += frame.length + queuedFrameOverheadBytes
  }

  dropFirst(): void {
    this.costBytes -= this.first!.length + queuedFrameOverheadBytes
    this.sent = 0
    this.#head++
    if (this.#head >= 1024 || this.#head === this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head)
      this.#head = 0
    }
  }
}

export class SendQueue {
  readonly #fifos = [new FrameFifo(), new FrameFifo(), new FrameFifo(), new FrameFifo(), new FrameFifo()] as const
  /** Which of the two bulk channels is next. */
  #bulk: 2 | 3 = 2

  /** Bytes waiting, with the overhead of their frames. */
  get queuedBytes(): number {
    return this.#fifos.reduce((sum, fifo) => sum + fifo.costBytes, 0)
  }

  /** False when the channel's queue has no room for `frame`. */
  push(channel: WireChannel, frame: Uint8Array): boolean {
    const fifo = this.#fifos[channel]
    if (fifo.costBytes + frame.length + queuedFrameOverheadBytes > queueBytesMaxOf[channel]) return false
    fifo.push(frame)
    return true
  }

  /** The next bytes for the wire, at most `writeBytesMax`; undefined when nothing waits. */
  take(): Uint8Array | undefined {
    let channel = this.#next()
    if (channel === undefined) return undefined
    const out = new Uint8Array(Math.min(writeBytesMax, this.#wireBytesBound()))
    let at = 0
    while (channel !== undefined && this.#fragmentBytes(channel) <= out.length - at) {
      at = this.#writeFragment(out, at, channel)
      channel = this.#next()
    }
    return out.subarray(0, at)
  }

  #next(): WireChannel | undefined {
    if (this.#fifos[0].first !== undefined) return 0
    if (this.#fifos[1].first !== undefined) return 1
    const other = this.#bulk === 2 ? 3 : 2
    if (this.#fifos[this.#bulk].first !== undefined) return this.#bulk
    if (this.#fifos[other].first !== undefined) return other
    return this.#fifos[4].first !== undefined ? 4 : undefined
  }

  /** A bound on what waits, in bytes on the wire: the overhead counted for a frame exceeds its headers. */
  #wireBytesBound(): number {
    return this.queuedBytes
  }

  #fragmentBytes(channel: WireChannel): number {
    const fifo = this.#fifos[channel]
    const header = fifo.sent === 0 ? FRAME_HEADER_BYTES : 1
    return header + Math.min(fifo.first!.length - fifo.sent, fragmentBytesMax)
  }

  #writeFragment(out: Uint8Array, start: number, channel: WireChannel): number {
    const fifo = this.#fifos[channel]
    const frame = fifo.first!
    const at =
      fifo.sent === 0
        ? writeFrameHeader(out, start, channel, frame.length)
        : writeContinuationHeader(out, start, channel)
    const end = Math.min(fifo.sent + fragmentBytesMax, frame.length)
    out.set(frame.subarray(fifo.sent, end), at)
    const next = at + end - fifo.sent
    if (end === frame.length) fifo.dropFirst()
    else fifo.sent = end
    if (channel === 2 || channel === 3) this.#bulk = channel === 2 ? 3 : 2
    return next
  }
}
