/** Agents whose member uses other keys than its account's: delegates, rotated and recovered keys, a second encryption key. */

import path from 'node:path'
import t from 'tap'
import type { Connection } from '../../src/agent/connection.js'
import { members, view } from '../../src/agent/contractClient.js'
import { type DatasetCompany, datasetSamples } from '../../src/agent/dataset/generate.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { signerProof } from '../../src/agent/signerProof.js'
import { transact } from '../../src/agent/transact.js'
import { SIGNER_KIND, type SignerKindName } from '../../src/contracts/codes.js'
import { toHash } from '../../src/core/bytes.js'
import { type Account, account, declarationOf, World } from './support/world.js'

const samples = datasetSamples({ records: 500 })
const company = samples.complete
const companies = [company]
const { enterpriseId, values } = declarationOf(company)

const enterpriseOf = (world: World, of: DatasetCompany) => world.enterprises.get(of) as Account

function submit(world: World, dir: string, key: Pick<Account, 'privateKey'> = enterpriseOf(world, company)) {
  const options = { portraitKeys: portraitKeysIn(path.join(dir, 'portrait.json')) }
  return new EnterpriseProxy(options, world.connect(key)).submit(declarationOf(company))
}

/** Asks with `key` for the department that asks only. */
function requester(world: World, key: Pick<Account, 'privateKey'> = world.asker, answerTimeoutMs = 5_000): Requester {
  const encryptionKeys = [world.asker.encryption.privateKey]
  return new Requester({ encryptionKeys, answerTimeoutMs }, world.connect(key))
}

const delegate = (connection: Connection, member: Account, key: Account, kind: SignerKindName = 'service') =>
  transact(connection, members, 'addSigner', {
    ...signerProof(key.privateKey, connection.chainId, member.address, kind),
    kind: SIGNER_KIND[kind],
  })

function rotate(connection: Connection, member: Account, key: Account) {
  const { signer: newSigner, proof } = signerProof(key.privateKey, connection.chainId, member.address, 'account')
  return transact(connection, members, 'rotateAccountKey', { newSigner, proof })
}

const allConfirmed = (report: Awaited<ReturnType<Requester['verify']>>) =>
  report.attributes.every(({ confirmed }) => confirmed)

t.test('a department answers and a requester asks with delegate keys, under the names of their members', async (t) => {
  const world = new World({ companies })
  const finance = world.department('finance')
  const [answering, asking] = [account('service'), account('service')]
  await delegate(world.connect(finance), finance, answering)
  await delegate(world.connect(world.asker), world.asker, asking)
  const others = ['market-regulation', 'intellectual-property']
  const services = [
    ...(await Promise.all(others.map((id) => world.serve(id)))),
    await world.serve('finance', undefined, { ...answering, encryption: finance.encryption }),
  ]
  const { parts, sharedWith } = await submit(world, t.testdir())
  t.ok(parts.every(({ status }) => status === 'accepted'))
  t.ok(sharedWith.includes('government-service'))
  const cold = await requester(world, asking).verify({ enterpriseId, values })
  t.ok(allConfirmed(cold))
  const attesters = cold.attributes.flatMap((row) => row.attesters.map(({ address }) => address))
  t.ok(attesters.includes(finance.address), 'the account answers')
  t.notOk(attesters.includes(answering.address), 'not its key')
  const warm = await requester(world).verify({ enterpriseId, values })
  t.equal(warm.requestId, null, "the account's own key finds the same portrait")
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test(
  'a signing key is rotated with a question under way: the next one answers it, the former is refused',
  async (t) => {
    const world = new World({ companies })
    const finance = world.department('finance')
    const [next, last] = [account('next'), account('last')]
    const services = await Promise.all(['market-regulation', 'intellectual-property'].map((id) => world.serve(id)))
    const former = await world.serve('finance')
    await submit(world, t.testdir())
    const rotated = await rotate(world.connect(finance), finance, next)
    const question = requester(world, world.asker, 60_000).verify({ enterpriseId, values })
    const ended = await former.finished.then(
      () => undefined,
      (error: Error & { code: string }) => error,
    )
    t.match(ended, { code: 'KEY_REPLACED' })
    t.match(ended?.message, `the key of ${finance.address} was replaced in block ${rotated.block}: name the file`)
    await former.stop()
    services.push(await world.serve('finance', undefined, { ...next, encryption: finance.encryption }))
    const report = await question
    t.ok(allConfirmed(report))
    t.ok(report.attributes.some((row) => row.attesters[0]?.address === finance.address))

    await t.rejects(rotate(world.connect(finance), finance, last), { code: 'KEY_REPLACED' })
    await rotate(world.connect(next), finance, last)
    await t.rejects(
      rotate(world.connect(next), finance, account('more')),
      { code: 'KEY_REPLACED' },
      'nor the second one',
    )
    t.equal(await world.connect(last).account(), finance.address)
    await Promise.all(services.map((service) => service.stop()))
    world.close()
  },
)

t.test('keys that act no more say so where they are used', async (t) => {
  const world = new World({ companies })
  const services = await world.serveAll()
  const enterprise = enterpriseOf(world, company)
  const [added, next] = [account('added'), account('next')]
  const dir = t.testdir()
  await delegate(world.connect(enterprise), enterprise, added)
  await submit(world, dir, added)
  await transact(world.connect(enterprise), members, 'removeSigner', { signer: added.address })
  const removed = { code: 'KEY_REPLACED', message: /was removed from member 0x.* in block \d+: name the file/ }
  await t.rejects(submit(world, dir, added), removed)
  await t.rejects(requester(world, added).authenticate(), removed)
  await rotate(world.connect(world.asker), world.asker, next)
  const replaced = { code: 'KEY_REPLACED', message: /was replaced in block \d+: name the file/ }
  await t.rejects(requester(world).verify({ enterpriseId, values }), replaced)
  t.ok(allConfirmed(await requester(world, next).verify({ enterpriseId, values })))
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test('an encryption key is rotated: envelopes to the former one are opened within its grace', async (t) => {
  const world = new World({ companies, membership: { encryptionGraceBlocks: 20 } })
  const finance = world.department('finance')
  const services = await Promise.all(['market-regulation', 'intellectual-property'].map((id) => world.serve(id)))
  const database = await world.database('finance')
  const { encryption } = account('second')
  services.push(await world.serve('finance', database, { ...finance, encryption, earlier: [finance.encryption] }))
  const dir = t.testdir()
  // Hears of no change: it goes on sealing to the former key.
  const stale = world.connect(enterpriseOf(world, company))
  await stale.directory.members()
  const proxy = new EnterpriseProxy(
    { portraitKeys: portraitKeysIn(path.join(dir, 'portrait.json')) },
    {
      ...stale,
      directory: { ...frozen(stale, await stale.directory.members()) },
    },
  )
  await transact(world.connect(finance), members, 'rotateEncryptionKey', {
    encryptionKey: toHash(encryption.publicKey),
  })
  const late = await proxy.submit(declarationOf(company))
  t.ok(
    late.parts.every(({ status }) => status === 'accepted'),
    'to the former key',
  )
  t.ok(
    (await submit(world, dir)).parts.every(({ status }) => status === 'accepted'),
    'to the new key',
  )
  t.ok(allConfirmed(await requester(world).verify({ enterpriseId, values })))
  while (world.chain.height <= Number(await graceUntil(world, finance))) world.chain.seal()
  await t.rejects(proxy.submit(declarationOf(company)), { code: 'REVERTED', error: 'StaleKeyEpoch' }, 'after the grace')
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

for (const [when, rounds] of [
  ['before the node looks at it', 2],
  ['after the node has let it pass', 1],
] as const) {
  t.test(`a key without grace is rotated when a submission is sealed, ${when}: it is sealed again`, async (t) => {
    const world = new World({ companies })
    const finance = world.department('finance')
    const keys = [finance.encryption, ...Array.from({ length: 6 }, () => account('next').encryption)]
    const services = await Promise.all(['market-regulation', 'intellectual-property'].map((id) => world.serve(id)))
    services.push(await world.serve('finance', undefined, { ...finance, encryption: keys[0]!, earlier: keys.slice(1) }))
    const office = world.connect(finance)
    let used = 0
    const rotateNow = async () => {
      used++
      const encryptionKey = toHash(keys[used]!.publicKey)
      await transact(office, members, 'replaceEncryptionKey', { encryptionKey, graceBlocks: 0 })
    }
    const enterprise = world.connect(enterpriseOf(world, company))
    const left = { StoreData: rounds, sharePortraitKey: 1 } as Record<string, number>
    const sender: Connection['sender'] = {
      ...enterprise.sender,
      address: enterprise.sender.address,
      sign: (digest) => enterprise.sender.sign(digest),
      final: (hash) => enterprise.sender.final(hash),
      async send(contract, name, args, gasLimit, before) {
        if (!left[name]) return enterprise.sender.send(contract, name, args, gasLimit, before)
        left[name]--
        if (when === 'before the node looks at it') await rotateNow()
        return enterprise.sender.send(contract, name, args, gasLimit, rotateNow)
      },
    }
    const options = { portraitKeys: portraitKeysIn(path.join(t.testdir(), 'portrait.json')) }
    const report = await new EnterpriseProxy(options, { ...enterprise, sender }).submit(declarationOf(company))
    t.ok(report.parts.every(({ status }) => status === 'accepted'))
    t.ok(report.sharedWith.includes('finance'))
    t.equal(used, rounds + 1, `${used} rotations`)
    await Promise.all(services.map((service) => service.stop()))
    world.close()
  })
}

const graceUntil = (world: World, { address }: Account) =>
  view(world.chain.client(), members, 'encryptionGraceUntil', { account: address })

/** A directory that says of members what it said once. */
function frozen({ directory }: Connection, known: Awaited<ReturnType<Connection['directory']['members']>>) {
  const member = async (address: string) => known.find(({ account }) => account === address) ?? null
  return {
    profiles: () => directory.profiles(),
    member,
    memberById: async (id: string) => known.find((one) => one.id === id) ?? null,
    members: async () => known,
    predicate: directory.predicate.bind(directory),
    clear: () => {},
    watch: directory.watch.bind(directory),
  }
}

t.test('an enterprise whose key its guardians have recovered submits again, with its portrait key', async (t) => {
  const world = new World({ companies, membership: { recoveryDelayBlocks: 3 } })
  const services = await world.serveAll()
  const enterprise = enterpriseOf(world, company)
  const guardians = ['finance', 'market-regulation'].map((id) => world.department(id))
  const dir = t.testdir()
  const first = await submit(world, dir)
  await transact(world.connect(enterprise), members, 'setGuardians', {
    guardians: guardians.map(({ address }) => address),
    threshold: 2,
  })
  const next = account('next')
  const { signer: newSigner, proof } = signerProof(next.privateKey, world.chain.chainId, enterprise.address, 'account')
  const of = { account: enterprise.address }
  await transact(world.connect(guardians[0]!), members, 'startRecovery', { ...of, newSigner, proof })
  await transact(world.connect(guardians[1]!), members, 'approveRecovery', { ...of, newSigner })
  const early = transact(world.connect(next), members, 'finishRecovery', of)
  await t.rejects(early, { code: 'REVERTED', error: 'RecoveryTooEarly' })
  const { readyAt } = await view(world.chain.client(), members, 'recoveryOf', of)
  while (world.chain.height < Number(readyAt)) world.chain.seal()
  await transact(world.connect(next), members, 'finishRecovery', of)
  await t.rejects(submit(world, dir), { code: 'KEY_REPLACED' })
  const again = await submit(world, dir, next)
  t.ok(again.parts.every(({ status }) => status === 'accepted'))
  t.equal(again.portraitVersion, first.portraitVersion)
  t.same(again.sharedWith, [], 'nobody has to be given the portrait key again')
  t.ok(allConfirmed(await requester(world).verify({ enterpriseId, values })))
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})
