/** How a command ends: 0 done, 1 failed, 2 wrong usage. */
import { CodedError } from '../core/codedError.js'
import { RpcError } from '../rpc/errors.js'

/** The command was called wrongly; the message says how to call it. */
export class UsageError extends CodedError<'USAGE'> {
  constructor(message: string) {
    super('USAGE', message)
  }
}

/** The command could not do its work; the message says what to do next. */
export class CommandError extends CodedError<'FAILED'> {
  constructor(message: string, options?: ErrorOptions) {
    super('FAILED', message, options)
  }
}

/** What a command says of an error: a code that scripts can switch on (of an RpcError its number) and plain words. */
function inPlainWords(error: unknown): { readonly code: string | number; readonly message: string } {
  if (error instanceof CodedError) return { code: error.code, message: error.message }
  if (error instanceof RpcError)
    return { code: error.code, message: `the node refused: ${error.message} (JSON-RPC ${error.code})` }
  return { code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) }
}

/** Prints an error in plain words (one JSON object with --json) and returns the exit status. */
export function reportError(error: unknown, json: boolean): 1 | 2 {
  const status = error instanceof UsageError ? 2 : 1
  const { code, message } = inPlainWords(error)
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message } })}\n`)
  else process.stderr.write(`concordat: ${message}\n`)
  // An error without a code is a defect here: its trace helps to mend it.
  if (code === 'UNEXPECTED' && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return status
}
