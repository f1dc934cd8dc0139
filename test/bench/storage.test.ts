/** The storage experiment on a few enterprises: what is stored is counted once, wholly, and where it belongs. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Row } from '../../bench/harness/row.js'
import { makeSection } from '../../bench/report/section.js'
import { CHAIN_PARTS } from '../../bench/storage/nodeDisk.js'
import { FIRST_USERS, OWNERS, RecordStores } from '../../bench/storage/recordStores.js'
import { storageSection } from '../../bench/storage/section.js'
import { type NetworkDisk, SharingNetwork } from '../../bench/storage/sharingNetwork.js'
import { datasetCompanies } from '../../src/agent/dataset/generate.js'

const companies = [...datasetCompanies({ records: 25 })]

t.test('stores without a chain', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'concordat-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const many = [...datasetCompanies({ records: 2_000 })]
  const copies = RecordStores.copies(join(dir, 'copies'), 5)
  const centre = RecordStores.centre(join(dir, 'centre'))
  for (const stores of [copies, centre]) await stores.add(many, { compact: true })
  const uses = copies.uses().map(({ bytes }) => bytes)
  const [whole] = centre.uses().map(({ bytes }) => bytes)
  const [access, ...others] = uses.slice(OWNERS)
  const near = (bytes: number) => Math.abs(bytes - whole!) < whole! / 100
  t.ok(near(access!), 'who owns nothing has a copy of everything, as the centre')
  t.ok(near(others.at(-1)!), 'so has whoever begins later')
  t.ok(
    others.slice(0, -1).every((bytes) => bytes < 0.9 * whole!),
    'an owner copies only what others own',
  )
  const owners = uses.slice(0, OWNERS).reduce((sum, bytes) => sum + bytes, 0)
  t.ok(owners > whole! && owners < 1.5 * whole!, 'the owners together have everything once')
})

t.test('a network', async (t) => {
  const { signal } = new AbortController()
  const network = await SharingNetwork.open({ basePort: 25_400, seed: 'test', signal })
  t.teardown(() => network.close())
  const loaded = companies.slice(0, 15)
  const before = whole(t, await network.measure())
  await network.join(loaded, FIRST_USERS, () => {})
  const joined = whole(t, await network.measure())
  await network.ask(15, () => {})
  const asked = whole(t, await network.measure())
  await network.submit(companies.slice(15), () => {})
  const submitted = whole(t, await network.measure())

  for (const part of ['blocks', 'state', 'tries', 'databases'] as const) {
    t.ok(joined[part] > before[part], `enterprises that join take ${part}`)
  }
  t.equal(joined.portraits, 0, 'no portrait before a query')
  t.ok(asked.portraits > 0.2 * (asked.portraits + asked.state), 'queries fill portraits')
  t.ok(asked.tries > joined.tries && asked.blocks > joined.blocks)
  t.ok(submitted.databases > asked.databases && submitted.blocks > asked.blocks, 'submissions arrive in the databases')
})

/** Sums over the nodes, after a check that each node's parts are its whole. */
function whole(t: Test, { departments, nodes }: NetworkDisk) {
  t.equal(nodes.length, 4)
  for (const { bytes, parts } of nodes) {
    const sum = CHAIN_PARTS.reduce((all, part) => all + parts[part], 0)
    t.ok(Math.abs(sum - bytes) < 1, 'parts add up')
    t.ok(CHAIN_PARTS.every((part) => parts[part] >= 0))
  }
  const all = (part: (typeof CHAIN_PARTS)[number]) => nodes.reduce((sum, { parts }) => sum + parts[part], 0)
  const parts = Object.fromEntries(CHAIN_PARTS.map((part) => [part, all(part)])) as Record<
    (typeof CHAIN_PARTS)[number],
    number
  >
  return { ...parts, databases: departments.bytes }
}

t.test('the section answers the claims from the rows', async (t) => {
  const answers = (rows: Row[]) => makeSection('storage', storageSection, rows, [])!.claims.map(({ answer }) => answer)
  t.same(answers(rowsOf({ chain: 10_000 })), ['no', 'yes', 'no'])
  t.same(answers(rowsOf({ chain: 10 })), ['yes', 'yes', 'yes'])
  const section = makeSection('storage', storageSection, rowsOf({ chain: 10_000 }), [])!
  const breakEven = section.figures.find(({ label }) => label.startsWith('portrait full, size of records'))!
  t.equal(Math.round(breakEven.value), Math.round((300 * 10_000) / 900), 'where chain and copies take the same')
  const few = rowsOf({ chain: 10 }).filter(({ system }) => system === 'concordat')
  t.same(answers(few), [], 'nothing is said of what was not measured')
})

/** Copies of 1,200 bytes an enterprise, a centre of 300; concordat with databases of 300 and this chain. */
function rowsOf({ chain }: { chain: number }): Row[] {
  const rows: Row[] = []
  const add = (system: string, variant: string, part: string, x: number, value: number) => {
    const row = {
      system,
      variant,
      quantity: 'disk',
      part,
      unit: 'bytes',
      axis: 'enterprises',
      x,
      repeat: 0,
      value,
    } as const
    rows.push({ ...row, id: `storage-${rows.length + 1}`, experiment: 'storage' })
  }
  for (const x of [0, 100, 200]) {
    add('traditional copies', '', '', x, 1_200 * x)
    add('traditional copies', '', 'department databases', x, 300 * x)
    add('traditional copies', '', 'copies', x, 900 * x)
    add('traditional centre', '', '', x, 300 * x)
    for (const variant of ['portrait empty', 'portrait full']) {
      add('concordat', variant, '', x, (300 + chain) * x)
      add('concordat', variant, 'department databases', x, 300 * x)
      add('concordat', variant, 'journal', x, 0)
    }
  }
  return rows
}
