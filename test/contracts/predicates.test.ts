/** Predicates: what they say of values, beside plain arithmetic; their ids. */
import fc from 'fast-check'
import t from 'tap'
import { PREDICATE, VALUE_TYPE } from '../../src/contracts/codes.js'
import type { Schema } from '../../src/contracts/genesisTypes.js'
import { meets, type Predicate, predicateId, predicateOperands } from '../../src/contracts/predicates.js'
import { attributeId } from '../../src/contracts/textId.js'
import { predicateOperandsMax } from '../../src/core/limits.js'

const schema = (valueType: number, changes: Partial<Schema> = {}): Schema => {
  return { valueType, checksum: 0, caseRule: 0, scale: 0, lengthMax: 64, min: 0n, max: 0n, ...changes }
}
const INTEGER = schema(VALUE_TYPE.integer)
const DECIMAL = schema(VALUE_TYPE.decimal, { scale: 2 })
const DATE = schema(VALUE_TYPE.date)
const CODE = schema(VALUE_TYPE.code, { caseRule: 1 })

function says(of: Schema, op: number, operands: readonly string[], held: string): boolean | undefined {
  const checked = predicateOperands(of, op, operands)
  if (!checked.ok) throw new Error(checked.problem)
  return meets(of, { attribute: attributeId('a'), schemaVersion: 1, op, operands: checked.operands }, held)
}

t.test('numbers are compared as numbers', async (t) => {
  const number = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n })
  const property = fc.property(number, number, (held, bound) => {
    const text = (value: bigint) => (value >= 0n && value % 2n === 0n ? `+00${value}` : String(value))
    return (
      says(INTEGER, PREDICATE.atLeast, [String(bound)], text(held)) === held >= bound &&
      says(INTEGER, PREDICATE.atMost, [String(bound)], text(held)) === held <= bound
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
  const cents = fc.integer({ min: -(10 ** 9), max: 10 ** 9 })
  const decimals = fc.property(cents, cents, (held, bound) => {
    const text = (value: number) => (value / 100).toFixed(2)
    return says(DECIMAL, PREDICATE.atLeast, [text(bound)], text(held)) === held >= bound
  })
  t.doesNotThrow(() => fc.assert(decimals, { numRuns: 300 }))
  t.equal(says(DECIMAL, PREDICATE.atLeast, ['9'], '10.00'), true, 'not as text')
})

t.test('dates, in whatever form they are held', async (t) => {
  t.equal(says(DATE, PREDICATE.before, ['2020-02-01'], '2020/1/31'), true)
  t.equal(says(DATE, PREDICATE.before, ['2020-02-01'], '20200201'), false, 'the day itself is not before')
  t.equal(says(DATE, PREDICATE.after, ['2020-02-01'], '2020年2月2日'), true)
  t.equal(says(DATE, PREDICATE.after, ['2020-02-01'], '2020-02-01'), false)
  t.equal(says(DATE, PREDICATE.oneOf, ['2020-02-01'], '2020.2.1'), true)
})

t.test('one of several codes', async (t) => {
  t.equal(says(CODE, PREDICATE.oneOf, ['c13', 'C14'], 'C13'), true, 'by the case rule of the schema')
  t.equal(says(CODE, PREDICATE.oneOf, ['c13'], 'C15'), false)
  t.equal(says(CODE, PREDICATE.oneOf, ['c13'], ' '), undefined, 'an empty value says nothing')
  t.equal(says(INTEGER, PREDICATE.atLeast, ['3'], 'about three'), undefined, 'nor does one that is no number')
  t.equal(
    says(schema(VALUE_TYPE.integer, { min: 1n, max: 9n }), PREDICATE.atLeast, ['3'], '12'),
    true,
    'bounds are of declarations',
  )
})

t.test('operands: canonical, in order, each once; what does not fit is refused', async (t) => {
  t.same(predicateOperands(CODE, PREDICATE.oneOf, ['b', 'a', 'B']), { ok: true, operands: ['A', 'B'] })
  const many = (count: number) => Array.from({ length: count }, (_, i) => `c${i}`)
  t.equal(predicateOperands(CODE, PREDICATE.oneOf, many(predicateOperandsMax)).ok, true)
  t.equal(predicateOperands(CODE, PREDICATE.oneOf, many(predicateOperandsMax + 1)).ok, false)
  const refused: [Schema, number, string[]][] = [
    [CODE, PREDICATE.atLeast, ['a']],
    [DATE, PREDICATE.atLeast, ['2020-01-01']],
    [INTEGER, PREDICATE.before, ['3']],
    [INTEGER, PREDICATE.atLeast, []],
    [INTEGER, PREDICATE.atLeast, ['3', '4']],
    [INTEGER, PREDICATE.atLeast, ['three']],
    [INTEGER, 0, ['3']],
    [INTEGER, 6, ['3']],
  ]
  for (const [of, op, operands] of refused) t.equal(predicateOperands(of, op, operands).ok, false, `${op} ${operands}`)
})

t.test('ids differ wherever predicates do', async (t) => {
  const base: Predicate = {
    attribute: attributeId('staff'),
    schemaVersion: 1,
    op: PREDICATE.oneOf,
    operands: ['a', 'bc'],
  }
  const others: Predicate[] = [
    { ...base, attribute: attributeId('patents') },
    { ...base, schemaVersion: 2 },
    { ...base, op: PREDICATE.atLeast },
    { ...base, operands: ['ab', 'c'] },
    { ...base, operands: ['a', 'bc', ''] },
    { ...base, operands: ['abc'] },
  ]
  t.equal(new Set([base, ...others].map(predicateId)).size, others.length + 1)
  t.equal(predicateId(base), predicateId({ ...base, operands: [...base.operands] }))
})
