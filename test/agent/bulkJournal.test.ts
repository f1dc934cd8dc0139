/** The journal of a bulk submission on disks that fail: an entry that was acknowledged is there afterwards, and nothing leaves without one. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { batchingClient } from '../../src/agent/bulk/batchingClient.js'
import { readBulkInput } from '../../src/agent/bulk/bulkInput.js'
import { openBulkJournal } from '../../src/agent/bulk/bulkJournal.js'
import { bulkSubmit } from '../../src/agent/bulk/bulkSubmit.js'
import { dataSharing } from '../../src/agent/contractClient.js'
import { datasetCompanies } from '../../src/agent/dataset/generate.js'
import { table2Template } from '../../src/agent/declaration/table2Template.js'
import { asHash, toHex } from '../../src/core/bytes.js'
import { type Fault, FaultyFiles } from '../support/faultyFiles.js'
import { SmallDisk, whyNoSmallDisk } from '../support/smallDisk.js'
import { declarationText, World } from './support/world.js'

const CHAIN_ID = 7
const document = asHash(`0x${'1'.repeat(64)}`)
const entryOf = (n: number) => {
  const transaction = `0x${n.toString(16).padStart(64, '0')}`
  return { enterprise: 'E', document, at: 'sending', transaction, afterHeight: n } as const
}

/** Appends until it fails, several at a time; how many were acknowledged, and the fault. */
async function fill(file: string, from: number): Promise<{ acknowledged: number; error: unknown }> {
  const journal = await openBulkJournal(file, CHAIN_ID)
  let acknowledged = from
  try {
    for (let round = 0; round < 500; round++) {
      await Promise.all([1, 2, 3].map((i) => journal.append(entryOf(acknowledged + i))))
      acknowledged += 3
    }
    return { acknowledged, error: 'it never failed' }
  } catch (error) {
    await t.rejects(journal.append(entryOf(acknowledged + 1)), { code: 'UNWRITABLE' }, 'it takes nothing more')
    return { acknowledged, error }
  } finally {
    await journal.close()
  }
}

/** Entries of the journal as the next run finds them. */
async function found(file: string): Promise<number[]> {
  const journal = await openBulkJournal(file, CHAIN_ID)
  const { sending } = journal.progress('E', document)
  await journal.close()
  return sending.map(({ afterHeight }) => afterHeight)
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

t.test('entries on a disk that fails', async (t) => {
  const faults = await FaultyFiles.install(t)
  for (const kind of ['sync', 'write'] as const) {
    const file = path.join(t.testdir(), 'j.jsonl')
    faults.begin(kind)
    const code = kind === 'sync' ? 'UNWRITABLE' : 'UNREADABLE'
    await t.rejects(openBulkJournal(file, CHAIN_ID), { code }, `${kind}: not even begun, nor its lock`)
    let kept = 0
    for (const after of [3, 5, 6]) {
      faults.begin(kind, after)
      const { acknowledged, error } = await fill(file, kept)
      faults.end()
      t.match(error, { code: 'UNWRITABLE', message: /check the disk, then run it again/ })
      const entries = await found(file)
      t.ok(entries.length >= acknowledged, `${kind} after ${after}`)
      t.same(entries, upTo(entries.length))
      kept = entries.length
    }
    t.ok(kept > 5, `${kind}: ${kept} entries`)
  }
})

t.test('a full disk', { skip: whyNoSmallDisk() }, async (t) => {
  const dir = path.join(t.testdir(), 'disk')
  const file = path.join(dir, 'j.jsonl')
  const disk = SmallDisk.mount(dir, 16 * 1024)
  t.teardown(() => disk.unmount())
  const { acknowledged, error } = await fill(file, 0)
  t.match(error, { code: 'UNWRITABLE', message: /ENOSPC/ })
  t.ok(acknowledged > 10)
  disk.unmount()
  const entries = await found(file)
  t.same(entries, upTo(entries.length))
  t.ok(entries.length >= acknowledged)
})

t.test('a run on a disk that fails ends; the next one submits each enterprise once', async (t) => {
  const faults = await FaultyFiles.install(t)
  const base = t.testdir()
  const companies = [...datasetCompanies({ records: 20 })].slice(0, 4)
  const rounds: [Fault, number][] = [
    ['sync', 3],
    ['sync', 12],
    ['write', 9],
    ['write', 15],
  ]
  for (const [kind, after] of rounds) {
    const world = new World({ companies })
    const services = await world.serveAll()
    const dir = path.join(base, `${kind}${after}`)
    for (const folder of ['in', 'keys']) mkdirSync(path.join(dir, folder), { recursive: true })
    for (const [company, { privateKey }] of world.enterprises) {
      const name = company.truth.unifiedSocialCreditCode
      writeFileSync(path.join(dir, 'in', `${name}.json`), declarationText(company))
      writeFileSync(path.join(dir, 'keys', `${name}.key`), toHex(privateKey), { mode: 0o600 })
    }
    const run = async () => {
      const connection = world.connect(world.operator, batchingClient(world.chain.client()))
      const journal = await openBulkJournal(path.join(dir, 'j.jsonl'), world.chain.chainId)
      try {
        const items = await readBulkInput(path.join(dir, 'in'), { salt: journal.salt, template: table2Template })
        const options = { keysDir: path.join(dir, 'keys'), register: false, concurrency: 3 }
        return await bulkSubmit(items, options, { connection, journal })
      } finally {
        await journal.close()
      }
    }
    faults.begin(kind, after)
    await t.rejects(run(), /EIO|ENOSPC/, `${kind} after ${after}`)
    faults.end()
    t.match(await run(), { total: 4, accepted: 4, failed: 0 })
    const topic = dataSharing.abi.topic('DataStored')
    const ids = world.chain.logs().flatMap(({ topics }) => (topics[0] === topic ? [topics[1]] : []))
    t.equal(new Set(ids).size, 4)
    await Promise.all(services.map((service) => service.stop()))
    world.close()
  }
})
