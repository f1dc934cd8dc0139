/** Service rules end to end: departments answer predicates from their databases, the contract decides, nobody sees a value. */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { z } from 'zod'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import {
  decideService,
  evaluate,
  publishPolicy,
  readDecision,
  readPolicies,
  readPolicy,
} from '../../src/agent/eligibility.js'
import { type PolicyFile, policyFileSchema, toPolicy } from '../../src/agent/policyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { textId } from '../../src/contracts/textId.js'
import { toHex } from '../../src/core/bytes.js'
import { readConfig } from '../../src/node/configFile.js'
import { World } from './support/world.js'

const SCHEMA = 'schemas/policy.schema.json'
const EXAMPLE = 'examples/eligibility/innovation-grant.yaml'
const samples = datasetSamples({ records: 500 })

const policyOf = (conditions: object[], id = 'grant'): PolicyFile =>
  toPolicy(policyFileSchema.parse({ id, title: 'A grant', purpose: 'grant', conditions }))

t.test('decided from the answers of two departments; the next decision needs no question', async (t) => {
  const company = samples.complete
  const world = new World({ companies: [company] })
  const services = await world.serveAll()
  const calls: string[] = []
  const connection = world.connect(world.asker, world.chain.client(calls))
  const options = { encryptionKeys: [world.asker.encryption.privateKey], answerTimeoutMs: 5_000 }
  const requester = new Requester(options, connection)
  const { truth } = company
  const employees = Number(truth.employees)
  const policy = policyOf([
    { attribute: 'employees', atLeast: employees },
    { attribute: 'employees', atMost: employees },
    { attribute: 'registrationDate', before: '2099-01-01' },
    {
      anyOf: [
        { attribute: 'inventionPatents', atLeast: Number(truth.inventionPatents) + 1 },
        { attribute: 'openingBank', oneOf: ['Another bank', truth.openingBank] },
      ],
    },
  ])
  t.match(await publishPolicy(connection, policy), { version: 1 })
  const enterpriseId = textId(truth.unifiedSocialCreditCode)
  const before = await evaluate(connection.client, await readPolicy(connection.client, 'grant'), enterpriseId)
  t.match(before, { decisionId: null, outcome: 'undecided' })

  const decision = await decideService(connection, requester, { policy: 'grant', enterpriseId })
  t.match(decision, { decisionId: 1n, outcome: 'eligible', policy: 'grant', version: 1 })
  t.same(
    decision.conditions.map(({ attribute, comparison, result }) => [attribute, comparison, result]),
    [
      ['employees', 'atLeast', 'met'],
      ['employees', 'atMost', 'met'],
      ['registrationDate', 'before', 'met'],
      ['inventionPatents', 'atLeast', 'notMet'],
      ['openingBank', 'oneOf', 'met'],
    ],
  )
  const { outcome, conditions } = await readDecision(connection.client, 1n)
  t.same({ outcome, conditions }, { outcome: decision.outcome, conditions: decision.conditions })

  calls.length = 0
  const again = await decideService(connection, requester, { policy: 'grant', enterpriseId })
  t.equal(again.decisionId, 2n)
  t.equal(calls.filter((method) => method === 'eth_sendRawTransaction').length, 1, 'only the decision')

  const strict = policyOf([{ attribute: 'employees', atLeast: employees + 1 }])
  t.match(await publishPolicy(connection, strict), { version: 2 })
  t.match(await decideService(connection, requester, { policy: 'grant', enterpriseId }), {
    outcome: 'ineligible',
    version: 2,
    conditions: [{ result: 'notMet' }],
  })
  t.match(await readPolicies(connection.client), [{ id: 'grant', version: 2, open: true }])

  const sent = world.chain.sent.map((raw) => toHex(raw)).join()
  for (const secret of [truth.bankAccount, truth.registrationAddress, truth.legalRepresentativeId]) {
    t.notOk(sent.includes(Buffer.from(secret).toString('hex')), 'no value is on chain')
  }
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test('no record, an empty field, and a value that cannot be compared', async (t) => {
  const { missing, vacant } = samples
  const world = new World({ companies: [missing, vacant] })
  const odd = await world.database('market-regulation')
  const locator = { companyName: vacant.truth.companyName, creditCode: vacant.truth.unifiedSocialCreditCode }
  await odd.apply({ writes: [{ locator, values: new Map([['employees', 'some forty']]) }] })
  const services = await world.serveAll()
  const connection = world.connect(world.asker)
  const options = { encryptionKeys: [world.asker.encryption.privateKey], answerTimeoutMs: 5_000 }
  const requester = new Requester(options, connection)
  await publishPolicy(connection, policyOf([{ attribute: 'employees', atLeast: 1 }]))
  const about = (company: typeof missing) => textId(company.truth.unifiedSocialCreditCode)
  const odds = await decideService(connection, requester, { policy: 'grant', enterpriseId: about(vacant) })
  t.match(odds, { decisionId: null, outcome: 'undecided', conditions: [{ result: 'open' }] }, 'refused, so still open')

  const attribute = 'inventionPatents'
  await publishPolicy(connection, policyOf([{ attribute, atLeast: 0 }], 'patents'))
  for (const company of [missing, vacant]) {
    const held = company.rows.find(({ department }) => department === 'intellectual-property')?.values[attribute]
    const expected = held === undefined ? 'missing' : held === '' ? 'vacant' : 'met'
    const found = await decideService(connection, requester, { policy: 'patents', enterpriseId: about(company) })
    t.equal(found.conditions[0]?.result, expected)
    t.equal(found.outcome, expected === 'met' ? 'eligible' : 'ineligible')
  }
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test('operands that do not fit are told before anything is sent', async (t) => {
  const world = new World({ companies: [] })
  const connection = world.connect(world.asker)
  const wrong = [
    [{ attribute: 'employees', atLeast: 'many' }, /condition on employees: operand must be a whole number/],
    [{ attribute: 'employees', before: '2020-01-01' }, /does not fit the type/],
    [{ attribute: 'unknown', atLeast: 1 }, /UnknownAttribute/],
  ] as const
  for (const [condition, message] of wrong)
    await t.rejects(publishPolicy(connection, policyOf([condition])), { message })
  t.equal(world.chain.sent.length, 0)
  world.close()
})

t.test('files: the example, its schema, and what is wrong with others', async (t) => {
  const example = toPolicy(readConfig(policyFileSchema, EXAMPLE, { env: {} }))
  t.equal(example.conditions.length, 6)
  t.match(example.conditions[1], { clause: 1, comparison: 'before', operands: ['2025-01-01'] })
  const json = z.toJSONSchema(policyFileSchema, { io: 'input' })
  const schema = { $id: 'policy.schema.json', title: 'Service rule', ...json }
  if (process.env.WRITE_SCHEMAS === '1') writeFileSync(SCHEMA, `${JSON.stringify(schema, null, 2)}\n`)
  t.same(JSON.parse(readFileSync(SCHEMA, 'utf8')), JSON.parse(JSON.stringify(schema)), 'the published schema')
  for (const condition of [
    { attribute: 'employees' },
    { attribute: 'employees', atLeast: 1, atMost: 2 },
    { attribute: 'employees', equals: 1 },
    { anyOf: [{ attribute: 'employees', atLeast: 1 }] },
    { attribute: 'employees', oneOf: [] },
  ]) {
    t.throws(() => policyOf([condition]), `${JSON.stringify(condition)}`)
  }
})
