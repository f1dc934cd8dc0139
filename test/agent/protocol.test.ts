import path from 'node:path'
import t from 'tap'
import { credit, view } from '../../src/agent/contractClient.js'
import { type DatasetCompany, datasetSamples } from '../../src/agent/dataset/generate.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { toHex, utf8 } from '../../src/core/bytes.js'
import { type Account, declarationOf, World } from './support/world.js'

const samples = datasetSamples({ records: 500 })
const companies = Object.values(samples)

function submit(world: World, company: DatasetCompany, dir: string, changes: Record<string, string> = {}) {
  const enterprise = world.enterprises.get(company) as Account
  const portraitKeyFile = path.join(dir, `${enterprise.id}.json`)
  return new EnterpriseProxy({ portraitKeys: portraitKeysIn(portraitKeyFile) }, world.connect(enterprise)).submit(
    declarationOf(company, changes),
  )
}

function requester(world: World, member = world.asker, calls: string[] = []): Requester {
  const options = { encryptionKeys: [member.encryption.privateKey], answerTimeoutMs: 5_000 }
  return new Requester(options, world.connect(member, world.chain.client(calls)))
}

t.test('store: every department accepts its part and holds the declared values', async (t) => {
  const world = new World({ companies })
  const services = await world.serveAll()
  const dir = t.testdir()
  const company = samples.absent
  const report = await submit(world, company, dir)
  t.equal(report.parts.length, 3)
  t.ok(report.parts.every(({ status, code }) => status === 'accepted' && code === 'ok'))
  t.equal(report.portraitVersion, 1)
  t.same(report.sharedWith, [...world.departments.keys(), 'government-service'])
  for (const part of report.parts) {
    const department = [...world.departments.values()].find(({ address }) => address === part.address)
    const database = await world.database(department?.id ?? '')
    const record = await database.find({ companyName: company.truth.companyName, creditCode: report.creditCode })
    for (const attribute of part.attributes) {
      t.equal(
        record?.values.get(attribute),
        company.truth[attribute as 'companyName'],
        `${part.department} ${attribute}`,
      )
    }
  }
  const again = await submit(world, company, dir, { employees: '77' })
  t.equal(again.portraitVersion, 1, 'the same portrait key')
  t.same(again.sharedWith, [], 'shared once')
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test(
  'query: true, wrong, missing and vacant values; then the same from the portrait with one eth_call',
  async (t) => {
    const world = new World({ companies })
    const services = await world.serveAll()
    const dir = t.testdir()
    // The databases know of the submissions only what they knew before: a new record would hide what is missing.
    for (const company of [samples.complete, samples.missing, samples.vacant, samples.partial, samples.absent]) {
      const enterprise = world.enterprises.get(company) as Account
      const proxy = new EnterpriseProxy(
        { portraitKeys: portraitKeysIn(path.join(dir, enterprise.id)) },
        world.connect(enterprise),
      )
      const name = declarationOf(company)
      const onlyName = new Map([['companyName', company.truth.companyName]])
      await proxy.submit({ ...name, values: onlyName })
      const calls: string[] = []
      const ask = requester(world, world.asker, calls)
      const wrong = { employees: '99999', legalRepresentative: '某某某' }
      const { enterpriseId, values } = declarationOf(company, wrong)
      const cold = await ask.verify({ enterpriseId, values })
      t.not(cold.requestId, null)
      for (const row of cold.attributes) {
        const rows = company.rows.filter(({ values }) => row.attribute in values)
        const held = rows[0]?.values[row.attribute as 'companyName']
        const expected = held === undefined ? 'missing' : held === '' ? 'vacant' : 'exists'
        t.equal(row.status, expected, `${row.attribute} ${expected}`)
        t.equal(row.confirmed, expected === 'exists' && !(row.attribute in wrong), `${row.attribute} confirmed`)
        t.equal(row.fromPortrait, false)
        t.equal(row.attesters.length, 1)
        t.ok((row.height ?? 0) > 0)
      }
      calls.length = 0
      const warm = await ask.verify({ enterpriseId, values })
      t.same(calls, ['eth_call'], 'one call')
      t.equal(warm.requestId, null)
      const plain = (rows: typeof cold.attributes) => rows.map(({ ms, fromPortrait, ...row }) => row)
      t.same(plain(warm.attributes), plain(cold.attributes))
      t.ok(warm.attributes.every((row) => row.fromPortrait))
      const other = await requester(world, world.department('finance')).verify({ enterpriseId, values })
      t.equal(other.requestId, null, 'another department finds the same portrait')
    }
    await Promise.all(services.map((service) => service.stop()))
    world.close()
  },
)

t.test('a report says where the time went; the agents log their share of it', async (t) => {
  const world = new World({ companies })
  const services = await world.serveAll()
  await submit(world, samples.complete, t.testdir())
  const { enterpriseId, values } = declarationOf(samples.complete)
  const ask = requester(world)
  const cold = await ask.verify({ enterpriseId, values })
  const phases = Object.values(cold.phases)
  t.ok(phases.every((ms) => ms > 0))
  t.ok(phases.reduce((sum, ms) => sum + ms, 0) <= cold.ms)
  const warm = await ask.verify({ enterpriseId, values })
  t.match(warm.phases, { sendMs: 0, finalMs: 0, answersMs: 0 })
  t.ok(warm.phases.lookupMs > 0 && warm.phases.lookupMs <= warm.ms)
  await Promise.all(services.map((service) => service.stop()))
  for (const of of ['question answered {"request":"1",', 'messages are final {"requests":["1"],']) {
    const lines = world.logged.filter((line) => line.startsWith(`info ${of}`))
    t.equal(lines.length, 3, 'one a supervisor')
    t.ok(lines.every((line) => JSON.parse(line.slice(line.indexOf('{'))).ms > 0))
  }
  world.close()
})

t.test('an accepted new value is asked for anew', async (t) => {
  const world = new World({ companies })
  const services = await world.serveAll()
  const dir = t.testdir()
  const ask = requester(world)
  await submit(world, samples.complete, dir)
  const { enterpriseId, values } = declarationOf(samples.complete)
  await ask.verify({ enterpriseId, values })
  await submit(world, samples.complete, dir, { employees: '4321' })
  const report = await ask.verify({ enterpriseId, values })
  const employees = report.attributes.find(({ attribute }) => attribute === 'employees')
  t.match(employees, { status: 'exists', confirmed: false, fromPortrait: false })
  const changed = await ask.verify({ enterpriseId, values: new Map([['employees', '4321']]) })
  t.match(changed.attributes[0], { confirmed: true, fromPortrait: false })
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test(
  'jointly supervised: each supervisor answers; a silent one leaves it unanswered until the deadline, and on record',
  async (t) => {
    const joint = { employees: ['market-regulation', 'intellectual-property'] }
    const world = new World({ companies, joint, deadlineBlocks: 3n })
    const services = await world.serveAll()
    const dir = t.testdir()
    const { enterpriseId, values } = declarationOf(samples.complete)
    await submit(world, samples.complete, dir)
    const ask = requester(world)
    const both = await ask.verify({ enterpriseId, values })
    const employees = both.attributes.find(({ attribute }) => attribute === 'employees')
    t.match(employees, { status: 'exists', confirmed: true })
    t.equal(employees?.attesters.length, 2)
    await services[2]?.stop()
    const asking = ask.verify({
      enterpriseId,
      values: new Map([
        ['employees', '1'],
        ['registeredCapital', '5.00'],
      ]),
    })
    const beats = setInterval(() => world.chain.seal(), 20)
    const partly = await asking
    clearInterval(beats)
    t.match(partly.attributes, [
      { status: 'unanswered', height: null },
      { status: 'exists', confirmed: false },
    ])
    world.chain.seal()
    const recordOf = (id: string) =>
      view(world.chain.client(), credit, 'recordOf', { member: world.departments.get(id)!.address })
    t.match(await recordOf('intellectual-property'), { unanswered: 1 }, 'the silence is on record')
    t.match(await recordOf('market-regulation'), { unanswered: 0 })
    await Promise.all(services.slice(0, 2).map((service) => service.stop()))
    world.close()
  },
)

t.test('clear refusals', async (t) => {
  const world = new World({ companies })
  const services = await world.serveAll()
  const dir = t.testdir()
  const company = samples.complete
  const { enterpriseId, values } = declarationOf(company)
  const ask = requester(world)
  await t.rejects(ask.verify({ enterpriseId, values }), { code: 'NO_PORTRAIT_KEY', message: /submitted nothing/ })
  await submit(world, company, dir)
  const invalid = new Map([
    ['employees', 'many'],
    ['shoeSize', '45'],
  ])
  await t.rejects(ask.verify({ enterpriseId, values: invalid }), {
    code: 'INVALID_VALUES',
    faults: [
      { attribute: 'employees', code: 'NOT_AN_INTEGER' },
      { attribute: 'shoeSize', code: 'UNKNOWN_ATTRIBUTE' },
    ],
  })
  for (let guess = 0; guess < 5; guess++)
    await ask.verify({ enterpriseId, values: new Map([['employees', `${guess}`]]) })
  await t.rejects(ask.verify({ enterpriseId, values: new Map([['employees', '7']]) }), {
    code: 'QUESTION_REFUSED',
    reason: 'budgetSpent',
    attribute: 'employees',
  })
  const enterprise = world.enterprises.get(samples.missing) as Account
  const proxy = new EnterpriseProxy({ portraitKeys: portraitKeysIn(path.join(dir, 'x')) }, world.connect(enterprise))
  await t.rejects(proxy.submit(declarationOf(company)), { code: 'OTHER_ENTERPRISE' })
  await t.rejects(proxy.submit(declarationOf(samples.missing, { registrationDate: '2020-02-30' })), {
    code: 'INVALID_VALUES',
    message: /registrationDate/,
  })
  const stranger = { ...enterprise, privateKey: new Uint8Array(32).fill(200) }
  const outside = new EnterpriseProxy({ portraitKeys: portraitKeysIn(path.join(dir, 'y')) }, world.connect(stranger))
  await t.rejects(outside.submit(declarationOf(samples.missing)), { code: 'NOT_A_MEMBER' })
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test('no value is readable in what is sent', async (t) => {
  const world = new World({ companies })
  const services = await world.serveAll()
  const canary = {
    registrationAddress: '成都市金丝雀路十一号',
    openingBank: '金丝雀银行',
    bankAccount: '6212260000000000017',
  }
  await submit(world, samples.complete, t.testdir(), canary)
  const { enterpriseId, values } = declarationOf(samples.complete, canary)
  await requester(world).verify({ enterpriseId, values })
  t.ok(world.chain.sent.length >= 5)
  t.ok(world.logged.length >= 6)
  const all = world.chain.sent.map(toHex).join() + JSON.stringify(world.chain.logs()) + world.logged.join()
  const secret = Object.entries(samples.complete.truth).filter(([, value]) => utf8(value).length >= 8)
  const names = new Set(['companyName', 'unifiedSocialCreditCode'])
  for (const [attribute, value] of [...Object.entries(canary), ...secret]) {
    if (!names.has(attribute) && (all.includes(value) || all.includes(toHex(utf8(value)).slice(2))))
      t.fail(`${attribute} is readable`)
  }
  t.ok(
    all.includes(toHex(utf8(samples.complete.truth.unifiedSocialCreditCode)).slice(2)),
    'the search finds what is there',
  )
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})
