import path from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { decodeEventLog } from 'viem'
import { dataSharing } from '../../src/agent/contractClient.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { blockAt, traceChain } from '../../src/agent/trace.js'
import { traceFailed } from '../../src/agent/traceFailed.js'
import { TRACE_KINDS, type TraceEntry } from '../../src/audit/entry.js'
import { EVENT_TABLE } from '../../src/audit/eventTable.js'
import type { TraceQuery } from '../../src/audit/query.js'
import { SummaryBuilder } from '../../src/audit/summary.js'
import type { ContractName } from '../../src/contracts/addresses.js'
import { systemInterfaces } from '../../src/contracts/publishedAbis.js'
import { idText, textId } from '../../src/contracts/textId.js'
import { type Address, type Hash, toHex } from '../../src/core/bytes.js'
import { BLOCK_TIME } from './support/testChain.js'
import { type Account, declarationOf, World } from './support/world.js'

const { complete, partial } = datasetSamples({ records: 500 })
const companies = [complete, partial]

/** Two enterprises submit; the first is asked about twice, the second time for another purpose. */
async function exercised(dir: string): Promise<World> {
  const world = new World({ companies })
  const services = await world.serveAll()
  for (const company of companies) {
    const enterprise = world.enterprises.get(company) as Account
    const proxy = new EnterpriseProxy(
      { portraitKeys: portraitKeysIn(path.join(dir, enterprise.id)) },
      world.connect(enterprise),
    )
    await proxy.submit(declarationOf(company))
    for (const [member, purpose] of [
      [world.asker, 'subsidy'],
      [world.department('finance'), 'credit-check'],
    ] as const) {
      const options = { encryptionKeys: [member.encryption.privateKey], answerTimeoutMs: 5_000 }
      const { enterpriseId, values } = declarationOf(company)
      const some = new Map([...values].filter(([name]) => (purpose === 'subsidy') === (name === 'employees')))
      const question = { enterpriseId, values: some, purpose: textId(purpose), basis: textId('law-7') }
      await new Requester(options, world.connect(member)).verify(question)
    }
  }
  await Promise.all(services.map((service) => service.stop()))
  return world
}

async function trace(world: World, query: Partial<TraceQuery> = {}): Promise<TraceEntry[]> {
  const entries: TraceEntry[] = []
  const all = { fromBlock: 0, toBlock: world.chain.height, ...query }
  for await (const page of traceChain(world.chain.client(), all)) entries.push(...page.entries)
  return entries
}

t.test('trails over a chain on which two enterprises submitted and were asked about', async (t) => {
  const world = await exercised(t.testdir())
  t.teardown(() => world.close())
  const everything = await trace(world)

  t.test('every log is an entry, in order, with what it says', async (t) => {
    const logs = world.chain.logs()
    t.equal(everything.length, logs.length)
    const abi = Object.values(systemInterfaces()).flatMap(({ json }) => json)
    for (const [index, log] of logs.entries()) {
      const entry = everything[index]!
      const { topics, data } = log
      const decoded = decodeEventLog({ abi, topics: topics as unknown as [Hash], data }) as {
        eventName: string
        args: object
      }
      t.equal(entry.event, decoded.eventName)
      t.equal(entry.block, Number(log.blockNumber))
      const { enterpriseId } = decoded.args as { enterpriseId?: `0x${string}` }
      if (enterpriseId) t.equal(entry.enterprise, idText(enterpriseId as never))
    }
  })

  t.test('an answer says to which question, about whom, why, on which basis and how fast', async (t) => {
    const answer = everything.find(({ event, attributes }) => event === 'Attested' && attributes.includes('employees'))!
    const question = everything.find(
      (one) => one.event === 'VerificationRequested' && one.exchange === answer.exchange,
    )!
    t.match(question, { kind: 'question', who: world.asker.address, attributes: ['employees'], purpose: 'subsidy' })
    t.match(question, { basis: 'law-7', after: null, timeMs: BLOCK_TIME * 1_000 + question.block * 1_001 })
    const about = { enterprise: question.enterprise, purpose: 'subsidy', basis: 'law-7' }
    t.match(answer, { kind: 'answer', outcome: 'exists, confirmed', ...about })
    const blocks = answer.block - question.block
    t.ok(blocks > 0)
    t.same(answer.after, { blocks, ms: blocks * 1_001 })
  })

  t.test('what began before the period is known all the same', async (t) => {
    const answer = everything.findLast(({ event }) => event === 'Attested')!
    const [later] = await trace(world, { fromBlock: answer.block, kinds: ['answer'] })
    t.ok(later!.after!.blocks > 0)
    t.equal(later!.purpose, answer.purpose)
    t.equal(later!.enterprise, answer.enterprise)
  })

  t.test('any query finds what going through everything finds, however wide a node lets it search', async (t) => {
    const members = [world.asker, ...world.departments.values()].map(({ address }) => address)
    const enterprises = [...world.enterprises.values()]
    // Who sent a transaction whose event does not name its author cannot be searched for.
    const namesAuthor = ({ contract, event }: TraceEntry) =>
      EVENT_TABLE[contract as ContractName]?.[event]?.who !== undefined
    const involved = (department: Address) => (entry: TraceEntry) =>
      (namesAuthor(entry) && entry.who === department) || entry.parties.includes(department)
    const expected = (query: Partial<TraceQuery>): TraceEntry[] => {
      const { fromBlock = 0, toBlock = world.chain.height, enterprise, department, attribute, purpose, kinds } = query
      const account = enterprises.find(({ id }) => enterprise !== undefined && textId(id) === enterprise)?.address
      const own = new Set(
        everything
          .filter((entry) => department && entry.block <= toBlock && involved(department)(entry))
          .flatMap((entry) => entry.exchange ?? []),
      )
      return everything.filter((entry) => {
        if (entry.block < fromBlock || entry.block > toBlock) return false
        if (kinds && !kinds.includes(entry.kind)) return false
        if (attribute && !entry.attributes.includes(idText(attribute))) return false
        if (purpose && entry.purpose !== idText(purpose)) return false
        if (enterprise && entry.enterprise !== idText(enterprise) && (department || !involved(account!)(entry)))
          return false
        return !department || involved(department)(entry) || own.has(entry.exchange ?? '')
      })
    }
    const height = fc.nat({ max: world.chain.height })
    const query = fc.record(
      {
        fromBlock: height,
        toBlock: height,
        enterprise: fc.constantFrom(...enterprises.map(({ id }) => textId(id))),
        department: fc.constantFrom(...members),
        attribute: fc.constantFrom('employees', 'registeredCapital', 'companyName').map((name) => textId(name)),
        purpose: fc.constantFrom('subsidy', 'credit-check').map((name) => textId(name)),
        kinds: fc.uniqueArray(fc.constantFrom(...TRACE_KINDS.slice(0, 8)), { minLength: 1 }),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(query, fc.constantFrom(1, 3, 10_000), async (query, range) => {
        world.chain.logRangeBlocksMax = range
        const key = ({ block, logIndex }: TraceEntry) => `${block}/${logIndex}`
        t.same((await trace(world, query)).map(key), expected(query).map(key), JSON.stringify(query))
      }),
      { numRuns: 40 },
    )
    world.chain.logRangeBlocksMax = 10_000
  })

  t.test('statistics count answers by department and questions by asker, purpose and basis', async (t) => {
    const builder = new SummaryBuilder()
    for (const entry of everything) builder.add(entry)
    const { departments, askers } = builder.result()
    const finance = world.department('finance').address
    t.match(
      askers.filter(({ asker }) => asker === finance),
      [{ purpose: 'credit-check', basis: 'law-7', questions: 2 }],
    )
    const attested = everything.filter(({ event }) => event === 'Attested')
    for (const { department, onTime, late, missing, medianMs, p95Ms } of departments) {
      const own = attested.filter(({ who }) => who === department)
      const times = [...new Map(own.map((one) => [`${one.transaction} ${one.exchange}`, one.after!.ms])).values()]
      times.sort((a, b) => a - b)
      t.same([onTime, late, missing], [times.length, 0, 0])
      const near = (value: number | null, rank: number) => Math.abs(value! - times[rank]!) <= times[rank]! * 0.005
      t.ok(near(medianMs, Math.ceil(times.length / 2) - 1))
      t.ok(near(p95Ms, Math.ceil(times.length * 0.95) - 1))
    }
  })

  t.test('a time is a block: the first at or after it', async (t) => {
    const client = world.chain.client()
    const at = (height: number) => BLOCK_TIME * 1_000 + height * 1_001
    const head = world.chain.height
    t.equal(await blockAt(client, at(3), head), 3)
    t.equal(await blockAt(client, at(3) + 1, head), 4)
    t.equal(await blockAt(client, 0, head), 0)
    t.equal(await blockAt(client, at(head) + 1, head), head + 1)
  })
})

t.test('a transaction without effect is found by its receipt', async (t) => {
  const world = new World({ companies: [complete] })
  t.teardown(() => world.close())
  const { sender } = world.connect(world.asker)
  world.chain.sealing = false
  const hash = await sender.send(dataSharing, 'closeRequest', { requestId: 9n }, 200_000n)
  world.chain.seal()
  const found: TraceEntry[] = []
  for await (const { entries } of traceFailed(world.chain.client(), 0, world.chain.height)) found.push(...entries)
  t.match(found, [{ kind: 'failed', contract: 'dataSharing', event: 'closeRequest', who: world.asker.address }])
  t.equal(found[0]?.transaction, hash)
  t.equal(toHex(world.chain.sent[0]!).length > 2, true)
})
