/** Rows and columns as a reader of the form sees them: what workbooks and CSV files are turned into. */
import { gridCellCharactersMax, gridCellsMax, gridColumnsMax, gridMergesMax, gridRowsMax } from '../../core/limits.js'
import { DeclarationError, type DeclarationErrorCode, type Place } from './declarationError.js'

/** Why the text of a cell must not be used. */
export interface CellProblem {
  readonly code: DeclarationErrorCode
  readonly problem: string
}

/** Cells of one area, all 0-based and inclusive; its value stands in the first one. */
export interface Merge {
  readonly top: number
  readonly left: number
  readonly bottom: number
  readonly right: number
}

/** Cells that may still be taken; several sheets share one. */
export interface CellBudget {
  cells: number
}

const NONE: ReadonlyMap<number, string> = new Map()

/** 0-based rows and columns. A merged area shows its value in all of its cells. */
export class Grid {
  /** File and sheet. */
  readonly at: Place
  readonly #rows = new Map<number, Map<number, string>>()
  readonly #problems = new Map<string, CellProblem>()
  readonly #merges = new Map<number, Merge[]>()
  readonly #hiddenRows = new Set<number>()
  readonly #hiddenColumns = new Set<number>()
  #mergeCount = 0
  #mergedRows = 0
  #rowCount = 0
  #labels: Map<string, { row: number; column: number }[]> | undefined

  readonly #budget: CellBudget

  constructor(at: Place, budget: CellBudget = { cells: gridCellsMax }) {
    this.at = at
    this.#budget = budget
  }

  /** Rows up to the last one with a value. */
  get rowCount(): number {
    return this.#rowCount
  }

  /** Empty text is no cell. Throws DeclarationError TOO_LARGE. */
  put(row: number, column: number, text: string, problem?: CellProblem): void {
    if (text === '' && problem === undefined) return
    if (row >= gridRowsMax) throw this.#tooLarge(`more than ${gridRowsMax} rows`)
    if (column >= gridColumnsMax) throw this.#tooLarge(`more than ${gridColumnsMax} columns`)
    if (text.length > gridCellCharactersMax)
      throw this.#tooLarge(`a cell of more than ${gridCellCharactersMax} characters`)
    this.#budget.cells--
    if (this.#budget.cells < 0) throw this.#tooLarge(`more than ${gridCellsMax} cells`)
    let cells = this.#rows.get(row)
    if (cells === undefined) {
      cells = new Map()
      this.#rows.set(row, cells)
    }
    cells.set(column, text)
    if (problem) this.#problems.set(`${row},${column}`, problem)
    this.#rowCount = Math.max(this.#rowCount, row + 1)
  }

  merge(merge: Merge): void {
    this.#mergeCount++
    this.#mergedRows += merge.bottom - merge.top + 1
    if (this.#mergeCount > gridMergesMax || this.#mergedRows > gridCellsMax)
      throw this.#tooLarge('too many merged cells')
    for (let row = merge.top; row <= merge.bottom; row++) {
      const list = this.#merges.get(row)
      if (list) list.push(merge)
      else this.#merges.set(row, [merge])
    }
  }

  hideRow(row: number): void {
    this.#hiddenRows.add(row)
  }

  hideColumn(column: number): void {
    this.#hiddenColumns.add(column)
  }

  mergeOf(row: number, column: number): Merge | undefined {
    return this.#merges.get(row)?.find(({ left, right }) => column >= left && column <= right)
  }

  /** Trimmed; '' where there is nothing. Throws DeclarationError where there is a value that must not be used. */
  text(row: number, column: number): string {
    const merge = this.mergeOf(row, column)
    const [r, c] = merge ? [merge.top, merge.left] : [row, column]
    const problem = this.#problems.get(`${r},${c}`)
    if (problem) throw new DeclarationError(problem.code, problem.problem, this.place(r, c))
    const text = (this.#rows.get(r)?.get(c) ?? '').trim()
    if (text !== '' && (this.#hiddenRows.has(r) || this.#hiddenColumns.has(c))) {
      throw new DeclarationError('HIDDEN', 'is hidden: show the row or column, or delete it', this.place(r, c))
    }
    return text
  }

  /** True when no cell of the row holds a value, merged areas included. */
  isEmptyRow(row: number): boolean {
    for (const text of (this.#rows.get(row) ?? NONE).values()) if (text.trim() !== '') return false
    for (const { top, left } of this.#merges.get(row) ?? []) {
      if (top !== row && (this.#rows.get(top)?.get(left) ?? '').trim() !== '') return false
    }
    return true
  }

  /** Columns of the row that hold something of their own, ascending. */
  columnsOf(row: number): number[] {
    return [...(this.#rows.get(row) ?? NONE).keys()].sort((a, b) => a - b)
  }

  /** Cells whose text is one of `labels`, in reading order; how labels are compared: `plainLabel`. */
  find(labels: readonly string[]): readonly { readonly row: number; readonly column: number }[] {
    const index = this.#index()
    const found = [...new Set(labels.map(plainLabel))].flatMap((label) => index.get(label) ?? [])
    return found.sort((a, b) => a.row - b.row || a.column - b.column)
  }

  place(row: number, column?: number): Place {
    return { ...this.at, row: row + 1, field: column === undefined ? undefined : columnName(column) }
  }

  #index() {
    if (this.#labels) return this.#labels
    const labels = new Map<string, { row: number; column: number }[]>()
    for (const [row, cells] of this.#rows) {
      for (const [column, text] of cells) {
        const label = text.length > LABEL_CHARACTERS_MAX ? '' : plainLabel(text)
        if (label === '') continue
        const found = labels.get(label)
        if (found) found.push({ row, column })
        else labels.set(label, [{ row, column }])
      }
    }
    this.#labels = labels
    return labels
  }

  #tooLarge(what: string): DeclarationError {
    return new DeclarationError('TOO_LARGE', `has ${what}: split it`, this.at)
  }
}

const LABEL_CHARACTERS_MAX = 512

/** Compared without width, case, white space, and the colons and stars around it: `＊ 企业名称：` is `企业名称`. */
export function plainLabel(text: string): string {
  const plain = text.normalize('NFKC').toLowerCase().replace(/\s+/gu, '')
  let [from, to] = [0, plain.length]
  while (from < to && ':*'.includes(plain[from]!)) from++
  while (to > from && ':*'.includes(plain[to - 1]!)) to--
  return plain.slice(from, to)
}

/** 0 -> A, 27 -> AB */
export function columnName(column: number): string {
  let name = ''
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    name = String.fromCharCode(65 + ((rest - 1) % 26)) + name
  }
  return name
}

/** `AB12` -> 0-based row and column; undefined when it is no address. */
export function cellAddress(address: string): { row: number; column: number } | undefined {
  const match = /^\$?([A-Za-z]{1,3})\$?([1-9]\d{0,6})$/.exec(address)
  if (match === null) return undefined
  let column = 0
  for (const letter of match[1]!.toUpperCase()) column = column * 26 + letter.charCodeAt(0) - 64
  return { row: Number(match[2]) - 1, column: column - 1 }
}
