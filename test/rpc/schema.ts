/** The part of JSON Schema that execution-apis uses, as a validator for tests. */
export interface Schema {
  readonly title?: string
  readonly type?: string
  readonly pattern?: string
  readonly enum?: readonly unknown[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly not?: Schema
}

/** First fault of `value` under `schema` with its path; undefined when it is valid. */
export function schemaFault(schema: Schema, value: unknown, path = '$'): string | undefined {
  return (
    typeFault(schema, value, path) ??
    branchFault(schema, value, path) ??
    objectFault(schema, value, path) ??
    arrayFault(schema, value, path)
  )
}

function typeFault({ type, pattern, enum: values }: Schema, value: unknown, path: string): string | undefined {
  const actual = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  const isInteger = type === 'integer' && Number.isSafeInteger(value)
  if (type && type !== actual && !isInteger) return `${path}: ${actual}, want ${type}`
  if (pattern && typeof value === 'string' && !new RegExp(pattern).test(value)) return `${path}: ${value} !~ ${pattern}`
  return values && !values.includes(value) ? `${path}: ${String(value)} is none of ${values.join(', ')}` : undefined
}

function branchFault({ oneOf, anyOf, allOf, not }: Schema, value: unknown, path: string): string | undefined {
  for (const branch of allOf ?? []) {
    const fault = schemaFault(branch, value, path)
    if (fault) return fault
  }
  if (not && !schemaFault(not, value, path)) return `${path}: matches what it must not`
  const any = oneOf ?? anyOf
  if (!any) return undefined
  const faults = any.map((branch) => schemaFault(branch, value, path))
  return faults.includes(undefined) ? undefined : `${path}: no branch fits: ${faults.join(' | ')}`
}

function objectFault(schema: Schema, value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const missing = schema.required?.find((key) => !(key in value))
  if (missing) return `${path}.${missing}: missing`
  for (const [key, member] of Object.entries(value)) {
    const known = schema.properties?.[key]
    if (!known && schema.additionalProperties === false) return `${path}.${key}: not in the schema`
    const rest = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
    const inner = known ?? rest
    const fault = inner && schemaFault(inner, member, `${path}.${key}`)
    if (fault) return fault
  }
  return undefined
}

function arrayFault({ items }: Schema, value: unknown, path: string): string | undefined {
  if (!items || !Array.isArray(value)) return undefined
  for (const [i, member] of value.entries()) {
    const fault = schemaFault(items, member, `${path}[${i}]`)
    if (fault) return fault
  }
  return undefined
}
