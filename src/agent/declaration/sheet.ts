/** One sheet of a workbook -> a grid with what its cells show. */
import { gridColumnsMax, gridRowsMax } from '../../core/limits.js'
import { DeclarationError, type Place } from './declarationError.js'
import { type CellProblem, cellAddress, Grid } from './grid.js'
import { dateOfSerial, plainNumber } from './numberFormat.js'
import { RichText } from './richText.js'
import type { SheetNeeds } from './workbook.js'
import type { XmlHandlers } from './xml.js'

/** Throws DeclarationError. */
export function readSheet(scan: (handlers: XmlHandlers) => void, at: Place, needs: SheetNeeds): Grid {
  const reader = new SheetReader(at, needs)
  scan(reader)
  return reader.grid
}

interface OpenCell {
  readonly type: string
  readonly style: number
  formula: boolean
  value: string | undefined
}

class SheetReader implements XmlHandlers {
  readonly grid: Grid
  readonly #needs: SheetNeeds
  readonly #inline = new RichText()
  #row = -1
  #column = -1
  #cell: OpenCell | undefined
  #inValue = false
  #inData = false

  constructor(at: Place, needs: SheetNeeds) {
    this.grid = new Grid(at, needs.budget)
    this.#needs = needs
  }

  open(name: string, attributes: ReadonlyMap<string, string>): void {
    if (name === 'c' && this.#inData) this.#openCell(attributes)
    else if (name === 'v' && this.#cell) this.#inValue = true
    else if (name === 'f' && this.#cell) this.#cell.formula = true
    else if (name === 'row' && this.#inData) this.#openRow(attributes)
    else if (name === 'sheetData') this.#inData = true
    else if (name === 'col') this.#columns(attributes)
    else if (name === 'mergeCell') this.#merge(attributes.get('ref') ?? '')
    this.#inline.open(name)
  }

  text(text: string): void {
    if (this.#inValue && this.#cell) this.#cell.value = (this.#cell.value ?? '') + text
    else this.#inline.add(text)
  }

  close(name: string): void {
    this.#inline.close(name)
    if (name === 'v') this.#inValue = false
    else if (name === 'c') this.#closeCell()
    else if (name === 'sheetData') this.#inData = false
  }

  #openRow(attributes: ReadonlyMap<string, string>): void {
    const given = attributes.get('r')
    this.#row =
      given === undefined ? this.#row + 1 : /^[1-9]\d{0,6}$/.test(given) ? Number(given) - 1 : this.#bad('a row')
    this.#column = -1
    if (isTrue(attributes.get('hidden')) && this.#row < gridRowsMax) this.grid.hideRow(this.#row)
  }

  #openCell(attributes: ReadonlyMap<string, string>): void {
    const given = attributes.get('r')
    const address = given === undefined ? { row: this.#row, column: this.#column + 1 } : cellAddress(given)
    if (address === undefined || address.row !== this.#row) throw this.#bad('a cell')
    this.#column = address.column
    const style = Number(attributes.get('s') ?? 0)
    this.#cell = { type: attributes.get('t') ?? 'n', style, formula: false, value: undefined }
    this.#inline.clear()
  }

  #closeCell(): void {
    const cell = this.#cell
    if (cell === undefined) return
    this.#cell = undefined
    this.#inValue = false
    const { text, problem } = this.#shown(cell)
    this.grid.put(this.#row, this.#column, text, problem)
  }

  #shown({ type, style, formula, value }: OpenCell): { text: string; problem?: CellProblem } {
    if (type === 'inlineStr') return { text: this.#inline.value }
    if (value === undefined || value === '') {
      if (!formula || type === 'str') return { text: '' }
      return unusable('is a formula without a saved result: open the file in a spreadsheet program and save it')
    }
    if (type === 's') {
      const text = /^\d{1,9}$/.test(value) ? this.#needs.strings[Number(value)] : undefined
      return text === undefined ? this.#bad('a text') : { text }
    }
    if (type === 'str') return { text: value }
    if (type === 'b') return { text: value === '1' ? 'TRUE' : 'FALSE' }
    if (type === 'e') return unusable(`is an error (${value.slice(0, 20)}): mend it`)
    return type === 'd' ? isoDate(value) : this.#number(value, style)
  }

  #number(value: string, style: number): { text: string; problem?: CellProblem } {
    const plain = plainNumber(value)
    if (plain === undefined) {
      return unusable(
        'is a number of more than 15 digits, of which the last are lost: format the cell as text, type it again',
      )
    }
    const shown = this.#needs.shown(style, Math.sign(Number(plain)))
    if (shown.kind === 'general') return { text: plain }
    if (shown.kind === 'other') {
      return unusable(
        'is shown as another number (percent, thousands, fraction): format it as a plain number or as text',
      )
    }
    if (shown.kind === 'date') return this.#date(Number(value), shown.time)
    if ((plain.split('.')[1]?.length ?? 0) > shown.decimals) {
      return unusable('is shown rounded: round the number itself, or show all of its digits')
    }
    return { text: plain.replace(/\d+/, (digits) => digits.padStart(shown.pad, '0')) }
  }

  #date(serial: number, withTime: boolean): { text: string; problem?: CellProblem } {
    const found = dateOfSerial(serial, this.#needs.date1904)
    if (found === undefined) return unusable('is no date that exists: type it again')
    return { text: withTime && found.time !== undefined ? `${found.date} ${found.time}` : found.date }
  }

  #columns(attributes: ReadonlyMap<string, string>): void {
    if (!isTrue(attributes.get('hidden'))) return
    const [from, to] = [Number(attributes.get('min')), Number(attributes.get('max'))]
    for (let column = Math.max(from, 1); column <= Math.min(to, gridColumnsMax); column++)
      this.grid.hideColumn(column - 1)
  }

  #merge(ref: string): void {
    const [from, to] = ref.split(':').map(cellAddress)
    if (!from || !to || to.row < from.row || to.column < from.column) throw this.#bad('a merged area')
    this.grid.merge({
      top: from.row,
      left: from.column,
      bottom: Math.min(to.row, gridRowsMax),
      right: to.column,
    })
  }

  #bad(what: string): never {
    const at = { ...this.grid.at, row: this.#row + 1 }
    throw new DeclarationError('BAD_WORKBOOK', `is damaged (${what}): save it again`, at)
  }
}

const unusable = (problem: string) => ({ text: '?', problem: { code: 'CELL_UNUSABLE', problem } as const })

/** `t="d"`: ISO 8601. */
function isoDate(value: string): { text: string; problem?: CellProblem } {
  const match = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}:\d{2})(?:\.0+)?Z?)?$/.exec(value)
  if (match === null) return unusable('is no date: type it again')
  return { text: match[2] === undefined || match[2] === '00:00:00' ? match[1]! : `${match[1]} ${match[2]}` }
}

const isTrue = (text: string | undefined): boolean => text === '1' || text === 'true'
