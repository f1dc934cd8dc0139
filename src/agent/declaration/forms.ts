/** Files of a package -> forms that a template can be held against. */
import path from 'node:path'
import { gridCellsMax } from '../../core/limits.js'
import { DeclarationError, type Place } from './declarationError.js'
import { type Grid, plainLabel } from './grid.js'
import { type ManifestForm, parseJson } from './manifest.js'
import type { TemplateForm } from './template.js'
import { decodeForm, readCsv } from './text.js'
import { readWorkbook, type Sheet } from './workbook.js'

export type Form =
  | { readonly kind: 'grid'; readonly at: Place; readonly grid: Grid }
  | { readonly kind: 'json'; readonly at: Place; readonly value: unknown }

/** Reads each workbook once, however many forms it holds. */
export class FormReader {
  readonly #workbooks = new Map<string, Sheet[]>()
  /** All forms of a package together. */
  readonly #budget = { cells: gridCellsMax }

  /** Throws DeclarationError. */
  read(bytes: Uint8Array, { file, encoding = 'utf-8', delimiter }: ManifestForm, form: TemplateForm): Form {
    switch (path.extname(file).toLowerCase()) {
      case '.json':
        return { kind: 'json', at: { file }, value: parseJson(decodeForm(bytes, encoding, file), file) }
      case '.csv':
        return {
          kind: 'grid',
          at: { file },
          grid: readCsv(decodeForm(bytes, encoding, file), file, delimiter, this.#budget),
        }
      case '.xlsx': {
        const { name, grid } = sheetOf(this.#workbook(bytes, file), form, file)
        return { kind: 'grid', at: { file, sheet: name }, grid }
      }
      default:
        throw new DeclarationError('UNKNOWN_FORMAT', 'a form is a .xlsx, .csv or .json file: save it as one', { file })
    }
  }

  #workbook(bytes: Uint8Array, file: string): Sheet[] {
    const known = this.#workbooks.get(file)
    if (known) return known
    const sheets = readWorkbook(bytes, file, this.#budget)
    this.#workbooks.set(file, sheets)
    return sheets
  }
}

/** By its name, or the only visible one. What is hidden was not seen by whoever declares, so it is never read. */
function sheetOf(sheets: readonly Sheet[], { sheets: names = [] }: TemplateForm, file: string): Sheet {
  const wanted = new Set(names.map(plainLabel))
  const visible = sheets.filter(({ hidden }) => !hidden)
  const named = visible.filter(({ name }) => wanted.has(plainLabel(name)))
  const found = named.length > 0 ? named : visible
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  const hidden = sheets.find((sheet) => sheet.hidden && wanted.has(plainLabel(sheet.name)))
  if (hidden) throw new DeclarationError('HIDDEN', 'the sheet is hidden: show it', { file, sheet: hidden.name })
  if (only === undefined) throw new DeclarationError('BAD_WORKBOOK', 'has no visible sheet of cells', { file })
  const shown = found.slice(0, 5).map(({ name }) => name)
  const problem = `has the sheets ${shown.join(', ')}: name one of them ${names[0] ?? 'in the template'}, or keep only one`
  throw new DeclarationError('AMBIGUOUS', problem, { file })
}
