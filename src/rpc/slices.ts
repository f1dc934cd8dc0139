/** Long work in slices: the event loop belongs to consensus. */
import { RPC_CODES, RpcError } from './errors.js'
import { clientGone, type Line } from './line.js'
import { turns } from './turns.js'

export const requestTimedOut = (): RpcError =>
  new RpcError(RPC_CODES.timeout, 'request timed out: ask for less at once, or later')

/** Cuts long work into slices and stops it at its deadline. Call `pause` between steps and await what it returns. */
export class Slices {
  /** `line`: the connection that asked. `deadlineMs` is on the clock of `performance.now()`. */
  constructor(
    readonly line: Line,
    readonly deadlineMs: number,
  ) {}

  /** The same work with less time. */
  until(deadlineMs: number): Slices {
    return new Slices(this.line, Math.min(deadlineMs, this.deadlineMs))
  }

  /** A promise when the slice is used up. Throws -32002 after the deadline, and when nobody waits for the answer any more. */
  pause(): Promise<void> | undefined {
    if (this.line.isClosed) throw clientGone()
    if (performance.now() > this.deadlineMs) throw requestTimedOut()
    return turns.pause(this.line)
  }
}
