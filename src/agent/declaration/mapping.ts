/** Forms by a mapping template -> attribute values with their places (paper 4.3: declaration materials -> list of attribute values). */
import { utf8 } from '../../core/bytes.js'
import { attributeValueBytesMax } from '../../core/limits.js'
import { DeclarationError, type FaultList, type Place, placeText } from './declarationError.js'
import type { Form } from './forms.js'
import { cellAddress } from './grid.js'
import { atPointer, textOfJson } from './jsonValue.js'
import { type ListCell, type ReadList, readList } from './lists.js'
import type { RowsSource, Template, TemplateSource } from './template.js'
import { sameText, sumOf, type TransformName, transformed } from './transforms.js'

/** A value and where it stands. */
export interface Found {
  readonly text: string
  /** `staff.xlsx, sheet Staff, row 1: count of 30 rows` */
  readonly place: string
}

/** Everything that is wrong goes to `faults`. */
export function mapForms(template: Template, forms: ReadonlyMap<string, Form>, faults: FaultList): Map<string, Found> {
  return new Mapper(template, forms, faults).values()
}

class Mapper {
  readonly #template: Template
  readonly #forms: ReadonlyMap<string, Form>
  readonly #faults: FaultList
  readonly #lists = new Map<string, ReadList | undefined>()
  /** Forms that said something, or in which something is wrong. */
  readonly #used = new Set<string>()

  constructor(template: Template, forms: ReadonlyMap<string, Form>, faults: FaultList) {
    this.#template = template
    this.#forms = forms
    this.#faults = faults
  }

  values(): Map<string, Found> {
    const values = new Map<string, Found>()
    for (const [attribute, { sources, required }] of Object.entries(this.#template.attributes)) {
      const before = this.#faults.count
      const found = sources.flatMap((source) => this.#found(source) ?? [])
      const value = this.#agreed(attribute, found)
      if (value) values.set(attribute, value)
      else if (required && this.#faults.count === before) this.#missing(attribute, sources)
    }
    for (const [id, { at }] of this.#forms) {
      if (this.#used.has(id)) continue
      this.#faults.add('NOT_FOUND', `gives no value: is it the form ${id} of template ${this.#template.name}?`, at)
    }
    return values
  }

  #found(source: TemplateSource): Found | undefined {
    const form = this.#forms.get(source.form)
    if (form === undefined) return undefined
    const before = this.#faults.count
    const found = this.#faults.attempt(() => {
      if (source.kind === 'cell' || source.kind === 'label' || source.kind === 'pointer') return single(form, source)
      const list = this.#list(source.form, form)
      return list && rowsValue(source, list)
    })
    if (found || this.#faults.count > before) this.#used.add(source.form)
    return found
  }

  #list(id: string, form: Form): ReadList | undefined {
    if (this.#lists.has(id)) return this.#lists.get(id)
    const list = this.#template.forms[id]?.list
    // Its faults are noted once, not for each attribute.
    const read = list && readList(form, list, this.#faults)
    if (list && !read) this.#used.add(id)
    this.#lists.set(id, read)
    return read
  }

  #agreed(attribute: string, found: readonly Found[]): Found | undefined {
    const [first, ...others] = found
    if (first === undefined) return undefined
    const other = others.find(({ text }) => !sameText(first.text, text))
    if (other) {
      const problem = `has two values: one in ${first.place}, another in ${other.place}; make them equal or remove one`
      this.#faults.add('CONFLICT', problem, { file: first.place.split(', ')[0] ?? '', field: attribute })
    }
    if (utf8(first.text).length > attributeValueBytesMax) {
      this.#faults.add('INVALID_FIELD', `${attribute} is over ${attributeValueBytesMax} bytes`, { file: first.place })
    }
    return first
  }

  #missing(attribute: string, sources: readonly TemplateSource[]): void {
    const places = sources.map((source) => `${wanted(source)} of form ${source.form}`)
    const problem = `is missing; looked for ${places.slice(0, 3).join('; ')}`
    this.#faults.add('NOT_FOUND', problem, { file: this.#template.name, field: attribute })
  }
}

function wanted(source: TemplateSource): string {
  if (source.kind === 'cell') return `cell ${source.cell}`
  if (source.kind === 'label') return `label ${source.labels[0]}`
  return source.kind === 'pointer' ? source.pointer : `${source.kind} of the list`
}

type SingleSource = Extract<TemplateSource, { kind: 'cell' | 'label' | 'pointer' }>

/** Undefined where the form has no such place, or nothing in it. */
function single(form: Form, source: SingleSource): Found | undefined {
  if (form.kind === 'json') {
    if (source.kind !== 'pointer') return undefined
    const place = { ...form.at, field: source.pointer }
    return converted(textOfJson(atPointer(form.value, source.pointer), place), place, source.transforms)
  }
  if (source.kind === 'pointer') return undefined
  const cell = source.kind === 'cell' ? cellAddress(source.cell) : labelled(form, source)
  if (cell === undefined) return undefined
  const { grid } = form
  return converted(grid.text(cell.row, cell.column), grid.place(cell.row, cell.column), source.transforms)
}

/** The cell right of the label (past merged cells), or in its row under a header. */
function labelled({ grid }: Extract<Form, { kind: 'grid' }>, source: Extract<TemplateSource, { kind: 'label' }>) {
  const [label, second] = grid.find(source.labels)
  if (label === undefined) return undefined
  const at = grid.place(label.row, label.column)
  if (second) {
    const problem = `the label ${source.labels[0]} is there twice (also in ${placeText(grid.place(second.row, second.column))}): rename one`
    throw new DeclarationError('AMBIGUOUS', problem, at)
  }
  if (source.under === undefined) {
    return { row: label.row, column: (grid.mergeOf(label.row, label.column)?.right ?? label.column) + 1 }
  }
  const headers = grid.find(source.under).filter(({ row }) => row < label.row)
  const columns = new Set(headers.map(({ column }) => column))
  const [column] = columns
  if (column === undefined || columns.size > 1) {
    const problem = columns.size > 1 ? 'is there twice: rename one' : 'is not above it: add it'
    throw new DeclarationError(
      columns.size > 1 ? 'AMBIGUOUS' : 'NOT_FOUND',
      `the header ${source.under[0]} ${problem}`,
      at,
    )
  }
  return { row: label.row, column }
}

function converted(text: string, place: Place, transforms: readonly TransformName[] = []): Found | undefined {
  if (text === '') return undefined
  const result = transformed(text, transforms)
  if (!result.ok) throw new DeclarationError('NOT_CONVERTIBLE', result.problem, place)
  return { text: result.text, place: placeText(place) }
}

function rowsValue(source: RowsSource, list: ReadList): Found | undefined {
  const wanted = Object.entries(source.where ?? {})
  const rows = list.rows.filter((row) => wanted.every(([column, text]) => row.get(column)?.text === text))
  const at = (how: string) => `${placeText(list.place)}: ${how}`
  if (source.kind === 'count') return { text: String(rows.length), place: at(`count of ${rows.length} rows`) }
  const cells = rows.flatMap((row) => row.get(source.column) ?? [])
  const [first, second] = cells
  if (source.kind === 'sum') return { text: sumText(cells), place: at(`sum of ${cells.length} rows`) }
  if (first === undefined) return undefined
  if (source.kind === 'only' && second && cells.some(({ text }) => !sameText(text, first.text))) {
    throw new DeclarationError(
      'AMBIGUOUS',
      `is one of several (also in ${placeText(second.place)}): keep one`,
      first.place,
    )
  }
  if (source.kind === 'first' || source.kind === 'only') return { text: first.text, place: placeText(first.place) }
  const sorted = cells
    .map((cell) => ({ cell, date: dateText(cell) }))
    .sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0))
  const found = source.kind === 'earliest' ? sorted[0] : sorted.at(-1)
  return found && { text: found.date, place: placeText(found.cell.place) }
}

function sumText(cells: readonly ListCell[]): string {
  const merged = cells.find((cell) => cell.merged)
  if (merged)
    throw new DeclarationError('AMBIGUOUS', 'is merged over several rows of a sum: split the cells', merged.place)
  const result = sumOf(cells.map(({ text }) => text))
  if ('sum' in result) return result.sum
  throw new DeclarationError(
    'NOT_CONVERTIBLE',
    'must be a number in digits, such as 1200.50',
    cells[result.fault]!.place,
  )
}

function dateText({ text, place }: ListCell): string {
  const result = transformed(text, ['date-without-time', 'date-year-month-day'])
  if (result.ok) return result.text
  throw new DeclarationError('NOT_CONVERTIBLE', result.problem, place)
}
