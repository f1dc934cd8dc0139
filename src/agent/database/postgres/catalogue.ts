/**
 * What the server's catalogue says of the mapped tables. pg_catalog, not information_schema: that one hides columns which the
 * role may not read, and materialised views from everybody, so that its answer could not say what is missing.
 */
import type { Read } from './reader.js'
import { quotedTable, type TableName, tableText } from './sql.js'

/** What can be done with a column. `other`: nothing here. */
export type ColumnFamily = 'text' | 'number' | 'date' | 'timestamp' | 'timestamptz' | 'boolean' | 'other'

export interface ColumnFacts {
  /** As in the server's words: character varying(18). */
  readonly type: string
  /** Its name in the catalogue: varchar, bpchar, int4. */
  readonly base: string
  readonly family: ColumnFamily
  readonly readable: boolean
  readonly writable: boolean
}

export interface TableFacts {
  readonly columns: ReadonlyMap<string, ColumnFacts>
}

const FAMILIES: Readonly<Record<string, ColumnFamily>> = {
  text: 'text',
  varchar: 'text',
  bpchar: 'text',
  name: 'text',
  char: 'text',
  citext: 'text',
  uuid: 'text',
  int2: 'number',
  int4: 'number',
  int8: 'number',
  numeric: 'number',
  float4: 'number',
  float8: 'number',
  money: 'number',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  bool: 'boolean',
}

/** By `schema.table`; a table that does not exist has no entry. */
export async function readCatalogue(
  read: Read,
  tables: readonly TableName[],
): Promise<ReadonlyMap<string, TableFacts>> {
  const found = new Map<string, TableFacts>()
  for (const table of tables) {
    const rows = await read(COLUMNS, [table.schema, table.name])
    if (rows.length === 0) continue
    const columns = rows.map((row): [string, ColumnFacts] => [
      String(row.name),
      {
        type: String(row.type),
        base: String(row.base),
        family: row.enumerated ? 'text' : (FAMILIES[String(row.base)] ?? 'other'),
        readable: row.readable === true,
        writable: row.writable === true,
      },
    ])
    found.set(tableText(table), { columns: new Map(columns) })
  }
  return found
}

/** Domains are taken for the type under them. */
const COLUMNS = `
with recursive under as (
  select a.attnum, a.attname, t.oid, t.typname, t.typtype, t.typbasetype, format_type(a.atttypid, a.atttypmod) as type,
    has_column_privilege(a.attrelid, a.attnum, 'SELECT') as readable,
    has_column_privilege(a.attrelid, a.attnum, 'UPDATE') as writable
  from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_type t on t.oid = a.atttypid
  where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped
  union all
  select u.attnum, u.attname, t.oid, t.typname, t.typtype, t.typbasetype, u.type, u.readable, u.writable
  from under u join pg_type t on t.oid = u.typbasetype
  where u.typtype = 'd'
)
select attname as name, type, typname as base, typtype = 'e' as enumerated, readable, writable
from under where typtype <> 'd' order by attnum`

/** Names that are close to a missing one, for the message. */
export async function tablesOf(read: Read, schema: string): Promise<readonly string[]> {
  const rows = await read(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f') order by 1 limit 50`,
    [schema],
  )
  return rows.map(({ name }) => String(name))
}

export async function isTimeZone(read: Read, name: string): Promise<boolean> {
  return (await read('select 1 from pg_timezone_names where name = $1', [name])).length > 0
}

/** Whether the role may look into the table's schema at all. */
export async function mayEnter(read: Read, table: TableName): Promise<boolean> {
  const rows = await read("select has_schema_privilege(oid, 'USAGE') as may from pg_namespace where nspname = $1", [
    table.schema,
  ])
  return rows[0]?.may === true
}

/** Whether one row has one value of the column: a unique index on it alone. */
export async function isUnique(read: Read, table: TableName, column: string): Promise<boolean> {
  const rows = await read(
    `select 1 from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
     where i.indrelid = to_regclass($1) and i.indisunique and i.indnkeyatts = 1 and i.indpred is null and a.attname = $2`,
    [quotedTable(table), column],
  )
  return rows.length > 0
}
