#!/usr/bin/env node
import { reportError } from './errors.js'
import { buildProgram } from './program.js'

const json = process.argv.includes('--json')
try {
  await buildProgram().parseAsync(process.argv)
} catch (error) {
  process.exitCode = reportError(error, json)
}
