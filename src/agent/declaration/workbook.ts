/** Workbooks (.xlsx, ECMA-376): the visible sheets with what their cells show. Formulas count by the result that was saved. */
import { gridCellsMax, workbookPartBytesMax } from '../../core/limits.js'
import { DeclarationError } from './declarationError.js'
import type { CellBudget, Grid } from './grid.js'
import { builtInFormat, type Shown, shownAs } from './numberFormat.js'
import { RichText } from './richText.js'
import { readSheet } from './sheet.js'
import { scanXml, type XmlHandlers } from './xml.js'
import { type Files, readZip } from './zip.js'

export interface Sheet {
  readonly name: string
  readonly hidden: boolean
  readonly grid: Grid
}

/** Number of a cell's style and the sign of its number -> how it is shown. */
export type ShownOf = (style: number, sign: number) => Shown

export interface SheetNeeds {
  readonly strings: readonly string[]
  readonly shown: ShownOf
  readonly date1904: boolean
  readonly budget: CellBudget
}

/** OLE2: what Word and Excel before 2007 wrote, and newer ones around a password. */
const OLE2 = [0xd0, 0xcf, 0x11, 0xe0]
const RELATIONS = /\/relationships\/(officeDocument|worksheet|sharedStrings|styles)$/

/** Sheets in the order of the workbook; `file` stands in messages. Throws DeclarationError. */
export function readWorkbook(bytes: Uint8Array, file: string, budget: CellBudget = { cells: gridCellsMax }): Sheet[] {
  if (OLE2.every((byte, i) => bytes[i] === byte)) {
    const problem = 'has a password or the old format .xls: save it as .xlsx without a password'
    throw new DeclarationError('ENCRYPTED', problem, { file })
  }
  return new WorkbookReader(readZip(bytes, file), file, budget).sheets()
}

interface SheetEntry {
  readonly name: string
  readonly hidden: boolean
  readonly relation: string
}

class WorkbookReader {
  readonly #parts: Files
  readonly #file: string

  readonly #budget: CellBudget

  constructor(parts: Files, file: string, budget: CellBudget) {
    this.#budget = budget
    this.#parts = parts
    this.#file = file
  }

  sheets(): Sheet[] {
    const root = [...this.#relations('').values()].find(({ type }) => type === 'officeDocument')
    if (root === undefined) throw this.#fault('is no workbook: save it as .xlsx')
    const relations = this.#relations(root.target)
    const { entries, date1904 } = this.#workbook(root.target)
    const partOf = (kind: string) => [...relations.values()].find(({ type }) => type === kind)?.target
    const strings = this.#strings(partOf('sharedStrings'))
    const shown = this.#styles(partOf('styles'))
    const sheets: Sheet[] = []
    for (const { name, hidden, relation } of entries) {
      const found = relations.get(relation)
      // Charts and macros are sheets too; they hold no cells.
      if (found?.type !== 'worksheet') continue
      const needs = { strings, shown, date1904, budget: this.#budget }
      const grid = readSheet(this.#scan(found.target), { file: this.#file, sheet: name }, needs)
      sheets.push({ name, hidden, grid })
    }
    return sheets
  }

  #workbook(part: string): { entries: SheetEntry[]; date1904: boolean } {
    const entries: SheetEntry[] = []
    let date1904 = false
    this.#scan(part)({
      open(name, attributes) {
        if (name === 'workbookPr') date1904 = isTrue(attributes.get('date1904'))
        if (name !== 'sheet') return
        const hidden = (attributes.get('state') ?? 'visible') !== 'visible'
        entries.push({ name: attributes.get('name') ?? '', hidden, relation: attributes.get('id') ?? '' })
      },
      text() {},
      close() {},
    })
    return { entries, date1904 }
  }

  /** Relations of a part ('': of the package) by id; targets are paths in the archive. */
  #relations(part: string): Map<string, { type: string; target: string }> {
    const folder = part.slice(0, part.lastIndexOf('/') + 1)
    const found = new Map<string, { type: string; target: string }>()
    const file = `${folder}_rels/${part.slice(folder.length)}.rels`
    if (part !== '' && !this.#parts.has(file)) return found
    this.#scan(file)({
      open(name, attributes) {
        const type = RELATIONS.exec(attributes.get('Type') ?? '')?.[1]
        if (name !== 'Relationship' || type === undefined || attributes.get('TargetMode') === 'External') return
        found.set(attributes.get('Id') ?? '', { type, target: targetOf(folder, attributes.get('Target') ?? '') })
      },
      text() {},
      close() {},
    })
    return found
  }

  #strings(part: string | undefined): string[] {
    const strings: string[] = []
    if (part === undefined) return strings
    const text = new RichText()
    this.#scan(part)({
      open(name) {
        if (name === 'si') text.clear()
        text.open(name)
      },
      text: (piece) => text.add(piece),
      close(name) {
        text.close(name)
        if (name === 'si') strings.push(text.value)
      },
    })
    return strings
  }

  #styles(part: string | undefined): ShownOf {
    const formats = new Map<number, string>()
    const styles: number[] = []
    let inCells = false
    if (part !== undefined) {
      this.#scan(part)({
        open(name, attributes) {
          if (name === 'numFmt') formats.set(Number(attributes.get('numFmtId')), attributes.get('formatCode') ?? '')
          else if (name === 'cellXfs') inCells = true
          else if (name === 'xf' && inCells) styles.push(Number(attributes.get('numFmtId') ?? 0))
        },
        text() {},
        close(name) {
          if (name === 'cellXfs') inCells = false
        },
      })
    }
    const known = new Map<string, Shown>()
    return (style, sign) => {
      const key = `${style},${sign}`
      const id = styles[style] ?? 0
      const format = formats.get(id)
      const shown = known.get(key) ?? (format === undefined ? builtInFormat(id) : shownAs(format, sign))
      known.set(key, shown)
      return shown
    }
  }

  #scan(part: string): (handlers: XmlHandlers) => void {
    const bytes = this.#parts.get(part)
    if (bytes === undefined) throw this.#fault(`is damaged (${part.slice(0, 80)} is missing): save it again`)
    if (bytes.length > workbookPartBytesMax) {
      throw new DeclarationError('TOO_LARGE', `a part is over ${workbookPartBytesMax} bytes: split it`, {
        file: this.#file,
      })
    }
    const fail = (problem: string): never => {
      throw new DeclarationError('BAD_XML', `${part.slice(0, 80)} ${problem}: save it again`, { file: this.#file })
    }
    return (handlers) => scanXml(decode(bytes) ?? fail('is not in UTF-8'), handlers, fail)
  }

  #fault(problem: string): DeclarationError {
    return new DeclarationError('BAD_WORKBOOK', problem, { file: this.#file })
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Absolute from the archive's root, or relative to the part's folder. */
function targetOf(folder: string, target: string): string {
  if (target.startsWith('/')) return target.slice(1)
  const parts: string[] = []
  for (const part of `${folder}${target}`.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.join('/')
}

const isTrue = (text: string | undefined): boolean => text === '1' || text === 'true'
