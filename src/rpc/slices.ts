/**
 * The event loop belongs to consensus: whatever requests there are, their work together gets one slice of each turn of it.
 * What does not fit waits for a later turn, new requests beside those that go on.
 */
import { RPC_CODES, RpcError } from './errors.js'

/** RPC work of one turn of the event loop; one step of a job may overrun it. */
const SLICE_MS = 5

export const requestTimedOut = (): RpcError =>
  new RpcError(RPC_CODES.timeout, 'request timed out: ask for less at once, or later')

type Resolve = () => void

/** Hands out the slices of turns. The event loop is one for the process, and so is this. */
class Turns {
  /** Requests that have not begun, and jobs that go on: as many are never left behind by the others. */
  readonly #fresh: Resolve[] = []
  readonly #going: Resolve[] = []
  #startMs = 0
  #begun = false

  get waiting(): number {
    return this.#fresh.length + this.#going.length
  }

  /** A promise when a new request has to wait; undefined when it may run at once. */
  enter(): Promise<void> | undefined {
    if (!this.#begun) {
      this.#begin()
      return undefined
    }
    return this.waiting === 0 && !this.#used() ? undefined : this.#wait(this.#fresh)
  }

  /** A promise when a job has to leave the rest of this turn to others. */
  pause(): Promise<void> | undefined {
    if (!this.#begun) this.#begin()
    return this.#used() ? this.#wait(this.#going) : undefined
  }

  #begin(): void {
    this.#begun = true
    this.#startMs = performance.now()
    setImmediate(this.#next)
  }

  #used(): boolean {
    return performance.now() - this.#startMs >= SLICE_MS
  }

  #wait(queue: Resolve[]): Promise<void> {
    return new Promise((resolve) => queue.push(resolve))
  }

  readonly #next = (): void => {
    this.#begun = false
    if (this.waiting === 0) return
    this.#begin()
    this.#release()
  }

  /** Lets one after the other run, each until it is done or waits again. */
  readonly #release = (): void => {
    const elapsedMs = performance.now() - this.#startMs
    if (elapsedMs >= SLICE_MS) return
    // New requests may take half of a slice before a job goes on: short answers stay short beside long searches.
    const isFreshFirst = elapsedMs < SLICE_MS / 2 || this.#going.length === 0
    const resolve = (isFreshFirst ? this.#fresh.shift() : undefined) ?? this.#going.shift() ?? this.#fresh.shift()
    if (resolve === undefined) return
    resolve()
    // The queue of microtasks is empty again before the next one is let in.
    queueMicrotask(() => process.nextTick(this.#release))
  }
}

export const turns = new Turns()

/** Cuts long work into slices and stops it at its deadline. Call `pause` between steps and await what it returns. */
export class Slices {
  constructor(readonly deadlineMs: number) {}

  /** A promise when the slice is used up. Throws -32002 after the deadline. */
  pause(): Promise<void> | undefined {
    if (performance.now() > this.deadlineMs) throw requestTimedOut()
    return turns.pause()
  }
}
