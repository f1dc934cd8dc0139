/** A share of the time: what is used beyond it is rested off. A token bucket. */
export class Share {
  #savedMs: number
  #atMs = 0
  #restMs = 0

  constructor(
    /** Of the time. */
    readonly fraction: number,
    /** What may be saved up, in ms of work. */
    readonly savedMsMax: number,
  ) {
    this.#savedMs = savedMsMax
  }

  /** Until then it is used up. */
  get restMs(): number {
    return this.#restMs
  }

  /** Work that is left without a rest, in ms; below 0 after too much. */
  saved(nowMs: number): number {
    return Math.min(this.savedMsMax, this.#savedMs + (nowMs - this.#atMs) * this.fraction)
  }

  spend(ms: number, nowMs: number): void {
    this.#savedMs = this.saved(nowMs) - ms
    this.#atMs = nowMs
    if (this.#savedMs < 0) this.#restMs = nowMs - this.#savedMs / this.fraction
  }
}
