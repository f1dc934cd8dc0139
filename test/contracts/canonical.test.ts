/** Canonical values, check characters, text ids, and the three functions that work on plain values. */
import fc from 'fast-check'
import t from 'tap'
import { canonicalise } from '../../src/contracts/canonical.js'
import { daysOfDate, isCreditCode, isResidentId } from '../../src/contracts/checkCharacters.js'
import { CASE_RULE, CHECKSUM, VALUE_TYPE } from '../../src/contracts/codes.js'
import { DataDistribution, DataSplit, DataValidation, profilesByName } from '../../src/contracts/dataFunctions.js'
import type { Schema } from '../../src/contracts/genesisTypes.js'
import { attributeId, idText, TextIdError, textId } from '../../src/contracts/textId.js'
import { attributeValueBytesMax } from '../../src/core/limits.js'
import { BANK_ACCOUNT, CAPITAL, ENVELOPE, FINANCE, LEGAL_REPRESENTATIVE, MARKET, profile, word } from './world.js'

const TEXT: Schema = { valueType: VALUE_TYPE.text, checksum: 0, caseRule: 0, scale: 0, lengthMax: 40, min: 0n, max: 0n }
const schema = (changes: Partial<Schema>): Schema => ({ ...TEXT, ...changes })
const INTEGER = schema({ valueType: VALUE_TYPE.integer })
const DECIMAL = schema({ valueType: VALUE_TYPE.decimal, scale: 2 })
const DATE = schema({ valueType: VALUE_TYPE.date })
const CREDIT_CODE = schema({ valueType: VALUE_TYPE.code, checksum: CHECKSUM.gb32100, caseRule: CASE_RULE.upper })
const RESIDENT = schema({ valueType: VALUE_TYPE.code, checksum: CHECKSUM.gb11643, caseRule: CASE_RULE.upper })

const result = (of: Schema, text: string): string => {
  const canonical = canonicalise(of, text)
  return canonical.ok ? canonical.value : canonical.code
}

t.test('canonical forms', async (t) => {
  const rows: [Schema, string, string][] = [
    [TEXT, '  深圳市  科技 \n', '深圳市  科技'],
    [TEXT, 'Cafe\u0301', 'Caf\u00e9'],
    [TEXT, ' \t\u3000 ', 'VACANT'],
    [TEXT, '', 'VACANT'],
    [TEXT, 'a\u0000b', 'BAD_CHARACTER'],
    [TEXT, 'a\ud800b', 'BAD_CHARACTER'],
    [TEXT, '字'.repeat(40), '字'.repeat(40)],
    [TEXT, '字'.repeat(41), 'TOO_LONG'],
    [TEXT, '𠮷'.repeat(40), '𠮷'.repeat(40)],
    [TEXT, 'x'.repeat(attributeValueBytesMax + 1), 'TOO_LONG'],
    [schema({ caseRule: CASE_RULE.upper }), 'Ab1', 'AB1'],
    [schema({ caseRule: CASE_RULE.lower }), 'Ab1', 'ab1'],
    [INTEGER, '007', '7'],
    [INTEGER, '+12', '12'],
    [INTEGER, '-0', '0'],
    [INTEGER, '-012', '-12'],
    [INTEGER, '12.0', 'NOT_AN_INTEGER'],
    [INTEGER, '1,200', 'NOT_AN_INTEGER'],
    [INTEGER, '0x10', 'NOT_AN_INTEGER'],
    [INTEGER, '0'.repeat(4000), 'NOT_AN_INTEGER'],
    [INTEGER, '9007199254740993', '9007199254740993'],
    [DECIMAL, '1200', '1200.00'],
    [DECIMAL, '01200.5', '1200.50'],
    [DECIMAL, '1200.5000', '1200.50'],
    [DECIMAL, '1200.505', 'TOO_PRECISE'],
    [DECIMAL, '-0.00', '0.00'],
    [DECIMAL, '.5', 'NOT_A_DECIMAL'],
    [DECIMAL, '1e3', 'NOT_A_DECIMAL'],
    [DATE, '2020-02-29', '2020-02-29'],
    [DATE, '2020/2/9', '2020-02-09'],
    [DATE, '2020.2.9', '2020-02-09'],
    [DATE, '20200209', '2020-02-09'],
    [DATE, '2020年2月9日', '2020-02-09'],
    [DATE, '2021-02-29', 'NOT_A_DATE'],
    [DATE, '2021-13-01', 'NOT_A_DATE'],
    [DATE, '2021-2', 'NOT_A_DATE'],
    [DATE, '0000-01-01', 'NOT_A_DATE'],
    [CREDIT_CODE, '91440300708461136t', '91440300708461136T'],
    [CREDIT_CODE, '91440300708461137T', 'BAD_CHECK_CHARACTER'],
    [RESIDENT, '11010519491231002x', '11010519491231002X'],
    [RESIDENT, '110105194912310021', 'BAD_CHECK_CHARACTER'],
  ]
  for (const [of, text, expected] of rows) t.equal(result(of, text), expected, JSON.stringify(text.slice(0, 30)))
})

t.test('bounds hold at the limit', async (t) => {
  const whole = schema({ valueType: VALUE_TYPE.integer, min: -2n, max: 3n })
  t.same(
    ['-3', '-2', '3', '4'].map((v) => result(whole, v)),
    ['OUT_OF_RANGE', '-2', '3', 'OUT_OF_RANGE'],
  )
  const money = schema({ valueType: VALUE_TYPE.decimal, scale: 2, min: 1n, max: 100n })
  t.same(
    ['0', '0.01', '1', '1.01'].map((v) => result(money, v)),
    ['OUT_OF_RANGE', '0.01', '1.00', 'OUT_OF_RANGE'],
  )
  const date = schema({ valueType: VALUE_TYPE.date, min: 0n, max: 1n })
  t.same(
    ['1969-12-31', '1970-01-01', '1970-01-03'].map((v) => result(date, v)),
    ['OUT_OF_RANGE', '1970-01-01', 'OUT_OF_RANGE'],
  )
})

t.test('a canonical form is its own canonical form', async () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.integer().map(String))
  const number = fc.stringMatching(/^[+-]?[0-9]{1,12}(\.[0-9]{1,4})?$/)
  const schemas = fc.constantFrom(TEXT, INTEGER, DECIMAL, DATE, schema({ caseRule: 1 }), schema({ caseRule: 2 }))
  fc.assert(
    fc.property(schemas, fc.oneof(text, number), (of, given) => {
      const first = canonicalise(of, given)
      if (!first.ok) return
      const again = canonicalise(of, first.value)
      if (!again.ok || again.value !== first.value) throw new Error(`${first.value} becomes ${JSON.stringify(again)}`)
    }),
    { numRuns: 2_000 },
  )
})

t.test('every single wrong character of an identifier is noticed', async (t) => {
  const alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY'
  const code = '91350100M000100Y43'
  t.equal(isCreditCode(code), true)
  let passed = 0
  for (let i = 0; i < 18; i++) {
    for (const wrong of alphabet)
      if (wrong !== code[i] && isCreditCode(code.slice(0, i) + wrong + code.slice(i + 1))) passed++
  }
  t.equal(passed, 0)
  const id = '34052419800101001X'
  t.equal(isResidentId(id), true)
  for (let i = 0; i < 17; i++) {
    for (const wrong of '0123456789')
      if (wrong !== id[i] && isResidentId(id.slice(0, i) + wrong + id.slice(i + 1))) passed++
  }
  t.equal(passed, 0)
  t.equal(isResidentId('340524198002300014'), false, '30 February')
  t.same([daysOfDate(1970, 1, 1), daysOfDate(2000, 2, 29), daysOfDate(1900, 2, 29)], [0, 11016, undefined])
})

t.test('text ids', async (t) => {
  fc.assert(fc.property(fc.stringMatching(/^[!-~]{1,32}$/), (text) => idText(textId(text)) === text))
  t.equal(textId('ab'), `0x6162${'00'.repeat(30)}`)
  for (const bad of ['', 'x'.repeat(33), 'a b', '深']) t.throws(() => textId(bad, 'name'), TextIdError)
  for (const bad of ['00', '6100620000']) t.throws(() => idText(`0x${bad.padEnd(64, '0')}` as never), TextIdError)
})

const PROFILES = profilesByName([
  profile(CAPITAL, [MARKET]),
  profile(BANK_ACCOUNT, [FINANCE]),
  profile(LEGAL_REPRESENTATIVE, [MARKET, FINANCE]),
])

t.test('DataValidation names every faulty attribute and never its value', async (t) => {
  const secret = 'secret'.repeat(40)
  const values = new Map([
    ['registeredCapital', ' 100 '],
    ['bankAccount', ' '],
    ['legalRepresentative', secret],
    ['x', '1'],
  ])
  const { ok, errors, values: canonical } = DataValidation(PROFILES, values)
  t.equal(ok, false)
  t.same(
    errors.map(({ attribute, code }) => [attribute, code]),
    [
      ['bankAccount', 'VACANT'],
      ['legalRepresentative', 'TOO_LONG'],
      ['x', 'UNKNOWN_ATTRIBUTE'],
    ],
  )
  t.notOk(errors.some((error) => error.message.includes('secret')))
  t.same([...canonical], [['registeredCapital', '100']])
})

t.test('DataSplit gives each supervisor its attributes, whatever the order', async (t) => {
  const values = [
    ['legalRepresentative', '王'],
    ['registeredCapital', '1'],
    ['bankAccount', '2'],
  ] as const
  const parts = DataSplit(PROFILES, new Map(values))
  const shape = parts.map((part) => [part.recipient, part.items.map((item) => item.attribute)])
  t.same(shape, [
    [MARKET, ['legalRepresentative', 'registeredCapital']],
    [FINANCE, ['bankAccount', 'legalRepresentative']],
  ])
  t.same(DataSplit(PROFILES, new Map([...values].reverse())), parts)
  t.throws(() => DataSplit(PROFILES, new Map([['x', '1']])), RangeError)
})

t.test('DataDistribution seals each part with its digests', async (t) => {
  const parts = DataSplit(PROFILES, new Map([['registeredCapital', '1']]))
  const sealed = DataDistribution(parts, {
    digest: (item) => word(`${item.attribute}=${item.value}`),
    keyEpoch: () => 4n,
    seal: (part, attributes, digests, keyEpoch) => {
      t.same([part.recipient, attributes, digests, keyEpoch], [MARKET, [CAPITAL], [word('registeredCapital=1')], 4n])
      return ENVELOPE
    },
  })
  const attributes = [attributeId('registeredCapital')]
  t.same(sealed, [
    { recipient: MARKET, keyEpoch: 4n, attributes, digests: [word('registeredCapital=1')], envelope: ENVELOPE },
  ])
})
