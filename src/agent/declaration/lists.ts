/** Lists of a form (patents, staff) -> rows by the template's columns. */
import { DeclarationError, type FaultList, type Place } from './declarationError.js'
import type { Form } from './forms.js'
import { type Grid, plainLabel } from './grid.js'
import { atPointer, textOfJson } from './jsonValue.js'
import type { TemplateColumn, TemplateList } from './template.js'
import { transformed } from './transforms.js'

export interface ListCell {
  readonly text: string
  readonly place: Place
  /** Stands for several rows. */
  readonly merged: boolean
}

/** By column; empty cells are left out. */
export type ListRow = ReadonlyMap<string, ListCell>

export interface ReadList {
  readonly rows: readonly ListRow[]
  /** First row of the list. */
  readonly place: Place
}

type RawCell = { readonly text: string; readonly place: Place; readonly merged: boolean } | undefined

/** Undefined when something is wrong, which is in `faults`. */
export function readList(form: Form, list: TemplateList, faults: FaultList): ReadList | undefined {
  const before = faults.count
  const read = faults.attempt(() => (form.kind === 'json' ? jsonRows(form, list) : gridRows(form.grid, list)))
  if (read === undefined) return undefined
  const checker = new RowChecker(list, faults)
  const rows = read.rows.map((cells) => checker.row(cells)).filter((row) => row.size > 0)
  return faults.count > before ? undefined : { rows, place: read.place }
}

interface RawList {
  /** Lazy cells by column: reading one may throw. */
  readonly rows: readonly ReadonlyMap<string, () => RawCell>[]
  readonly place: Place
}

function gridRows(grid: Grid, list: TemplateList): RawList {
  const { header, columns, first } = headerOf(grid, list)
  const ends = (list.end ?? []).map(plainLabel)
  const rows: Map<string, () => RawCell>[] = []
  for (let row = first; row < grid.rowCount && !isEnd(grid, row, ends); row++) {
    if (grid.isEmptyRow(row)) {
      refuseRest(grid, row, ends)
      break
    }
    rows.push(new Map([...columns].map(([id, column]) => [id, () => gridCell(grid, row, column)])))
  }
  return { rows, place: grid.place(header) }
}

function gridCell(grid: Grid, row: number, column: number): RawCell {
  const merge = grid.mergeOf(row, column)
  const merged = merge !== undefined && merge.bottom > merge.top
  return { text: grid.text(row, column), place: grid.place(row, column), merged }
}

/** The first row that has every column that must be there. */
function headerOf(grid: Grid, { columns }: TemplateList) {
  const entries = Object.entries(columns)
  const found = new Map(entries.map(([id, { headers }]) => [id, grid.find(headers)]))
  const needed = entries.filter(([, { optional }]) => optional !== true).map(([id]) => id)
  const rowsOf = (id: string) => new Set(found.get(id)?.map(({ row }) => row))
  const sets = (needed.length > 0 ? needed : [...found.keys()]).map(rowsOf)
  const header = [...(sets[0] ?? [])]
    .sort((a, b) => a - b)
    .find((row) => needed.length === 0 || sets.every((s) => s.has(row)))
  if (header === undefined) {
    const missing = needed.filter((id) => (found.get(id)?.length ?? 0) === 0)
    const names = (missing.length > 0 ? missing : needed).map((id) => columns[id]?.headers[0])
    throw new DeclarationError('NOT_FOUND', `has no row with the headers ${names.join(', ')}: add them`, grid.at)
  }
  const places = new Map<string, number>()
  let last = header
  for (const [id, cells] of found) {
    const own = cells.filter(({ row }) => row === header)
    if (own.length > 1) {
      const problem = `the header ${columns[id]?.headers[0]} is there twice (also in ${grid.place(header, own[1]!.column).field}): rename one`
      throw new DeclarationError('AMBIGUOUS', problem, grid.place(header, own[0]!.column))
    }
    if (own.length === 0) continue
    places.set(id, own[0]!.column)
    last = Math.max(last, grid.mergeOf(header, own[0]!.column)?.bottom ?? header)
  }
  return { header, columns: places, first: last + 1 }
}

/** The row's first text is an end label, alone or before a colon. */
function isEnd(grid: Grid, row: number, ends: readonly string[]): boolean {
  if (ends.length === 0) return false
  for (const column of grid.columnsOf(row)) {
    // A cell that cannot be read is no end.
    let text = ''
    try {
      text = grid.text(row, column)
    } catch {
      return false
    }
    if (text === '') continue
    const label = text.normalize('NFKC').replace(/\s+/gu, '').toLowerCase()
    return ends.some((end) => plainLabel(text) === end || label.startsWith(`${end}:`))
  }
  return false
}

/** What follows an empty row may be forgotten entries or a note: only a person can tell. */
function refuseRest(grid: Grid, empty: number, ends: readonly string[]): void {
  for (let row = empty + 1; row < grid.rowCount; row++) {
    if (grid.isEmptyRow(row)) continue
    if (isEnd(grid, row, ends)) return
    const problem = `follows the empty row ${empty + 1}: delete the empty row, or this one when it is no entry of the list`
    throw new DeclarationError('AMBIGUOUS', problem, grid.place(row))
  }
}

function jsonRows({ at, value }: { readonly at: Place; readonly value: unknown }, list: TemplateList): RawList {
  const pointer = list.pointer ?? ''
  const items = atPointer(value, pointer)
  const place = { ...at, field: pointer === '' ? undefined : pointer }
  if (!Array.isArray(items)) throw new DeclarationError('NOT_FOUND', 'must be a list of objects', place)
  const rows = items.map((item: unknown, i) => {
    const names = typeof item === 'object' && item !== null ? Object.keys(item) : []
    const cells = Object.entries(list.columns).map(([id, { headers }]) => {
      const labels = headers.map(plainLabel)
      const name = names.find((one) => labels.includes(plainLabel(one)))
      const cell = (): RawCell => {
        if (name === undefined) return undefined
        const own = { ...at, field: `${pointer}/${i}/${name}` }
        return { text: textOfJson((item as Record<string, unknown>)[name], own), place: own, merged: false }
      }
      return [id, cell] as const
    })
    return new Map(cells)
  })
  return { rows, place }
}

/** Holds rows against the columns' rules, one fault a cell. */
class RowChecker {
  readonly #columns: readonly (readonly [string, TemplateColumn])[]
  readonly #choices = new Map<string, Map<string, string>>()
  readonly #seen = new Map<string, Map<string, Place>>()
  readonly #faults: FaultList

  constructor({ columns }: TemplateList, faults: FaultList) {
    this.#columns = Object.entries(columns)
    this.#faults = faults
    for (const [id, { oneOf, unique }] of this.#columns) {
      if (unique) this.#seen.set(id, new Map())
      if (oneOf === undefined) continue
      const texts = Object.entries(oneOf).flatMap(([choice, labels]) =>
        labels.map((l) => [plainLabel(l), choice] as const),
      )
      this.#choices.set(id, new Map(texts))
    }
  }

  row(raw: ReadonlyMap<string, () => RawCell>): ListRow {
    const cells = new Map<string, ListCell>()
    let place: Place | undefined
    const before = this.#faults.count
    for (const [id, column] of this.#columns) {
      const cell = this.#faults.attempt(() => raw.get(id)?.())
      if (cell === undefined) continue
      place ??= cell.place
      const text = cell.text === '' ? '' : this.#converted(id, column, cell.text, cell.place)
      if (text !== '') cells.set(id, { ...cell, text })
    }
    // What is faulty already is not missing too.
    if (cells.size > 0 && place && this.#faults.count === before) this.#requireFilled(cells, place)
    return cells
  }

  /** '' with a fault noted when the text will not do. */
  #converted(id: string, { transforms = [], oneOf }: TemplateColumn, given: string, place: Place): string {
    const result = transformed(given, transforms)
    if (!result.ok) return this.#fault('NOT_CONVERTIBLE', result.problem, place)
    const choices = this.#choices.get(id)
    if (choices) {
      const choice = choices.get(plainLabel(result.text))
      if (choice !== undefined) return choice
      const known = Object.values(oneOf ?? {}).map(([label]) => label)
      return this.#fault('INVALID_FIELD', `must be one of ${known.slice(0, 12).join(', ')}`, place)
    }
    const seen = this.#seen.get(id)
    const before = seen?.get(result.text)
    if (before)
      return this.#fault('DUPLICATE_FIELD', `is in the list twice (also in row ${before.row ?? before.field})`, place)
    seen?.set(result.text, place)
    return result.text
  }

  #requireFilled(cells: ListRow, place: Place): void {
    for (const [id, { filled, headers }] of this.#columns) {
      if (filled && !cells.has(id))
        this.#fault('INVALID_FIELD', `needs a value under ${headers[0]}`, { ...place, field: undefined })
    }
  }

  #fault(code: 'NOT_CONVERTIBLE' | 'INVALID_FIELD' | 'DUPLICATE_FIELD', problem: string, place: Place): '' {
    this.#faults.add(code, problem, place)
    return ''
  }
}
