/** Opens a department's database in PostgreSQL: connects, checks the mapping, takes the lock, completes the agent's schema. */
import { DatabaseError, type DepartmentDatabase } from '../departmentDatabase.js'
import { isTimeZone, isUnique, mayEnter, readCatalogue, tablesOf } from './catalogue.js'
import { type ConnectionSettings, type Endpoint, endpointOf, endpointText, type Tuning } from './connection.js'
import { asDatabaseError } from './faults.js'
import { mappedSelects } from './mappedSelect.js'
import { MappedTables } from './mappedTables.js'
import { MappedUpdates } from './mappedUpdate.js'
import { emptyMapping, type Mapping } from './mapping.js'
import { OwnSchemaReader } from './ownSchema.js'
import { PostgresDatabase } from './postgresDatabase.js'
import { Reader } from './reader.js'
import { WritingSession } from './session.js'
import { type TableName, tableText } from './sql.js'
import { type Catalogues, type MappingFault, validateMapping } from './validateMapping.js'

export interface PostgresOptions {
  /** The department's own database; a role that may only read is enough. */
  readonly source: ConnectionSettings
  /** Where the agent's schema is; default: the source. */
  readonly store?: ConnectionSettings
  /** The agent's schema, default concordat. */
  readonly schema?: string
  readonly mapping?: Mapping
  /** Where the mapping was read, for messages. */
  readonly mappingFile?: string
  /** Reading connections to each of the two, default 4; one more writes. */
  readonly connectionsMax?: number
  readonly connectTimeoutMs?: number
  readonly statementTimeoutMs?: number
  /** How long the lock of an agent that has just ended is waited for. */
  readonly lockWaitMs?: number
  /** Told of what an operator should know; holds no values. */
  readonly notice?: (text: string) => void
}

/** Options made whole. */
export interface PostgresPlan {
  readonly source: Endpoint
  readonly store: Endpoint
  readonly schema: string
  readonly mapping: Mapping
  readonly mappingFile: string
  readonly connectionsMax: number
  readonly tuning: Tuning
  readonly lockWaitMs: number
  readonly notice: (text: string) => void
}

export const POSTGRES_DEFAULTS = {
  schema: 'concordat',
  connectionsMax: 4,
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 10_000,
  lockWaitMs: 5_000,
} as const
const LOCK_TIMEOUT_MS = 5_000

/** Throws DatabaseError: MISCONFIGURED, LOCKED, UNAVAILABLE, CORRUPT or FAILED, saying what to do. */
export async function openPostgresDatabase(options: PostgresOptions): Promise<DepartmentDatabase> {
  const plan = planOf(options)
  const { source, store, schema, mapping, tuning, notice } = plan
  const sourceReader = new Reader(source, tuning, plan.connectionsMax)
  const storeReader = new Reader(store, tuning, plan.connectionsMax)
  const session = new WritingSession({ endpoint: store, schema, tuning, lockWaitMs: plan.lockWaitMs }, notice)
  try {
    const catalogues = await cataloguesOf(plan, sourceReader, storeReader)
    const faults = await mappingFaults(plan, catalogues, sourceReader)
    if (faults.length > 0) throw misfit(plan, faults)
    const mapped = new MappedTables(sourceReader.read, mappedSelects(mapping, catalogues.source), notice)
    await mapped.rehearse()
    await session.open().catch((error: unknown) => {
      throw asDatabaseError(error, storeReader.where)
    })
    const own = new OwnSchemaReader(storeReader.read, schema)
    const updates = new MappedUpdates(mapping, catalogues.store, notice)
    const readers = [sourceReader, storeReader]
    return new PostgresDatabase({ schema, session, own, mapped, updates, dropped: droppedOf(mapping), readers })
  } catch (error) {
    await Promise.all([session.close(), sourceReader.close(), storeReader.close()])
    throw error
  }
}

export function planOf(options: PostgresOptions): PostgresPlan {
  const source = endpointOf(options.source, 'database')
  const store = options.store ? endpointOf(options.store, 'database.store') : source
  const given = { ...POSTGRES_DEFAULTS, ...defined(options) }
  return {
    source,
    store,
    schema: given.schema,
    mapping: options.mapping ?? emptyMapping,
    mappingFile: options.mappingFile ?? 'mapping',
    connectionsMax: given.connectionsMax,
    tuning: {
      connectTimeoutMs: given.connectTimeoutMs,
      statementTimeoutMs: given.statementTimeoutMs,
      lockTimeoutMs: LOCK_TIMEOUT_MS,
    },
    lockWaitMs: given.lockWaitMs,
    notice: options.notice ?? (() => {}),
  }
}

export async function cataloguesOf({ mapping }: PostgresPlan, source: Reader, store: Reader): Promise<Catalogues> {
  const tables = [...mapping.tables.values()]
  const names = (some: typeof tables): TableName[] => some.map(({ table }) => table)
  const written = tables.filter(({ write }) => write === 'table')
  return {
    source: await readCatalogue(source.read, names(tables)),
    store: await readCatalogue(store.read, names(written)),
  }
}

/** All that does not fit: what the catalogue alone shows, and what only the server can say. */
export async function mappingFaults(
  plan: PostgresPlan,
  catalogues: Catalogues,
  source: Reader,
): Promise<MappingFault[]> {
  const faults = validateMapping(plan.mapping, catalogues)
  const sameDatabase = endpointText({ ...plan.source, user: '' }) === endpointText({ ...plan.store, user: '' })
  for (const [name, table] of plan.mapping.tables) {
    const at = `tables.${name}`
    const facts = catalogues.source.get(tableText(table.table))
    if (!facts) faults.push({ at, text: await absent(source, table.table) })
    else if (!(await mayEnter(source.read, table.table))) {
      faults.push({ at, text: `the role ${plan.source.user} may not use schema ${table.table.schema}: grant usage` })
    }
    if (table.timeZone !== undefined && !(await isTimeZone(source.read, table.timeZone))) {
      faults.push({ at, text: `the server knows no time zone ${table.timeZone}; Asia/Shanghai is one` })
    }
    if (table.write !== 'table' || !facts) continue
    if (!sameDatabase) faults.push({ at, text: 'write: table needs source and store in one database' })
    const key = table.creditCode ?? table.companyName
    if (key !== undefined && !(await isUnique(source.read, table.table, key))) {
      faults.push({ at, text: `write: table needs a unique index on ${tableText(table.table)}.${key}` })
    }
  }
  return faults
}

async function absent({ read }: Reader, table: TableName): Promise<string> {
  const others = await tablesOf(read, table.schema)
  const there = others.length === 0 ? 'that schema has no tables' : `tables of that schema are ${others.join(', ')}`
  return `table ${tableText(table)} does not exist; ${there}`
}

function misfit({ mappingFile }: PostgresPlan, faults: readonly MappingFault[]): DatabaseError {
  const shown = faults.slice(0, 5).map(({ at, text }) => `${at}: ${text}`)
  const more = faults.length > shown.length ? `; and ${faults.length - shown.length} more` : ''
  const hint = 'see all with `concordat department check --config FILE`'
  return new DatabaseError('MISCONFIGURED', `${mappingFile}: ${shown.join('; ')}${more}; ${hint}`)
}

function droppedOf({ tables, attributes }: Mapping): ReadonlySet<string> {
  return new Set([...attributes].filter(([, { from }]) => tables.get(from)?.write === 'none').map(([name]) => name))
}

function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>
}
