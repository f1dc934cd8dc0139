/** Attribute files: what `concordat attribute register` and the section `attributes` of genesis.json take. */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { z } from 'zod'
import { QUORUM, QUORUM_OF } from '../../src/contracts/codes.js'
import { attributeSchema, toAttribute } from '../../src/node/attributeFile.js'

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
