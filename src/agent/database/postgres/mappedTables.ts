/** The department's own tables as a source of records. */
import { DatabaseError, type EnterpriseLocator } from '../departmentDatabase.js'
import type { MappedSelect } from './mappedSelect.js'
import type { Read, Row } from './reader.js'
import { storable } from './sql.js'

export interface MappedValue {
  /** '' where the column is null. */
  readonly value: string
  /** When its row was changed, in seconds since 1970; null where the mapping does not say. */
  readonly changedAt: number | null
}

export class MappedTables {
  readonly #read: Read
  readonly #selects: readonly MappedSelect[]
  readonly #notice: (text: string) => void

  constructor(read: Read, selects: readonly MappedSelect[], notice: (text: string) => void) {
    this.#read = read
    this.#selects = selects
    this.#notice = notice
  }

  /** Attributes whose table has a row of the enterprise; of those in `wanted`, or all. */
  async find(locator: EnterpriseLocator, wanted?: readonly string[]): Promise<ReadonlyMap<string, MappedValue>> {
    const selects = this.#selects.filter(({ attributes }) =>
      attributes.some(({ name }) => wanted?.includes(name) ?? true),
    )
    const found = await Promise.all(selects.map((select) => this.#row(select, locator)))
    const values = new Map<string, MappedValue>()
    for (const [i, row] of found.entries()) if (row) addValues(values, selects[i] as MappedSelect, row)
    return values
  }

  /** Runs every statement for an enterprise that does not exist: the server then has checked them. Throws DatabaseError. */
  async rehearse(): Promise<void> {
    for (const { byCode, byName, byNameUncoded, values, from } of this.#selects) {
      for (const text of [byCode, byName, byNameUncoded]) {
        if (text === undefined) continue
        await this.#read(text, ['', ...values]).catch((cause: DatabaseError) => {
          if (cause.code === 'UNAVAILABLE') throw cause
          throw new DatabaseError('MISCONFIGURED', `tables.${from} of the mapping cannot be read: ${cause.message}`)
        })
      }
    }
  }

  async #row(select: MappedSelect, { creditCode, companyName }: EnterpriseLocator): Promise<Row | undefined> {
    if (select.byCode !== undefined && creditCode !== '') {
      const rows = await this.#rows(select, select.byCode, creditCode)
      if (rows.length > 0) return this.#single(select, rows)
    }
    const byName = creditCode === '' ? select.byName : (select.byNameUncoded ?? select.byName)
    if (byName === undefined || companyName === '') return undefined
    return this.#single(select, await this.#rows(select, byName, companyName))
  }

  /** Rows of one enterprise; data that the statement cannot work with are no answer, and no reason to stop answering others. */
  async #rows({ from, values }: MappedSelect, text: string, key: string): Promise<readonly Row[]> {
    try {
      return await this.#read(text, [storable(key), ...values])
    } catch (error) {
      if (!(error instanceof DatabaseError && error.code === 'INVALID_RECORD')) throw error
      this.#notice(`a row of tables.${from} cannot be read: ${error.message}`)
      return []
    }
  }

  #single({ from }: MappedSelect, rows: readonly Row[]): Row | undefined {
    if (rows.length === 1) return rows[0]
    if (rows.length > 1) this.#notice(`an enterprise has several rows in tables.${from}: none of them is taken`)
    return undefined
  }
}

function addValues(values: Map<string, MappedValue>, { attributes }: MappedSelect, row: Row): void {
  const changedAt = row.changed === null ? null : Number(row.changed)
  for (const [i, { name, translate }] of attributes.entries()) {
    const cell = row[`a${i}`]
    const text = typeof cell === 'string' ? cell : ''
    values.set(name, { value: translate?.get(text.trim()) ?? text, changedAt })
  }
}
