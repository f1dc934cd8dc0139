/** Failing syncs, writes that stop half-way and full disks under envelopes and the read log: what was acknowledged is there afterwards. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { ReadRecord } from '../../src/audit/readRecord.js'
import { textId } from '../../src/contracts/textId.js'
import { ReadLog } from '../../src/node/readLog.js'
import { scanReadFile } from '../../src/node/readLogFiles.js'
import type { EnvelopeKey } from '../../src/rpc/deliveryApi.js'
import { type Fault, FaultyFiles } from '../support/faultyFiles.js'
import { eventually } from '../support/localNetwork.js'
import { SmallDisk, whyNoSmallDisk } from '../support/smallDisk.js'
import { addressOf, DeliveryNodes, folderHolds, handed } from './deliveryNodes.js'

const CARRIER = 1
const RECIPIENT = 2
const SENDER = 9
const sender = addressOf(SENDER)
const recipients = [addressOf(RECIPIENT)]
const FAULTS: readonly Fault[] = ['sync', 'write']

const envelopeOf = (bytes = 5_000) => handed(SENDER, new Uint8Array(randomBytes(bytes)), recipients)
const idOf = ({ slip }: ReturnType<typeof handed>): EnvelopeKey => ({ sender, hash: slip.hash })

t.test('a carrier whose disk fails takes nothing more, and keeps what it took', async (t) => {
  const faults = await FaultyFiles.install(t)
  const nodes = new DeliveryNodes(t)
  const kept = envelopeOf()
  let node = await nodes.start(CARRIER)
  await node.delivery.deliver(kept, 0)
  // The bytes of an envelope, and its name in the folder.
  for (const [round, [kind, after]] of (
    [
      ['sync', 0],
      ['sync', 1],
      ['write', 0],
    ] as const
  ).entries()) {
    const lost = envelopeOf()
    faults.begin(kind, after)
    await t.rejects(node.delivery.deliver(lost, 0), { code: 'IO', message: /check the disk, then restart/ })
    faults.end()
    t.equal(nodes.fatal.length, round + 1, 'the node is told once')
    await t.rejects(
      node.delivery.deliver(envelopeOf(), 0),
      { code: 'IO' },
      'a disk that has failed is not trusted again',
    )
    t.equal(nodes.fatal.length, round + 1)
    await node.stop()
    node = await nodes.start(CARRIER)
    t.match(node.delivery.status(idOf(kept)), { state: 'waiting' })
    t.equal(node.delivery.status(idOf(lost)).state, 'unknown')
    t.equal(await folderHolds(join(node.dir, 'bodies'), lost.body.subarray(0, 2_000)), false, 'nor is half of it')
  }
  await nodes.start(RECIPIENT)
  await eventually(() => node.delivery.status(idOf(kept)).state === 'delivered', 'what was kept to arrive')
})

t.test('a recipient acknowledges nothing that its disk has not', async (t) => {
  const faults = await FaultyFiles.install(t)
  for (const kind of FAULTS) {
    const nodes = new DeliveryNodes(t)
    const carrier = await nodes.start(CARRIER)
    const envelope = envelopeOf()
    await carrier.delivery.deliver(envelope, 0)
    faults.begin(kind)
    const recipient = await nodes.start(RECIPIENT)
    await eventually(() => nodes.fatal.length > 0, 'the fault')
    faults.end()
    t.equal(carrier.delivery.status(idOf(envelope)).state, 'waiting', kind)
    await recipient.stop()
    const back = await nodes.start(RECIPIENT)
    await eventually(
      () => carrier.delivery.status(idOf(envelope)).state === 'delivered',
      'the envelope after a restart',
    )
    await Promise.all([back.stop(), carrier.stop()])
  }
})

t.test('no erasure is confirmed that has not happened', async (t) => {
  const faults = await FaultyFiles.install(t)
  const nodes = new DeliveryNodes(t)
  const { chain } = nodes
  const recipient = await nodes.start(RECIPIENT)
  const carrier = await nodes.start(CARRIER)
  const envelope = envelopeOf()
  const id = idOf(envelope)
  await carrier.delivery.deliver(envelope, 30_000)
  await chain.announce(id, addressOf(RECIPIENT), addressOf(CARRIER), 1_000)
  await carrier.stop()
  faults.begin('sync')
  await chain.askErasure(id)
  faults.end()
  t.equal(nodes.fatal.length, 1)
  t.same(chain.confirmed, [])
  await recipient.stop()
  const again = await nodes.start(RECIPIENT)
  await chain.reread(again.delivery)
  await eventually(() => chain.confirmed.length > 0, 'the confirmation')
  t.equal(await folderHolds(again.dir, envelope.body.subarray(0, 2_000)), false)
})

t.test('a full disk under the envelopes', { skip: whyNoSmallDisk() }, async (t) => {
  const nodes = new DeliveryNodes(t)
  const bodies = join(nodes.folder(CARRIER), 'bodies')
  const disk = SmallDisk.mount(bodies, 64 * 1024)
  t.teardown(() => disk.unmount())
  const node = await nodes.start(CARRIER)
  const taken: EnvelopeKey[] = []
  const fault = await fill(async () => {
    const envelope = envelopeOf()
    await node.delivery.deliver(envelope, 0)
    taken.push(idOf(envelope))
  })
  t.match(fault, { code: 'IO', message: /ENOSPC/ })
  t.ok(taken.length > 5)
  await node.stop()
  disk.unmount()
  const again = await nodes.start(CARRIER)
  t.equal(again.delivery.counts().stored, taken.length)
  await nodes.start(RECIPIENT)
  const arrived = () => taken.every((id) => again.delivery.status(id).state === 'delivered')
  await eventually(arrived, 'all that was taken to arrive')
})

/** Does it again and again until it fails; the fault. */
async function fill(act: (i: number) => Promise<unknown>): Promise<unknown> {
  for (let i = 0; i < 1_000; i++) {
    try {
      await act(i)
    } catch (error) {
      return error
    }
  }
  return 'it never failed'
}

function open(t: Test, dir: string) {
  const fatal: unknown[] = []
  const needs = { fatal: (error: unknown) => fatal.push(error), warn: () => {} }
  const options = { dir, fileBytesMax: 1_500, totalBytesMax: 10_000_000, flushMs: 60_000, queueMax: 1_000 }
  const log = ReadLog.open(options, needs)
  t.teardown(() => log.close())
  return { log, fatal }
}

const read = (height: number): Omit<ReadRecord, 'sequence'> => ({
  timeMs: 1_800_000_000_000,
  height,
  call: 'GetUserProfile',
  enterprise: textId('91440300708461136T'),
  attributes: [],
  reader: addressOf(3),
  remote: 'loopback',
  note: '',
})

const heights = (log: ReadLog) => {
  const scanned = log.files.map(scanReadFile)
  for (const { fault } of scanned) if (fault !== undefined) throw new Error(fault)
  return scanned.flatMap(({ records }) => records).map(({ record }) => record.height)
}
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

t.test('a read log whose disk fails: what was synced is there, the chain goes on behind it', async (t) => {
  const faults = await FaultyFiles.install(t)
  const base = t.testdir()
  // Somewhere in a file, and where a file begins: header, its sync, that of the folder.
  for (const kind of FAULTS) {
    for (let after = 0; after < 14; after += 3) {
      const dir = join(base, `${kind}${after}`)
      mkdirSync(dir, { recursive: true })
      const { log, fatal } = open(t, dir)
      let synced = 0
      faults.begin(kind, after)
      while (!log.failed) {
        log.push(() => read(synced + 1))
        await log.flush()
        if (!log.failed) synced = log.head.sequence
      }
      t.equal(fatal.length, 1, `${kind} after ${after}: after ${synced} reads`)
      t.equal(log.hasRoom, false)
      faults.end()
      log.push(() => read(999))
      await log.flush()
      await log.close()
      const { log: again } = open(t, dir)
      // What was written and not synced may be there too.
      t.ok(again.head.sequence >= synced && again.head.sequence <= synced + 1)
      again.push(() => read(again.head.sequence + 1))
      await again.flush()
      t.same(heights(again), upTo(again.head.sequence))
    }
  }
})

t.test('a full disk under the read log', { skip: whyNoSmallDisk() }, async (t) => {
  const dir = join(t.testdir(), 'reads')
  const disk = SmallDisk.mount(dir, 32 * 1024)
  t.teardown(() => disk.unmount())
  const { log, fatal } = open(t, dir)
  let synced = 0
  await fill(async (i) => {
    log.push(() => read(i + 1))
    await log.flush()
    if (log.failed) throw fatal[0]
    synced = log.head.sequence
  })
  t.match(fatal, [{ code: 'ENOSPC' }])
  t.ok(synced > 10)
  await log.close()
  disk.unmount()
  const { log: again } = open(t, dir)
  t.same(heights(again), upTo(again.head.sequence))
  t.ok(again.head.sequence >= synced)
})
