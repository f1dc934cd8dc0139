/** What a bulk submission is made of: a folder of declarations, a list of files, or a table with one enterprise a row. */
import { createHmac } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { textId } from '../../contracts/textId.js'
import { toHash, utf8 } from '../../core/bytes.js'
import { bulkItemsMax, declarationPackageBytesMax } from '../../core/limits.js'
import { DeclarationError, placeText } from '../declaration/declarationError.js'
import { CREDIT_CODE_ATTRIBUTE } from '../declaration/declared.js'
import { type Grid, plainLabel } from '../declaration/grid.js'
import { readBounded } from '../declaration/packageFiles.js'
import type { Template } from '../declaration/template.js'
import { decodeForm, readCsv, type TextEncoding } from '../declaration/text.js'
import { type TransformName, transformed } from '../declaration/transforms.js'
import { readWorkbook } from '../declaration/workbook.js'
import { type Declaration, readDeclaration } from '../declaration.js'

export interface BulkItem {
  /** Where it is in the input: `dataset.xlsx, sheet S, row 12`, or the name of a declaration. */
  readonly place: string
  /** The enterprise's key where the input names it. */
  readonly keyFile?: string
  /** Throws DeclarationError. */
  declaration(): Promise<Declaration>
}

export interface BulkInputOptions {
  /** 64 hex digits: blinds the document hashes of rows. */
  readonly salt: string
  /** Its labels are headers of a table too. */
  readonly template: Template
  /** Of a CSV file. */
  readonly encoding?: TextEncoding
}

/** Items in the order of the input. Throws DeclarationError for what concerns the input as a whole. */
export async function readBulkInput(input: string, options: BulkInputOptions): Promise<BulkItem[]> {
  const items = await itemsOf(input, options)
  if (items.length === 0) throw new DeclarationError('MISSING_FILE', 'holds no declaration', { file: input })
  if (items.length > bulkItemsMax) {
    throw new DeclarationError('TOO_LARGE', `holds more than ${bulkItemsMax} enterprises: split it`, { file: input })
  }
  return items
}

async function itemsOf(input: string, options: BulkInputOptions): Promise<BulkItem[]> {
  const info = await stat(input).catch((error: NodeJS.ErrnoException) => {
    throw new DeclarationError('UNREADABLE', `cannot be read (${error.code}): check the path`, { file: input })
  })
  if (info.isDirectory()) return folderItems(input)
  const grid = await readGrid(input, options)
  const [header] = grid.find(['declaration'])
  return header?.row === 0 ? listItems(grid, path.dirname(input)) : rowItems(grid, options)
}

/** Every declaration of the folder by name: files .json, .csv, .zip and folders. */
async function folderItems(folder: string): Promise<BulkItem[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory() || (entry.isFile() && /\.(json|csv|zip)$/i.test(entry.name)))
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name }) => ({ place: name, declaration: () => readDeclaration(path.join(folder, name)) }))
}

async function readGrid(input: string, { encoding = 'utf-8' }: BulkInputOptions): Promise<Grid> {
  const name = path.basename(input)
  const bytes = await readBounded(input, declarationPackageBytesMax, name)
  const extension = path.extname(input).toLowerCase()
  if (extension === '.csv') return readCsv(decodeForm(bytes, encoding, name), name)
  if (extension !== '.xlsx') {
    throw new DeclarationError('UNKNOWN_FORMAT', 'a bulk input is a folder, a .csv or an .xlsx file', { file: name })
  }
  const visible = readWorkbook(bytes, name).filter(({ hidden }) => !hidden)
  if (visible.length === 1) return visible[0]!.grid
  throw new DeclarationError('AMBIGUOUS', `has ${visible.length} visible sheets: keep one`, { file: name })
}

/** Columns `declaration` and, if the keys are not in one folder, `key`: paths relative to the list. */
function listItems(grid: Grid, folder: string): BulkItem[] {
  const column = (label: string) => grid.find([label]).find(({ row }) => row === 0)?.column
  const [files, keys] = [column('declaration')!, column('key')]
  const items: BulkItem[] = []
  for (let row = 1; row < grid.rowCount; row++) {
    if (grid.isEmptyRow(row)) continue
    const file = grid.text(row, files)
    const key = keys === undefined ? '' : grid.text(row, keys)
    const at = grid.place(row)
    items.push({
      place: placeText(at),
      ...(key !== '' && { keyFile: path.resolve(folder, key) }),
      declaration: () => {
        if (file === '') throw new DeclarationError('INVALID_FIELD', 'names no declaration', at)
        return readDeclaration(path.resolve(folder, file))
      },
    })
  }
  return items
}

interface Column {
  readonly attribute: string
  readonly column: number
  readonly transforms: readonly TransformName[]
}

/** One enterprise a row; headers are attribute names, or labels of the template. */
function rowItems(grid: Grid, { salt, template }: BulkInputOptions): BulkItem[] {
  const columns = columnsOf(grid, template)
  const items: BulkItem[] = []
  for (let row = 1; row < grid.rowCount; row++) {
    if (grid.isEmptyRow(row)) continue
    items.push({
      place: placeText(grid.place(row)),
      declaration: async () => rowDeclaration(grid, row, columns, salt),
    })
  }
  return items
}

function columnsOf(grid: Grid, template: Template): Column[] {
  const known = headersOf(template)
  const columns = grid.columnsOf(0).map((column) => {
    const text = grid.text(0, column)
    const own = known.get(plainLabel(text))
    const attribute = own?.attribute ?? text
    if (!/^[\x21-\x7e]{1,32}$/.test(attribute)) {
      const problem = `${text || 'an empty header'} is no attribute and no label of template ${template.name}: rename or delete the column`
      throw new DeclarationError('NOT_FOUND', problem, grid.place(0, column))
    }
    return { attribute, column, transforms: own?.transforms ?? [] }
  })
  for (const [i, { attribute, column }] of columns.entries()) {
    const before = columns.slice(0, i).find((one) => one.attribute === attribute)
    if (before === undefined) continue
    const problem = `is ${attribute}, as column ${grid.place(0, before.column).field} is: delete one`
    throw new DeclarationError('DUPLICATE_FIELD', problem, grid.place(0, column))
  }
  if (columns.some(({ attribute }) => attribute === CREDIT_CODE_ATTRIBUTE)) return columns
  throw new DeclarationError('NO_ENTERPRISE', `needs a column ${CREDIT_CODE_ATTRIBUTE}`, grid.place(0))
}

function headersOf(template: Template): Map<string, Omit<Column, 'column'>> {
  const known = new Map<string, Omit<Column, 'column'>>()
  for (const [attribute, { sources }] of Object.entries(template.attributes)) {
    known.set(plainLabel(attribute), { attribute, transforms: [] })
    for (const source of sources) {
      if (source.kind !== 'label') continue
      for (const label of source.labels)
        known.set(plainLabel(label), { attribute, transforms: source.transforms ?? [] })
    }
  }
  return known
}

function rowDeclaration(grid: Grid, row: number, columns: readonly Column[], salt: string): Declaration {
  const values = new Map<string, string>()
  const places = new Map<string, string>()
  for (const { attribute, column, transforms } of columns) {
    const text = grid.text(row, column)
    if (text === '') continue
    const result = transformed(text, transforms)
    const at = grid.place(row, column)
    if (!result.ok) throw new DeclarationError('NOT_CONVERTIBLE', result.problem, at)
    values.set(attribute, result.text)
    places.set(attribute, placeText(at))
  }
  const creditCode = values.get(CREDIT_CODE_ATTRIBUTE)?.toUpperCase() ?? ''
  if (!/^[0-9A-Z]{18}$/.test(creditCode)) {
    const at = { ...grid.place(row), field: CREDIT_CODE_ATTRIBUTE }
    throw new DeclarationError('INVALID_FIELD', 'must be a unified social credit code of 18 characters', at)
  }
  const document = JSON.stringify([...values].sort(([a], [b]) => (a < b ? -1 : 1)))
  const documentHash = toHash(
    new Uint8Array(createHmac('sha256', Buffer.from(salt, 'hex')).update(utf8(document)).digest()),
  )
  return {
    file: placeText(grid.place(row)),
    creditCode,
    enterpriseId: textId(creditCode),
    values,
    places,
    documentHash,
  }
}
