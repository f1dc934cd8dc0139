/** Service rules as files: what `concordat policy define` takes. JSON Schema: schemas/policy.schema.json. */
import { z } from 'zod'
import { PREDICATE, type PredicateName } from '../contracts/codes.js'
import { attributeValueBytesMax, memberNameBytesMax, predicateOperandsMax, requestItemsMax } from '../core/limits.js'

const shortText = z.string().regex(/^[\x21-\x7e]{1,32}$/, 'must be 1 to 32 printable ASCII characters without spaces')
const operand = z.union([z.string().min(1).max(attributeValueBytesMax), z.number()])
const named = Object.keys(PREDICATE) as PredicateName[]

const condition = z
  .strictObject({
    /** Name in the data portrait. */
    attribute: shortText,
    atLeast: operand.optional(),
    atMost: operand.optional(),
    before: operand.optional(),
    after: operand.optional(),
    oneOf: z.array(operand).min(1).max(predicateOperandsMax).optional(),
  })
  .refine((given) => named.filter((name) => given[name] !== undefined).length === 1, {
    message: `needs exactly one of ${named.join(', ')}`,
  })

export const policyFileSchema = z.strictObject({
  $schema: z.string().optional(),
  id: shortText,
  /** What people call the service. */
  title: z.string().min(1).max(memberNameBytesMax),
  /** Purpose that stands in the questions to the departments. */
  purpose: shortText,
  /** All have to be met; of `anyOf` one. */
  conditions: z
    .array(z.union([condition, z.strictObject({ anyOf: z.array(condition).min(2).max(requestItemsMax) })]))
    .min(1)
    .max(requestItemsMax),
})

export interface PolicyCondition {
  readonly clause: number
  readonly attribute: string
  readonly comparison: PredicateName
  readonly operands: readonly string[]
}

export interface PolicyFile {
  readonly id: string
  readonly title: string
  readonly purpose: string
  readonly conditions: readonly PolicyCondition[]
}

/** Of a parsed file. */
export function toPolicy({ id, title, purpose, conditions }: z.output<typeof policyFileSchema>): PolicyFile {
  const flat = conditions.flatMap((entry, clause) => {
    const alternatives = 'anyOf' in entry ? entry.anyOf : [entry]
    return alternatives.map((given) => ({ clause, ...comparisonOf(given) }))
  })
  return { id, title, purpose, conditions: flat }
}

function comparisonOf(given: z.output<typeof condition>): Omit<PolicyCondition, 'clause'> {
  for (const comparison of named) {
    const value = given[comparison]
    if (value === undefined) continue
    const operands = [value].flat().map((one) => String(one))
    return { attribute: given.attribute, comparison, operands }
  }
  throw new RangeError('a condition compares with something')
}
