/** Checks configuration objects against a zod schema, merges overrides into them and explains faults with the key and a suggestion. */
import type { z } from 'zod'
import { CodedError } from '../core/codedError.js'

/** A configuration that cannot be used; the message names the file, the key and what to do. */
export class ConfigError extends CodedError<'UNREADABLE' | 'TOO_LARGE' | 'SYNTAX' | 'INVALID' | 'UNKNOWN_KEY'> {}

export const ADDRESS_PATTERN = /^0x[0-9a-fA-F]{40}$/

interface Overrides {
  /** Shown in errors. */
  readonly file: string
  /** CONCORDAT_ variables without the prefix: RPC_PORT sets rpc.port, LOG_LEVEL sets logLevel. */
  readonly env: ReadonlyMap<string, string>
  /** Flags by dotted path: { 'rpc.port': '8545' }. */
  readonly flags: Readonly<Record<string, string>>
}

/** The checked configuration; throws ConfigError. An environment variable of ours that names no key is an error as well. */
export function parseConfig<T>(schema: z.ZodType<T>, raw: unknown, overrides: Overrides): T {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw new ConfigError('INVALID', `${overrides.file} must contain a mapping (key: value)`)
  }
  const merged = structuredClone(raw) as Record<string, unknown>
  const paths = schemaPaths(schema)
  const byEnvName = new Map(paths.map((path) => [envName(path), path]))
  for (const [name, value] of overrides.env) {
    const path = byEnvName.get(name)
    if (path === undefined) {
      throw new ConfigError(
        'UNKNOWN_KEY',
        `environment variable CONCORDAT_${name} names no configuration key${suggest(name, [...byEnvName.keys()], 'CONCORDAT_')}`,
      )
    }
    setPath(merged, path, scalar(value))
  }
  for (const [path, value] of Object.entries(overrides.flags)) {
    if (!paths.includes(path))
      throw new ConfigError('UNKNOWN_KEY', `flag names no configuration key: ${path}${suggest(path, paths)}`)
    setPath(merged, path, scalar(value))
  }
  const result = schema.safeParse(merged)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const at = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const key = [...issue.path, issue.keys[0]].join('.')
    throw new ConfigError('UNKNOWN_KEY', `${overrides.file}: unknown key '${key}'${suggest(key, paths)}`)
  }
  throw new ConfigError('INVALID', `${overrides.file}: ${at === '' ? 'the file' : `'${at}'`}: ${issue.message}`)
}

/** Names of the environment variables that set the keys of an object schema, without the prefix. */
export function envNames(schema: z.ZodType): string[] {
  return schemaPaths(schema).map(envName)
}

/** Dotted paths of all keys of an object schema, through defaults. */
function schemaPaths(schema: unknown, prefix = ''): string[] {
  const shape = shapeOf(schema)
  if (shape === undefined) return []
  const out: string[] = []
  for (const [key, child] of Object.entries(shape)) {
    const nested = schemaPaths(child, `${prefix}${key}.`)
    if (nested.length > 0) out.push(...nested)
    else out.push(`${prefix}${key}`)
  }
  return out
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  let current = schema as { shape?: Record<string, unknown>; def?: { innerType?: unknown } } | undefined
  while (current !== undefined && current.shape === undefined) current = current.def?.innerType as typeof current
  return current?.shape
}

/** rpc.allowedHosts -> RPC_ALLOWED_HOSTS */
function envName(path: string): string {
  return path
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()
}

function scalar(value: string): unknown {
  if (/^-?\d{1,15}$/.test(value)) return Number(value)
  if (value === 'true') return true
  if (value === 'false') return false
  return value
}

function setPath(target: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.')
  let at = target
  for (const key of keys.slice(0, -1)) {
    const next = at[key]
    if (typeof next !== 'object' || next === null) at[key] = {}
    at = at[key] as Record<string, unknown>
  }
  at[keys.at(-1)!] = value
}

function suggest(key: string, known: readonly string[], prefix = ''): string {
  let best = ''
  let distance = 4
  for (const candidate of known) {
    const d = Math.min(
      editDistance(key, candidate),
      editDistance(key.split('.').at(-1)!, candidate.split('.').at(-1)!) + 0.5,
    )
    if (d < distance) {
      distance = d
      best = candidate
    }
  }
  return best === '' ? `; known keys: ${known.slice(0, 40).join(', ')}` : `; did you mean ${prefix}${best}?`
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]!
}
