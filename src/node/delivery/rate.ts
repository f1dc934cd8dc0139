/** A bucket of one second's bytes that refills steadily; what does not fit is refused and costs nothing. */
export class RateBucket {
  #left: number
  #at: number

  /** `now` in ms. */
  constructor(
    now: number,
    private readonly bytesPerSecond: number,
  ) {
    this.#left = bytesPerSecond
    this.#at = now
  }

  take(bytes: number, now: number): boolean {
    this.#left = Math.min(this.bytesPerSecond, this.#left + ((now - this.#at) / 1000) * this.bytesPerSecond)
    this.#at = now
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }
}
