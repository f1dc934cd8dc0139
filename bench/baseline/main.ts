/** `node dist/bench/baseline/main.js serve --config FILE`: one department of the client/server system, until stopped. */
import { parseArgs } from 'node:util'
import { reportError, UsageError } from '../../src/cli/errors.js'
import { serve } from './serve.js'

try {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { config: { type: 'string' } } })
  if (positionals.join() !== 'serve' || values.config === undefined) {
    throw new UsageError('say: serve --config <folder>/<department>/service.yaml')
  }
  await serve(values.config)
} catch (error) {
  process.exitCode = reportError(error, false)
}
