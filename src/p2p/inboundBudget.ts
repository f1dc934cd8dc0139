/** How much a peer may send: a bucket of one second's bytes that refills steadily. Overdraft tells how long not to read. */
import { inboundBytesPerSecondMax, inboundFrameCostBytes } from '../core/limits.js'

export class InboundBudget {
  #bytes: number
  #at: number

  /** `now` in ms; `bytesPerSecond` is also the burst. */
  constructor(
    now: number,
    private readonly bytesPerSecond = inboundBytesPerSecondMax,
  ) {
    this.#bytes = bytesPerSecond
    this.#at = now
  }

  /** Takes `bytes` and `frames` at `now`; the milliseconds to pause for before reading on, 0 while within budget. */
  spend(bytes: number, frames: number, now: number): number {
    const refill = ((now - this.#at) / 1000) * this.bytesPerSecond
    this.#at = now
    this.#bytes = Math.min(this.bytesPerSecond, this.#bytes + refill) - bytes - frames * inboundFrameCostBytes
    return this.#bytes >= 0 ? 0 : (-this.#bytes / this.bytesPerSecond) * 1000
  }
}
