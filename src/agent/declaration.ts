/**
 * Declarations of enterprises -> attribute values (paper 4.3, store step c): a plain JSON or CSV file, which names attributes and values
 * (schemas/declaration.schema.json), or a package of forms and attachments (declaration/readPackage.ts).
 */
import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { CsvError, parse as parseCsv } from 'csv-parse/sync'
import { z } from 'zod'
import { textId } from '../contracts/textId.js'
import { utf8 } from '../core/bytes.js'
import { attributeValueBytesMax, declarationBytesMax, recordAttributesMax } from '../core/limits.js'
import { DeclarationError } from './declaration/declarationError.js'
import { CREDIT_CODE_ATTRIBUTE, type Declaration, type KeyedHash } from './declaration/declared.js'
import type { DocumentTree } from './declaration/documentTree.js'
import { numberText } from './declaration/jsonValue.js'
import { isPackage, readBounded, readPackageFiles } from './declaration/packageFiles.js'
import { plainDocument } from './declaration/plainDocument.js'
import { type PackageDeclaration, readPackage } from './declaration/readPackage.js'

export { DeclarationError, type DeclarationErrorCode } from './declaration/declarationError.js'
export { CREDIT_CODE_ATTRIBUTE, type Declaration, documentHashOf } from './declaration/declared.js'

const ATTRIBUTE = /^[\x21-\x7e]{1,32}$/
const CREDIT_CODE = /^[0-9A-Z]{18}$/

const attributeSchema = z.string().regex(ATTRIBUTE, 'must be 1 to 32 printable ASCII characters without spaces')
const valueSchema = z
  .union([z.string().min(1).max(attributeValueBytesMax), z.number()])
  .describe('text, or a number; amounts with decimals are better given as text')

/** The JSON form. */
export const declarationSchema = z
  .strictObject({
    $schema: z.string().optional(),
    enterprise: z
      .string()
      .regex(/^[0-9A-Za-z]{18}$/, 'must be the unified social credit code of 18 characters')
      .optional()
      .describe('unified social credit code; may be left out when it is among the values'),
    values: z.record(attributeSchema, valueSchema).describe('attribute name -> declared value'),
  })
  .describe('What an enterprise declares about itself')

/** Of a .json or .csv file. */
export interface PlainDeclaration extends Declaration {
  readonly documentHash: KeyedHash
  /** Proves the file, as a package's tree does its files. */
  document(portraitKey: Uint8Array): DocumentTree
}

/** Reads a .json or .csv file, or a package: a folder or a .zip with manifest.json. Throws DeclarationError. */
export async function readDeclaration(file: string): Promise<PlainDeclaration | PackageDeclaration> {
  if (await isPackage(file)) return readPackage(await readPackageFiles(file), path.basename(path.resolve(file)))
  return parseDeclaration(await readPlain(file), path.basename(file))
}

/** `file` ends in .json or .csv and stands in messages. Throws DeclarationError. */
export function parseDeclaration(bytes: Uint8Array, file: string): PlainDeclaration {
  if (bytes.length > declarationBytesMax) throw tooLarge(file)
  const text = decodeText(bytes, file)
  const { enterprise, values } = parseAs(path.extname(file).toLowerCase(), text, file)
  if (values.size === 0) throw new DeclarationError('INVALID_FIELD', 'declares no value', { file, field: 'values' })
  if (values.size > recordAttributesMax) {
    throw new DeclarationError('INVALID_FIELD', `declares more than ${recordAttributesMax} values`, { file })
  }
  const creditCode = enterpriseCode(enterprise, values.get(CREDIT_CODE_ATTRIBUTE), file)
  const enterpriseId = textId(creditCode)
  const document = (portraitKey: Uint8Array) => plainDocument(bytes, file, enterpriseId, portraitKey)
  const documentHash = (portraitKey: Uint8Array) => document(portraitKey).documentHash
  return { file, creditCode, enterpriseId, values, documentHash, document }
}

interface Parsed {
  readonly enterprise: string | undefined
  readonly values: ReadonlyMap<string, string>
}

function parseAs(extension: string, text: string, file: string): Parsed {
  if (extension === '.json') return parseJsonForm(text, file)
  if (extension === '.csv') return parseCsvForm(text, file)
  throw new DeclarationError(
    'UNKNOWN_FORMAT',
    'a declaration is a .json or .csv file, a .zip, or a folder with manifest.json',
    { file },
  )
}

function parseJsonForm(text: string, file: string): Parsed {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new DeclarationError('NOT_JSON', `is not valid JSON (${(error as Error).message})`, { file })
  }
  const parsed = declarationSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const field = issue?.path.map(String).join('.') || undefined
    throw new DeclarationError('INVALID_FIELD', explain(issue), field ? { file, field } : { file })
  }
  const values = new Map<string, string>()
  for (const [attribute, value] of Object.entries(parsed.data.values)) {
    values.set(attribute, checkValue(typeof value === 'number' ? numberText(value) : value, { file, field: attribute }))
  }
  return { enterprise: parsed.data.enterprise, values }
}

function explain(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'unrecognized_keys') {
    return `has unknown properties: ${issue.keys.slice(0, 5).join(', ')}; known are enterprise and values`
  }
  if (issue?.code === 'invalid_union') return 'must be text that is not empty, or a number; leave it out if unknown'
  if (issue?.code === 'invalid_key') return 'must be named with 1 to 32 printable ASCII characters without spaces'
  return issue?.message ?? 'is not a declaration'
}

/** Two columns under the header `attribute,value`. */
function parseCsvForm(text: string, file: string): Parsed {
  const rows = csvRows(text, file)
  const header = rows[0]?.map((cell) => cell.trim().toLowerCase())
  if (header?.length !== 2 || header[0] !== 'attribute' || header[1] !== 'value') {
    throw new DeclarationError('NOT_CSV', 'the first row must be: attribute,value', { file, row: 1 })
  }
  const values = new Map<string, string>()
  for (const [index, cells] of rows.entries()) {
    const row = index + 1
    if (row === 1 || cells.every((cell) => cell.trim() === '')) continue
    const attribute = cells[0]?.trim() ?? ''
    if (cells.length !== 2) {
      throw new DeclarationError('NOT_CSV', `must have 2 cells, has ${cells.length}; quote values with commas`, {
        file,
        row,
      })
    }
    if (!ATTRIBUTE.test(attribute)) {
      throw new DeclarationError('INVALID_FIELD', 'the attribute must be 1 to 32 printable ASCII characters', {
        file,
        row,
      })
    }
    if (values.has(attribute)) {
      throw new DeclarationError('DUPLICATE_FIELD', 'is declared twice', { file, row, field: attribute })
    }
    values.set(attribute, checkValue(cells[1] ?? '', { file, row, field: attribute }))
  }
  return { enterprise: undefined, values }
}

function csvRows(text: string, file: string): string[][] {
  try {
    return parseCsv(text, { bom: true, relax_column_count: true, skip_empty_lines: false }) as string[][]
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const row = 'lines' in error && typeof error.lines === 'number' ? error.lines : 1
    throw new DeclarationError('NOT_CSV', `is not valid CSV (${error.message})`, { file, row })
  }
}

function checkValue(value: string, at: { file: string; row?: number; field: string }): string {
  if (value.trim() === '') {
    throw new DeclarationError('INVALID_FIELD', 'has no exact value: give it as text, or leave the attribute out', at)
  }
  if (utf8(value).length > attributeValueBytesMax) {
    throw new DeclarationError('INVALID_FIELD', `is over ${attributeValueBytesMax} bytes`, at)
  }
  return value
}

function enterpriseCode(named: string | undefined, declared: string | undefined, file: string): string {
  const code = (named ?? declared)?.trim().toUpperCase()
  if (code === undefined) {
    const problem = `names no enterprise: add ${CREDIT_CODE_ATTRIBUTE} with its 18 characters`
    throw new DeclarationError('NO_ENTERPRISE', problem, { file })
  }
  const field = named === undefined ? CREDIT_CODE_ATTRIBUTE : 'enterprise'
  if (!CREDIT_CODE.test(code)) {
    throw new DeclarationError('INVALID_FIELD', 'must be a unified social credit code of 18 characters', {
      file,
      field,
    })
  }
  if (declared !== undefined && declared.trim().toUpperCase() !== code) {
    throw new DeclarationError('INVALID_FIELD', `differs from ${CREDIT_CODE_ATTRIBUTE} among the values`, {
      file,
      field,
    })
  }
  return code
}

function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new DeclarationError('NOT_UTF8', 'is not UTF-8 text: save it with that encoding', { file })
  }
}

/** A link is followed: it was named by whoever declares. */
async function readPlain(file: string): Promise<Uint8Array> {
  const name = path.basename(file)
  const real = await realpath(file).catch(() => file)
  try {
    return await readBounded(real, declarationBytesMax, name)
  } catch (error) {
    if (error instanceof DeclarationError && error.code === 'UNREADABLE') {
      throw new DeclarationError('UNREADABLE', error.message.slice(name.length + 2), { file })
    }
    throw error
  }
}

function tooLarge(file: string): DeclarationError {
  return new DeclarationError('TOO_LARGE', `is over ${declarationBytesMax} bytes`, { file })
}
