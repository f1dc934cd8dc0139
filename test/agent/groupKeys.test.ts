/** Departments agree on group keys by themselves; what is declared and asked jointly travels in one envelope. */

import path from 'node:path'
import t from 'tap'
import { dataPortrait, dataSharing, keyAgreement, members, view } from '../../src/agent/contractClient.js'
import { openMemoryDatabase } from '../../src/agent/database/open.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { exponentName, groupKeyName } from '../../src/agent/department/groupKeys.js'
import { startOn } from '../../src/agent/department/service.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { silentLog } from '../../src/agent/log.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { transact } from '../../src/agent/transact.js'
import { AGREEMENT_PHASE } from '../../src/contracts/codes.js'
import { groupIdOf, rosterOf } from '../../src/contracts/groupId.js'
import { NO_TERMS } from '../../src/contracts/sharingTerms.js'
import { attributeId } from '../../src/contracts/textId.js'
import { type Address, toHash, ZERO_HASH } from '../../src/core/bytes.js'
import { Mortal } from './support/mortal.js'
import { type Account, account, declarationOf, World } from './support/world.js'

const company = datasetSamples({ records: 500 }).complete
const JOINT = 'registrationDate'
const [FIRST, SECOND, THIRD] = ['market-regulation', 'finance', 'intellectual-property'] as const

const worldOf = (...departments: readonly string[]) => {
  const world = new World({ companies: [company], joint: { [JOINT]: departments } })
  const accounts = departments.map((id) => world.department(id))
  return { world, accounts, group: groupIdOf(accounts.map(({ address }) => address)) }
}

async function start(world: World, by: Account, roundBlocks = 20): Promise<void> {
  const { sender } = world.connect(by)
  await sender.final(await sender.send(keyAgreement, 'startAgreement', { attribute: attributeId(JOINT), roundBlocks }))
}

const groupOf = (world: World, group: Address) => view(world.chain.client(), keyAgreement, 'groupOf', { group })
const attemptOf = (world: World, group: Address, attempt: number) =>
  view(world.chain.client(), keyAgreement, 'attemptOf', { group, attempt })

async function until<T>(check: () => Promise<T | undefined | false>, what: string): Promise<T> {
  for (let i = 0; i < 5_000; i++) {
    const value = await check()
    if (value !== undefined && value !== false) return value
    await new Promise((done) => setImmediate(done))
  }
  throw new Error(`waited in vain for ${what}`)
}

async function agreed(world: World, group: Address, epoch = 1n) {
  return until(async () => {
    const state = await groupOf(world, group)
    return state.keyEpoch === epoch && state
  }, `epoch ${epoch}`)
}

for (const departments of [
  [FIRST, SECOND],
  [FIRST, SECOND, THIRD],
]) {
  t.test(`${departments.length} supervisors: agreement, submission, question, renewal`, async (t) => {
    const { world, accounts, group } = worldOf(...departments)
    const services = await world.serveAll()
    await start(world, accounts[1]!)
    await agreed(world, group)
    const enterprise = world.enterprises.get(company) as Account
    const proxy = new EnterpriseProxy(
      { portraitKeys: portraitKeysIn(path.join(t.testdir(), 'key')) },
      world.connect(enterprise),
    )
    const declaration = declarationOf(company)
    const report = await proxy.submit(declaration)
    t.ok(report.parts.every(({ status }) => status === 'accepted'))
    const joint = report.parts.filter(({ attributes }) => attributes.includes(JOINT))
    t.same(
      joint.map(({ address, attributes }) => [address, attributes]),
      [[group, [JOINT]]],
      'one envelope for all',
    )
    const part = report.parts.indexOf(joint[0]!)
    const { submissionId } = report
    const by = await view(world.chain.client(), dataSharing, 'acknowledgedBy', { submissionId, part })
    t.same(by, rosterOf(accounts.map(({ address }) => address)))
    for (const { id } of accounts) {
      const record = await (await world.database(id)).find({ companyName: '', creditCode: report.creditCode })
      t.equal(record?.values.get(JOINT), company.truth[JOINT as 'companyName'], `${id} has written it`)
    }
    const options = { encryptionKeys: [world.asker.encryption.privateKey], answerTimeoutMs: 20_000 }
    const asker = new Requester(options, world.connect(world.asker))
    const { enterpriseId, values } = declaration
    const answer = await asker.verify({ enterpriseId, values })
    t.ok(
      answer.attributes.every(({ confirmed }) => confirmed),
      'mixed: joint and single attributes in one request',
    )
    const row = answer.attributes.find(({ attribute }) => attribute === JOINT)
    t.equal(row?.attesters.length, departments.length)

    const database = await world.database(FIRST)
    const first = await database.secret(groupKeyName(group, 1n))
    t.equal(first?.length, 32)
    t.equal(await database.secret(exponentName(group, 1)), null, 'the exponent is gone')
    await start(world, accounts[0]!)
    await agreed(world, group, 2n)
    t.same(await database.secret(groupKeyName(group, 1n)), first, 'the former key stays')
    const again = await proxy.submit(declarationOf(company))
    t.ok(again.parts.every(({ status }) => status === 'accepted'))
    await Promise.all(services.map((service) => service.stop()))
    world.close()
  })
}

t.test('a silent supervisor is named by the others, who begin again by themselves', async (t) => {
  const { world, accounts, group } = worldOf(FIRST, SECOND)
  const [present, silent] = accounts as [Account, Account]
  const service = await world.serve(present.id)
  await start(world, present)
  await until(async () => (await attemptOf(world, group, 1)).shares.some((word) => BigInt(word) !== 0n), 'a share')
  for (let i = 0; i < 25; i++) world.chain.seal()
  const ended = await until(async () => {
    const state = await attemptOf(world, group, 1)
    return state.phase === AGREEMENT_PHASE.aborted && state
  }, 'the abort')
  t.same([ended.silent, ended.refused, ended.deviating], [[silent.address], [], []])
  const late = await world.serve(silent.id)
  const { attempt } = await agreed(world, group)
  t.equal(attempt, 2)
  await Promise.all([service.stop(), late.stop()])
  world.close()
})

/** A department's agent that gives idle chains and other members a moment only. */
async function serveBriskly(world: World, { id }: Account) {
  const account = world.department(id)
  const options = { encryptionKeys: [account.encryption.privateKey], agreementPaceMs: 20 }
  return startOn(world.connect(account), options, { database: await world.database(id), log: world.log })
}

const rotateEncryption = ({ world, by }: { world: World; by: Account }) =>
  transact(world.connect(by), members, 'rotateEncryptionKey', {
    encryptionKey: toHash(account('next').encryption.publicKey),
  })

t.test('a member changes its own key: the group agrees on a new one, begun by one of them', async (t) => {
  const { world, accounts, group } = worldOf(FIRST, SECOND, THIRD)
  const services = await Promise.all(accounts.map((account) => serveBriskly(world, account)))
  await start(world, accounts[0]!)
  await agreed(world, group)
  await rotateEncryption({ world, by: accounts[1]! })
  t.notOk((await groupOf(world, group)).current, 'meanwhile it is not used')
  const second = await agreed(world, group, 2n)
  t.ok(second.current)
  t.equal(second.attempt, 2)
  const starts = world.chain.logs().filter(({ topics }) => topics[0] === keyAgreement.abi.topic('AgreementRound'))
  t.equal(starts.length, 2 * 3 * 3, 'two attempts of three rounds with three members')

  const first = rosterOf(accounts.map(({ address }) => address))[0]
  const absent = accounts.findIndex(({ address }) => address === first)
  await services[absent]!.stop()
  await rotateEncryption({ world, by: accounts[absent]! })
  const next = await until(async () => (await groupOf(world, group)).attempt === 3 && true, 'the next member to begin')
  t.ok(next, 'the first of the roster is not there')
  services[absent] = await serveBriskly(world, accounts[absent]!)
  t.equal((await agreed(world, group, 3n)).attempt, 3)
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test('other supervisors of an attribute with a joint key agree on one of their own', async (t) => {
  const { world, accounts } = worldOf(FIRST, SECOND)
  const third = world.department(THIRD)
  const services = await Promise.all([...accounts, third].map((account) => serveBriskly(world, account)))
  await start(world, accounts[0]!)
  await agreed(world, groupIdOf(accounts.map(({ address }) => address)))
  const supervisors = [accounts[0]!.address, third.address]
  const { client } = world.connect(third)
  const entry = await view(client, dataPortrait, 'dataProfileOf', { attribute: attributeId(JOINT) })
  const dataProfile = { ...entry, supervisors, encryptionKey: ZERO_HASH, keyEpoch: 0n }
  const details = { description: '', codes: [] }
  const change = { dataProfile, terms: NO_TERMS, details, reason: '', effectiveAt: BigInt(world.chain.height + 12) }
  await transact(world.connect(accounts[0]!), dataPortrait, 'proposeChange', change)
  const { ids } = await view(client, dataPortrait, 'openChanges', { before: 0n })
  for (const by of [accounts[1]!, third]) {
    if ((await view(client, dataPortrait, 'nextChangeAt', {})) > 0n) break
    await transact(world.connect(by), dataPortrait, 'approveChange', { id: ids[0]! })
  }
  while (BigInt(world.chain.height) < change.effectiveAt) world.chain.seal()
  const group = groupIdOf(supervisors)
  const known = async () =>
    (await view(client, keyAgreement, 'groupsOf', { department: third.address })).includes(group)
  await until(known, 'an agreement of the new supervisors')
  t.ok((await agreed(world, group)).current)
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test('on an idle chain a silent member is named all the same; in vain is not for ever', async (t) => {
  const { world, accounts, group } = worldOf(FIRST, SECOND, THIRD)
  const [silent, ...present] = accounts as [Account, Account, Account]
  const services = await Promise.all(present.map((account) => serveBriskly(world, account)))
  await start(world, present[0]!)
  const state = await until(async () => {
    await new Promise((done) => setTimeout(done, 5))
    const state = await attemptOf(world, group, 1)
    return state.phase === AGREEMENT_PHASE.aborted && state
  }, 'the end of the first attempt without any other traffic')
  t.same([state.silent, state.refused, state.deviating], [[silent.address], [], []])
  t.ok(world.chain.height < 20 + 20, `${world.chain.height} blocks, hardly more than the round has`)

  const told = () => world.logged.filter((line) => line.includes('is not begun any more by itself')).length
  await until(async () => {
    for (let i = 0; i < 20; i++) world.chain.seal()
    return told() === present.length
  }, 'the others to give up')
  const { attempt, failures } = await groupOf(world, group)
  t.same([attempt, failures], [7, 7], 'the first and six that began by themselves')
  await rotateEncryption({ world, by: present[0]! })
  await until(async () => {
    for (let i = 0; i < 20; i++) world.chain.seal()
    return (await groupOf(world, group)).attempt === 8
  }, 'another attempt after a change')
  services.push(await serveBriskly(world, silent))
  t.equal((await agreed(world, group)).failures, 0)
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

/** One of two dies at a step; resolves with the steps that it took. */
async function scenario(mortal: Mortal): Promise<{ steps: number; names: string }> {
  const { world, accounts, group } = worldOf(FIRST, SECOND)
  const [victim, other] = accounts as [Account, Account]
  const database = await openMemoryDatabase()
  const options = { encryptionKeys: [victim.encryption.privateKey] }
  const connection = world.connect(victim, mortal.client(world.chain.client()))
  void startOn(connection, options, { database: mortal.database(database), log: silentLog })
  const restart = mortal.died.then(() => {
    connection.close()
    return startOn(world.connect(victim), options, { database, log: silentLog })
  })
  const service = await world.serve(other.id)
  await start(world, other)
  const { publicKey, attempt } = await agreed(world, group)
  const kept = await database.secret(groupKeyName(group, 1n))
  const theirs = await (await world.database(other.id)).secret(groupKeyName(group, 1n))
  if (attempt !== 1 || !kept || !theirs || !Buffer.from(kept).equals(theirs)) {
    throw new Error(`attempt ${attempt}, key ${publicKey}: not agreed at once on one key`)
  }
  const restarted = mortal.dead ? await restart : undefined
  await restarted?.stop()
  await service.stop()
  world.close()
  return { steps: mortal.steps, names: publicKey }
}

t.test('wherever one dies between rounds: the restart goes on with the same exponent', async (t) => {
  const { steps } = await scenario(new Mortal(-1, false))
  t.ok(steps >= 12, `${steps} steps without a crash`)
  for (let at = 1; at <= steps; at += 2) {
    await scenario(new Mortal(at, at % 4 === 1))
  }
  t.pass(`${Math.ceil(steps / 2)} crashes`)
})
