/** Reads a configuration: a YAML file of bounded size, overridden by CONCORDAT_* environment variables, overridden by flags. */
import { readFileSync, statSync } from 'node:fs'
import { parseDocument, YAMLError } from 'yaml'
import type { z } from 'zod'
import { ConfigError, envNames, parseConfig } from './configSchema.js'

const CONFIG_BYTES_MAX = 1024 * 1024

const PREFIX = 'CONCORDAT_'

/** What commands that reach a node read: set once in a shell, it must not keep others from starting. */
const OF_CLIENTS: ReadonlySet<string> = new Set(['RPC_TOKEN', 'RPC_TOKEN_FILE', 'RPC_CA_FILE'])

export interface ConfigSources {
  readonly env: NodeJS.ProcessEnv
  /** By dotted path. */
  readonly flags?: Readonly<Record<string, string>>
  /** Configuration of processes that may run in the same environment: variables that are theirs alone are passed over. */
  readonly beside?: z.ZodType
}

/** The checked configuration. Throws ConfigError naming the file, the key and what to do. */
export function readConfig<T>(schema: z.ZodType<T>, file: string, { env, flags = {}, beside }: ConfigSources): T {
  const own = new Set(envNames(schema))
  const others = new Set(beside === undefined ? [] : envNames(beside))
  const overrides = new Map<string, string>()
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || value === undefined) continue
    const name = variable.slice(PREFIX.length)
    // What the test suite is told (CONCORDAT_TEST_POSTGRES_URL) is no configuration of the processes that it starts.
    if (name.startsWith('TEST_')) continue
    if (!own.has(name) && OF_CLIENTS.has(name)) continue
    if (own.has(name) || !others.has(name)) overrides.set(name, value)
  }
  return parseConfig(schema, readYaml(file), { file, env: overrides, flags })
}

function readYaml(file: string): unknown {
  const document = parseDocument(readBounded(file))
  // What only draws a warning would be printed with its line, in which a password may stand.
  const [fault] = [...document.errors, ...document.warnings]
  if (fault !== undefined) throw notYaml(file, fault)
  try {
    return document.toJS({ maxAliasCount: 0 }) ?? {}
  } catch (error) {
    throw notYaml(file, error as Error)
  }
}

function notYaml(file: string, error: Error): ConfigError {
  const where = error instanceof YAMLError && error.linePos ? ` (line ${error.linePos[0].line})` : ''
  return new ConfigError('SYNTAX', `${file} is not valid YAML${where}: ${error.message.split('\n')[0]}`)
}

function readBounded(file: string): string {
  try {
    if (statSync(file).size <= CONFIG_BYTES_MAX) {
      const text = readFileSync(file, 'utf8')
      // What is no plain file has no size before it is read.
      if (text.length <= CONFIG_BYTES_MAX) return text
    }
  } catch (error) {
    throw new ConfigError('UNREADABLE', `cannot read the configuration ${file}: ${(error as Error).message}`)
  }
  throw new ConfigError('TOO_LARGE', `${file} is larger than 1 MiB; is it the right file?`)
}
