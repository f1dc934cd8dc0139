import { createHash, createHmac } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { dataSharing } from '../../src/agent/contractClient.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { documentTree } from '../../src/agent/declaration/documentTree.js'
import { plainDocument } from '../../src/agent/declaration/plainDocument.js'
import { parseDeclaration } from '../../src/agent/declaration.js'
import { handleQuestion, handleStored } from '../../src/agent/department/handlers.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn, readPortraitKey } from '../../src/agent/portraitKeyFile.js'
import { openValues, type SealedContext, type SealedValues, sealValues } from '../../src/agent/sealedValues.js'
import { ACK_CODE, EXISTENCE } from '../../src/contracts/codes.js'
import { attributeId, textId } from '../../src/contracts/textId.js'
import { asAddress, fromHex, type Hash, utf8, ZERO_HASH } from '../../src/core/bytes.js'
import { attributeDigest } from '../../src/crypto/digest.js'
import { generateEncryptionKey } from '../../src/crypto/encryptionKey.js'
import { type Account, declarationText, World } from './support/world.js'

const company = datasetSamples({ records: 500 }).complete
const enterpriseId = textId(company.truth.unifiedSocialCreditCode)
const portraitKey = new Uint8Array(32).fill(7)

function sealed(values: Record<string, string>): SealedValues {
  const entries = Object.entries(values).map(([name, value]) => [name, { schemaVersion: 1, value }] as const)
  return { portraitKey, values: new Map(entries) }
}

function digest(name: string, value: string, chainId: number): Hash {
  const attribute = attributeId(name)
  return attributeDigest({ portraitKey, chainId, enterpriseId, attribute, schemaVersion: 1, value })
}

function contextOf(world: World, values: Record<string, string>, kind: SealedContext['kind']): SealedContext {
  return {
    kind,
    chainId: world.chain.chainId,
    contract: dataSharing.address,
    sender: world.asker.address,
    enterpriseId,
    portraitVersion: 1,
    recipient: world.department('market-regulation').address,
    keyEpoch: 1n,
    attributes: Object.keys(values).map(attributeId),
    digests: Object.entries(values).map(([name, value]) => digest(name, value, world.chain.chainId)),
  }
}

t.test('an envelope opens in its own place only', (t) => {
  const world = new World({ companies: [company] })
  const { publicKey, privateKey } = generateEncryptionKey()
  const values = { employees: '12', registrationAddress: '成都市' }
  const context = contextOf(world, values, 'part')
  const envelope = sealValues(sealed(values), publicKey, context)
  const opened = openValues(envelope, [generateEncryptionKey().privateKey, privateKey], context)
  t.same(opened, sealed(values), 'a former key is tried too')
  const changes: Partial<SealedContext>[] = [
    { kind: 'question' },
    { chainId: 1 },
    { contract: asAddress(`0x${'01'.repeat(20)}`) },
    { sender: world.operator.address },
    { enterpriseId: ZERO_HASH },
    { portraitVersion: 2 },
    { recipient: world.asker.address },
    { keyEpoch: 2n },
    { attributes: context.attributes.toReversed() },
    { digests: context.digests.toReversed() },
  ]
  for (const change of changes) {
    t.equal(openValues(envelope, [privateKey], { ...context, ...change }), null, Object.keys(change).join())
  }
  for (let i = 0; i < envelope.length; i++) {
    const bad = envelope.slice()
    bad[i] = bad[i]! ^ 1
    if (openValues(bad, [privateKey], context) !== null) t.fail(`byte ${i} can be changed`)
  }
  t.equal(openValues(new Uint8Array(0), [privateKey], context), null)
  t.end()
})

t.test('a bad part is rejected with its reason', async (t) => {
  const world = new World({ companies: [company] })
  const department = world.department('market-regulation')
  const connection = world.connect(department)
  const encryptionKeys = [department.encryption.privateKey]
  const needs = { database: await world.database('market-regulation'), directory: connection.directory, encryptionKeys }
  const { publicKey } = department.encryption
  const run = (inside: Record<string, string>, outside = inside, key = publicKey) => {
    const context = contextOf(world, outside, 'part')
    return handleStored({ context, envelope: sealValues(sealed(inside), key, context) }, needs)
  }
  t.match(await run({ employees: '12' }), { code: ACK_CODE.ok, write: { values: new Map([['employees', '12']]) } })
  t.same(await run({ employees: '12' }, { employees: '12' }, generateEncryptionKey().publicKey), {
    code: ACK_CODE.cannotOpen,
  })
  t.same(await run({ employees: '12' }, { employees: '13' }), { code: ACK_CODE.digestMismatch })
  t.same(await run({ employees: '12' }, { registeredCapital: '12' }), { code: ACK_CODE.digestMismatch })
  t.same(await run({ employees: '12', companyName: 'x' }, { employees: '12' }), { code: ACK_CODE.digestMismatch })
  t.same(await run({ employees: 'many' }), { code: ACK_CODE.invalidValue })
  t.same(
    await run({ openingBank: '中国银行' }),
    { code: ACK_CODE.unknownAttribute },
    'another department supervises it',
  )
  world.close()
})

t.test('a bad question is refused, attribute by attribute', async (t) => {
  const world = new World({ companies: [company] })
  const department = world.department('market-regulation')
  const needs = {
    database: await world.database('market-regulation'),
    directory: world.connect(department).directory,
    encryptionKeys: [department.encryption.privateKey],
  }
  const run = async (inside: Record<string, string>, outside = inside, key = department.encryption.publicKey) => {
    const context = contextOf(world, outside, 'question')
    const answers = await handleQuestion(9n, { context, envelope: sealValues(sealed(inside), key, context) }, needs)
    return answers.map(({ existence, confirmed }) => [existence, confirmed])
  }
  const { employees, registeredCapital } = company.truth
  t.same(await run({ employees, registeredCapital }), [
    [EXISTENCE.exists, true],
    [EXISTENCE.exists, true],
  ])
  t.same(await run({ employees: '1', registeredCapital }, { employees, registeredCapital }), [
    [EXISTENCE.refused, false],
    [EXISTENCE.exists, true],
  ])
  t.same(await run({}, { employees }), [[EXISTENCE.refused, false]])
  t.same(await run({ employees }, { employees }, generateEncryptionKey().publicKey), [[EXISTENCE.refused, false]])
  world.close()
})

t.test('garbage on the chain does not stop an agent', async (t) => {
  const world = new World({ companies: [company] })
  const service = await world.serve('market-regulation')
  const department = world.department('market-regulation')
  const enterprise = world.enterprises.get(company) as Account
  const { sender, client, heads } = world.connect(enterprise)
  const part = {
    recipient: department.address,
    keyEpoch: 1n,
    attributes: [attributeId('employees')],
    digests: [digest('employees', '1', 1)],
    envelope: Uint8Array.of(1, 2, 3),
  }
  const submission = { enterpriseId, documentHash: ZERO_HASH, portraitVersion: 1, parts: [part] }
  const key = {
    enterpriseId,
    portraitVersion: 1,
    shares: [{ recipient: department.address, keyEpoch: 1n, envelope: Uint8Array.of(9) }],
  }
  await sender.final(await sender.send(dataSharing, 'StoreData', submission))
  await sender.final(await sender.send(dataSharing, 'sharePortraitKey', key))
  const acknowledged = dataSharing.abi.topic('DataAcknowledged')
  const find = async () => (await client.call('eth_getLogs', { topics: [acknowledged] }))[0]
  const log = await heads.until(find, 3_000, 'the rejection')
  t.equal(Number.parseInt(log.data.slice(-4), 16), ACK_CODE.cannotOpen)
  await service.stop()
  world.close()
})

/** What somebody without keys can make of a guessed file: hashes, trees and tags under everything that is public. */
function publicHashes(file: string): Buffer[] {
  const bytes = utf8(file)
  const [known, zero] = [fromHex(enterpriseId), new Uint8Array(32)]
  const sha256 = createHash('sha256').update(bytes).digest()
  const trees = [known, zero, sha256].flatMap((salt) => {
    const names = ['declaration.json', 'd.json', `${company.truth.unifiedSocialCreditCode}.json`]
    return names.map((name) => documentTree(new Map([[name, bytes]]), Buffer.from(salt).toString('hex')).documentHash)
  })
  const keyed = [known, zero].map((key) => plainDocument(bytes, 'd.json', enterpriseId, key).documentHash)
  const tags = [known, zero].map((key) => createHmac('sha256', key).update(bytes).digest())
  return [sha256, createHash('sha256').update(sha256).digest(), ...tags, ...[...trees, ...keyed].map(bytesOf)]
}

const bytesOf = (hash: Hash): Buffer => Buffer.from(fromHex(hash))

t.test('who knows all of a declaration but one value cannot try it out against the chain', async (t) => {
  const world = new World({ companies: [company] })
  const portraitKeyFile = join(t.testdir(), 'keys.json')
  const enterprise = world.enterprises.get(company) as Account
  const guesses = Array.from({ length: 200 }, (_, i) => declarationText(company, { employees: String(600 + i) }))
  const proxy = new EnterpriseProxy(
    { portraitKeys: portraitKeysIn(portraitKeyFile), acknowledgeTimeoutMs: 0 },
    world.connect(enterprise),
  )
  const report = await proxy.submit(parseDeclaration(utf8(guesses[131]!), 'd.json'))
  const logs = world.chain.logs().flatMap(({ topics, data }) => [...topics, data])
  const chain = Buffer.concat([...world.chain.sent, ...logs.map((hex) => fromHex(hex))])
  const found = (hashes: readonly Buffer[]) => hashes.some((hash) => chain.includes(hash))
  t.same(
    guesses.filter((guess) => found(publicHashes(guess))),
    [],
  )
  const { key } = await readPortraitKey(portraitKeyFile, enterpriseId)
  const hashOf = (guess: string, name: string) => parseDeclaration(utf8(guess), name).documentHash(key)
  t.same(
    guesses.filter((guess) => found([bytesOf(hashOf(guess, 'renamed.json'))])),
    [guesses[131]],
    'the enterprise finds it, by its content',
  )
  t.equal(report.documentHash, hashOf(guesses[131]!, 'd.json'))
  world.close()
})
