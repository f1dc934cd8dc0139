/** A data folder that could not be written, in words of the command that filled it. */
import { StateError } from '../../state/errors.js'
import { StoreError } from '../../state/store/keyValueStore.js'
import { ChainFileError } from './format.js'

/** `error`, or what to do about it where it is a failed write to `dir`. */
export function folderFault(error: unknown, dir: string, advice: string): unknown {
  const failed = error instanceof StateError && error.code === 'FAILED' ? error.cause : error
  if (!(failed instanceof StoreError) || failed.code !== 'WRITE_FAILED') return error
  const { cause } = failed
  const reason = cause instanceof Error ? cause.message : failed.message
  return new ChainFileError('WRITE_FAILED', `${dir} could not be written (${reason}): ${advice}`, { cause: failed })
}
