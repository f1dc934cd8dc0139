/**
 * kill -9 of a department's agent before and after every step that it takes (each RPC call, each database change): nothing
 * is lost, nothing is done twice.
 */

import path from 'node:path'
import t, { type Test } from 'tap'
import type { DepartmentDatabase } from '../../src/agent/database/departmentDatabase.js'
import { openMemoryDatabase } from '../../src/agent/database/open.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { startOn } from '../../src/agent/department/service.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { silentLog } from '../../src/agent/log.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { dataSharingAbi } from '../../src/contracts/dataSharing.abi.js'
import { fromHex } from '../../src/core/bytes.js'
import { ContractAbi } from '../../src/vm/abi.js'
import { Mortal } from './support/mortal.js'
import { type Account, declarationOf, World } from './support/world.js'

const company = datasetSamples({ records: 500 }).complete
const abi = new ContractAbi(dataSharingAbi)
const ATTRIBUTES = ['employees', 'registeredCapital', 'registrationDate']

/** A submission and a query while the agent dies at a step; resolves with the steps that the first agent took. */
async function scenario(t: Test, dir: string, mortal: Mortal): Promise<number> {
  const world = new World({ companies: [company] })
  const department = world.department('market-regulation')
  const enterprise = world.enterprises.get(company) as Account
  const inner = await openMemoryDatabase()
  let applied = 0
  const counting: DepartmentDatabase = Object.assign(Object.create(inner), {
    find: inner.find.bind(inner),
    cursor: inner.cursor.bind(inner),
    outbox: inner.outbox.bind(inner),
    apply(change: Parameters<typeof inner.apply>[0]) {
      applied += change.writes?.length ?? 0
      return inner.apply(change)
    },
  })
  const options = { encryptionKeys: [department.encryption.privateKey] }
  const first = world.connect(department, mortal.client(world.chain.client()))
  void startOn(first, options, { database: mortal.database(counting), log: silentLog })
  const restart = mortal.died.then(() => {
    first.close()
    return startOn(world.connect(department), options, { database: counting, log: silentLog })
  })

  const proxy = new EnterpriseProxy(
    { portraitKeys: portraitKeysIn(path.join(dir, `${mortal.at}-${mortal.after}.json`)), acknowledgeTimeoutMs: 4_000 },
    world.connect(enterprise),
  )
  const declaration = declarationOf(company)
  const values = new Map([...declaration.values].filter(([attribute]) => ATTRIBUTES.includes(attribute)))
  const report = await proxy.submit({ ...declaration, values })
  const accepted = report.parts.map(({ status }) => status)
  const asker = new Requester(
    { encryptionKeys: [world.asker.encryption.privateKey], answerTimeoutMs: 4_000 },
    world.connect(world.asker),
  )
  const answer = await asker.verify({ enterpriseId: declaration.enterpriseId, values })
  const confirmed = answer.attributes.filter((row) => row.confirmed).length

  // One more block lets the agent see that its last message is final, then it may still have to die.
  const at = `step ${mortal.at} ${mortal.after ? 'after' : 'before'}`
  const service = mortal.dead ? await restart : undefined
  for (let i = 0; i < 500 && (await inner.outbox()).length > 0; i++) await new Promise((done) => setImmediate(done))
  const events = world.chain.logs().filter(({ address }) => address === CONTRACT_ADDRESSES.dataSharing)
  const count = (name: 'DataAcknowledged' | 'Attested') =>
    events.filter(({ topics, data }) => abi.decodeEvent(name, { topics, data: fromHex(data) })).length
  const seen = {
    accepted,
    confirmed,
    acknowledged: count('DataAcknowledged'),
    attested: count('Attested'),
    outbox: (await inner.outbox()).length,
    written: applied,
    records: await inner.count(),
  }
  const wanted = {
    accepted: ['accepted'],
    confirmed: 3,
    acknowledged: 1,
    attested: 3,
    outbox: 0,
    written: 1,
    records: 1,
  }
  if (JSON.stringify(seen) !== JSON.stringify(wanted)) t.same(seen, wanted, at)
  await service?.stop()
  world.close()
  return mortal.steps
}

t.test('exactly once, wherever the agent dies', async (t) => {
  const dir = t.testdir()
  const steps = await scenario(t, dir, new Mortal(-1, false))
  t.ok(steps >= 12, `${steps} steps without a crash`)
  for (let at = 1; at <= steps; at++) {
    await scenario(t, dir, new Mortal(at, false))
    await scenario(t, dir, new Mortal(at, true))
  }
  t.pass(`${2 * steps} crashes`)
})
