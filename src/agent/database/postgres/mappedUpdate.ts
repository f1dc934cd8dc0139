/**
 * `write: table`: accepted values into the department's own tables, in the transaction that also holds cursor and messages.
 * What a table does not take (no row of the enterprise, a constraint, a trigger) stays in the agent's own schema, so that
 * one row never stands in the way of the chain.
 */
import type { ClientBase } from 'pg'
import type { EnterpriseLocator, RecordWrite } from '../departmentDatabase.js'
import { faultKind, faultText } from './faults.js'
import type { Facts } from './mappedSelect.js'
import type { MappedTable, Mapping } from './mapping.js'
import { Parameters, quoted, quotedTable, storable, tableText } from './sql.js'

interface Target {
  readonly table: MappedTable
  /** Attribute -> column and its type in the catalogue. */
  readonly columns: ReadonlyMap<string, { readonly column: string; readonly type: string }>
}

export class MappedUpdates {
  readonly #targets: readonly Target[]
  readonly #notice: (text: string) => void

  constructor(mapping: Mapping, facts: Facts, notice: (text: string) => void) {
    this.#targets = [...mapping.tables]
      .filter(([, table]) => table.write === 'table')
      .map(([name, table]) => ({ table, columns: writtenColumns(name, table, mapping, facts) }))
    this.#notice = notice
  }

  /** What is left of a write for the agent's own schema, within the caller's transaction. */
  async take(client: ClientBase, { locator, values }: RecordWrite): Promise<RecordWrite> {
    const left = new Map(values)
    for (const target of this.#targets) {
      const taken = [...target.columns.keys()].filter((attribute) => left.has(attribute))
      if (taken.length === 0 || !(await this.#update(client, target, locator, left, taken))) continue
      for (const attribute of taken) left.delete(attribute)
    }
    return { locator, values: left }
  }

  /** True when exactly one row was changed: by code, else by name. */
  async #update(
    client: ClientBase,
    target: Target,
    locator: EnterpriseLocator,
    values: ReadonlyMap<string, string>,
    taken: readonly string[],
  ): Promise<boolean> {
    for (const key of keyConditions(target.table, locator)) {
      const parameters = new Parameters()
      const sets = taken.map((attribute) => {
        const { column, type } = target.columns.get(attribute) ?? { column: '', type: 'text' }
        const text = parameters.add(storable(values.get(attribute) ?? ''), 'text')
        return `${quoted(column)} = nullif(${text}, '')::${type}`
      })
      const text = `update ${quotedTable(target.table.table)} set ${sets.join(', ')} where ${key(parameters)}`
      const rows = await this.#try(client, target.table, text, parameters)
      if (rows !== 0) return rows === 1
    }
    return false
  }

  /** Rows that were changed: 0, 1, or -1 where nothing may be. */
  async #try(client: ClientBase, { table }: MappedTable, text: string, { values }: Parameters): Promise<number> {
    await client.query('savepoint mapped')
    try {
      const { rowCount } = await client.query(text, values)
      if (rowCount === 0 || rowCount === 1) return rowCount
      this.#notice(`an enterprise has several rows in ${tableText(table)}: none of them is written`)
    } catch (error) {
      if (faultKind(error) !== 'refused') throw error
      this.#notice(`table ${tableText(table)} refuses an accepted value, it is kept aside: ${faultText(error)}`)
    }
    await client.query('rollback to savepoint mapped')
    return -1
  }
}

function writtenColumns(name: string, table: MappedTable, mapping: Mapping, facts: Facts): Target['columns'] {
  const columns = facts.get(tableText(table.table))?.columns
  const own = [...mapping.attributes].filter(([, { from }]) => from === name)
  return new Map(
    own.map(([attribute, { column = '' }]) => [attribute, { column, type: columns?.get(column)?.base ?? 'text' }]),
  )
}

/** As in reading: by code, then by name where the row has no code. */
function keyConditions(
  { creditCode, companyName }: MappedTable,
  locator: EnterpriseLocator,
): ((parameters: Parameters) => string)[] {
  const keys: ((parameters: Parameters) => string)[] = []
  const code = creditCode === undefined ? undefined : quoted(creditCode)
  if (code !== undefined && locator.creditCode !== '') {
    keys.push((parameters) => `${code} = ${parameters.add(storable(locator.creditCode), 'text')}`)
  }
  if (companyName !== undefined && locator.companyName !== '') {
    const uncoded = code === undefined || locator.creditCode === '' ? '' : ` and (${code} is null or ${code} = '')`
    keys.push((parameters) => {
      return `${quoted(companyName)} = ${parameters.add(storable(locator.companyName), 'text')}${uncoded}`
    })
  }
  return keys
}
