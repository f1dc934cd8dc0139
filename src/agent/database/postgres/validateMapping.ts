/** Does a mapping fit the database? Every fault names the entry, table and column and says what there is instead. */
import { mappedJoinsMax } from '../../../core/limits.js'
import type { ColumnFacts, ColumnFamily, TableFacts } from './catalogue.js'
import type { MappedAttribute, MappedTable, Mapping } from './mapping.js'
import { tableText } from './sql.js'

export interface MappingFault {
  /** Path within the mapping: attributes.employees, tables.patents. */
  readonly at: string
  readonly text: string
}

/** By `schema.table`, as the reading and the writing role see it. */
export interface Catalogues {
  readonly source: ReadonlyMap<string, TableFacts>
  readonly store: ReadonlyMap<string, TableFacts>
}

/** Character types: what a credit code or a name can be looked up in. */
const KEY_BASES = new Set(['text', 'varchar', 'bpchar', 'citext', 'name'])
const LISTED_MAX = 40

export function validateMapping(mapping: Mapping, catalogues: Catalogues): MappingFault[] {
  const faults: MappingFault[] = []
  for (const [name, table] of mapping.tables) {
    const faultAt = (text: string) => faults.push({ at: `tables.${name}`, text })
    tableFaults(table, mapping, catalogues, faultAt)
    joinFaults(name, mapping, catalogues, faultAt)
  }
  for (const [name, attribute] of mapping.attributes) {
    attributeFaults(attribute, mapping, catalogues, (text) => faults.push({ at: `attributes.${name}`, text }))
  }
  return faults
}

type Tell = (text: string) => void

function tableFaults(table: MappedTable, { tables }: Mapping, { source }: Catalogues, tell: Tell): void {
  const { creditCode, companyName, join, current, changedColumn, timeZone } = table
  const keys = [creditCode, companyName].filter((key) => key !== undefined)
  if (join && keys.length > 0) tell('give either join, or creditCode and companyName')
  if (!join && keys.length === 0) tell('say how an enterprise is found: creditCode, companyName or join')
  const facts = source.get(tableText(table.table))
  if (!facts) return
  const columns = [...keys, ...table.where.map(({ column }) => column), current?.orderBy, changedColumn, join?.column]
  for (const column of columns) if (column !== undefined) columnOf(table, facts, column, tell)
  for (const key of keys) {
    const found = facts.columns.get(key)
    if (found && !KEY_BASES.has(found.base)) tell(`${columnText(table, key)} is ${found.type}; a key column holds text`)
  }
  const changed = changedColumn === undefined ? undefined : facts.columns.get(changedColumn)
  if (changed && !['date', 'timestamp', 'timestamptz'].includes(changed.family)) {
    tell(`changedColumn ${columnText(table, changedColumn ?? '')} is ${changed.type}, not a date or timestamp`)
  } else if (changed && changed.family !== 'timestamptz' && timeZone === undefined) {
    tell(`changedColumn ${columnText(table, changedColumn ?? '')} is ${changed.type}: say timeZone`)
  }
  const joined = [...tables.values()].some((other) => other.join && tables.get(other.join.to) === table)
  if (current && joined) tell('other tables join this one: it cannot have current')
  if (table.write === 'table') writtenTableFaults(table, tell)
}

function writtenTableFaults({ join, current, where }: MappedTable, tell: Tell): void {
  if (join) tell('write: table needs a key in the table itself, not a join')
  if (current) tell('write: table needs one row for each enterprise, not current')
  if (where.length > 0) tell('write: table cannot be combined with where')
}

function joinFaults(name: string, { tables }: Mapping, { source }: Catalogues, tell: Tell): void {
  const table = tables.get(name)
  if (!table?.join) return
  const { join } = table
  const target = tables.get(join.to)
  if (!target) {
    tell(`join.to names no table of the mapping: ${join.to}; there are ${listed(tables.keys())}`)
    return
  }
  let last: MappedTable | undefined = target
  for (let depth = 1; last?.join; depth++, last = tables.get(last.join.to)) {
    if (depth === mappedJoinsMax) {
      tell(`more than ${mappedJoinsMax} joins lead to the enterprise, or they run in a circle`)
      return
    }
  }
  const facts = source.get(tableText(target.table))
  const referenced = facts && columnOf(target, facts, join.references, tell)
  const own = source.get(tableText(table.table))?.columns.get(join.column)
  if (referenced && own && referenced.family !== own.family) {
    tell(
      `${columnText(table, join.column)} is ${own.type}, ${columnText(target, join.references)} is ${referenced.type}`,
    )
  }
}

function attributeFaults(attribute: MappedAttribute, { tables }: Mapping, catalogues: Catalogues, tell: Tell): void {
  const table = tables.get(attribute.from)
  if (!table) {
    tell(`from names no table of the mapping: ${attribute.from}; there are ${listed(tables.keys())}`)
    return
  }
  const { column, aggregate, times, translate } = attribute
  if (aggregate && table.current) {
    tell(
      `an aggregate takes all rows, tables.${attribute.from} takes the current one: give the aggregate a table entry of its own`,
    )
  }
  if (column === undefined) {
    if (aggregate !== 'count') tell('say column; only aggregate: count goes without')
    else if (times) tell('times multiplies a number column')
    return
  }
  const facts = catalogues.source.get(tableText(table.table))
  const found = facts && columnOf(table, facts, column, tell)
  if (!found) return
  const counted = aggregate === 'count' || aggregate === 'countDistinct'
  const family: ColumnFamily = counted ? 'number' : found.family
  const is = `${columnText(table, column)} is ${found.type}`
  if (family === 'other') tell(`${is}, which has no text to compare; offer it through a view`)
  if (aggregate === 'sum' && family !== 'number') tell(`${is}; a sum needs numbers`)
  if (times && (counted || family !== 'number')) tell(`${is}; times multiplies a number column`)
  if (family === 'timestamptz' && table.timeZone === undefined) tell(`${is}: say timeZone of tables.${attribute.from}`)
  if (table.write !== 'table') return
  if (aggregate || times || translate) tell('write: table needs a plain column, without aggregate, times and translate')
  if (!['text', 'number', 'date'].includes(family)) tell(`${is}; write: table writes text, numbers and dates`)
  writableFaults(table, column, catalogues, tell)
}

function writableFaults(table: MappedTable, column: string, { store }: Catalogues, tell: Tell): void {
  const facts = store.get(tableText(table.table))
  if (!facts) tell(`write: table, but the store connection does not see table ${tableText(table.table)}`)
  else if (!facts.columns.get(column)?.writable) tell(`the store's role may not update ${columnText(table, column)}`)
}

function columnOf(table: MappedTable, facts: TableFacts, column: string, tell: Tell): ColumnFacts | undefined {
  const found = facts.columns.get(column)
  const name = tableText(table.table)
  if (!found) tell(`column ${column} does not exist in table ${name}; columns are ${listed(facts.columns.keys())}`)
  else if (!found.readable) tell(`the role may not read column ${column} of table ${name}: grant select`)
  return found
}

const columnText = (table: MappedTable, column: string): string => `${tableText(table.table)}.${column}`

function listed(names: Iterable<string>): string {
  const all = [...names]
  const more = all.length > LISTED_MAX ? ` and ${all.length - LISTED_MAX} more` : ''
  return `${all.slice(0, LISTED_MAX).join(', ') || 'none'}${more}`
}
