/** Background work in slices with rests between them, so that consensus always has the event loop within milliseconds. */
import { HISTORY_BUSY_MS, HISTORY_REST_MS, HISTORY_SLICE_MS } from './limits.js'

export interface PaceNeeds {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** The node has better things to do. */
  readonly isBusy: () => boolean
}

export class Pace {
  readonly #needs: PaceNeeds
  #sliceEnd = Number.NEGATIVE_INFINITY
  #wake: (() => void) | undefined
  #stopped = false

  constructor(needs: PaceNeeds) {
    this.#needs = needs
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** To be awaited between pieces of work: resolves when the next one may begin, with false when there is to be none. */
  async breathe(): Promise<boolean> {
    const { now, isBusy } = this.#needs
    if (this.#stopped || now() < this.#sliceEnd) return !this.#stopped
    await this.sleep(HISTORY_REST_MS)
    while (!this.#stopped && isBusy()) await this.sleep(HISTORY_BUSY_MS)
    this.#sliceEnd = now() + HISTORY_SLICE_MS
    return !this.#stopped
  }

  /** Resolves after `ms`, at `wake` or at the stop. One at a time. */
  sleep(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), ms)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
    })
  }

  /** Ends a sleep early. */
  wake(): void {
    this.#wake?.()
  }

  stop(): void {
    this.#stopped = true
    this.wake()
  }
}
