/** Blocks that close an epoch, the chain after them, and sync across them; the set changes because sealers leave. */
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { decodeCertificate, encodeCertificate } from '../../src/consensus/codec.js'
import { roundRobin } from '../../src/consensus/schedule.js'
import type { Certificate, SealerSet } from '../../src/consensus/types.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { readCredit } from '../../src/contracts/creditStorage.js'
import { encodeBlock } from '../../src/core/block.js'
import { asEpoch, asHeight, asView, type Height, ZERO_HASH } from '../../src/core/bytes.js'
import type { Header } from '../../src/core/header.js'
import { missedTurnsMax } from '../../src/core/limits.js'
import { extraDataSealerSet, readVanity, unsealedExtraData } from '../../src/core/seal.js'
import { sealHeader } from '../../src/crypto/header.js'
import type { Candidate } from '../../src/node/blocks.js'
import { FinalChain } from '../../src/node/finalChain.js'
import { verifyHeaderChain } from '../../src/node/headerChain.js'
import { sealedHeaderReader } from '../../src/node/sealedBlock.js'
import { BlockSync } from '../../src/node/sync.js'
import { decodeSyncMessage, type RangeRequest } from '../../src/node/syncMessages.js'
import { turnOf } from '../../src/node/turn.js'
import { readHost } from '../../src/vm/host.js'
import {
  CHAIN_ID,
  certificateBy,
  genesisHash,
  leaving,
  Parts,
  recoverVote,
  sealerKeys,
  sealerSet,
  sealers,
  transfer,
} from './world.js'

const setOf = (epoch: number, ...indices: number[]): SealerSet => ({
  epoch: asEpoch(epoch),
  sealers: indices.map((index) => ({ address: sealers[index]!, weight: 1 })),
})

/** By the whole set of the block's epoch. */
function certificateOf(parts: Parts, { sealed }: Candidate): Certificate {
  const indices = parts.chain.setOf(sealed.epoch)!.sealers.map((_, index) => index)
  return certificateBy(indices, 'finalize', sealed.view, sealed.hash, sealed.epoch)
}

async function makeFinal(parts: Parts, candidate: Candidate): Promise<void> {
  await parts.chain.commit(candidate, encodeCertificate(certificateOf(parts, candidate)))
}

/** Epoch 0 of `blocks` blocks, in whose last sealer 3 leaves, then epoch 1 likewise with sealer 2, then one block of epoch 2. */
async function threeEpochs(blocks: number): Promise<Parts> {
  const parts = await Parts.open()
  for (let height = 1; height <= 2 * blocks + 1; height++) {
    if (height % blocks === 0) parts.transactions.submit(leaving(height === blocks ? 3 : 2).raw)
    else parts.transactions.submit(transfer(height - 1 - Math.floor(height / blocks)).raw)
    await makeFinal(parts, parts.build(height)!)
  }
  return parts
}

const headerRules = { schedule: () => sealers[0]!, recoverVote }

t.test('a block whose execution changes the set lists the next one, and says so', async (t) => {
  const builder = await Parts.open()
  builder.transactions.submit(leaving(3).raw)
  const built = builder.build(1)!
  const nextSet = setOf(1, 0, 1, 2)
  t.same(built.nextSet, nextSet)
  t.same(extraDataSealerSet(built.block.header.extraData), nextSet.sealers)
  const verifier = await Parts.open({ index: 1 })
  const sealed = verifier.readBlock(built.sealed.payload)
  t.same(verifier.blocks.verify(sealed, false), { ok: true, nextSet })
  t.same(verifier.blocks.verify(sealed, false), { ok: true, nextSet }, 'asked again')
  await makeFinal(verifier, verifier.blocks.candidate(sealed.hash)!)
  t.equal(verifier.blocks.candidate(sealed.hash), undefined)
  t.same(verifier.blocks.verify(sealed, false), { ok: true, nextSet }, 'asked once it is final')
})

t.test('what a header lists falsely is refused', async (t) => {
  const builder = await Parts.open()
  builder.transactions.submit(leaving(3).raw)
  const closing = builder.build(1)!
  const plain = (await Parts.open()).build(1)!
  const vanity = readVanity(closing.block.header.extraData)
  const next = setOf(1, 0, 1, 2).sealers
  const cases: [string, Candidate, Uint8Array, RegExp][] = [
    ['no set', closing, unsealedExtraData(vanity), /extraData must be vanity, the sealers/],
    ['another weight', closing, unsealedExtraData(vanity, [{ ...next[0]!, weight: 2 }, ...next.slice(1)]), /extraData/],
    ['another order', closing, unsealedExtraData(vanity, next.toReversed()), /extraData/],
    ['one more', closing, unsealedExtraData(vanity, sealerSet.sealers), /extraData/],
    ['a set where none is due', plain, unsealedExtraData(vanity, next), /extraData/],
    [
      'another epoch',
      plain,
      unsealedExtraData({ ...vanity, epoch: asEpoch(1) }),
      /epoch is 1, the sealers are those of 0/,
    ],
  ]
  for (const [title, { block }, extraData, reason] of cases) {
    const parts = await Parts.open({ index: 1 })
    const header: Header = sealHeader({ ...block.header, extraData }, CHAIN_ID, sealerKeys[0]!)
    const sealed = parts.readBlock(encodeBlock({ header, transactions: block.transactions }))
    const verdict = parts.blocks.verify(sealed, false)
    t.match(verdict, { ok: false, reason }, title)
  }
})

t.test('the chain follows the set, also when it is opened again', async (t) => {
  const parts = await threeEpochs(3)
  const { chain } = parts
  t.same(chain.set, setOf(2, 0, 1))
  t.equal(chain.set, chain.setOf(asEpoch(2)), 'one object for each epoch')
  const reopened = new FinalChain(
    parts.store,
    sealerSet,
    () => {},
    () => ({ generation: 0, sequence: 1 }),
  )
  for (const one of [chain, reopened]) {
    t.same(
      [0, 1, 2, 3].map((epoch) => one.setOf(asEpoch(epoch))),
      [sealerSet, setOf(1, 0, 1, 2), setOf(2, 0, 1), undefined],
    )
    t.same(
      [1, 3, 4, 6, 7, 8].map((height) => one.epochEnd(asHeight(height))),
      [3, 3, 6, 6, undefined, undefined],
    )
    t.match(one.queued(), { height: 7, view: 7, set: setOf(2, 0, 1) })
  }
})

t.test('no block of an epoch follows the one that closed it', async (t) => {
  const parts = await Parts.open()
  parts.transactions.submit(leaving(3).raw)
  const closing = parts.build(1)!
  const child = parts.build(2, { epoch: asEpoch(0), parent: closing.sealed.hash })!
  const verifier = await Parts.open({ index: 1 })
  t.ok(verifier.blocks.verify(closing.sealed, false).ok)
  t.match(verifier.blocks.verify(child.sealed, false), { ok: false, reason: /epoch is 0, the sealers are those of 1/ })
})

t.test('turns that passed are booked against their leaders', async (t) => {
  const header = (view: number) => ({
    ...({} as Header),
    extraData: unsealedExtraData({ epoch: asEpoch(0), view: asView(view), ms: 0 }),
  })
  const missed = (set: SealerSet, before: number, view: number) =>
    turnOf({ header: header(before), set }, asView(view), roundRobin).missed.map((address) => sealers.indexOf(address))
  t.same(missed(sealerSet, 4, 5), [])
  t.same(missed(sealerSet, 4, 8), [1, 2, 3])
  t.same(missed(setOf(1, 0, 1, 2), 7, 10), [2, 0], 'by the new set after an epoch was closed')
  const many = missed(sealerSet, 0, 200)
  t.equal(many.length, missedTurnsMax)
  t.same(many.slice(-2), [198 % 4, 199 % 4])
  const parts = await Parts.open()
  await makeFinal(parts, parts.build(4)!)
  const creditOf = (index: number) =>
    readCredit(readHost(parts.store.state(), CONTRACT_ADDRESSES.credit), sealers[index]!).counts
  t.same(
    [0, 1, 2, 3].map((index) => [creditOf(index).turnSealed, creditOf(index).turnMissed]),
    [
      [1, 0],
      [0, 1],
      [0, 1],
      [0, 1],
    ],
  )
})

t.test('headers and certificates alone prove the whole chain', async (t) => {
  const parts = await threeEpochs(3)
  const links = [1, 2, 3, 4, 5, 6, 7].map((height) => ({
    header: parts.store.headerByNumber(asHeight(height))!,
    certificate: decodeCertificate(parts.store.certificate(asHeight(height))!),
  }))
  const start = { hash: genesisHash, height: asHeight(0), view: asView(0), set: sealerSet }
  const rules = { ...headerRules, readHeader: sealedHeaderReader(CHAIN_ID) }
  t.same(verifyHeaderChain(start, links, rules), parts.chain.queued())
})

t.test('a node that starts empty imports epoch after epoch', async (t) => {
  const server = await threeEpochs(4)
  const client = await Parts.open({ index: 1 })
  const synced: { height: Height; epoch: number }[] = []
  const syncOf = (parts: Parts) =>
    new BlockSync({
      network: parts.network,
      now: () => 0,
      rules: headerRules,
      readBlock: parts.readBlock,
      head: () => parts.chain.queued(),
      epochEnd: (height) => parts.chain.epochEnd(height),
      serve: (height) => parts.chain.serve(height),
      rawReceipts: () => undefined,
      onOtherAnswer: () => {},
      verify: (sealed) => parts.blocks.verify(sealed, true),
      commit: (sealed, certificate) => parts.chain.commit(parts.blocks.candidate(sealed.hash)!, certificate),
      onSynced: ({ height }, _certificate, set) => synced.push({ height, epoch: set.epoch }),
      fatal: (error) => t.fail(String(error)),
      log: () => {},
    })
  const [serving, asking] = [syncOf(server), syncOf(client)]
  t.teardown(() => asking.stop())
  asking.lagging(server.network.self, asHeight(9))
  const ranges: number[][] = []
  for (const height of [4, 8, 9]) {
    server.network.sent.length = 0
    const [request] = client.network.sent.splice(0)
    const { from } = decodeSyncMessage(request!.frame) as RangeRequest
    serving.receive(client.network.self, request!.frame)
    const answer = server.network.sent.at(-1)!.frame
    const response = decodeSyncMessage(answer)
    if (response.type === 'response') ranges.push([from, from + response.blocks.length - 1])
    t.equal(asking.receive(server.network.self, answer), undefined)
    for (let turns = 0; turns < 1_000 && client.chain.head().height < height; turns++) await turn()
    await turn()
  }
  t.same(ranges, [
    [1, 4],
    [5, 8],
    [9, 9],
  ])
  t.same(
    synced.map(({ height, epoch }) => [height, epoch]),
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((height) => [height, Math.floor(height / 4)]),
  )
  t.equal(client.chain.head().hash, server.chain.head().hash)
  t.same(client.chain.set, setOf(2, 0, 1))
  t.not(client.chain.head().hash, ZERO_HASH)
})
