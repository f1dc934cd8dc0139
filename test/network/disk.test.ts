/** What a real node does when its disk is full or broken, and when its journal is lost or an old copy. */
import { copyFileSync, existsSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import type { StartedProcess } from '../../src/cli/network/processes.js'
import type { SignedVote } from '../../src/consensus/types.js'
import { readFileHeader, scanFrames } from '../../src/state/journalFrames.js'
import { eventually, freeBasePort, type LocalNetwork, startLocalNetwork } from '../support/localNetwork.js'
import { MemberLoad } from '../support/memberLoad.js'
import { SmallDisk, whyNoSmallDisk } from '../support/smallDisk.js'
import { VoteObserver } from '../support/voteObserver.js'

const MIB = 1024 * 1024
/** The node that has the trouble. */
const LAST = 3

const port = await freeBasePort(1)
let observer: VoteObserver | undefined
const net = await startLocalNetwork({
  prepare(dir, network) {
    observer = new VoteObserver(network, port)
    observer.install(dir)
  },
})
const watcher = observer!
await watcher.start()
t.teardown(async () => {
  await watcher.stop()
  await net.stop()
})

const { name, address } = net.network.nodes[LAST]!
const folder = join(net.dir, name)
const journalFile = join(folder, 'journal', 'consensus.journal')
const log = () => readFileSync(join(folder, 'logs', 'node.log'), 'utf8')
const sameVote = (a: SignedVote, b: SignedVote) => a.kind === b.kind && a.view === b.view && a.block === b.block

/** Transactions through the other nodes while `work` runs; all are final afterwards. */
async function underLoad(work: (load: MemberLoad) => Promise<unknown>, dataBytes = 0): Promise<void> {
  const load = new MemberLoad(net.network, () => [0, 1, 2].map((node) => net.client(node)), dataBytes)
  load.start()
  try {
    await work(load)
    await load.drain(60_000)
  } finally {
    load.stop()
  }
}

const height = async (node: number) => Number(await net.client(node).call('eth_blockNumber'))

async function agree(from: LocalNetwork): Promise<unknown> {
  return eventually(async () => {
    const heads = await Promise.all(
      [0, 1, 2, 3].map((node) => from.client(node).call('eth_getBlockByNumber', 'latest', false)),
    )
    return heads.every((head) => head?.hash === heads[0]!.hash && head?.stateRoot === heads[0]!.stateRoot)
  }, 'all nodes to have the same head')
}

/** Starts the node with our fault in its file calls. */
function startFaulty(trigger: string): StartedProcess {
  process.env.NODE_OPTIONS = `--import ${resolve('test/support/faultyDisk.mjs')}`
  process.env.FAULTY_DISK = trigger
  try {
    return net.start(LAST)
  } finally {
    delete process.env.NODE_OPTIONS
    delete process.env.FAULTY_DISK
  }
}

/** The process ended by itself, said why, and nothing that it said is missing from its journal. */
async function stopped(t: Test, started: StartedProcess, reason: RegExp): Promise<void> {
  t.equal(await started.exited, 1, 'it ends with status 1')
  const fatal =
    log()
      .split('\n')
      .findLast((line) => line.includes('"level":60')) ?? ''
  t.match(fatal, /it cannot be sure of its state any more/)
  t.match(fatal, reason)
  const journaled = watcher.readJournal(folder)
  const heard = (watcher.heard.get(address) ?? []).slice(-20)
  t.same(
    heard.filter((vote) => !journaled.some((own) => sameVote(own, vote))),
    [],
    'no vote left that is not on disk',
  )
}

async function comesBack(): Promise<void> {
  await net.restart(LAST)
  await underLoad((load) => eventually(() => load.acknowledged.length > 0, 'transactions to be final'))
  await agree(net)
}

/** Takes what is left of the disk. */
function fill(path: string): void {
  const { bavail, bsize } = statfsSync(folderOf(path))
  writeFileSync(path, new Uint8Array(bavail * bsize))
}

const folderOf = (path: string): string => join(path, '..')

t.test('the journal cannot be synced: the node stops before anything leaves, and comes back', async (t) => {
  const trigger = join(net.dir, 'faulty')
  await net.kill(LAST)
  const started = startFaulty(trigger)
  await eventually(async () => (await height(LAST).catch(() => -1)) >= 0, 'the node to answer')
  await underLoad(async () => {
    await eventually(() => (watcher.heard.get(address)?.length ?? 0) > 0, 'the node to vote')
    writeFileSync(trigger, '')
    await stopped(t, started, /writing journal .*EIO.*check the disk, then restart/)
  })
  rmSync(trigger)
  await comesBack()
})

t.test('the disk of the journal is full', { skip: whyNoSmallDisk() }, async (t) => {
  await net.kill(LAST)
  // Room for what it starts with, but not to grow.
  const disk = SmallDisk.mount(join(folder, 'journal'), 5 * MIB)
  t.teardown(() => disk.unmount())
  const started = net.start(LAST)
  await eventually(async () => (await height(LAST).catch(() => -1)) >= 0, 'the node to answer')
  await underLoad(() => stopped(t, started, /writing journal .*ENOSPC.*check the disk, then restart/), 40_000)
  disk.unmount()
  await comesBack()
})

t.test('the disk of the database is full', { skip: whyNoSmallDisk() }, async (t) => {
  await net.kill(LAST)
  const disk = SmallDisk.mount(join(folder, 'data'), 64 * MIB)
  t.teardown(() => disk.unmount())
  const started = net.start(LAST)
  await eventually(async () => (await height(LAST).catch(() => -1)) >= 0, 'the node to answer')
  const filler = join(folder, 'data', 'filler')
  await underLoad(async () => {
    fill(filler)
    await stopped(t, started, /a final block could not be stored \(.*[Nn]o space left.*\): the node must stop/)
  }, 20_000)
  rmSync(filler)
  disk.unmount()
  await comesBack()
})

t.test('a torn end of the journal, after SIGKILL, is cut off', async (t) => {
  const before = log().length
  await underLoad(async () => {
    await net.kill(LAST)
    writeFileSync(journalFile, tornEnd(readFileSync(journalFile)))
    await net.restart(LAST)
  })
  await agree(net)
  t.notMatch(log().slice(before), /votes of this sealer may be unknown/)
})

/** A frame begins behind the last one, and did not get far. */
function tornEnd(bytes: Buffer): Buffer {
  const { end } = scanFrames(bytes, readFileHeader(bytes)!.salt)
  bytes.set(Buffer.from('cdtj\0\0\0\x40\0\0\0\0torn', 'latin1'), end)
  return bytes
}

for (const [what, change] of [
  ['is deleted', () => rmSync(journalFile)],
  ['is an old copy', () => copyFileSync(`${journalFile}.old`, journalFile)],
] as const) {
  t.test(`the journal ${what}: the node votes again once others have gone on, and never twice`, async (t) => {
    await underLoad(async () => {
      await net.kill(LAST)
      if (existsSync(journalFile)) copyFileSync(journalFile, `${journalFile}.old`)
      await net.restart(LAST)
      const start = await height(0)
      await eventually(async () => (await height(LAST)) > start + 4, 'the node to follow')
      await net.kill(LAST)
    })
    const said = watcher.readJournal(folder)
    change()
    const before = log().length
    const heard = watcher.heard.get(address)!
    heard.length = 0
    await net.restart(LAST)
    await agree(net)
    t.same(heard, [], 'an idle chain is no reason to vote')
    t.match(log().slice(before), /votes of this sealer may be unknown here/)
    await underLoad(() => eventually(() => heard.length > 0, 'the node to vote again'))
    const last = Math.max(...said.map(({ view }) => view))
    t.ok(
      heard.every(({ view }) => view > last),
      'only above what it may have voted for',
    )
    await agree(net)
    t.same(watcher.conflicts, [])
  })
}

t.test('the journal of another node is refused', async (t) => {
  await net.kill(LAST)
  const own = readFileSync(journalFile)
  copyFileSync(join(net.dir, 'node1', 'journal', 'consensus.journal'), journalFile)
  t.equal(await net.start(LAST).exited, 1)
  t.match(log().split('\n').slice(-5).join('\n'), /holds the votes of another sealer or of another chain/)
  writeFileSync(journalFile, own)
  await comesBack()
})

t.test('nobody contradicted itself in all this', async (t) => {
  t.same(watcher.conflicts, [])
  t.ok(watcher.votes > 100, `${watcher.votes} votes`)
})
