/**
 * Questions about a value that are answered yes or no without naming it: at least, at most, one of, before, after. A predicate is
 * public; its id takes the place of a digest in a verification request and in the user portrait. Pure.
 */
import { concatBytes, fromHex, type Hash, toHash, utf8 } from '../core/bytes.js'
import { predicateOperandsMax } from '../core/limits.js'
import { keccak256 } from '../crypto/keccak.js'
import { canonicalise } from './canonical.js'
import { PREDICATE, VALUE_TYPE } from './codes.js'
import type { Schema } from './genesisTypes.js'

export interface Predicate {
  readonly attribute: Hash
  /** Of the schema in which the operands are canonical. */
  readonly schemaVersion: number
  /** PREDICATE of codes.ts. */
  readonly op: number
  /** Canonical values; one, but for oneOf. */
  readonly operands: readonly string[]
}

const DOMAIN = utf8('concordat predicate v1')
const OPS_OF: Readonly<Record<number, readonly number[]>> = {
  [VALUE_TYPE.text]: [PREDICATE.oneOf],
  [VALUE_TYPE.code]: [PREDICATE.oneOf],
  [VALUE_TYPE.integer]: [PREDICATE.atLeast, PREDICATE.atMost, PREDICATE.oneOf],
  [VALUE_TYPE.decimal]: [PREDICATE.atLeast, PREDICATE.atMost, PREDICATE.oneOf],
  [VALUE_TYPE.date]: [PREDICATE.before, PREDICATE.after, PREDICATE.oneOf],
}

/** keccak256(domain | attribute 32 | schemaVersion u32 | op u8 | each operand: length u32, UTF-8). */
export function predicateId({ attribute, schemaVersion, op, operands }: Predicate): Hash {
  const head = new Uint8Array(5)
  new DataView(head.buffer).setUint32(0, schemaVersion)
  head[4] = op
  const texts = operands.flatMap((operand) => {
    const bytes = utf8(operand)
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, bytes.length)
    return [length, bytes]
  })
  return toHash(keccak256(concatBytes(DOMAIN, fromHex(attribute), head, ...texts)))
}

/** Canonical operands, oneOf in order; or what is wrong with them. */
export function predicateOperands(
  schema: Schema,
  op: number,
  operands: readonly string[],
): { readonly ok: true; readonly operands: readonly string[] } | { readonly ok: false; readonly problem: string } {
  if (!OPS_OF[schema.valueType]?.includes(op)) return fault('this comparison does not fit the type of the attribute')
  const countMax = op === PREDICATE.oneOf ? predicateOperandsMax : 1
  if (operands.length < 1 || operands.length > countMax) return fault(`needs 1 to ${countMax} operands`)
  const canonical = new Set<string>()
  for (const operand of operands) {
    const result = canonicalise(schema, operand)
    if (!result.ok) return fault(`operand ${result.message}`)
    canonical.add(result.value)
  }
  return { ok: true, operands: [...canonical].sort() }
}

const fault = (problem: string) => ({ ok: false, problem }) as const

/** Whether the held value meets it; undefined when that value has no canonical form, so that nobody can say. */
export function meets(schema: Schema, { op, operands }: Predicate, held: string): boolean | undefined {
  const value = canonicalise({ ...schema, min: 0n, max: 0n }, held)
  if (!value.ok) return undefined
  const [first] = operands
  if (op === PREDICATE.oneOf) return operands.includes(value.value)
  const order = compare(schema, value.value, first!)
  if (op === PREDICATE.atLeast) return order >= 0
  if (op === PREDICATE.atMost) return order <= 0
  return op === PREDICATE.before ? order < 0 : order > 0
}

/** Of canonical values: dates have four digits of year, decimals the same number of digits after the point. */
function compare({ valueType }: Schema, a: string, b: string): number {
  if (valueType === VALUE_TYPE.date) return a < b ? -1 : Number(a > b)
  const [left, right] = [units(a), units(b)]
  return left < right ? -1 : Number(left > right)
}

const units = (canonical: string): bigint => BigInt(canonical.replace('.', ''))
