/** A chain of nine blocks in two epochs, a node that began from a snapshot of the last one, and peers of it in memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { builtinExtensions } from '../../src/consensus/extensions.js'
import { asHeight } from '../../src/core/bytes.js'
import { chainRules } from '../../src/node/chainFile/rules.js'
import { createSnapshot, loadSnapshot } from '../../src/node/chainFile/snapshot.js'
import { FinalChain } from '../../src/node/finalChain.js'
import { parseGenesisText } from '../../src/node/genesisFile.js'
import { HistorySync } from '../../src/node/historySync.js'
import { receiptsAnswer } from '../../src/node/receiptsMessages.js'
import { sealedBlockReader } from '../../src/node/sealedBlock.js'
import { BlockSync, type SyncNeeds } from '../../src/node/sync.js'
import { decodeSyncMessage, encodeSyncMessage, type SyncMessage } from '../../src/node/syncMessages.js'
import { type MemoryHub, MemoryNetwork } from '../../src/p2p/memoryNetwork.js'
import { CHANNEL } from '../../src/p2p/network.js'
import { ChainStore } from '../../src/state/chainStore.js'
import type { KeyValueStore } from '../../src/state/store/keyValueStore.js'
import { openLevelStore } from '../../src/state/store/level.js'
import { FileChain, genesisText } from './fileChain.js'
import { accountKeys, CHAIN_ID, sealers, transfer } from './world.js'

export const SNAPSHOT = 9

export function failed(error: unknown): never {
  throw error
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 30_000
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`)
    await delay(5)
  }
}

/** Nine blocks in two epochs in folder `full`, and a folder `fresh` that began from a snapshot of the last one. */
export async function snapshotWorld(t: Test, time?: number) {
  // A test may have two.
  const dir = mkdtempSync(join(tmpdir(), 'concordat-history-'))
  const [full, fresh, file] = ['full', 'fresh', 'state'].map((name) => join(dir, name)) as [string, string, string]
  const chain = await FileChain.open({ dir: full, ...(time === undefined ? {} : { text: genesisText(time) }) })
  await chain.extend(3)
  await chain.closeEpoch(3)
  await chain.extend(3)
  await chain.seal(
    [0, 1, 2].map((nonce) => transfer(nonce, { key: accountKeys[1]! })),
    true,
  )
  // The block below the snapshot's has no certificate of its own.
  await chain.seal([], false)
  await chain.extend(1)
  await chain.store.close()
  await createSnapshot(full, { path: file, genesis: chain.genesis })
  await loadSnapshot({ path: file, genesisHash: chain.genesisHash, extensions: builtinExtensions, dataDir: fresh })
  const store = await ChainStore.open({ dir: full })
  t.teardown(async () => {
    await store.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return { chain, store, fresh, rules: chainRules(parseGenesisText(chain.text, 'genesis'), builtinExtensions) }
}

export type World = Awaited<ReturnType<typeof snapshotWorld>>

export async function networkOf(t: Test, hub: MemoryHub, index: number): Promise<MemoryNetwork> {
  const self = sealers[index]!
  const network = new MemoryNetwork(hub, { self, networkId: 'history', admission: () => 'peer' })
  await network.start()
  t.teardown(() => network.stop())
  return network
}

/** A node that has everything, or says so. */
export async function serve(t: Test, hub: MemoryHub, index: number, world: World, changes: Partial<SyncNeeds> = {}) {
  const network = await networkOf(t, hub, index)
  const { store, chain, rules } = world
  const final = new FinalChain(store, chain.genesisSet, failed, null)
  const sync = new BlockSync({
    network,
    now: Date.now,
    rules,
    readBlock: sealedBlockReader(CHAIN_ID),
    head: () => final.queued(),
    epochEnd: (height) => final.epochEnd(height),
    serve: (height) => final.serve(height),
    rawReceipts: (height) => store.rawReceipts(height),
    onOtherAnswer: () => {},
    verify: () => ({ ok: false, reason: 'it executes nothing' }),
    commit: async () => {},
    onSynced: () => {},
    fatal: failed,
    log: () => {},
    ...changes,
  })
  network.onFrame((from, _channel, frame) => void sync.receive(from, frame))
  return sync
}

/** A node that gives the receipts of one block in an answer, so that a range is written in as many pieces. */
export async function serveByBlock(t: Test, hub: MemoryHub, index: number, world: World) {
  const network = await networkOf(t, hub, index)
  const final = new FinalChain(world.store, world.chain.genesisSet, failed, null)
  const asked: number[] = []
  network.onFrame((from, channel, frame) => {
    const question = decodeSyncMessage(frame)
    const reply = (answer: SyncMessage) => void network.send(from, channel, encodeSyncMessage(answer))
    if (question.type === 'request') {
      asked.push(question.from)
      const end = Math.min(question.to, final.epochEnd(question.from) ?? question.to)
      const heights = Array.from({ length: end - question.from + 1 }, (_, i) => asHeight(question.from + i))
      reply({ type: 'response', id: question.id, blocks: heights.map((height) => final.serve(height)!) })
    } else if (question.type === 'receipts') {
      const { id, blocks } = receiptsAnswer(question, (height) => world.store.rawReceipts(height))
      reply({ type: 'receiptsResponse', id, blocks: blocks.slice(0, 1) })
    }
  })
  return { asked }
}

export interface AskerOptions {
  readonly isBusy?: () => boolean
  /** What stands between the node and its folder. */
  readonly disk?: (store: KeyValueStore) => KeyValueStore
}

/** The node from the snapshot; `stop` closes its folder. */
export async function asker(t: Test, hub: MemoryHub, { fresh, rules, chain }: World, options: AskerOptions = {}) {
  const { isBusy = () => false, disk = (store) => store } = options
  const network = await networkOf(t, hub, 0)
  const level = disk(await openLevelStore(fresh))
  const store = await ChainStore.open({ store: level })
  const final = new FinalChain(store, chain.genesisSet, failed, null)
  const faults: string[] = []
  const fatal: unknown[] = []
  const log: string[] = []
  const asked: string[] = []
  const history = new HistorySync({
    store,
    peers: {
      connected: () => network.peers().flatMap(({ address, connected }) => (connected ? [address] : [])),
      send: (peer, frame) => {
        asked.push(decodeSyncMessage(frame).type)
        return network.send(peer, CHANNEL.blocks, frame)
      },
      now: () => performance.now(),
      timeoutMs: 5_000,
      retryMs: 100,
    },
    genesis: rules.start,
    rules,
    readBlock: sealedBlockReader(CHAIN_ID),
    setOf: (epoch) => final.setOf(epoch),
    certifiedFrom: (height) => final.certificateFor(height)?.height,
    isBusy,
    onFault: (_peer, fault) => faults.push(fault),
    fatal: (error) => fatal.push(error),
    log: (message) => log.push(message),
  })
  network.onFrame((from, _channel, frame) => history.take(from, decodeSyncMessage(frame) as never))
  network.onPeer(({ address, connected }) => (connected ? history.peerCame() : history.peerGone(address)))
  let isOpen = true
  const stop = async () => {
    if (!isOpen) return
    isOpen = false
    await history.stop()
    await network.stop()
    await store.close()
  }
  t.teardown(stop)
  return { history, store, level, faults, fatal, log, asked, stop }
}

/** Everything below the snapshot is as it is where it was executed. */
export function same(t: Test, found: ChainStore, full: ChainStore): void {
  t.equal(found.oldestBlock(), 1)
  t.equal(found.fetchedBlock(), undefined)
  for (let height = asHeight(1); height <= SNAPSHOT; height = asHeight(height + 1)) {
    t.same(found.blockByNumber(height), full.blockByNumber(height))
    t.same(found.rawReceipts(height), full.rawReceipts(height))
    t.same(found.certificate(height), full.certificate(height))
    for (const { hash } of full.blockByNumber(height)!.transactions)
      t.match(found.transactionLocation(hash), { height })
  }
}
