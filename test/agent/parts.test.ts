import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { dataSharing } from '../../src/agent/contractClient.js'
import { openMemoryDatabase } from '../../src/agent/database/open.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { GetConfirm, GetExistence } from '../../src/agent/department/functions.js'
import { decodeMessage, encodeMessage, type Message } from '../../src/agent/department/outbox.js'
import { followHeads } from '../../src/agent/heads.js'
import { portraitKeysIn, readPortraitKey } from '../../src/agent/portraitKeyFile.js'
import { EXISTENCE } from '../../src/contracts/codes.js'
import { attributeId, textId } from '../../src/contracts/textId.js'
import { asAddress, type Hash, toHash, ZERO_HASH } from '../../src/core/bytes.js'
import { RpcClientError } from '../../src/rpc/client.js'
import { RpcError } from '../../src/rpc/errors.js'
import { type Account, World } from './support/world.js'

const company = datasetSamples({ records: 500 }).complete
const enterpriseId = textId(company.truth.unifiedSocialCreditCode)

t.test('GetExistence and GetConfirm', async (t) => {
  const database = await openMemoryDatabase()
  const enterprise = { companyName: '甲公司', creditCode: '' }
  const held = {
    employees: '0012',
    registeredCapital: ' ',
    openingBank: 'ＢＡＮＫ 中国',
    registrationAddress: 'not\u0007clean',
  }
  await database.bulkLoad([{ locator: enterprise, values: new Map(Object.entries(held)) }])
  const exists = (attribute: string, who = enterprise) => GetExistence(database, who, attribute)
  t.equal(await exists('employees'), EXISTENCE.exists)
  t.equal(await exists('registeredCapital'), EXISTENCE.vacant)
  t.equal(await exists('bankAccount'), EXISTENCE.missing)
  t.equal(await exists('employees', { companyName: '乙公司', creditCode: '' }), EXISTENCE.missing)
  const whole = { valueType: 2, checksum: 0, caseRule: 0, scale: 0, lengthMax: 20, min: 0n, max: 0n }
  const text = { ...whole, valueType: 1 }
  const confirm = (attribute: string, schema: typeof whole, value: string) =>
    GetConfirm(database, enterprise, attribute, schema, value)
  t.equal(await confirm('employees', whole, '12'), true, 'canonical forms are compared')
  t.equal(await confirm('employees', whole, '13'), false)
  t.equal(await confirm('employees', whole, 'twelve'), false)
  t.equal(await confirm('registeredCapital', whole, '0'), false, 'vacant confirms nothing')
  t.equal(await confirm('bankAccount', text, 'x'), false)
  t.equal(await confirm('registrationAddress', text, 'clean'), false, 'a stored value without a canonical form')
})

t.test('messages of the outbox survive encoding', (t) => {
  const id = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })
  const acknowledgement = fc.record({
    kind: fc.constant('acknowledgement' as const),
    submissionId: id,
    part: fc.nat(),
    accepted: fc.boolean(),
    code: fc.nat(65_535),
  })
  const answer = fc.record({
    kind: fc.constant('answer' as const),
    requestId: id,
    attribute: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes): Hash => toHash(bytes)),
    existence: fc.nat(255),
    confirmed: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.oneof(acknowledgement, answer), (message: Message) => {
      t.same(decodeMessage(encodeMessage(message)), message)
    }),
    { numRuns: 50 },
  )
  t.end()
})

t.test('portrait key file: private, kept, rotated, of one enterprise', async (t) => {
  const file = path.join(t.testdir(), 'keys', 'portrait.json')
  const first = await portraitKeysIn(file).current(enterpriseId, 0)
  t.equal(first.version, 1)
  t.equal(first.key.length, 32)
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.same(await portraitKeysIn(file).current(enterpriseId, 1), first)
  const reader = asAddress(`0x${'0a'.repeat(20)}`)
  await portraitKeysIn(file).noteShared(enterpriseId, 1, [reader])
  t.same((await portraitKeysIn(file).current(enterpriseId, 1)).sharedWith, [reader])
  const second = await portraitKeysIn(file).rotate(enterpriseId)
  t.equal(second.version, 2)
  t.notSame(second.key, first.key)
  t.same(second.sharedWith, [])
  t.same(await readPortraitKey(file, enterpriseId), { version: 2, key: second.key })
  t.same(await readPortraitKey(file, enterpriseId, 1), { version: 1, key: first.key })
  await t.rejects(readPortraitKey(file, enterpriseId, 3), { code: 'NO_SUCH_VERSION', message: /it has 1, 2$/ })
  t.equal(
    (await portraitKeysIn(file).current(enterpriseId, 5)).version,
    6,
    'the chain knows a version that the file lost',
  )
  await t.rejects(portraitKeysIn(file).current(ZERO_HASH, 0), { code: 'OTHER_ENTERPRISE' })
  chmodSync(file, 0o644)
  await t.rejects(portraitKeysIn(file).current(enterpriseId, 0), { code: 'TOO_OPEN', message: /chmod 600/ })
  chmodSync(file, 0o600)
  const kept = readFileSync(file, 'utf8')
  writeFileSync(file, kept.slice(0, 40))
  await t.rejects(portraitKeysIn(file).current(enterpriseId, 0), { code: 'MALFORMED' })
  t.equal(readFileSync(file, 'utf8'), kept.slice(0, 40), 'a damaged file is left alone')
})

t.test('waiting: by push, with a limit, until stopped', async (t) => {
  const world = new World({ companies: [company] })
  const heads = followHeads(world.chain.client())
  let checks = 0
  const check = async () => {
    checks++
    return world.chain.height >= 3 ? 'done' : undefined
  }
  const third = heads.until(check, 2_000, 'block 3')
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    world.chain.seal()
  }
  t.equal(await third, 'done')
  t.ok(checks <= 5, `${checks} checks`)
  await t.rejects(
    heads.until(async () => undefined, 20, 'nothing'),
    { code: 'TIMEOUT', message: /nothing/ },
  )
  const broken = async (): Promise<undefined> => {
    throw new RangeError('x')
  }
  await t.rejects(heads.until(broken, 1_000, 'y'), RangeError)
  const never = heads.until(async () => undefined, 5_000, 'never')
  heads.stop()
  await t.rejects(never, { code: 'STOPPED' })
  await t.rejects(
    heads.until(async () => 1, 1_000, 'late'),
    { code: 'STOPPED' },
  )
})

t.test('sender: order of nonces, lost answers, a nonce used elsewhere, refusals before sending', async (t) => {
  const world = new World({ companies: [company] })
  const enterprise = world.enterprises.get(company) as Account
  const { sender } = world.connect(enterprise)
  const share = (keyEpoch = 1n) => {
    const recipient = world.asker.address
    return { enterpriseId, portraitVersion: 1, shares: [{ recipient, keyEpoch, envelope: new Uint8Array(200) }] }
  }
  const send = (from = sender) => from.send(dataSharing, 'sharePortraitKey', share())
  const five = await Promise.all(Array.from({ length: 5 }, () => send()))
  const receipts = await Promise.all(five.map((hash) => sender.final(hash)))
  t.ok(receipts.every(({ status }) => status === '0x1'))
  await t.rejects(sender.send(dataSharing, 'sharePortraitKey', share(9n)), { code: 'REVERTED', error: 'StaleKeyEpoch' })
  const other = world.connect(enterprise).sender
  await other.final(await send(other))
  t.equal((await sender.final(await send())).status, '0x1', 'the nonce is read again')
  let lost = 0
  world.chain.fault = (method, _params, after) => {
    if (method === 'eth_sendRawTransaction' && after && lost++ === 0) throw new RpcClientError('TIMEOUT', 'lost')
  }
  await t.rejects(send(), { code: 'TIMEOUT' })
  t.equal((await sender.final(await send())).status, '0x1', 'after a lost answer the next nonce is asked for')
  world.chain.fault = (method) => {
    if (method === 'eth_sendRawTransaction') throw new RpcError(-32000, 'txpool is full')
  }
  await t.rejects(send(), { message: 'txpool is full' })
  world.chain.fault = undefined
  t.equal((await sender.final(await send())).status, '0x1')
  world.close()
})

t.test('the agent waits out a node that fails', async (t) => {
  const world = new World({ companies: [company] })
  let faults = 0
  world.chain.fault = (method, _params, after) => {
    if (method === 'eth_getLogs' && !after && faults++ < 1) throw new RpcClientError('UNREACHABLE', 'node is down')
  }
  const service = await world.serve('market-regulation')
  world.chain.seal()
  for (let i = 0; i < 300 && service.height <= world.chain.height; i++)
    await new Promise((done) => setTimeout(done, 10))
  t.ok(faults > 1)
  t.ok(service.height > world.chain.height, 'caught up after the fault')
  await service.stop()
  world.close()
})

t.test('attribute ids of the dataset fit the chain', (t) => {
  for (const name of Object.keys(company.truth)) t.match(attributeId(name), /^0x[0-9a-f]{64}$/)
  t.end()
})
