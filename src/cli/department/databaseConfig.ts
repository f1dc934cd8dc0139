/** Section `database` of a department agent's configuration: a folder, or PostgreSQL. */
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { ConnectionSettings } from '../../agent/database/postgres/connection.js'
import { type Mapping, mappingSchema } from '../../agent/database/postgres/mapping.js'
import type { PostgresOptions } from '../../agent/database/postgres/open.js'
import { readConfig } from '../../node/configFile.js'
import { ConfigError, parseConfig } from '../../node/configSchema.js'

const text = z.string().min(1).max(1_024)

const connection = {
  /** postgresql://user@host:5432/database, or its parts. */
  url: text.optional(),
  host: text.optional(),
  port: z.int().min(1).max(65_535).optional(),
  database: text.optional(),
  user: text.optional(),
  passwordFile: text.optional(),
  ssl: z
    .strictObject({
      mode: z.enum(['disable', 'require', 'verify-ca', 'verify-full']).optional(),
      caFile: text.optional(),
      certFile: text.optional(),
      keyFile: text.optional(),
    })
    .optional(),
}

/** One object with all keys, so that each has its environment variable; `databaseConfig` says which belong together. */
export const databaseSectionSchema = z.strictObject({
  kind: z.enum(['embedded', 'postgres']).default('embedded'),
  dir: text.optional(),
  ...connection,
  /** Where the agent's own schema is; default: the same database. */
  store: z.strictObject(connection).optional(),
  schema: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'a schema is named in lower-case letters, digits and _')
    .optional(),
  /** A file, or the mapping itself. */
  mapping: z.union([text, z.looseObject({})], 'a file name, or the mapping itself').optional(),
  connectionsMax: z.int().min(1).max(64).optional(),
  connectTimeoutMs: z.int().min(100).max(60_000).optional(),
  statementTimeoutMs: z.int().min(100).max(600_000).optional(),
})

type Section = z.infer<typeof databaseSectionSchema>

export type DatabaseConfig =
  | { readonly kind: 'embedded'; readonly dir: string }
  | { readonly kind: 'postgres'; readonly options: PostgresOptions }

/** Throws ConfigError. Relative paths are resolved against the folder of `file`. */
export function databaseConfig(section: Section, file: string): DatabaseConfig {
  const at = (path: string) => resolve(dirname(resolve(file)), path)
  const { kind, dir, store, schema, mapping, connectionsMax, connectTimeoutMs, statementTimeoutMs, ...source } = section
  const given = Object.entries(section).filter(([key, value]) => key !== 'kind' && value !== undefined)
  if (kind === 'embedded') {
    const foreign = given.find(([key]) => key !== 'dir')?.[0]
    if (foreign) throw invalid(file, `database.${foreign}`, 'belongs to kind: postgres, which is not set')
    if (dir === undefined) throw invalid(file, 'database.dir', 'say the folder of the database, or kind: postgres')
    return { kind, dir: at(dir) }
  }
  if (dir !== undefined) throw invalid(file, 'database.dir', 'belongs to the embedded database, not to kind: postgres')
  const options = {
    schema,
    connectionsMax,
    connectTimeoutMs,
    statementTimeoutMs,
    ...(mapping === undefined ? {} : mappingOf(mapping, file, at)),
    ...(store === undefined ? {} : { store: connectionOf(store, at) }),
  }
  const present = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return { kind, options: { source: connectionOf(source, at), ...present } }
}

function mappingOf(
  given: string | Readonly<Record<string, unknown>>,
  file: string,
  at: (path: string) => string,
): { readonly mapping: Mapping; readonly mappingFile: string } {
  if (typeof given !== 'string') {
    const mappingFile = `${file}: database.mapping`
    const mapping = parseConfig(mappingSchema, given, { file: mappingFile, env: new Map(), flags: {} })
    return { mapping, mappingFile }
  }
  return { mapping: readConfig(mappingSchema, at(given), { env: {} }), mappingFile: at(given) }
}

function connectionOf(section: Omit<ConnectionSection, 'store'>, at: (path: string) => string): ConnectionSettings {
  const { passwordFile, ssl, ...rest } = section
  const { mode, ...files } = ssl ?? {}
  const resolved = Object.entries(files).map(([key, path]) => [key, path === undefined ? undefined : at(path)])
  return present({
    ...rest,
    passwordFile: passwordFile === undefined ? undefined : at(passwordFile),
    ssl: ssl && present({ mode, ...Object.fromEntries(resolved) }),
  })
}

type ConnectionSection = NonNullable<Section['store']>

function present<T extends object>(settings: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as never
}

const invalid = (file: string, key: string, text: string): ConfigError =>
  new ConfigError('INVALID', `${file}: '${key}': ${text}`)
