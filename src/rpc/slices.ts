import { setImmediate as nextTurn } from 'node:timers/promises'
import { RPC_CODES, RpcError } from './errors.js'

/** Longest that one request keeps the event loop. */
const SLICE_MS = 5

export const requestTimedOut = (): RpcError => new RpcError(RPC_CODES.timeout, 'request timed out')

/** Cuts long work into slices and stops it at its deadline. Call `pause` between steps and await what it returns. */
export class Slices {
  #startMs = performance.now()

  constructor(readonly deadlineMs: number) {}

  /** A promise when the slice is used up. Throws -32002 after the deadline. */
  pause(): Promise<void> | undefined {
    const now = performance.now()
    if (now > this.deadlineMs) throw requestTimedOut()
    return now - this.#startMs < SLICE_MS ? undefined : this.#yield()
  }

  async #yield(): Promise<void> {
    await nextTurn()
    this.#startMs = performance.now()
  }
}
