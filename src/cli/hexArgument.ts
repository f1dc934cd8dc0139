/** Hex that somebody typed: what is wrong with it is wrong usage, not a defect. */
import { type Address, asAddress, asHash, BytesError, type Hash } from '../core/bytes.js'
import { UsageError } from './errors.js'

/** Throws UsageError naming `title`. */
export const addressArgument = (text: string, title = 'address'): Address => typed(() => asAddress(text, title))

/** Throws UsageError naming `title`. */
export const hashArgument = (text: string, title: string): Hash => typed(() => asHash(text, title))

function typed<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof BytesError) throw new UsageError(error.message)
    throw error
  }
}
