/** Looks at a department's configuration and databases without changing anything, beside a running agent too. Shows no values. */
import type { DatabaseError } from '../departmentDatabase.js'
import { mappedSelects } from './mappedSelect.js'
import { MappedTables } from './mappedTables.js'
import type { MappedAttribute, MappedTable, Mapping } from './mapping.js'
import { cataloguesOf, mappingFaults, type PostgresOptions, type PostgresPlan, planOf } from './open.js'
import { type Read, Reader } from './reader.js'
import { LET_INIT, schemaVersion, schemaVersionOf } from './schema.js'
import { quoted, quotedTable, tableText } from './sql.js'
import type { Catalogues, MappingFault } from './validateMapping.js'

export interface CheckedAttribute {
  readonly attribute: string
  /** schema.table.column, with the aggregate around it. */
  readonly source: string
  /** In the server's words; '' where there is no such column. */
  readonly type: string
  readonly write: string
  /** Rows looked at, at most `SAMPLE_ROWS`, and those of them in which the column is not null. */
  readonly sampled: number
  readonly filled: number
}

export interface DatabaseCheck {
  /** user@host:port/database */
  readonly source: string
  readonly store: string
  readonly schema: string
  readonly attributes: readonly CheckedAttribute[]
  /** What keeps the agent from working. */
  readonly faults: readonly MappingFault[]
  /** What somebody may want to know. */
  readonly notes: readonly string[]
}

export const SAMPLE_ROWS = 1_000

/** Throws DatabaseError where a database cannot be reached at all. */
export async function checkPostgresDatabase(options: PostgresOptions): Promise<DatabaseCheck> {
  const plan = planOf(options)
  const source = new Reader(plan.source, plan.tuning, plan.connectionsMax)
  const store = new Reader(plan.store, plan.tuning, plan.connectionsMax)
  try {
    const catalogues = await cataloguesOf(plan, source, store)
    const faults = await mappingFaults(plan, catalogues, source)
    if (faults.length === 0) faults.push(...(await rehearsalFaults(plan, catalogues, source.read)))
    const notes: string[] = []
    await lookAtStore(plan, store.read, faults, notes)
    await lookAtKeys(plan.mapping, catalogues, source.read, notes)
    const attributes: CheckedAttribute[] = []
    for (const [name, attribute] of plan.mapping.attributes) {
      attributes.push(await checkedAttribute(name, attribute, plan.mapping, catalogues, source.read))
    }
    return { source: source.where, store: store.where, schema: plan.schema, attributes, faults, notes }
  } finally {
    await Promise.all([source.close(), store.close()])
  }
}

async function rehearsalFaults({ mapping }: PostgresPlan, catalogues: Catalogues, read: Read): Promise<MappingFault[]> {
  const tables = new MappedTables(read, mappedSelects(mapping, catalogues.source), () => {})
  return tables.rehearse().then(
    () => [],
    (error: DatabaseError) => [{ at: 'tables', text: error.message }],
  )
}

async function lookAtStore(plan: PostgresPlan, read: Read, faults: MappingFault[], notes: string[]): Promise<void> {
  const [row] = await read(
    `select current_setting('server_version') as version, current_setting('server_encoding') as encoding,
    current_setting('fsync') as fsync, coalesce((select has_schema_privilege(oid, 'CREATE') from pg_namespace where nspname = $1),
      has_database_privilege(current_database(), 'CREATE')) as may_create`,
    [plan.schema],
  )
  notes.push(`the store's server is PostgreSQL ${row?.version}`)
  if (row?.encoding !== 'UTF8')
    faults.push({ at: 'store', text: `its encoding is ${row?.encoding}; it has to be UTF8` })
  if (row?.fsync !== 'on')
    notes.push('the store runs with fsync = off: after a loss of power it may have lost what the chain was told')
  const at = `schema ${plan.schema}`
  const found = await schemaVersionOf(read, plan.schema).catch((error: DatabaseError) => error)
  if (typeof found !== 'number') faults.push({ at, text: found.message })
  else if (found > schemaVersion)
    faults.push({ at, text: `has layout ${found}, this version reads up to ${schemaVersion}` })
  else if (found === schemaVersion) await lookAtGrants(plan, read, faults, notes)
  else if (row?.may_create) notes.push(`${at} is not complete yet: the agent makes it when it starts`)
  else faults.push({ at, text: `is not complete and ${plan.store.user} may not create it; ${LET_INIT}` })
}

async function lookAtGrants(
  { schema, store }: PostgresPlan,
  read: Read,
  faults: MappingFault[],
  notes: string[],
): Promise<void> {
  const rows = await read(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind = 'r' and c.relname <> 'version' and not (has_table_privilege(c.oid, 'SELECT')
       and has_table_privilege(c.oid, 'INSERT') and has_table_privilege(c.oid, 'UPDATE') and has_table_privilege(c.oid, 'DELETE'))`,
    [schema],
  )
  const names = rows.map(({ name }) => String(name)).join(', ')
  if (rows.length === 0) notes.push(`schema ${schema} is complete (layout ${schemaVersion})`)
  else
    faults.push({
      at: `schema ${schema}`,
      text: `${store.user} may not read and write ${names}: grant select, insert, update, delete`,
    })
}

/** Several rows with one key are no answer, except where the mapping says which counts. */
async function lookAtKeys({ tables }: Mapping, catalogues: Catalogues, read: Read, notes: string[]): Promise<void> {
  for (const [name, table] of tables) {
    const key = table.creditCode ?? table.companyName
    const columns = catalogues.source.get(tableText(table.table))?.columns
    if (key === undefined || table.current || !columns?.get(key)?.readable) continue
    const [row] = await read(
      `select count(*) as keys from (select 1 from ${quotedTable(table.table)} where ${quoted(key)} is not null
       group by ${quoted(key)} having count(*) > 1) as doubled`,
    )
    if (Number(row?.keys) > 0) {
      notes.push(
        `tables.${name}: ${row?.keys} keys of ${tableText(table.table)}.${key} stand in several rows; without where, current or an aggregate they are not answered`,
      )
    }
  }
}

async function checkedAttribute(
  attribute: string,
  mapped: MappedAttribute,
  { tables }: Mapping,
  catalogues: Catalogues,
  read: Read,
): Promise<CheckedAttribute> {
  const table = tables.get(mapped.from)
  const facts = table && catalogues.source.get(tableText(table.table))
  const column = facts?.columns.get(mapped.column ?? '')
  const readable = mapped.column === undefined ? facts !== undefined : column?.readable === true
  const sample = table && readable ? await sampled(table, mapped.column, read) : { sampled: 0, filled: 0 }
  return {
    attribute,
    source: sourceText(mapped, table),
    type: column?.type ?? (mapped.aggregate === 'count' && facts ? 'bigint' : ''),
    write: table?.write ?? '',
    ...sample,
  }
}

async function sampled({ table }: MappedTable, column: string | undefined, read: Read) {
  const cell = column === undefined ? '1' : quoted(column)
  const [row] = await read(
    `select count(*) as sampled, count(cell) as filled
     from (select ${cell} as cell from ${quotedTable(table)} limit ${SAMPLE_ROWS}) as sample`,
  )
  return { sampled: Number(row?.sampled), filled: Number(row?.filled) }
}

function sourceText({ from, column, aggregate, times }: MappedAttribute, table: MappedTable | undefined): string {
  const path = `${table ? tableText(table.table) : from}${column === undefined ? '' : `.${column}`}`
  const value = aggregate === undefined ? path : `${aggregate}(${path})`
  return times === undefined ? value : `${value} × ${times}`
}
