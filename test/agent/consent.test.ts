/** Questions on a consent, from the signed file to the answer, over the contracts in memory. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { z } from 'zod'
import {
  type Consent,
  consentIdOf,
  consentSigner,
  grantConsent,
  signConsent,
  signRevocation,
} from '../../src/agent/consent.js'
import { consentFileSchema, formatConsent, parseConsent, readConsent } from '../../src/agent/consentFile.js'
import { consents, dataSharing, view } from '../../src/agent/contractClient.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { contestEntry, readObjections } from '../../src/agent/objection.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { BASIS, OBJECTION_STATUS } from '../../src/contracts/codes.js'
import { attributeId, textId } from '../../src/contracts/textId.js'
import { asHash, ZERO_ADDRESS } from '../../src/core/bytes.js'
import { consentFileBytesMax } from '../../src/core/limits.js'
import { type Account, declarationOf, World } from './support/world.js'

const company = datasetSamples({ records: 500 }).complete
const PURPOSE = textId('policy-declaration')
const SALT = asHash(`0x${'5a'.repeat(32)}`)
const bases = { employees: BASIS.consent, registeredCapital: BASIS.consent }
const { employees, registeredCapital, registrationAddress } = company.truth
const { enterpriseId } = declarationOf(company)
const bound = new Map(Object.entries({ employees, registeredCapital }))
const all = new Map(Object.entries({ employees, registeredCapital, registrationAddress }))

async function worldOf(dir: string) {
  const world = new World({ companies: [company], bases })
  const services = await world.serveAll()
  const enterprise = world.enterprises.get(company) as Account
  const proxy = new EnterpriseProxy(
    { portraitKeys: portraitKeysIn(path.join(dir, 'portrait.json')) },
    world.connect(enterprise),
  )
  await proxy.submit(declarationOf(company))
  const options = { encryptionKeys: [world.asker.encryption.privateKey], answerTimeoutMs: 10_000 }
  const connection = world.connect(world.asker)
  // Blocks come also when nobody sends.
  const beats = setInterval(() => world.chain.seal(), 20)
  const close = async (running: readonly { stop(): Promise<void> }[]) => {
    clearInterval(beats)
    await Promise.all(running.map((service) => service.stop()))
    world.close()
  }
  return { close, world, services, enterprise, requester: new Requester(options, connection), connection }
}

const consentOf = (world: World, changes: Partial<Consent> = {}): Consent => ({
  requester: world.asker.address,
  enterpriseId,
  attributes: [attributeId('employees'), attributeId('registeredCapital')],
  purpose: PURPOSE,
  notAfter: 1_000n,
  uses: 0,
  salt: SALT,
  ...changes,
})

t.test('the file of a consent', async (t) => {
  const world = new World({ companies: [company] })
  const enterprise = world.enterprises.get(company) as Account
  const consent = consentOf(world, { notAfter: 1_806_537_599n, uses: 3 })
  const signed = signConsent(consent, 20261, enterprise.privateKey)
  t.equal(consentSigner(signed), enterprise.address)
  const text = formatConsent(signed)
  t.same(parseConsent(text, 'c.json'), signed)
  t.match(JSON.parse(text), { notAfter: '2027-03-31T23:59:59Z', attributes: ['employees', 'registeredCapital'] })
  const open = signConsent({ ...consent, requester: ZERO_ADDRESS }, 20261, enterprise.privateKey)
  t.match(JSON.parse(formatConsent(open)), { requester: 'any' })
  t.same(parseConsent(formatConsent(open), 'c.json'), open)
  const high = signed.signature.slice()
  high[64]! += 27
  t.equal(consentSigner({ ...signed, signature: high }), enterprise.address, 'as wallets write it')
  t.throws(() => consentSigner({ ...signed, signature: new Uint8Array(65) }), { code: 'FOREIGN_SIGNATURE' })
  const broken = (changes: object) => () => parseConsent(JSON.stringify({ ...JSON.parse(text), ...changes }), 'c.json')
  for (const [field, value] of Object.entries({
    chainId: 0,
    requester: 'somebody',
    attributes: [],
    purpose: 'two words',
    notAfter: '2027-02-30',
    uses: -1,
    salt: '0x00',
    signature: '0x',
    extra: 1,
  })) {
    t.throws(broken({ [field]: value }), { code: 'MALFORMED' }, field)
  }
  t.throws(broken({ notAfter: '2027-99-01T00:00:00Z' }), { code: 'MALFORMED', message: /notAfter/ })
  t.throws(() => parseConsent('{', 'c.json'), { code: 'MALFORMED' })
  const dir = t.testdir({ 'consent.json': text, 'large.json': ' '.repeat(consentFileBytesMax + 1) })
  t.same(await readConsent(path.join(dir, 'consent.json')), signed)
  await t.rejects(readConsent(path.join(dir, 'large.json')), { code: 'MALFORMED' })
  await t.rejects(readConsent(path.join(dir, 'none.json')), { code: 'UNREADABLE' })
  world.close()
})

t.test('the published JSON Schema is the one that is checked', async (t) => {
  const file = path.resolve(process.cwd(), 'schemas/consent.schema.json')
  const schema = { $id: 'consent.schema.json', title: 'Consent', ...z.toJSONSchema(consentFileSchema) }
  if (process.env.WRITE_SCHEMAS === '1') writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`)
  t.same(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(JSON.stringify(schema)))
})

t.test('consent, question, portrait: each use is counted and on record', async (t) => {
  const { world, services, close, enterprise, requester, connection } = await worldOf(t.testdir())
  await t.rejects(requester.verify({ enterpriseId, values: all, purpose: PURPOSE }), {
    code: 'QUESTION_REFUSED',
    reason: 'basisMissing',
    attribute: 'employees',
    message: /on record in 0x/,
  })
  const signed = signConsent(consentOf(world, { uses: 3 }), world.chain.chainId, enterprise.privateKey)
  await t.rejects(grantConsent(connection, { ...signed, chainId: 1 }), { code: 'WRONG_CHAIN' })
  const basis = await grantConsent(connection, signed)
  t.equal(basis, consentIdOf(world.chain.chainId, signed.consent))
  t.equal(await grantConsent(connection, signed), basis, 'once is enough')
  const question = { enterpriseId, purpose: PURPOSE, basis }
  const first = await requester.verify({ ...question, values: new Map([['employees', employees]]) })
  t.match(first.attributes, [{ confirmed: true, fromPortrait: false }])
  const rows = (report: typeof first) => report.attributes.map((row) => [row.confirmed, row.fromPortrait])
  const asked = await requester.verify({ ...question, values: all })
  t.same(rows(asked), [
    [true, false],
    [true, false],
    [true, false],
  ])
  const warm = await requester.verify({ ...question, values: all })
  t.same(rows(warm), [
    [true, true],
    [true, true],
    [true, true],
  ])
  t.equal(warm.requestId, null)
  t.type(warm.portraitTransaction, 'string')
  t.equal((await view(world.chain.client(), consents, 'consentOf', { id: basis })).used, 3)
  await t.rejects(requester.verify({ ...question, values: bound }), {
    code: 'QUESTION_REFUSED',
    reason: 'consentUsedUp',
  })
  const finance = world.department('finance')
  const other = new Requester({ encryptionKeys: [finance.encryption.privateKey] }, world.connect(finance))
  await t.rejects(other.verify({ ...question, values: bound }), {
    code: 'QUESTION_REFUSED',
    reason: 'consentRequester',
  })
  const free = await other.verify({ ...question, values: new Map([['registrationAddress', registrationAddress]]) })
  t.match(free, { attributes: [{ fromPortrait: true }], portraitTransaction: null })
  await close(services)
})

t.test('a revoked consent: agents stay silent, the report says withdrawn', async (t) => {
  const { world, services, close, enterprise, requester, connection } = await worldOf(t.testdir())
  const signed = signConsent(consentOf(world), world.chain.chainId, enterprise.privateKey)
  const basis = await grantConsent(connection, signed)
  const market = [...world.departments.keys()].indexOf('market-regulation')
  await services[market]?.stop()
  const asking = requester.verify({ enterpriseId, purpose: PURPOSE, basis, values: bound })
  const requests = () => view(world.chain.client(), dataSharing, 'requestCount', {})
  await connection.heads.until(async () => ((await requests()) > 0n ? true : undefined), 10_000, 'the request')
  const signature = signRevocation(basis, world.chain.chainId, enterprise.privateKey)
  await connection.sender.final(await connection.sender.send(consents, 'revoke', { id: basis, signature }))
  world.chain.seal()
  const report = await asking
  t.match(report.attributes, [
    { status: 'withdrawn', exists: false, confirmed: false, height: null },
    { status: 'withdrawn' },
  ])
  const again = await world.serve('market-regulation')
  const silent = () => (world.logged.some((line) => line.includes('question withdrawn')) ? true : undefined)
  await connection.heads.until(async () => silent(), 10_000, 'the agent to look')
  await again.stop()
  const { items } = await view(world.chain.client(), dataSharing, 'requestOf', { requestId: report.requestId! })
  t.ok(items.every(({ answers }) => answers === 0))
  t.notOk(world.logged.some((line) => line.startsWith('error') || line.startsWith('warn')))
  await t.rejects(requester.verify({ enterpriseId, purpose: PURPOSE, basis, values: bound }), {
    code: 'QUESTION_REFUSED',
    reason: 'consentRevoked',
  })
  await close(services.filter((_, i) => i !== market))
})

t.test('an answer that was already written down when the consent ended is dropped', async (t) => {
  const { world, services, close, enterprise, requester, connection } = await worldOf(t.testdir())
  const basis = await grantConsent(
    connection,
    signConsent(consentOf(world), world.chain.chainId, enterprise.privateKey),
  )
  let attests = 0
  world.chain.fault = (method, params, after) => {
    if (method !== 'eth_sendRawTransaction' || after) return
    if (!String(params[0]).includes(dataSharing.abi.selector('attest').slice(2))) return
    attests++
    throw new Error('the node is down')
  }
  const asking = requester.verify({ enterpriseId, purpose: PURPOSE, basis, values: bound })
  await connection.heads.until(async () => (attests > 0 ? true : undefined), 10_000, 'an attempt')
  world.chain.timestamp = 1_001
  world.chain.seal()
  world.chain.fault = undefined
  t.match((await asking).attributes, [{ status: 'withdrawn' }, { status: 'withdrawn' }])
  await Promise.all(services.map((service) => service.stop()))
  const database = await world.database('market-regulation')
  const again = await world.serve('market-regulation')
  const emptied = async () => ((await database.outbox()).length === 0 ? true : undefined)
  await connection.heads.until(emptied, 10_000, 'the outbox to be empty')
  await close([again])
})

t.test('an enterprise contests an entry by its value', async (t) => {
  const dir = t.testdir()
  const { world, close, services, enterprise, requester } = await worldOf(dir)
  const own = new Map([['registrationAddress', registrationAddress]])
  await requester.verify({ enterpriseId, values: own })
  const connection = world.connect(enterprise)
  const portraitKeyFile = path.join(dir, 'portrait.json')
  const contest = (value: string, file = portraitKeyFile) =>
    contestEntry(connection, 'registrationAddress', { value, portraitKeys: portraitKeysIn(file) }, SALT)
  await t.rejects(contest('elsewhere'), { code: 'REVERTED', error: 'NotContestable' })
  await t.rejects(contest(registrationAddress, path.join(dir, 'none.json')), { code: 'UNREADABLE' })
  const { objectionId, digest } = await contest(` ${registrationAddress}`)
  t.match((await requester.verify({ enterpriseId, values: own })).attributes, [{ fromPortrait: false }])
  const [objection] = await readObjections(world.chain.client())
  t.match(objection, { objectionId, enterpriseId, digest, status: OBJECTION_STATUS.open, reasonHash: SALT })
  const market = world.connect(world.department('market-regulation'))
  const decision = { objectionId, upheld: false }
  await market.sender.final(await market.sender.send(dataSharing, 'decideObjection', decision))
  t.match((await requester.verify({ enterpriseId, values: own })).attributes, [{ fromPortrait: true }])
  await close(services)
})
