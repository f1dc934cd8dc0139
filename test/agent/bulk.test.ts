import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { batchingClient } from '../../src/agent/bulk/batchingClient.js'
import { readBulkInput } from '../../src/agent/bulk/bulkInput.js'
import { openBulkJournal } from '../../src/agent/bulk/bulkJournal.js'
import type { BulkOutcome } from '../../src/agent/bulk/bulkReport.js'
import { type BulkOptions, bulkSubmit } from '../../src/agent/bulk/bulkSubmit.js'
import { dataSharing } from '../../src/agent/contractClient.js'
import { type DatasetCompany, datasetCompanies } from '../../src/agent/dataset/generate.js'
import { table2Template } from '../../src/agent/declaration/table2Template.js'
import { asHash, toHex } from '../../src/core/bytes.js'
import type { RpcClient } from '../../src/rpc/client.js'
import { declarationText, World } from './support/world.js'

const companiesOf = (count: number) => [...datasetCompanies({ records: Math.max(count, 20) })].slice(0, count)
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

/** A table with one company a row, and a folder with their keys. */
function inputOf(world: World, companies: readonly DatasetCompany[], dir: string): string {
  const keys = path.join(dir, 'keys')
  mkdirSync(keys, { recursive: true })
  for (const [company, { privateKey }] of world.enterprises) {
    const file = path.join(keys, `${company.truth.unifiedSocialCreditCode}.key`)
    if (!existsSync(file)) writeFileSync(file, toHex(privateKey), { mode: 0o600 })
  }
  const input = path.join(dir, 'dataset.csv')
  const header = Object.keys(companies[0]!.truth)
  const rows = companies.map(({ truth }) => Object.values(truth).map(quoted).join(','))
  writeFileSync(input, `${header.join(',')}\n${rows.join('\n')}\n`)
  return input
}

/** Fails from the `at`-th call of `method` on, before the chain has seen it or after. */
interface Death {
  readonly method: string
  readonly at: number
  readonly after: boolean
}

function mortal(client: RpcClient, { method, at, after }: Death): RpcClient {
  let calls = 0
  let dead = false
  const request = async (called: string, params: readonly unknown[] = []) => {
    if (called === method && !dead) calls++
    const last = calls === at && !dead && called === method
    if (dead || (last && !after)) {
      dead = true
      throw new Error('killed')
    }
    if (last) dead = true
    const result = await client.request(called, params)
    if (last) throw new Error('killed')
    return result
  }
  return {
    ...client,
    request,
    call: (called, ...params) => request(called, params) as never,
    batch: (calls) =>
      Promise.all(
        calls.map(async ({ method, params }) => ({ ok: true, result: await request(method, params) }) as const),
      ),
  }
}

async function run(world: World, input: string, options: Partial<BulkOptions> = {}, death?: Death) {
  const dir = path.dirname(input)
  const client = world.chain.client()
  const connection = world.connect(world.operator, batchingClient(death ? mortal(client, death) : client))
  const journal = await openBulkJournal(path.join(dir, 'journal.jsonl'), world.chain.chainId)
  const outcomes: BulkOutcome[] = []
  try {
    const items = await readBulkInput(input, { salt: journal.salt, template: table2Template })
    const used = {
      keysDir: path.join(dir, 'keys'),
      register: false,
      concurrency: 16,
      acknowledgeTimeoutMs: 20_000,
      ...options,
    }
    const needs = { connection, journal, onOutcome: (outcome: BulkOutcome) => void outcomes.push(outcome) }
    return { summary: await bulkSubmit(items, used, needs), outcomes }
  } finally {
    await journal.close()
    connection.close()
  }
}

/** Submissions of each enterprise, as the chain has them. */
function submissions(world: World): number[] {
  const topic = dataSharing.abi.topic('DataStored')
  const ids = new Map<string, Set<string>>()
  for (const { topics } of world.chain.logs()) {
    if (topics[0] !== topic) continue
    const enterprise = topics[2] as string
    ids.set(enterprise, new Set([...(ids.get(enterprise) ?? []), topics[1] as string]))
  }
  return [...ids.values()].map(({ size }) => size)
}

/** Its own measure: BULK_ENTERPRISES=500. */
const MANY = Number(process.env.BULK_ENTERPRISES ?? 100)

t.test('many enterprises in one run, and nothing more in the next', async (t) => {
  const companies = companiesOf(MANY)
  const world = new World({ companies })
  const services = await world.serveAll()
  const input = inputOf(world, companies, t.testdir())
  const { summary, outcomes } = await run(world, input, { concurrency: 64 })
  t.match(summary, { total: MANY, accepted: MANY, rejected: 0, pending: 0, failed: 0, before: 0 })
  t.same(
    summary.departments.map(({ accepted }) => accepted),
    [MANY, MANY, MANY],
  )
  t.equal(outcomes.length, MANY)
  t.comment(`${summary.perSecond.toFixed(0)} a second`)
  const sent = world.chain.sent.length
  const again = await run(world, input)
  t.match(again.summary, { accepted: MANY, before: MANY })
  t.equal(world.chain.sent.length, sent, 'nothing was sent')
  t.same(submissions(world), Array(MANY).fill(1))
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

async function killAndGoOn(t: Test, death: Death, lost: boolean) {
  const companies = companiesOf(5)
  const world = new World({ companies })
  const services = await world.serveAll()
  const input = inputOf(world, companies, t.testdir())
  const name = `${death.method} ${death.at} ${death.after ? 'after' : 'before'}${lost ? ', lost' : ''}`
  world.chain.sealing = !lost
  await t.rejects(run(world, input, { concurrency: 3 }, death), /killed/, name)
  const gone = lost ? [...world.chain.sent] : []
  world.chain.lose()
  world.chain.sealing = true
  appendFileSync(path.join(path.dirname(input), 'journal.jsonl'), '{"torn":')
  const { summary } = await run(world, input, { concurrency: 3 })
  t.match(summary, { total: 5, accepted: 5, failed: 0 }, name)
  t.same(submissions(world), [1, 1, 1, 1, 1])
  const client = world.chain.client()
  for (const raw of gone) {
    await t.rejects(
      client.call('eth_sendRawTransaction', toHex(raw)),
      /nonce too low/,
      'what was lost cannot come back',
    )
  }
  await Promise.all(services.map((service) => service.stop()))
  world.close()
}

t.test('a run that is killed anywhere goes on and submits nothing twice', async (t) => {
  for (const at of [1, 2, 5]) {
    for (const after of [false, true]) await killAndGoOn(t, { method: 'eth_sendRawTransaction', at, after }, false)
    await killAndGoOn(t, { method: 'eth_getTransactionReceipt', at, after: false }, false)
  }
  // The node forgets what it had; nothing was sealed.
  for (const at of [1, 3]) await killAndGoOn(t, { method: 'eth_sendRawTransaction', at, after: true }, true)
})

t.test('plain files are found again by their keyed document hash', async (t) => {
  const companies = companiesOf(4)
  const world = new World({ companies })
  const services = await world.serveAll()
  const dir = path.join(t.testdir(), 'in')
  const folder = path.join(dir, 'folder')
  inputOf(world, companies, dir)
  mkdirSync(folder)
  const write = (company: DatasetCompany, changes = {}) =>
    writeFileSync(path.join(folder, `${company.truth.unifiedSocialCreditCode}.json`), declarationText(company, changes))
  for (const company of companies) write(company)
  const death = { method: 'eth_sendRawTransaction', at: 2, after: true }
  await t.rejects(run(world, folder, { concurrency: 2 }, death), /killed/)
  const { summary } = await run(world, folder, { concurrency: 2 })
  t.match(summary, { total: 4, accepted: 4, failed: 0 })
  t.same(submissions(world), [1, 1, 1, 1])
  const sent = world.chain.sent.length
  t.match((await run(world, folder)).summary, { accepted: 4, before: 4 })
  t.equal(world.chain.sent.length, sent, 'nothing was sent')
  write(companies[0]!, { employees: '12' })
  t.match((await run(world, folder)).summary, { accepted: 4, before: 3 }, 'a changed file is a new declaration')
  t.same(submissions(world).sort(), [1, 1, 1, 2])
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test('faulty items are told, the rest is submitted', async (t) => {
  const companies = companiesOf(6)
  const world = new World({ companies })
  const services = await world.serveAll()
  const [a, b, c, d, e, f] = companies as [
    DatasetCompany,
    DatasetCompany,
    DatasetCompany,
    DatasetCompany,
    DatasetCompany,
    DatasetCompany,
  ]
  const input = inputOf(
    world,
    [
      a,
      { ...b, truth: { ...b.truth, employees: 'many' } },
      c,
      { ...d, truth: { ...d.truth, unifiedSocialCreditCode: 'short' } },
      e,
      a,
    ],
    t.testdir(),
  )
  writeFileSync(
    path.join(path.dirname(input), 'keys', `${c.truth.unifiedSocialCreditCode}.key`),
    toHex(world.enterprises.get(f)!.privateKey),
    { mode: 0o600 },
  )
  const { summary, outcomes } = await run(world, input)
  t.match(summary, { total: 6, accepted: 2, failed: 4 })
  const reasons = new Map(outcomes.map(({ place, reason }) => [place, reason]))
  t.match(reasons.get('dataset.csv, row 3'), {
    code: 'INVALID_VALUES',
    message: /employees must be a whole number.*dataset.csv, row 3, field G/,
  })
  t.match(reasons.get('dataset.csv, row 4'), { code: 'OTHER_ENTERPRISE' })
  t.match(reasons.get('dataset.csv, row 5'), { code: 'INVALID_FIELD', message: /credit code/ })
  t.match(reasons.get('dataset.csv, row 7'), { code: 'TWICE', message: /row 2/ })
  inputOf(world, [a, b], path.dirname(input))
  t.match((await run(world, input)).summary, { total: 2, accepted: 2, before: 1 }, 'mended rows follow')
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test('registration by the operator, of those who are no members', async (t) => {
  const world = new World({ companies: companiesOf(2) })
  const services = await world.serveAll()
  const input = inputOf(world, companiesOf(6), t.testdir())
  const { summary } = await run(world, input, { register: true })
  t.match(summary, { total: 6, accepted: 6, registered: 4 })
  const again = await run(world, input, { register: true })
  t.match(again.summary, { accepted: 6, registered: 0, before: 6 })
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test('departments that do not answer, and a node that does not', async (t) => {
  const companies = companiesOf(3)
  const world = new World({ companies })
  const input = inputOf(world, companies, t.testdir())
  const { summary } = await run(world, input, { acknowledgeTimeoutMs: 100 })
  t.match(summary, { pending: 3, accepted: 0 })
  const services = await world.serveAll()
  t.match((await run(world, input)).summary, { accepted: 3, before: 3 }, 'their answers are read later')
  t.same(submissions(world), [1, 1, 1])
  await Promise.all(services.map((service) => service.stop()))
  world.close()
})

t.test('inputs: folders and lists', async (t) => {
  const companies = companiesOf(3)
  const [a, b] = companies as [DatasetCompany, DatasetCompany]
  const dir = t.testdir({
    folder: {
      'b.json': JSON.stringify({ values: b.truth }),
      'a.csv': `attribute,value\n${Object.entries(a.truth)
        .map(([k, v]) => `${k},${quoted(v)}`)
        .join('\n')}\n`,
      'notes.txt': 'x',
      c: {},
    },
    'list.csv': 'declaration,key\nfolder/b.json,keys/b.key\n,keys/none\n',
    'zh.csv': '企业名称,统一社会信用代码,注册资本（万元）\n甲,91510104000000017X,"1,234.5"\n',
    'bad.csv': '企业名称,神秘\n甲,1\n',
    'none.csv': 'companyName\n甲\n',
  })
  const read = (name: string) =>
    readBulkInput(path.join(dir, name), { salt: '00'.repeat(32), template: table2Template })
  const items = await read('folder')
  t.same(
    items.map(({ place }) => place),
    ['a.csv', 'b.json', 'c'],
  )
  t.equal((await items[0]!.declaration()).creditCode, a.truth.unifiedSocialCreditCode)
  await t.rejects(items[2]!.declaration(), { code: 'MISSING_FILE' })
  const [one, two] = await read('list.csv')
  t.equal((await one!.declaration()).creditCode, b.truth.unifiedSocialCreditCode)
  t.equal(one!.keyFile, path.join(dir, 'keys/b.key'))
  t.throws(() => two!.declaration(), { code: 'INVALID_FIELD', row: 3 })
  const [row] = await read('zh.csv')
  t.equal((await row!.declaration()).values.get('registeredCapital'), '12345000')
  await t.rejects(read('bad.csv'), { code: 'NOT_FOUND', field: 'B' })
  await t.rejects(read('none.csv'), { code: 'NO_ENTERPRISE' })
  await t.rejects(read('nothing'), { code: 'UNREADABLE' })
})

t.test('the journal: one run at a time, one chain, no strange lines', async (t) => {
  const file = path.join(t.testdir(), 'j.jsonl')
  const journal = await openBulkJournal(file, 7)
  const salt = journal.salt
  await t.rejects(openBulkJournal(file, 7), { code: 'IN_USE' })
  const about = { enterprise: 'E', document: asHash(`0x${'1'.repeat(64)}`) }
  const transaction = asHash(`0x${'2'.repeat(64)}`)
  await Promise.all(
    [1, 2, 3].map((afterHeight) => journal.append({ ...about, at: 'sending', transaction, afterHeight })),
  )
  await journal.append({ ...about, at: 'final', transaction, submission: '12', height: 4 })
  await journal.close()
  const again = await openBulkJournal(file, 7)
  t.equal(again.salt, salt)
  t.match(again.progress('E', about.document), { sending: { length: 3 }, final: { submissionId: 12n }, shared: false })
  await again.close()
  await t.rejects(openBulkJournal(file, 8), { code: 'OTHER_CHAIN' })
  writeFileSync(`${file}.lock`, '999999999')
  await (await openBulkJournal(file, 7)).close()
  t.notOk(existsSync(`${file}.lock`), 'the lock of a process that is gone is taken over')
  appendFileSync(file, '{"at":"surprise"}\n')
  await t.rejects(openBulkJournal(file, 7), { code: 'MALFORMED', message: /row 6/ })
})
