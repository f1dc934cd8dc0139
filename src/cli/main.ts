#!/usr/bin/env node
import { reportError } from './errors.js'
import { buildProgram } from './program.js'

// Whoever read has seen enough, as `head` has: the command goes on to its end and its status.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const json = process.argv.includes('--json')
try {
  const program = await buildProgram(process.argv.slice(2))
  await program.parseAsync(process.argv)
} catch (error) {
  process.exitCode = reportError(error, json)
}
