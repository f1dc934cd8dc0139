/** A node from a snapshot fetches the blocks below it from its peers, and takes nothing from them that it has not proved. */
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { asEpoch, asHeight, type Height } from '../../src/core/bytes.js'
import { rlpEncode } from '../../src/core/rlp.js'
import { FinalChain } from '../../src/node/finalChain.js'
import { piecesOf } from '../../src/node/historyPieces.js'
import { HISTORY_WRITE_RECORDS_MAX, SYNC_REQUESTS_PER_SECOND_MAX } from '../../src/node/limits.js'
import {
  decodeReceiptsMessage,
  encodeReceiptsMessage,
  RECEIPTS_KIND,
  type ReceiptsMessage,
  type ReceiptsRequest,
  receiptsAnswer,
} from '../../src/node/receiptsMessages.js'
import type { SyncNeeds } from '../../src/node/sync.js'
import {
  decodeSyncMessage,
  encodeSyncMessage,
  type SyncedBlock,
  type SyncMessage,
} from '../../src/node/syncMessages.js'
import { MemoryHub } from '../../src/p2p/memoryNetwork.js'
import type { PastBlock } from '../../src/state/fetchedBlocks.js'
import { pruneBlocks } from '../../src/state/prune.js'
import { FileChain } from './fileChain.js'
import { asker, failed, networkOf, SNAPSHOT, same, serve, snapshotWorld, until, type World } from './historyWorld.js'
import { sealers } from './world.js'

t.test('history arrives from a peer, through a change of sealers', async (t) => {
  const world = await snapshotWorld(t)
  const hub = new MemoryHub()
  const node = await asker(t, hub, world)
  t.same(node.history.status(), { checked: 0, total: SNAPSHOT })
  node.history.start()
  await until('it notices that nobody is there', () => node.log.length === 2)
  t.match(node.log[1], /no connected peer has it/)
  t.equal(node.store.oldestBlock(), SNAPSHOT + 1)
  await serve(t, hub, 1, world)
  await until('the history', () => node.history.status() === undefined)
  await node.history.stop()
  same(t, node.store, world.store)
  t.match(node.log.at(-1), /whole/)
  t.same([node.faults, node.fatal], [[], []])
})

t.test('what broke off goes on with the next range', async (t) => {
  const world = await snapshotWorld(t)
  const hub = new MemoryHub()
  const served: number[] = []
  const final = new FinalChain(world.store, world.chain.genesisSet, failed, null)
  let last = 5
  await serve(t, hub, 1, world, {
    serve: (height) => {
      served.push(height)
      return height > last ? undefined : final.serve(height)
    },
  })
  const first = await asker(t, hub, world)
  first.history.start()
  await until('a part of it', () => (first.history.status()?.checked ?? 0) >= 4)
  await first.stop()
  last = 100
  served.length = 0
  const second = await asker(t, hub, world)
  const { checked } = second.history.status()!
  t.ok(checked >= 4 && checked < SNAPSHOT, `block ${checked}`)
  t.equal(second.store.oldestBlock(), SNAPSHOT + 1, 'not served before it is whole')
  second.history.start()
  await until('the rest', () => second.history.status() === undefined)
  await second.history.stop()
  t.equal(Math.min(...served), checked + 1, 'nothing is fetched twice')
  same(t, second.store, world.store)
})

t.test('a peer that lies is found out, and the next one helps', async (t) => {
  const world = await snapshotWorld(t)
  const other = await snapshotWorld(t, 1_700_000_001)
  const altered = (height: Height): SyncedBlock => {
    const block = world.store.rawBlock(height)!.slice()
    block[block.length - 20]! ^= 1
    return { block, certificate: world.store.certificate(height)! }
  }
  const liars: [string, World, Partial<SyncNeeds>, RegExp][] = [
    ['receipts of another block', world, { rawReceipts: () => world.store.rawReceipts(asHeight(4)) }, /^SYNC_RECEIPTS/],
    [
      'too many receipts',
      world,
      { rawReceipts: () => rlpEncode([Uint8Array.of(1), Uint8Array.of(2)]) },
      /^SYNC_RECEIPTS: there are more/,
    ],
    ['another chain', other, {}, /^HEADER_LINK: block 1 does not follow block 0/],
    ['altered bodies', world, { serve: altered }, /^(BODY_INVALID|\w+: )/],
  ]
  for (const [what, source, changes, fault] of liars) {
    await t.test(what, async (t) => {
      const own = await snapshotWorld(t)
      const hub = new MemoryHub()
      const node = await asker(t, hub, own)
      await serve(t, hub, 1, source, changes)
      node.history.start()
      await until('the fault', () => node.faults.length > 0)
      t.match(node.faults[0], fault)
      await serve(t, hub, 2, own)
      await until('the history', () => node.history.status() === undefined)
      await node.history.stop()
      same(t, node.store, own.store)
      t.same(node.fatal, [])
    })
  }
})

t.test('receipts of one block in several answers', async (t) => {
  const world = await snapshotWorld(t)
  const hub = new MemoryHub()
  const final = new FinalChain(world.store, world.chain.genesisSet, failed, null)
  const network = await networkOf(t, hub, 1)
  const indexes: number[] = []
  network.onFrame((from, channel, frame) => {
    const asked = decodeSyncMessage(frame)
    const reply = (answer: SyncMessage) => void network.send(from, channel, encodeSyncMessage(answer))
    if (asked.type === 'request') {
      // Nobody else may answer in its place.
      const forged = { block: new Uint8Array(1), certificate: new Uint8Array(1) }
      node.history.take(sealers[2]!, { type: 'response', id: asked.id, blocks: [forged] })
      const blocks = final.closing(asEpoch(0))! < asked.from ? [5, 6, 7, 8, 9, 10] : [1, 2, 3, 4]
      reply({ type: 'response', id: asked.id, blocks: blocks.map((height) => final.serve(asHeight(height))!) })
    } else if (asked.type === 'receipts') {
      indexes.push(asked.index)
      const { id, blocks } = receiptsAnswer(asked, (height) => world.store.rawReceipts(height))
      reply({ type: 'receiptsResponse', id, blocks: [blocks[0]!.slice(0, 1)] })
    }
  })
  const node = await asker(t, hub, world)
  node.history.start()
  await until('the history', () => node.history.status() === undefined)
  await node.history.stop()
  t.same(new Set(indexes), new Set([0, 1, 2]))
  same(t, node.store, world.store)
  t.same([node.faults, node.fatal], [[], []])
})

t.test('a proved history that does not lead to the snapshot stops the node', async (t) => {
  const world = await snapshotWorld(t)
  // The same genesis and sealers, other blocks: a heartbeat in place of the first transfer.
  const rival = await FileChain.open()
  await rival.seal([], true)
  await rival.extend(2)
  await rival.closeEpoch(3)
  await rival.extend(6)
  const hub = new MemoryHub()
  const node = await asker(t, hub, world)
  await serve(t, hub, 1, { ...world, store: rival.store })
  node.history.start()
  await until('the stop', () => node.fatal.length > 0)
  t.match(node.fatal, [{ code: 'HISTORY_CONTRADICTION', message: /block 3 0x.* two chains/ }])
  t.equal(node.store.canonicalHash(asHeight(1)), undefined, 'nothing of it is kept')
})

t.test('it waits while the node is busy, and one that was pruned wants nothing', async (t) => {
  const world = await snapshotWorld(t)
  const hub = new MemoryHub()
  await serve(t, hub, 1, world)
  let isBusy = true
  const node = await asker(t, hub, world, { isBusy: () => isBusy })
  node.history.start()
  await delay(50)
  t.same(node.asked, [])
  isBusy = false
  await until('the first question', () => node.asked.length > 0)
  await node.stop()
  const again = await asker(t, hub, world)
  if (again.history.status() === undefined) return t.end()
  await pruneBlocks(again.level, again.store, asHeight(SNAPSHOT + 1))
  t.equal(again.history.status(), undefined)
  for (const height of [1, 4, SNAPSHOT].map(asHeight)) t.equal(again.store.rawReceipts(height), undefined)
  again.history.start()
  await again.history.stop()
  t.same(again.asked, [])
})

t.test('messages of receipts, and what answers them', async (t) => {
  const height = fc.integer({ min: 1, max: 1_000 }).map(asHeight)
  const receipts = fc.array(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), { maxLength: 6 })
  const message = fc.oneof(
    fc.record<ReceiptsMessage>({
      type: fc.constant('receipts' as const),
      id: fc.nat(),
      from: height,
      to: height.map((h) => asHeight(h + 1_000)),
      index: fc.nat(),
    }),
    fc.record<ReceiptsMessage>({ type: fc.constant('receiptsResponse' as const), id: fc.nat(), blocks: receipts }),
  )
  fc.assert(
    fc.property(message, (one) => t.same(decodeSyncMessage(encodeSyncMessage(one as ReceiptsMessage)), one)),
    { numRuns: 100 },
  )
  const later = rlpEncode([Uint8Array.of(2), Uint8Array.of(7), Uint8Array.of(9), [Uint8Array.of(1)]])
  t.match(decodeReceiptsMessage(later, RECEIPTS_KIND.request), { type: 'foreignRequest', id: 7 })
  for (const bad of [
    [2, 1, 1, 5, 4, 0],
    [2, 1, 1, 0, 4, 0],
    [2, 1, 1, 1, 4],
    [3, 1, 1],
  ])
    t.throws(() => decodeSyncMessage(rlpEncode(bad.map((n) => (n === 0 ? new Uint8Array(0) : Uint8Array.of(n))))), {
      name: 'CodecError',
    })

  // However large they are, answer after answer gives them all.
  const sizes = [3, 0, 12, 1].map((count) => Array.from({ length: count }, (_, i) => new Uint8Array(900_000).fill(i)))
  const stored = (at: number) => (sizes[at - 1] === undefined ? undefined : rlpEncode(sizes[at - 1]!))
  const got: Uint8Array[][] = [[]]
  let asked: ReceiptsRequest = { type: 'receipts', id: 1, from: asHeight(1), to: asHeight(9), index: 0 }
  let answers = 0
  for (; answers < 20 && got.length <= sizes.length; answers++) {
    const answer = receiptsAnswer(asked, stored)
    t.ok(encodeReceiptsMessage(answer).length < 5 * 1024 * 1024)
    const [start = [], ...rest] = answer.blocks
    got.at(-1)!.push(...start)
    for (const block of rest) got.push([...block])
    if (got.length === sizes.length && got.at(-1)!.length === sizes.at(-1)!.length) break
    asked = { ...asked, from: asHeight(got.length), index: got.at(-1)!.length }
  }
  t.same(
    got.map((block) => block.length),
    [3, 0, 12, 1],
  )
  t.equal(answers, 3)
})

t.test('a range is written in small pieces', (t) => {
  const counts = fc.array(fc.oneof(fc.nat(5), fc.nat(2 * HISTORY_WRITE_RECORDS_MAX)), { maxLength: 300 })
  fc.assert(
    fc.property(counts, (transactions) => {
      const blocks = transactions.map((length) => ({ block: { transactions: { length } } }) as unknown as PastBlock)
      const pieces = piecesOf(blocks)
      t.same(pieces.flat(), blocks)
      for (const piece of pieces) {
        const records = recordsOf(piece)
        t.ok(piece.length === 1 || (piece.length > 0 && records <= HISTORY_WRITE_RECORDS_MAX))
      }
    }),
    { numRuns: 50 },
  )
  t.end()
})

const recordsOf = (piece: readonly PastBlock[]) =>
  piece.reduce((sum, { block }) => sum + 5 + block.transactions.length, 0)

t.test('receipts and ranges share the bound on answers', async (t) => {
  const world = await snapshotWorld(t)
  const hub = new MemoryHub()
  let reads = 0
  const rawReceipts = () => {
    reads++
    return undefined
  }
  const sync = await serve(t, hub, 1, world, { now: () => 1_000, rawReceipts })
  const request = encodeSyncMessage({ type: 'receipts', id: 1, from: asHeight(1), to: asHeight(1), index: 0 })
  for (let i = 0; i < SYNC_REQUESTS_PER_SECOND_MAX + 5; i++) sync.receive(sealers[0]!, request)
  t.equal(reads, SYNC_REQUESTS_PER_SECOND_MAX)
})
