#!/usr/bin/env node
import { reportError } from './errors.js'
import { buildProgram } from './program.js'

const json = process.argv.includes('--json')
try {
  const program = await buildProgram(process.argv.slice(2))
  await program.parseAsync(process.argv)
} catch (error) {
  process.exitCode = reportError(error, json)
}
