/**
 * Which attribute stands in which table and column of a department's own database: the configuration's form. It declares;
 * no SQL is taken from it.
 */
import { z } from 'zod'
import { textId } from '../../../contracts/textId.js'
import { mappedChoicesMax, mappedConditionsMax, mappedTablesMax, recordAttributesMax } from '../../../core/limits.js'
import { identifierBytesMax, type TableName } from './sql.js'

const identifier = z
  .string()
  .min(1)
  .refine(
    (text) => Buffer.byteLength(text) <= identifierBytesMax,
    `an identifier has at most ${identifierBytesMax} bytes`,
  )
  .refine((text) => !text.includes('\0'), 'an identifier holds no NUL')

/** `schema.table`, `table` (of schema public), or both apart where a name holds a dot. */
const tableName = z.union(
  [
    identifier.regex(/^[^.]+(\.[^.]+)?$/).transform((text): TableName => {
      const [first, second] = text.split('.') as [string, string?]
      return second === undefined ? { schema: 'public', name: first } : { schema: first, name: second }
    }),
    z.strictObject({ schema: identifier, name: identifier }),
  ],
  'a table is given as schema.table, or as { schema, name }',
)

const shortName = z.string().min(1).max(identifierBytesMax)
const choice = z
  .union([z.string().max(256), z.number(), z.boolean()], 'not a text, number or boolean')
  .transform(String)
const choices = z.union(
  [choice.transform((one) => [one]), z.array(choice).min(1).max(mappedChoicesMax)],
  `is takes one value, or a list of 1 to ${mappedChoicesMax}`,
)

/** Keeps the rows whose column, as text, is one of `is`; or those where it is null, or not. */
const condition = z
  .strictObject({ column: identifier, is: choices.optional(), isNull: z.boolean().optional() })
  .refine(({ is, isNull }) => (is === undefined) !== (isNull === undefined), 'give either is or isNull')

export const WRITES = ['own-schema', 'table', 'none'] as const
export const AGGREGATES = ['count', 'countDistinct', 'sum', 'min', 'max'] as const

const tableSchema = z.strictObject({
  table: tableName,
  /** Columns by which an enterprise's row is found. */
  creditCode: identifier.optional(),
  companyName: identifier.optional(),
  /** The rows belong to those of another entry: `column` here equals `references` there. */
  join: z.strictObject({ column: identifier, to: shortName, references: identifier }).optional(),
  where: z.array(condition).max(mappedConditionsMax).default([]),
  /** Which of several rows of one enterprise counts; those without a value in the column come last. */
  current: z.strictObject({ orderBy: identifier, order: z.enum(['highest', 'lowest']).default('highest') }).optional(),
  /** Says when a row was changed: then the newer of row and accepted submission counts. Without it the table's value does. */
  changedColumn: identifier.optional(),
  /** In which timestamps are read as dates. */
  timeZone: z.string().max(64).optional(),
  /** Where accepted submissions of the table's attributes go. */
  write: z.enum(WRITES).default('own-schema'),
})

const attributeSchema = z.strictObject({
  from: shortName,
  column: identifier.optional(),
  aggregate: z.enum(AGGREGATES).optional(),
  /** Factor of a number: 10000 where a column counts in ten thousands. */
  times: z.int().min(2).max(1_000_000_000).optional(),
  /** Code of the table -> text; others stay as they are. */
  translate: z
    .record(z.string().max(256), z.string().max(1_024))
    .refine((entries) => Object.keys(entries).length <= mappedChoicesMax, `at most ${mappedChoicesMax} entries`)
    .optional(),
})

export const mappingSchema = z.strictObject({
  tables: entries(tableSchema, mappedTablesMax),
  attributes: entries(attributeSchema, recordAttributesMax).superRefine((attributes, context) => {
    for (const name of attributes.keys()) {
      if (!fitsChain(name))
        context.addIssue({
          code: 'custom',
          path: [name],
          message: 'no name of an attribute: 1 to 32 printable ASCII characters without spaces',
        })
    }
  }),
})

export type Mapping = z.infer<typeof mappingSchema>
export type MappedTable = z.infer<typeof tableSchema>
export type MappedAttribute = z.infer<typeof attributeSchema>
export type RowCondition = z.infer<typeof condition>

export const emptyMapping: Mapping = { tables: new Map(), attributes: new Map() }

/** A mapping's entries as a Map, so that no name means anything but itself. */
function entries<T extends z.ZodType>(schema: T, countMax: number) {
  return z
    .record(z.string(), schema)
    .refine((all) => Object.keys(all).length <= countMax, `at most ${countMax} entries`)
    .transform((all) => new Map(Object.entries(all) as [string, z.infer<T>][]))
}

function fitsChain(name: string): boolean {
  try {
    textId(name)
    return true
  } catch {
    return false
  }
}
