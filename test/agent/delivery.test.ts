/** Is direct delivery as reliable as the ledger? The same cases for both, with the parts of real nodes. */

import path from 'node:path'
import t, { type Test } from 'tap'
import { dataSharing, delivery as deliveryContract, view } from '../../src/agent/contractClient.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import type { DirectDeliveryOptions } from '../../src/agent/delivery/direct.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { DELIVERY, ENVELOPE_KIND } from '../../src/contracts/codes.js'
import { isReference } from '../../src/contracts/envelopeReference.js'
import { fromHex } from '../../src/core/bytes.js'
import { decodeTransaction } from '../../src/core/transaction.js'
import { folderHolds } from '../node/deliveryNodes.js'
import { eventually } from '../support/localNetwork.js'
import { DeliveryParts } from './support/deliveryParts.js'
import { type Account, account, declarationOf, World } from './support/world.js'

const company = datasetSamples({ records: 500 }).absent
const FINANCE = 'finance'

/** A world whose members have a node each, the enterprise one of another member. */
class Desk {
  readonly world: World
  readonly parts: DeliveryParts
  readonly access = account('access')
  readonly enterprise: Account
  readonly portraitKeyFile: string

  constructor(t: Test, delivery: number | Record<string, number>) {
    const dir = t.testdir()
    this.portraitKeyFile = path.join(dir, 'portrait.json')
    this.world = new World({ companies: [company], delivery })
    this.parts = new DeliveryParts(this.world.chain, path.join(dir, 'nodes'))
    this.enterprise = this.world.enterprises.get(company)!
    t.teardown(async () => {
      this.world.close()
      await this.parts.close()
    })
  }

  get nodes(): readonly Account[] {
    return [...this.world.departments.values(), this.world.asker, this.access]
  }

  startNodes(): Promise<unknown> {
    return Promise.all(this.nodes.map(({ privateKey }) => this.parts.start(privateKey)))
  }

  serve(id: string, questionWaitMs?: number) {
    const department = this.world.department(id)
    return this.world.serve(id, undefined, department, this.parts.client(department.privateKey), questionWaitMs)
  }

  serveAll() {
    return Promise.all([...this.world.departments.keys()].map((id) => this.serve(id)))
  }

  submit(delivery: DirectDeliveryOptions = {}, changes: Record<string, string> = {}, acknowledgeTimeoutMs = 20_000) {
    const client = this.parts.client(this.access.privateKey)
    const connection = this.world.connect(this.enterprise, client, delivery)
    const { portraitKeyFile } = this
    return new EnterpriseProxy(
      { portraitKeys: portraitKeysIn(portraitKeyFile), acknowledgeTimeoutMs },
      connection,
    ).submit(declarationOf(company, changes))
  }

  verify(delivery: DirectDeliveryOptions = {}, changes: Record<string, string> = {}) {
    const { asker } = this.world
    const connection = this.world.connect(asker, this.parts.client(asker.privateKey), delivery)
    const options = { encryptionKeys: [asker.encryption.privateKey], answerTimeoutMs: 20_000 }
    const { enterpriseId, values } = declarationOf(company, changes)
    return new Requester(options, connection).verify({ enterpriseId, values })
  }

  async employees(): Promise<string | undefined> {
    const database = await this.world.database('market-regulation')
    const { companyName, unifiedSocialCreditCode: creditCode } = company.truth
    return (await database.find({ companyName, creditCode }))?.values.get('employees')
  }

  /** What stood for envelopes in the StoreData transactions so far. */
  carried(): Uint8Array[] {
    return this.world.chain.sent.flatMap((raw) => {
      const { data } = decodeTransaction(raw)
      if (dataSharing.abi.select(data)?.name !== 'StoreData') return []
      return dataSharing.abi.decodeCall('StoreData', data).parts.map(({ envelope }) => envelope)
    })
  }
}

const statuses = (report: Awaited<ReturnType<Desk['submit']>>) => report.parts.map(({ status }) => status)

for (const [name, delivery] of Object.entries(DELIVERY)) {
  t.test(`${name}: a submission and a question, then the portrait`, async (t) => {
    const desk = new Desk(t, delivery)
    await desk.startNodes()
    const services = await desk.serveAll()
    t.same(statuses(await desk.submit()), ['accepted', 'accepted', 'accepted'])
    t.ok(desk.carried().every((envelope) => isReference(envelope) === (delivery === DELIVERY.direct)))
    const cold = await desk.verify()
    t.ok(cold.attributes.every(({ status, confirmed }) => status === 'exists' && confirmed))
    t.equal((await desk.verify()).requestId, null)
    t.same(statuses(await desk.submit()), ['accepted', 'accepted', 'accepted'], 'the same again is another submission')
    await Promise.all(services.map((service) => service.stop()))
  })

  t.test(`${name}: a department that is down while others are asked`, async (t) => {
    const desk = new Desk(t, delivery)
    await desk.startNodes()
    await desk.parts.stop(desk.world.department(FINANCE).privateKey)
    const services = await Promise.all(['market-regulation', 'intellectual-property'].map((id) => desk.serve(id)))
    const submitting = desk.submit({ timeoutMs: 50 }, {}, 60_000)
    await eventually(async () => (await desk.employees()) !== undefined, 'the others to have their part')
    await desk.parts.start(desk.world.department(FINANCE).privateKey)
    services.push(await desk.serve(FINANCE))
    t.same(statuses(await submitting), ['accepted', 'accepted', 'accepted'])
    await Promise.all(services.map((service) => service.stop()))
  })

  t.test(`${name}: the sender is gone after its transaction, the departments come later`, async (t) => {
    const desk = new Desk(t, delivery)
    await desk.startNodes()
    const report = await desk.submit({}, {}, 0)
    t.same(statuses(report), ['pending', 'pending', 'pending'])
    await Promise.all(desk.nodes.map(({ privateKey }) => desk.parts.stop(privateKey)))
    for (const { privateKey } of desk.world.departments.values()) await desk.parts.start(privateKey)
    const services = await desk.serveAll()
    const client = desk.world.chain.client()
    const { submissionId } = report
    await eventually(async () => {
      return (await view(client, dataSharing, 'submissionOf', { submissionId })).acceptedCount === 3
    }, 'all parts to be accepted')
    await Promise.all(services.map((service) => service.stop()))
  })
}

t.test('one submission, both ways: a part for each', async (t) => {
  const desk = new Desk(t, { employees: DELIVERY.direct, bankAccount: DELIVERY.direct })
  await desk.startNodes()
  const services = await desk.serveAll()
  const report = await desk.submit()
  t.ok(report.parts.length > 3 && statuses(report).every((status) => status === 'accepted'))
  const direct = desk.carried().filter(isReference).length
  t.ok(direct > 0 && direct < report.parts.length)
  const cold = await desk.verify()
  t.ok(cold.attributes.every(({ status, confirmed }) => status === 'exists' && confirmed))
  await Promise.all(services.map((service) => service.stop()))
})

t.test('direct: an envelope that never comes hinders nothing; a later submission takes its place', async (t) => {
  const desk = new Desk(t, { employees: DELIVERY.direct })
  await desk.startNodes()
  const services = await desk.serveAll()
  const market = desk.world.department('market-regulation')
  desk.parts.hub.cut(desk.access.address, market.address)
  const first = await desk.submit({ timeoutMs: 0 }, { employees: '11' }, 1_500)
  t.same(
    statuses(first).filter((status) => status === 'pending'),
    ['pending'],
    'all but the one under way',
  )
  await services.find((_, i) => [...desk.world.departments.keys()][i] === 'market-regulation')!.stop()
  const again = await desk.serve('market-regulation')
  desk.parts.hub.heal(desk.access.address, market.address)
  const outgoing = await eventually(
    () => desk.employees().then((value) => value === '11' && value),
    'it after a restart',
  )
  t.equal(outgoing, '11')

  await desk.parts.stop(desk.access.privateKey)
  await desk.parts.start(desk.access.privateKey)
  desk.parts.hub.cut(desk.access.address, market.address)
  const lost = await desk.submit({ timeoutMs: 0 }, { employees: '22' }, 500)
  // The next one goes by another node.
  const late = desk.world.connect(desk.enterprise, desk.parts.client(desk.world.asker.privateKey))
  const { portraitKeyFile } = desk
  const next = await new EnterpriseProxy(
    { portraitKeys: portraitKeysIn(portraitKeyFile), acknowledgeTimeoutMs: 20_000 },
    late,
  ).submit(declarationOf(company, { employees: '33' }))
  t.ok(statuses(next).every((status) => status === 'accepted'))
  desk.parts.hub.heal(desk.access.address, market.address)
  const part = lost.parts.findIndex(({ status }) => status === 'pending')
  const state = await eventually(async () => {
    const found = await view(late.client, dataSharing, 'partOf', { submissionId: lost.submissionId, part })
    return found.acknowledged && found
  }, 'the first one to be answered')
  t.match(state, { accepted: false, code: 6 }, 'notDelivered')
  t.equal(await desk.employees(), '33', 'old values never replace new ones')
  await again.stop()
})

t.test('direct: a question whose envelope never comes is refused in time', async (t) => {
  const desk = new Desk(t, DELIVERY.direct)
  await desk.startNodes()
  const services = await Promise.all([...desk.world.departments.keys()].map((id) => desk.serve(id, 300)))
  await desk.submit()
  const market = desk.world.department('market-regulation')
  desk.parts.hub.cut(desk.world.asker.address, market.address)
  const report = await desk.verify({ timeoutMs: 0 })
  const refused = report.attributes.filter(({ status }) => status === 'refused')
  t.ok(refused.length > 0 && refused.length < report.attributes.length)
  await t.rejects(desk.verify({ timeoutMs: 0, whenLate: 'fail' }, { employees: '5' }), { code: 'NOT_DELIVERED' })
  await Promise.all(services.map((service) => service.stop()))
})

t.test('direct: erasure of a submission reaches every holder; their receipts are on chain', async (t) => {
  const desk = new Desk(t, DELIVERY.direct)
  await desk.startNodes()
  const services = await desk.serveAll()
  const { submissionId } = await desk.submit()
  const connection = desk.world.connect(desk.enterprise)
  const { client, sender } = connection
  const { hashes } = await view(client, deliveryContract, 'envelopesOf', {
    kind: ENVELOPE_KIND.part,
    subject: submissionId,
  })
  t.equal(hashes.length, 3)
  const finance = desk.world.department(FINANCE)
  const getter = desk.parts.client(desk.access.privateKey)
  const bodies = desk.nodes.map(({ privateKey }) => desk.parts.dirOf(privateKey))
  await desk.parts.stop(finance.privateKey)
  const deadline = BigInt(desk.world.chain.height + 3)
  await sender.final(await sender.send(deliveryContract, 'requestErasureOf', { submissionId, deadline }))
  const erasures = () =>
    Promise.all(hashes.map((hash) => view(client, deliveryContract, 'erasureOf', { sender: sender.address, hash })))
  const open = await eventually(async () => {
    const all = await erasures()
    return all.filter(({ complete }) => !complete).length === 1 && all
  }, 'all receipts but one')
  t.same(
    open.filter(({ recipientAt }) => recipientAt === 0n).map(({ recipient }) => recipient),
    [finance.address],
    'who is late is visible',
  )
  await desk.parts.start(finance.privateKey)
  await eventually(async () => (await erasures()).every(({ complete }) => complete), 'the last receipt')
  for (const hash of hashes) {
    t.equal((await getter.call('concordat_envelopeStatus', sender.address, hash)).state, 'erased')
    for (const dir of bodies) t.notOk(await folderHolds(path.join(dir, 'bodies'), fromHex(hash)))
  }
  await Promise.all(services.map((service) => service.stop()))
})
