/** One peer over one byte stream: frames out by urgency, frames in by budget, pings. Knows no transport. */
import { FrameDecoder, FrameFault, frameBytesMaxOf, type WireChannel } from './frames.js'
import { InboundBudget } from './inboundBudget.js'
import { type Channel, NetworkError } from './network.js'
import { SendQueue } from './sendQueue.js'
import type { NetworkTuning } from './tuning.js'

/** The transport below. */
export interface BytePipe {
  /** False when the transport is full: write no more before it drained. */
  write(bytes: Uint8Array): boolean
  /** Stops reading, with which the sender is held back. */
  pause(): void
  resume(): void
}

export interface PeerLinkEvents {
  onFrame(channel: Channel, frame: Uint8Array): void
  /** The peer broke the frame rules; the link reads no more and is to be closed. */
  onFault(fault: FrameFault): void
  /** Nothing arrived for `pingTimeoutMs`; the link is to be closed. */
  onSilence(silentMs: number): void
  /** The peer sent more than its budget; reading pauses. */
  onExcess(pauseMs: number): void
  /** The pipe threw: it is closed or closing. */
  onPipeError(error: Error): void
}

const PING = 1
const PONG = 2
const PING_BYTES = 9

/** Throws NetworkError FRAME_TOO_LARGE when `frame` exceeds its channel's cap. */
export function requireFrameSize(channel: Channel, frame: Uint8Array): void {
  const max = frameBytesMaxOf[channel]
  if (frame.length <= max) return
  throw new NetworkError(
    'FRAME_TOO_LARGE',
    `frame of ${frame.length} bytes on channel ${channel}: send at most ${max} bytes`,
  )
}

export class PeerLink {
  readonly #pipe: BytePipe
  readonly #events: PeerLinkEvents
  readonly #tuning: NetworkTuning
  readonly #now: () => number
  readonly #queue = new SendQueue()
  readonly #decoder = new FrameDecoder((channel, payload) => this.#deliver(channel, payload))
  readonly #budget: InboundBudget
  #framesInChunk = 0
  #flushScheduled = false
  #blocked = false
  #closed = false
  #heardAt: number
  #pingedAt = Number.NEGATIVE_INFINITY
  /** The time that the last unanswered ping carries. */
  #pingOut: number | undefined
  #rttMs: number | undefined
  #resumeTimer: NodeJS.Timeout | undefined

  /** `now`: a monotonic clock in ms. */
  constructor(pipe: BytePipe, events: PeerLinkEvents, tuning: NetworkTuning, now: () => number) {
    this.#pipe = pipe
    this.#events = events
    this.#tuning = tuning
    this.#now = now
    this.#heardAt = now()
    this.#budget = new InboundBudget(this.#heardAt)
  }

  get rttMs(): number | undefined {
    return this.#rttMs
  }

  get queuedBytes(): number {
    return this.#queue.queuedBytes
  }

  /** Queues a frame of permitted size; false when its queue is full. All frames of one synchronous run leave in common writes. */
  send(channel: WireChannel, frame: Uint8Array): boolean {
    if (this.#closed || !this.#queue.push(channel, frame)) return false
    if (!this.#flushScheduled && !this.#blocked) {
      this.#flushScheduled = true
      queueMicrotask(() => this.#flush())
    }
    return true
  }

  /** The transport can take bytes again. */
  drained(): void {
    this.#blocked = false
    this.#flush()
  }

  /** Bytes from the peer. */
  receive(chunk: Uint8Array): void {
    if (this.#closed) return
    const now = this.#now()
    this.#heardAt = now
    this.#framesInChunk = 0
    try {
      this.#decoder.push(chunk)
    } catch (error) {
      if (!(error instanceof FrameFault)) throw error
      this.close()
      this.#events.onFault(error)
      return
    }
    // A chunk counts as a frame, so that single bytes are not cheaper to send than to handle.
    this.#framesInChunk++
    this.#spend(chunk.length, now)
  }

  /** To be called a few times per `pingIntervalMs`: sends pings, notices silence. */
  tick(): void {
    if (this.#closed) return
    const now = this.#now()
    const silentMs = now - this.#heardAt
    if (silentMs >= this.#tuning.pingTimeoutMs && this.#resumeTimer === undefined) {
      this.#events.onSilence(silentMs)
      return
    }
    if (now - this.#pingedAt < this.#tuning.pingIntervalMs) return
    this.#pingedAt = now
    this.#pingOut = now
    this.send(0, pingFrame(PING, now))
  }

  /** Nothing is sent, received or reported afterwards. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#resumeTimer)
  }

  #flush(): void {
    this.#flushScheduled = false
    while (!this.#blocked && !this.#closed) {
      const bytes = this.#queue.take()
      if (bytes === undefined) return
      try {
        this.#blocked = !this.#pipe.write(bytes)
      } catch (error) {
        this.close()
        this.#events.onPipeError(error instanceof Error ? error : new Error(String(error)))
      }
    }
  }

  #deliver(channel: WireChannel, payload: Uint8Array): void {
    this.#framesInChunk++
    if (this.#closed) return
    if (channel === 0) this.#onPing(payload)
    else this.#events.onFrame(channel, payload)
  }

  #onPing(payload: Uint8Array): void {
    if (payload.length !== PING_BYTES) return
    if (payload[0] === PING) this.send(0, pongOf(payload))
    else if (payload[0] === PONG && this.#pingOut !== undefined && pingTime(payload) === this.#pingOut) {
      this.#rttMs = this.#now() - this.#pingOut
      this.#pingOut = undefined
    }
  }

  #spend(bytes: number, now: number): void {
    const pauseMs = this.#budget.spend(bytes, this.#framesInChunk, now)
    if (pauseMs === 0 || this.#closed || this.#resumeTimer !== undefined) return
    this.#pipe.pause()
    this.#resumeTimer = setTimeout(() => this.#resume(), pauseMs)
    this.#events.onExcess(pauseMs)
  }

  #resume(): void {
    this.#resumeTimer = undefined
    this.#heardAt = this.#now()
    if (!this.#closed) this.#pipe.resume()
  }
}

function pingFrame(kind: number, time: number): Uint8Array {
  const frame = new Uint8Array(PING_BYTES)
  frame[0] = kind
  new DataView(frame.buffer).setFloat64(1, time)
  return frame
}

function pongOf(ping: Uint8Array): Uint8Array {
  const pong = ping.slice()
  pong[0] = PONG
  return pong
}

function pingTime(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset).getFloat64(1)
}
