/** Attribute files: what `concordat attribute register` and the section `attributes` of genesis.json take. */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { z } from 'zod'
import { QUORUM, QUORUM_OF } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { asAddress } from '../../src/core/bytes.js'
import { attributeSchema, toAttribute, unknownMembers } from '../../src/node/attributeFile.js'

const FILE = 'schemas/attribute.schema.json'
const entry = (quorum: unknown) => ({
  attribute: 'registeredCapital',
  schema: { valueType: 'decimal', scale: 2 },
  supervisors: [`0x${'11'.repeat(20)}`, `0x${'22'.repeat(20)}`],
  rule: { quorum },
})

t.test('the quorum of a rule, by name or number', async (t) => {
  const codeOf = (quorum: unknown) => toAttribute(attributeSchema.parse(entry(quorum)), () => undefined).rule.quorum
  t.equal(codeOf('all'), QUORUM.all)
  t.equal(codeOf('any'), QUORUM.any)
  t.equal(codeOf('credit-weighted'), QUORUM.creditWeighted)
  t.equal(codeOf(2), QUORUM_OF(2))
  for (const quorum of ['most', 'creditWeighted', 0, 17]) t.throws(() => codeOf(quorum))
})

t.test('the published JSON Schema is the one that is checked', async (t) => {
  const json = z.toJSONSchema(attributeSchema, { io: 'input' })
  const schema = { $id: 'attribute.schema.json', title: 'Attribute', ...json }
  if (process.env.WRITE_SCHEMAS === '1') writeFileSync(FILE, `${JSON.stringify(schema, null, 2)}\n`)
  t.same(JSON.parse(readFileSync(FILE, 'utf8')), JSON.parse(JSON.stringify(schema)))
})

t.test('terms, members by id, and what the chain could not hold', async (t) => {
  const MARKET = asAddress(`0x${'11'.repeat(20)}`)
  const named = {
    ...entry('all'),
    supervisors: ['market'],
    terms: {
      askers: ['market', `0x${'AB'.repeat(20)}`],
      purposes: ['licence'],
      statutes: ['act-1'],
      exceptions: ['licence'],
    },
    description: 'in yuan',
  }
  const { supervisors, terms, details } = toAttribute(attributeSchema.parse(named), () => MARKET)
  t.same(supervisors, [MARKET])
  t.same(terms, {
    askers: [MARKET, `0x${'ab'.repeat(20)}`],
    purposes: [textId('licence')],
    statutes: [textId('act-1')],
    exceptions: [textId('licence')],
  })
  t.same(details, { description: 'in yuan', codes: [] })
  t.same(
    unknownMembers(attributeSchema.parse(named), () => undefined).map(({ field }) => field),
    ['supervisors.0', 'terms.askers.0'],
  )
  const refused = (changes: object) => attributeSchema.safeParse({ ...named, ...changes }).success === false
  t.ok(refused({ schemaVersion: 2 ** 32 }))
  t.ok(refused({ schema: { valueType: 'integer', max: String(2n ** 255n) } }))
  t.ok(refused({ rule: { validityBlocks: -1 } }))
  t.ok(refused({ rule: { deadlineBlocks: String(2n ** 64n) } }))
  t.ok(refused({ terms: { purposes: ['two words'] } }))
  t.ok(refused({ terms: { purposes: Array.from({ length: 33 }, (_, i) => `p${i}`) } }))
  t.ok(refused({ supervisors: ['schön'] }))
})
