/**
 * The statements that read mapped attributes. Attributes of one table come with one statement; the enterprise's key is its
 * first parameter. Tables of a join path are t0 (the attributes) to tN (the one with the enterprise's key).
 */
import { attributeValueBytesMax } from '../../../core/limits.js'
import type { ColumnFacts, TableFacts } from './catalogue.js'
import type { MappedAttribute, MappedTable, Mapping, RowCondition } from './mapping.js'
import { Parameters, quoted, quotedTable, tableText } from './sql.js'

export type Facts = ReadonlyMap<string, TableFacts>

/** Reads some attributes of one table. Columns of the answer: a0, a1, ... and `changed` (seconds since 1970, or null). */
export interface MappedSelect {
  readonly attributes: readonly MappedColumn[]
  /** Entry of the mapping, for messages. */
  readonly from: string
  readonly byCode?: string
  readonly byName?: string
  /** By name, among rows without a credit code. */
  readonly byNameUncoded?: string
  /** Parameters after the key. */
  readonly values: readonly unknown[]
}

export interface MappedColumn {
  readonly name: string
  readonly translate: ReadonlyMap<string, string> | undefined
}

interface Step {
  readonly alias: string
  readonly table: MappedTable
  readonly facts: TableFacts
}

/** Statements for all attributes of a mapping that `validateMapping` has found right. */
export function mappedSelects(mapping: Mapping, facts: Facts): MappedSelect[] {
  const groups = new Map<string, [string, MappedAttribute][]>()
  for (const [name, attribute] of mapping.attributes) {
    const key = `${attribute.aggregate ? 'aggregate' : 'plain'} ${attribute.from}`
    groups.set(key, [...(groups.get(key) ?? []), [name, attribute]])
  }
  return [...groups.values()].map((attributes) => mappedSelect(attributes, mapping, facts))
}

function mappedSelect(attributes: readonly [string, MappedAttribute][], mapping: Mapping, facts: Facts): MappedSelect {
  const from = attributes[0]?.[1].from ?? ''
  const steps = stepsFrom(from, mapping, facts)
  const parameters = new Parameters([''])
  const body = (steps.length === 1 ? direct : joined)(steps, attributes, parameters)
  const { table, facts: rootFacts, alias } = steps.at(-1) as Step
  const equals = (column: string) => {
    const type = rootFacts.columns.get(column)?.base === 'bpchar' ? 'bpchar' : 'text'
    return `${alias}.${quoted(column)} = $1::${type}`
  }
  const { creditCode, companyName } = table
  const code = creditCode && `${alias}.${quoted(creditCode)}`
  const byName = companyName && equals(companyName)
  return {
    attributes: attributes.map(([name, { translate }]) => ({
      name,
      translate: translate && new Map(Object.entries(translate)),
    })),
    from,
    values: parameters.values.slice(1),
    ...(creditCode ? { byCode: body(equals(creditCode)) } : {}),
    ...(byName ? { byName: body(byName) } : {}),
    ...(byName && code ? { byNameUncoded: body(`${byName} and (${code} is null or ${code} = '')`) } : {}),
  }
}

type Body = (key: string) => string

/** The key is in the attributes' own table. An aggregate over no row at all is no record, which `having` says. */
function direct(
  steps: readonly Step[],
  attributes: readonly [string, MappedAttribute][],
  parameters: Parameters,
): Body {
  const [step] = steps as [Step]
  const aggregate = attributes[0]?.[1].aggregate !== undefined
  const kept = conditions(steps, parameters)
  if (aggregate) {
    const columns = outputs(
      step,
      attributes,
      parameters,
      kept.length > 0 ? ` filter (where ${kept.join(' and ')})` : '',
    )
    return (key) => `select ${columns} from ${source(step)} where ${key} having count(*) > 0`
  }
  const columns = outputs(step, attributes, parameters)
  return (key) => `select ${columns} from ${source(step)} where ${[key, ...kept].join(' and ')}${ending(step)}`
}

/** For each enterprise's row the rows that lead to it; an aggregate has a value for it even where there are none. */
function joined(
  steps: readonly Step[],
  attributes: readonly [string, MappedAttribute][],
  parameters: Parameters,
): Body {
  const [first] = steps as [Step]
  const root = steps.at(-1) as Step
  const inner = steps.slice(0, -1)
  const links = inner.map(({ alias, table: { join } }, i) => {
    return `${alias}.${quoted(join?.column ?? '')} = ${steps[i + 1]?.alias}.${quoted(join?.references ?? '')}`
  })
  const aggregate = attributes[0]?.[1].aggregate !== undefined
  const where = [...links, ...conditions(inner, parameters)].join(' and ')
  const columns = outputs(first, attributes, parameters)
  const rows = `select ${columns} from ${inner.map(source).join(' cross join ')} where ${where}${aggregate ? '' : ending(first)}`
  const kept = conditions([root], parameters)
  return (key) => {
    const condition = [key, ...kept].join(' and ')
    return `select given.* from ${source(root)} cross join lateral (${rows}) as given where ${condition} limit 2`
  }
}

function stepsFrom(name: string, { tables }: Mapping, facts: Facts): Step[] {
  const steps: Step[] = []
  for (let table = tables.get(name); table; table = table.join && tables.get(table.join.to)) {
    steps.push({ alias: `t${steps.length}`, table, facts: facts.get(tableText(table.table)) ?? { columns: new Map() } })
  }
  return steps
}

const source = ({ table, alias }: Step): string => `${quotedTable(table.table)} as ${alias}`

/** Two rows where one is expected are no answer, so two are asked for. */
function ending({ table: { current }, alias }: Step): string {
  if (!current) return ' limit 2'
  return ` order by ${alias}.${quoted(current.orderBy)} ${current.order === 'highest' ? 'desc' : 'asc'} nulls last limit 1`
}

function conditions(steps: readonly Step[], parameters: Parameters): string[] {
  return steps.flatMap((step) => step.table.where.map((condition) => rowCondition(step, condition, parameters)))
}

function rowCondition(step: Step, condition: RowCondition, parameters: Parameters): string {
  const column = `${step.alias}.${quoted(condition.column)}`
  if (condition.isNull !== undefined) return `${column} is ${condition.isNull ? '' : 'not '}null`
  const { family = 'other' } = step.facts.columns.get(condition.column) ?? {}
  const text = textOf(column, family, step.table.timeZone, parameters)
  return `${text} = any(${parameters.add(condition.is, 'text[]')})`
}

function outputs(
  step: Step,
  attributes: readonly [string, MappedAttribute][],
  parameters: Parameters,
  filter = '',
): string {
  const columns = attributes.map(([, attribute], i) => `${output(step, attribute, parameters, filter)} as a${i}`)
  return [...columns, `${changed(step, attributes, parameters)} as changed`].join(', ')
}

function output(step: Step, attribute: MappedAttribute, parameters: Parameters, filter: string): string {
  const { aggregate, column, times } = attribute
  const name = column === undefined ? '*' : `${step.alias}.${quoted(column)}`
  if (aggregate === 'count') return `(count(${name})${filter})::text`
  if (aggregate === 'countDistinct') return `(count(distinct ${name})${filter})::text`
  const { family = 'other', base = '' } = step.facts.columns.get(column ?? '') ?? {}
  const number = family === 'number' && (times !== undefined || aggregate !== undefined || !base.startsWith('int'))
  const plain = number ? `${name}::numeric` : name
  // Booleans and some texts have no least and greatest; their text has.
  const ordered = family === 'text' || family === 'boolean' ? textOf(plain, family, undefined, parameters) : plain
  const one = aggregate ? `(${aggregate}(${ordered})${filter})` : plain
  const scaled = times === undefined ? one : `(${one} * ${parameters.add(times, 'numeric')})`
  const text = textOf(scaled, ordered === plain ? family : 'text', step.table.timeZone, parameters)
  return `left(${text}, ${attributeValueBytesMax})`
}

/** Dates do not depend on the session's style this way; a timestamp is the date of its day. */
function textOf(
  value: string,
  family: ColumnFacts['family'],
  zone: string | undefined,
  parameters: Parameters,
): string {
  if (family === 'date' || family === 'timestamp') return `to_char(${value}, 'YYYY-MM-DD')`
  if (family === 'timestamptz')
    return `to_char(${value} at time zone ${parameters.add(zone ?? 'UTC', 'text')}, 'YYYY-MM-DD')`
  return `${value}::text`
}

function changed(step: Step, attributes: readonly [string, MappedAttribute][], parameters: Parameters): string {
  const { changedColumn, timeZone } = step.table
  if (changedColumn === undefined) return 'null'
  const column = `${step.alias}.${quoted(changedColumn)}`
  const { family } = step.facts.columns.get(changedColumn) ?? {}
  const zone = () => parameters.add(timeZone ?? 'UTC', 'text')
  const moment = family === 'timestamptz' ? column : `(${column}::timestamp at time zone ${zone()})`
  const last = attributes[0]?.[1].aggregate ? `max(${moment})` : moment
  return `extract(epoch from ${last})`
}
