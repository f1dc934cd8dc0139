/** How a PostgreSQL server is reached. What is shown of it never holds a password. */
import { readFileSync } from 'node:fs'
import { checkServerIdentity, type ConnectionOptions as TlsOptions } from 'node:tls'
import type { ClientConfig } from 'pg'
import { databasePasswordBytesMax } from '../../../core/limits.js'
import { DatabaseError } from '../departmentDatabase.js'

export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full'

export interface SslSettings {
  /** Default: `verify-full`; `disable` for a server on this machine. */
  readonly mode?: SslMode
  /** PEM; default: the authorities that Node.js trusts. */
  readonly caFile?: string
  /** PEM; client certificate and its key, where the server asks for one. */
  readonly certFile?: string
  readonly keyFile?: string
}

/** Either a URL or its parts. */
export interface ConnectionSettings {
  /** postgresql://user@host:5432/database; a password may stand in it, `passwordFile` is better. */
  readonly url?: string
  /** Name, address, or the folder of a Unix socket. */
  readonly host?: string
  readonly port?: number
  readonly database?: string
  readonly user?: string
  readonly passwordFile?: string
  readonly ssl?: SslSettings
}

/** Settings made whole. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string | undefined
  readonly ssl: SslSettings
}

export interface Tuning {
  readonly connectTimeoutMs: number
  /** Of one statement; a longer one is given up by the server. */
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
}

const PORT = 5432
/** The server ends a transaction whose agent has gone silent. */
const IDLE_IN_TRANSACTION_MS = 30_000
/** The client gives up later than the server, which has the better words. */
const ANSWER_GRACE_MS = 5_000

/** Throws DatabaseError MISCONFIGURED naming what is missing; `title` says which connection it is. */
export function endpointOf(settings: ConnectionSettings, title: string): Endpoint {
  const parts = settings.url === undefined ? settings : { ...settings, ...partsOf(settings.url, title) }
  const { host, database, user } = parts
  if (!host || !database || !user) throw misconfigured(title, 'give url, or host, database and user')
  const password = passwordOf(settings.passwordFile, title) ?? (parts as UrlParts).password
  return { host, port: parts.port ?? PORT, database, user, password, ssl: settings.ssl ?? {} }
}

/** `user@host:port/database` */
export const endpointText = ({ user, host, port, database }: Endpoint): string => `${user}@${host}:${port}/${database}`

/** Options of a session: dates and names mean the same whatever the server's defaults are. */
export function clientConfig(endpoint: Endpoint, tuning: Tuning, readOnly: boolean): ClientConfig {
  const settings = {
    search_path: 'pg_catalog',
    DateStyle: 'ISO',
    TimeZone: 'UTC',
    statement_timeout: tuning.statementTimeoutMs,
    lock_timeout: tuning.lockTimeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    // The server notices within a minute that an agent's machine is gone, and frees its lock.
    tcp_keepalives_idle: 30,
    tcp_keepalives_interval: 10,
    tcp_keepalives_count: 3,
    ...(readOnly ? { default_transaction_read_only: 'on' } : {}),
  }
  const { host, port, database, user, password } = endpoint
  return {
    host,
    port,
    database,
    user,
    // An empty one keeps the library from looking into files and variables of its own.
    password: password ?? '',
    ssl: tlsOptions(endpoint),
    application_name: 'concordat',
    options: Object.entries(settings)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
    keepAlive: true,
    connectionTimeoutMillis: tuning.connectTimeoutMs,
    query_timeout: tuning.statementTimeoutMs + ANSWER_GRACE_MS,
  }
}

interface UrlParts {
  readonly host: string
  readonly port?: number
  readonly database: string
  readonly user: string
  readonly password?: string
}

/** The URL itself stays out of every message: it may hold a password. */
function partsOf(text: string, title: string): UrlParts {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw misconfigured(title, 'url is not of the form postgresql://user@host:5432/database')
  }
  if (url.search !== '' || url.hash !== '') {
    throw misconfigured(title, 'url takes no options after a question mark: use the keys ssl and passwordFile')
  }
  const [host, database, user, password] = [url.hostname, url.pathname.slice(1), url.username, url.password].map(
    (part) => decoded(part, title),
  ) as [string, string, string, string]
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    database,
    user,
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(password === '' ? {} : { password }),
  }
}

function decoded(part: string, title: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw misconfigured(title, 'url holds a % that is not followed by two hexadecimal digits')
  }
}

function passwordOf(file: string | undefined, title: string): string | undefined {
  if (file === undefined) return undefined
  const text = readPem(file, title, 'passwordFile').toString('utf8')
  if (text.length > databasePasswordBytesMax)
    throw misconfigured(title, `passwordFile ${file} is over ${databasePasswordBytesMax} bytes`)
  return text.replace(/\r?\n$/, '')
}

function tlsOptions({ host, ssl }: Endpoint): TlsOptions | false {
  const mode = ssl.mode ?? (isLocal(host) ? 'disable' : 'verify-full')
  if (mode === 'disable') return false
  const file = (path: string | undefined, key: string) => (path === undefined ? undefined : readPem(path, 'ssl', key))
  const [ca, cert, key] = [file(ssl.caFile, 'caFile'), file(ssl.certFile, 'certFile'), file(ssl.keyFile, 'keyFile')]
  return {
    rejectUnauthorized: mode !== 'require',
    // Said here, since without a name of its own (an IP address) the library would have 'localhost' checked.
    checkServerIdentity: (_, cert) => (mode === 'verify-full' ? checkServerIdentity(host, cert) : undefined),
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
  }
}

const isLocal = (host: string): boolean => host.startsWith('/') || /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)

function readPem(file: string, title: string, key: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw misconfigured(title, `${key} cannot be read: ${(cause as Error).message}`)
  }
}

const misconfigured = (title: string, text: string): DatabaseError =>
  new DatabaseError('MISCONFIGURED', `database connection ${title}: ${text}`)
