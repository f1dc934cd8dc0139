/** Mapping templates: where in its forms a declaration says which attribute. Data only, published as schemas/declaration-template.schema.json. */
import { z } from 'zod'
import { recordAttributesMax } from '../../core/limits.js'
import { DeclarationError, FaultList } from './declarationError.js'
import { cellAddress, plainLabel } from './grid.js'
import { TRANSFORM_NAMES } from './transforms.js'

const id = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]{0,39}$/, 'must be a letter, then up to 39 letters, digits or hyphens')
const attribute = z.string().regex(/^[\x21-\x7e]{1,32}$/, 'must be 1 to 32 printable ASCII characters without spaces')
const label = z.string().min(1).max(200)
const labels = z
  .array(label)
  .min(1)
  .max(32)
  .describe('texts that mean the same; compared without width, case, white space and colons')
const transforms = z
  .array(z.enum(TRANSFORM_NAMES))
  .max(8)
  .optional()
  .describe('what is done to the text, one after the other')
const pointer = z
  .string()
  .regex(/^(\/[^/]{1,100}){0,16}$/, 'must be a JSON pointer (RFC 6901), such as /company/name')
  .describe('JSON pointer (RFC 6901)')
const where = z
  .record(id, z.union([id, label]))
  .optional()
  .describe('only rows in which the column has this text, or this choice of its `oneOf`')

const column = z
  .strictObject({
    headers: labels,
    optional: z.boolean().optional().describe('the column may be missing'),
    filled: z.boolean().optional().describe('every row must have a value here'),
    unique: z.boolean().optional().describe('no value may be there twice'),
    oneOf: z.record(id, labels).optional().describe('choice -> texts that mean it; any other text is a fault'),
    transforms,
  })
  .describe('one column of a list')

const list = z
  .strictObject({
    pointer: pointer.optional().describe('where the list is in the JSON form; default: the whole file'),
    columns: z.record(id, column).describe('columns by id; in the JSON form, properties named as the headers'),
    end: labels.optional().describe('a row that begins with such a text ends the list'),
  })
  .describe('a list with a header row; it ends at the first empty row')

const form = z
  .strictObject({
    title: label.optional(),
    sheets: labels.optional().describe('names of the sheet in a workbook; needless when only one is visible'),
    list: list.optional(),
  })
  .describe('one form of the declaration: a workbook sheet, a CSV or a JSON file')

const source = z.discriminatedUnion('kind', [
  z
    .strictObject({ kind: z.literal('cell'), form: id, cell: z.string().max(16).describe('such as B3'), transforms })
    .describe('a cell of a sheet or CSV file by its address'),
  z
    .strictObject({
      kind: z.literal('label'),
      form: id,
      labels,
      under: labels.optional().describe('header of the column; default: the cell right of the label'),
      transforms,
    })
    .describe('the cell beside a label, or where its row meets a column'),
  z.strictObject({ kind: z.literal('pointer'), form: id, pointer, transforms }).describe('a value of a JSON form'),
  z.strictObject({ kind: z.literal('count'), form: id, where }).describe('number of rows of the list'),
  z.strictObject({ kind: z.literal('sum'), form: id, column: id, where }).describe('exact sum of a column'),
  z.strictObject({ kind: z.literal('earliest'), form: id, column: id, where }).describe('first date of a column'),
  z.strictObject({ kind: z.literal('latest'), form: id, column: id, where }).describe('last date of a column'),
  z.strictObject({ kind: z.literal('first'), form: id, column: id, where }).describe('value in the first row'),
  z.strictObject({ kind: z.literal('only'), form: id, column: id, where }).describe('value of the one row there is'),
])

export const templateSchema = z
  .strictObject({
    $schema: z.string().max(200).optional(),
    format: z.literal('concordat-declaration-template/1'),
    name: id,
    title: label.optional(),
    forms: z.record(id, form),
    attributes: z
      .record(
        attribute,
        z.strictObject({
          required: z.boolean().optional().describe('a declaration without it is a fault'),
          sources: z.array(source).min(1).max(16).describe('places; where several say something they must agree'),
        }),
      )
      .describe('attribute -> where its value is'),
  })
  .describe('Where in its forms a declaration says which attribute')

export type Template = z.infer<typeof templateSchema>
export type TemplateForm = z.infer<typeof form>
export type TemplateList = z.infer<typeof list>
export type TemplateColumn = z.infer<typeof column>
export type TemplateSource = z.infer<typeof source>
export type RowsSource = Exclude<TemplateSource, { kind: 'cell' | 'label' | 'pointer' }>

/** `json` is the parsed file. Throws DeclarationError with all faults. */
export function parseTemplate(json: unknown, file: string): Template {
  const parsed = templateSchema.safeParse(json)
  const faults = new FaultList(file)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      faults.add('BAD_TEMPLATE', issue.message, { file, field: issue.path.map(String).join('.') || undefined })
    }
    faults.throwAny()
    throw new DeclarationError('BAD_TEMPLATE', 'is no mapping template', { file })
  }
  checkReferences(parsed.data, file, faults)
  faults.throwAny()
  return parsed.data
}

/** Forms, columns and choices that are named have to be there. */
function checkReferences(template: Template, file: string, faults: FaultList): void {
  const attributes = Object.entries(template.attributes)
  if (attributes.length > recordAttributesMax) {
    faults.add('BAD_TEMPLATE', `has more than ${recordAttributesMax} attributes`, { file, field: 'attributes' })
  }
  for (const [name, { sources }] of attributes) {
    sources.forEach((one, i) => {
      const problem = problemOf(one, template)
      if (problem) faults.add('BAD_TEMPLATE', problem, { file, field: `attributes.${name}.sources.${i}` })
    })
  }
  for (const [id, { list }] of Object.entries(template.forms)) {
    const problem = list && sharedLabel(Object.values(list.columns).map(({ headers }) => headers))
    if (problem)
      faults.add('BAD_TEMPLATE', `two columns have the header ${problem}`, { file, field: `forms.${id}.list` })
    for (const [column, { oneOf }] of Object.entries(list?.columns ?? {})) {
      const shared = oneOf && sharedLabel(Object.values(oneOf))
      const field = `forms.${id}.list.columns.${column}`
      if (shared) faults.add('BAD_TEMPLATE', `two choices have the text ${shared}`, { file, field })
    }
  }
}

function problemOf(source: TemplateSource, template: Template): string | undefined {
  const form = own(template.forms, source.form)
  if (form === undefined) return `there is no form ${source.form}: add it under forms`
  if (source.kind === 'cell') return cellAddress(source.cell) ? undefined : `${source.cell} is no cell, such as B3`
  if (source.kind === 'label' || source.kind === 'pointer') return undefined
  if (form.list === undefined) return `form ${source.form} has no list: describe it under forms`
  const { columns } = form.list
  const named = ['column' in source ? source.column : undefined, ...Object.keys(source.where ?? {})]
  const missing = named.find((one) => one !== undefined && own(columns, one) === undefined)
  if (missing !== undefined) return `the list of form ${source.form} has no column ${missing}`
  for (const [column, choice] of Object.entries(source.where ?? {})) {
    const oneOf = own(columns, column)?.oneOf
    if (oneOf && own(oneOf, choice) === undefined) return `${choice} is no choice of column ${column}`
  }
  return undefined
}

function sharedLabel(lists: readonly (readonly string[])[]): string | undefined {
  const seen = new Map<string, number>()
  for (const [i, list] of lists.entries()) {
    for (const label of list) {
      if ((seen.get(plainLabel(label)) ?? i) !== i) return label
      seen.set(plainLabel(label), i)
    }
  }
  return undefined
}

/** An own property, so that names such as `constructor` find nothing. */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
