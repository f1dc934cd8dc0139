/** A Clique network that makes no more blocks. */
import { CommandError } from '../../src/cli/errors.js'
import { abortable } from '../testbed/loops.js'

/**
 * Sealers on branches of equal weight may each wait for one of the other branch, for ever (EIP-3436). What was measured until
 * then stays.
 */
export class StandstillError extends CommandError {}

/** `work`, or StandstillError naming `what` after `timeoutMs`, or the reason of `signal` when that comes first. */
export async function unlessStandstill<T>(
  work: Promise<T>,
  what: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    return await abortable(work, AbortSignal.any([signal, timeout]))
  } catch (error) {
    if (!timeout.aborted || signal.aborted) throw error
    throw new StandstillError(`${what} was not done within ${timeoutMs / 1_000} s`)
  }
}
