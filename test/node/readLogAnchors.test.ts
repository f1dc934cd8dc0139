/** Anchoring against the real contract: when, by whom, once; and what a log that was changed looks like beside its anchors. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { verifyReadLog } from '../../src/cli/trace/verifyLog.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { textId } from '../../src/contracts/textId.js'
import { ZERO_ADDRESS, ZERO_HASH } from '../../src/core/bytes.js'
import { ReadLog } from '../../src/node/readLog.js'
import { finalAnchor, ReadLogAnchors } from '../../src/node/readLogAnchors.js'
import { scanReadFile } from '../../src/node/readLogFiles.js'
import type { SubmitResult } from '../../src/rpc/chainApi.js'
import { type Account, World } from '../agent/support/world.js'
import { forgeReadFile, forgeReadLog } from '../support/forgeReadLog.js'

const ENTERPRISE = textId('91440300708461136T')
const ENTRIES = 5
const ANCHOR_MS = 10_000
const LOST_MS = 60_000

const read = (height: number) => ({
  timeMs: 1_800_000_000_000,
  height,
  call: 'portraitEntries',
  enterprise: ENTERPRISE,
  attributes: [textId('employees')],
  reader: ZERO_ADDRESS,
  remote: 'loopback',
  note: '',
})

function nodeOf(t: Test, world: World, node: Account, isMember = () => true, refuses = () => false) {
  const { chain } = world
  const dir = t.testdir()
  const options = { dir, fileBytesMax: 700, totalBytesMax: 1_000_000, flushMs: 60_000, queueMax: 1_000 }
  const log = ReadLog.open(options, { fatal: (error) => t.fail(String(error)), warn: () => {} })
  const sent: Uint8Array[] = []
  const warned: string[] = []
  const submit = (raw: Uint8Array): SubmitResult => {
    if (refuses()) return { ok: false, code: 'POOL_FULL' }
    chain.final.submit(raw)
    sent.push(raw)
    return { ok: true, hash: ZERO_HASH }
  }
  const anchors = new ReadLogAnchors(
    {
      chainId: chain.chainId,
      self: node.address,
      privateKey: node.privateKey,
      anchorEntries: ENTRIES,
      anchorMs: ANCHOR_MS,
    },
    {
      head: () => log.head,
      state: chain.final.state,
      isMember,
      nonce: (address) => chain.final.pendingNonce(address),
      submit,
      log: pino({ level: 'warn' }, { write: (line) => void warned.push(line) }),
    },
  )
  let height = 0
  const write = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const at = ++height
      log.push(() => read(at))
    }
    await log.flush()
  }
  const anchored = () => finalAnchor(chain.final.state(), node.address)
  return { dir, log, anchors, sent, warned, write, anchored }
}

t.test('an anchor is due after so many entries or so long, once it is final, and of a member alone', async (t) => {
  const world = new World({ companies: [] })
  const { chain } = world
  chain.sealing = false
  let member = true
  const { log, anchors, sent, warned, write, anchored } = nodeOf(t, world, world.department('finance'), () => member)
  const start = performance.now()
  anchors.look(start + 10 * ANCHOR_MS)
  t.equal(sent.length, 0, 'an empty log has no head')
  await write(ENTRIES - 1)
  anchors.look(start)
  t.equal(sent.length, 0, 'not yet enough')
  await write(1)
  anchors.look(start)
  t.equal(sent.length, 1)
  await write(2 * ENTRIES)
  anchors.look(start + 2 * ANCHOR_MS)
  t.equal(sent.length, 1, 'none while one is under way')
  chain.seal()
  t.match(anchored(), { sequence: ENTRIES })
  anchors.look(start + 1)
  t.equal(sent.length, 2)
  chain.seal()
  t.same(anchored(), log.head)

  const at = start + 2
  anchors.look(at + 10 * ANCHOR_MS)
  t.equal(sent.length, 2, 'nothing new, however long')
  await write(1)
  anchors.look(start + ANCHOR_MS)
  t.equal(sent.length, 2, 'neither enough nor late')
  member = false
  anchors.look(at + ANCHOR_MS)
  t.equal(sent.length, 2, 'who is no member cannot')
  member = true
  anchors.look(at + ANCHOR_MS)
  t.equal(sent.length, 3)
  chain.lose()
  anchors.look(at + ANCHOR_MS + LOST_MS)
  t.equal(sent.length, 3, 'it may be under way still')
  anchors.look(at + ANCHOR_MS + LOST_MS + 1)
  t.equal(sent.length, 4, 'then it was lost')
  chain.seal()
  t.same(anchored(), log.head)
  t.same(warned, [])

  await log.close()
  world.close()
})

t.test('a refused anchor is told and tried again', async (t) => {
  const world = new World({ companies: [] })
  const { chain } = world
  chain.sealing = false
  let refuse = true
  const node = nodeOf(
    t,
    world,
    world.department('finance'),
    () => true,
    () => refuse,
  )
  await node.write(ENTRIES)
  node.anchors.look(performance.now())
  t.equal(node.sent.length, 0)
  t.match(node.warned, [/could not be anchored/])
  refuse = false
  node.anchors.look(performance.now())
  chain.seal()
  t.same(node.anchored(), node.log.head)
  await node.log.close()
  world.close()
})

t.test('a log is held against its anchors on chain: what was changed up to the last one shows', async (t) => {
  const world = new World({ companies: [] })
  const { chain } = world
  chain.sealing = false
  const node = world.department('finance')
  const { dir, log, anchors, write } = nodeOf(t, world, node)
  for (let i = 0; i < 3; i++) {
    await write(ENTRIES)
    anchors.look(performance.now())
    chain.seal()
  }
  await write(2)
  await log.close()
  const files = [...log.files]
  t.ok(files.length > 2, 'over several files')
  const bytes = files.map(({ path }) => readFileSync(path))
  const restore = () => {
    for (const [i, { path }] of files.entries()) writeFileSync(path, bytes[i]!)
  }
  const client = chain.client()
  const verify = () => verifyReadLog(client, dir, node.address)
  t.match(await verify(), { first: 1, last: 17, anchors: 3, faults: [] })
  t.match(
    await verifyReadLog(client, dir, world.department('market-regulation').address),
    { anchors: 0, faults: [] },
    'another node has anchored nothing',
  )

  const changed = Uint8Array.from(bytes[0]!)
  changed[60]! ^= 1
  writeFileSync(files[0]!.path, changed)
  t.ok((await verify()).faults.length > 0, 'a byte')
  restore()

  // By somebody who knows how the chain is made, and makes all of it anew.
  forgeReadLog(dir, (record) => record)
  t.match(await verify(), { faults: [] }, 'written anew without a change')
  forgeReadLog(dir, (record) => (record.sequence === 12 ? { ...record, reader: CONTRACT_ADDRESSES.audit } : record))
  t.match((await verify()).faults, [/entry 15 or one before it is not what was anchored/])
  restore()
  forgeReadLog(dir, (record) => (record.sequence === 16 ? { ...record, note: 'x' } : record))
  t.match(await verify(), { faults: [] }, 'behind the last anchor nothing is proved')
  restore()

  const newest = files.at(-1)!
  writeFileSync(newest.path, bytes.at(-1)!.subarray(0, -1))
  t.match(await verify(), { last: 16, faults: [] }, 'an entry that a running node writes just now')
  restore()
  const next = `${dir}/reads-${String(18).padStart(16, '0')}.log`
  for (const length of [0, 47]) {
    writeFileSync(next, bytes[0]!.subarray(0, length))
    t.match(await verify(), { last: 17, faults: [] }, 'a file that it makes just now')
  }
  rmSync(next)
  writeFileSync(files[0]!.path, bytes[0]!.subarray(0, -1))
  t.match((await verify()).faults, [/is not whole$/, /./], 'not in a file before')
  writeFileSync(files[0]!.path, bytes[0]!.subarray(0, 47))
  await t.rejects(verify(), { code: 'NOT_A_READ_LOG' })
  restore()

  const [holder] = files.filter(({ first }) => first <= 15).slice(-1)
  for (const { path, first } of files) if (first > 15) rmSync(path)
  forgeReadFile(holder!, scanReadFile(holder!).previous, (record) => (record.sequence > 14 ? undefined : record))
  t.match(await verify(), { last: 14, anchors: 2, faults: ['entry 15 is missing'] }, 'the end cut off')
  restore()
  rmSync(files[1]!.path)
  t.match((await verify()).faults, [/^entr.* missing$/], 'a file taken out')
  world.close()
})
