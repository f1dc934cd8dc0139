/** What geth's logs say belongs to an error: they are removed with the network. */
import { CommandError } from '../../src/cli/errors.js'
import { Interrupted } from '../harness/experiment.js'
import { StandstillError } from './standstill.js'

/**
 * What ended the work: the signal's reason where it was aborted, else the error, with the logs' text after its message. What the user
 * interrupted needs none.
 */
export function withTrouble(caught: unknown, trouble: string, signal: AbortSignal): unknown {
  const error = signal.aborted ? signal.reason : caught
  if (error instanceof Interrupted || trouble === '') return error
  const message = `${error instanceof Error ? error.message : String(error)}\n${trouble}`
  const Kind = error instanceof StandstillError ? StandstillError : CommandError
  return new Kind(message, { cause: error })
}
