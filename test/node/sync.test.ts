/** Range sync: everything is checked before anything is executed, faults are the peer's, another one is asked, serving is bounded. */
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { encodeCertificate } from '../../src/consensus/codec.js'
import type { Certificate, SealedBlock } from '../../src/consensus/types.js'
import { encodeBlock } from '../../src/core/block.js'
import { type Address, asEpoch, asHeight, EMPTY_BYTES, type Height, toAddress } from '../../src/core/bytes.js'
import { CodedError } from '../../src/core/codedError.js'
import { blocksFrameBytesMax, certificateBytesMax } from '../../src/core/limits.js'
import { rlpEncode } from '../../src/core/rlp.js'
import { sealHeader } from '../../src/crypto/header.js'
import type { Candidate } from '../../src/node/blocks.js'
import { SYNC_BLOCKS_MAX, SYNC_BYTES_MAX, SYNC_REQUESTS_PER_SECOND_MAX } from '../../src/node/limits.js'
import { BlockSync, type SyncNeeds } from '../../src/node/sync.js'
import {
  decodeSyncMessage,
  encodeSyncMessage,
  type RangeRequest,
  type RangeResponse,
  type SyncedBlock,
} from '../../src/node/syncMessages.js'
import { CHANNEL } from '../../src/p2p/network.js'
import { CHAIN_ID, certificateBy, genesisHash, Parts, recoverVote, sealerKeys, sealers, transfer } from './world.js'

const [, A, B, C] = sealers as readonly Address[] as [Address, Address, Address, Address]

const certificateOf = ({ hash, view }: SealedBlock) => certificateBy([0, 1, 2], 'finalize', view, hash)

/** A chain of `count` blocks with a transfer each; only every `every`th one has a certificate, and the last. */
async function chainOf(
  count: number,
  every = 1,
): Promise<{ parts: Parts; blocks: Candidate[]; synced: SyncedBlock[] }> {
  const parts = await Parts.open()
  const blocks: Candidate[] = []
  const synced: SyncedBlock[] = []
  for (let i = 1; i <= count; i++) {
    parts.transactions.submit(transfer(i - 1).raw)
    const block = parts.build(i)!
    const certified = i % every === 0 || i === count
    const certificate = certified ? encodeCertificate(certificateOf(block.sealed)) : EMPTY_BYTES
    await parts.chain.commit(block, certificate)
    blocks.push(block)
    synced.push({ block: block.sealed.payload, certificate })
  }
  await turn()
  parts.network.sent.length = 0
  return { parts, blocks, synced }
}

/** As consensus does: executes a block and makes it final. */
async function makeFinal(parts: Parts, candidate: Candidate): Promise<void> {
  const sealed = parts.readBlock(candidate.sealed.payload)
  t.same(parts.blocks.verify(sealed, true), { ok: true })
  await parts.chain.commit(parts.blocks.candidate(sealed.hash)!, encodeCertificate(certificateOf(sealed)))
}

/** A node that lags, on a network that only records. */
class Bench {
  readonly synced: { readonly height: Height; readonly certificate: Certificate }[] = []
  readonly fatal: unknown[] = []
  executed = 0
  seconds = 1_000
  readonly sync: BlockSync

  private constructor(
    readonly parts: Parts,
    changes: Partial<SyncNeeds>,
  ) {
    this.sync = new BlockSync({
      network: parts.network,
      now: () => this.seconds * 1_000,
      rules: { schedule: () => sealers[0]!, recoverVote },
      readBlock: parts.readBlock,
      epochEnd: (height) => parts.chain.epochEnd(height),
      head: () => parts.chain.queued(),
      serve: (height) => parts.chain.serve(height),
      rawReceipts: (height) => parts.store.rawReceipts(height),
      onOtherAnswer: () => {},
      verify: (sealed) => {
        this.executed++
        return parts.blocks.verify(sealed, true)
      },
      commit: (sealed, certificate) => parts.chain.commit(parts.blocks.candidate(sealed.hash)!, certificate),
      onSynced: (sealed, certificate) => this.synced.push({ height: sealed.height, certificate }),
      fatal: (error) => this.fatal.push(error),
      log: () => {},
      ...changes,
    })
    t.teardown(() => this.sync.stop())
  }

  static async open(changes: Partial<SyncNeeds> = {}, parts?: Parts): Promise<Bench> {
    return new Bench(parts ?? (await Parts.open({ index: 1 })), changes)
  }

  /** What was sent and not yet looked at. */
  sent(): { to: Address | 'all'; message: RangeRequest | RangeResponse }[] {
    return this.parts.network.sent.splice(0).map(({ to, channel, frame }) => {
      t.equal(channel, CHANNEL.blocks)
      return { to, message: decodeSyncMessage(frame) as RangeRequest | RangeResponse }
    })
  }

  /** The one request under way. */
  request(): { to: Address; request: RangeRequest } {
    const [first, ...more] = this.sent()
    t.same(more, [], 'one request at a time')
    if (first === undefined || first.to === 'all' || first.message.type !== 'request') throw new Error('no request')
    return { to: first.to, request: first.message }
  }

  answer(from: Address, id: number, blocks: readonly SyncedBlock[]): string | undefined {
    return this.sync.receive(from, encodeSyncMessage({ type: 'response', id, blocks }))
  }

  /** Lets an import end. */
  async settle(height: number): Promise<void> {
    for (let turns = 0; turns < 1_000 && this.parts.chain.head().height < height; turns++) await turn()
    await turn()
    t.equal(this.parts.chain.head().height, height)
  }
}

t.test('a node that lags fetches, checks, executes and commits in order', async (t) => {
  const server = await chainOf(10, 4)
  const bench = await Bench.open()
  t.equal(bench.sync.status(), false)
  bench.sync.lagging(A, asHeight(10))
  const { to, request } = bench.request()
  t.same([to, request.from, request.to], [A, 1, 10])
  t.same(bench.sync.status(), { startingBlock: 0, currentBlock: 0, highestBlock: 10 })
  t.equal(bench.answer(A, request.id, server.synced), undefined)
  await bench.settle(10)
  t.equal(bench.parts.chain.head().hash, server.parts.chain.head().hash)
  t.equal(bench.parts.store.state().account(transfer(0).sender)?.nonce, 10n)
  t.same(
    bench.synced.map(({ height }) => height),
    [4, 8, 10],
    'the core hears of each certified block',
  )
  t.equal(bench.executed, 10)
  t.same(bench.sent(), [], 'nothing more to ask for')
  t.equal(bench.sync.status(), false)
  t.same([bench.fatal, bench.parts.network.faults], [[], []])
})

t.test("one peer's claim does not make a node look as if it lagged", async (t) => {
  const far = asHeight(2 ** 50)
  const bench = await Bench.open()
  t.equal(bench.sync.compared, false)
  bench.sync.lagging(A, far)
  t.match(bench.sync.status(), { highestBlock: far }, 'nothing is known yet')
  bench.sync.heard(B, asHeight(0))
  t.equal(bench.sync.compared, true)
  t.equal(bench.sync.status(), false)
  t.equal(bench.request().to, A, 'it is asked all the same')
  bench.sync.heard(C, asHeight(7))
  t.match(bench.sync.status(), { highestBlock: 7 }, 'two of four, at the height that both claim')
  bench.sync.heard(C, asHeight(0))
  t.equal(bench.sync.status(), false)
  for (const peer of [A, B, C]) bench.sync.peerGone(peer)
  t.equal(bench.sync.compared, false, 'alone again')
})

t.test('sync between two nodes, in several ranges', async (t) => {
  const server = await chainOf(12, 5)
  const serving = await Bench.open({}, server.parts)
  const bench = await Bench.open()
  bench.sync.lagging(A, asHeight(5))
  for (const height of [5, 10, 12]) {
    const { request } = bench.request()
    t.equal(serving.sync.receive(bench.parts.network.self, encodeSyncMessage(request)), undefined)
    const [response] = server.parts.network.sent.splice(0)
    t.equal(bench.sync.receive(A, response!.frame), undefined)
    await bench.settle(height)
    if (height < 12) bench.sync.lagging(A, asHeight(height === 5 ? 10 : 12))
  }
  t.same(bench.fatal, [])
})

t.test('forged ranges are the fault of who sent them, and nothing of them is executed', async (t) => {
  const { parts, blocks, synced } = await chainOf(6, 3)
  const sealed = blocks.map((block) => block.sealed)
  const reseal = (index: number, key: Uint8Array): SyncedBlock => {
    const { header, transactions } = blocks[index]!.block
    return { block: encodeBlock({ header: sealHeader(header, CHAIN_ID, key), transactions }), certificate: EMPTY_BYTES }
  }
  const certify = (index: number, certificate: Certificate) =>
    synced.with(index, { ...synced[index]!, certificate: encodeCertificate(certificate) })
  const body = (index: number) =>
    synced.with(index, {
      ...synced[index]!,
      block: encodeBlock({ header: blocks[index]!.block.header, transactions: blocks[0]!.block.transactions }),
    })
  const good = certificateOf(sealed[5]!)
  const stranger = parts.readBlock(blocks[5]!.sealed.payload)
  const cases: [string, readonly SyncedBlock[], RegExp][] = [
    ['a gap', synced.toSpliced(2, 1), /^SYNC_LINK: block 4 in place of block 3/],
    ['twice the same', synced.toSpliced(2, 0, synced[1]!), /^SYNC_LINK: block 2 in place of block 3/],
    ['another order', [synced[1]!, synced[0]!, ...synced.slice(2)], /^SYNC_LINK/],
    ['not from where it was asked', synced.slice(1), /^SYNC_LINK: block 2 in place of block 1/],
    ['a foreign seal', synced.with(3, reseal(3, sealerKeys[2]!)), /^SEAL_INVALID/],
    ['an altered body', body(3), /^BODY_INVALID/],
    ['the last one not certified', synced.slice(0, 5), /^SYNC_CERTIFICATE: the last block/],
    [
      'no quorum',
      certify(5, certificateBy([0, 1], 'finalize', 6, stranger.hash)),
      /^HEADER_CERTIFICATE: block 6: CERTIFICATE_WEIGHT/,
    ],
    ['of another block', certify(5, certificateOf(sealed[4]!)), /^HEADER_CERTIFICATE: not of block 6/],
    ['a notarization', certify(5, certificateBy([0, 1, 2], 'notarize', 6, stranger.hash)), /^HEADER_CERTIFICATE/],
    ['of an unknown epoch', certify(5, { ...good, epoch: asEpoch(4) }), /^HEADER_EPOCH: .* is of epoch 4/],
    ['signed by another', certify(5, { ...good, signers: [0, 1, 3] }), /^HEADER_CERTIFICATE: .* CERTIFICATE_SIGNATURE/],
    ['a certificate that is none', synced.with(5, { ...synced[5]!, certificate: Uint8Array.of(0xc0) }), /FIELD_COUNT/],
    ['a block that is none', synced.with(5, { ...synced[5]!, block: Uint8Array.of(0xc0) }), /TRUNCATED/],
  ]
  for (const [title, range, fault] of cases) {
    const bench = await Bench.open()
    bench.sync.lagging(A, asHeight(6))
    bench.sync.lagging(B, asHeight(6))
    const { to, request } = bench.request()
    t.match(bench.answer(to, request.id, range), fault, title)
    t.equal(bench.executed, 0, 'nothing was executed')
    const next = bench.request()
    t.not(next.to, to, 'another peer is asked')
    t.equal(bench.answer(next.to, next.request.id, synced), undefined)
    await bench.settle(6)
    t.same(bench.fatal, [])
  }
})

t.test('a fork with valid seals does not link to the own chain', async (t) => {
  const { synced } = await chainOf(2)
  const other = await Parts.open()
  other.now += 1_000
  const rival = other.build(1)!
  const bench = await Bench.open()
  await makeFinal(bench.parts, rival)
  bench.sync.lagging(A, asHeight(2))
  const { request } = bench.request()
  t.equal(request.from, 2)
  t.match(bench.answer(A, request.id, synced.slice(1)), /^HEADER_LINK: block 2 does not follow block 1/)
})

t.test('a certified block that fails execution here stops the node', async (t) => {
  const { synced } = await chainOf(3)
  const parts = await Parts.open({ index: 1 })
  const bench = await Bench.open({ verify: () => ({ ok: false, reason: 'stateRoot is another' }) }, parts)
  bench.sync.lagging(A, asHeight(3))
  t.equal(bench.answer(A, bench.request().request.id, synced), undefined)
  for (let turns = 0; turns < 100 && bench.fatal.length === 0; turns++) await turn()
  t.match(bench.fatal, [{ message: /final block 1 .* fails execution here: stateRoot is another \(R15\)/ }])
})

t.test('blocks that consensus has made final in the meantime are passed over', async (t) => {
  const { blocks, synced } = await chainOf(4)
  const bench = await Bench.open()
  bench.sync.lagging(A, asHeight(4))
  const { request } = bench.request()
  for (const block of blocks.slice(0, 2)) await makeFinal(bench.parts, block)
  t.equal(bench.answer(A, request.id, synced), undefined)
  await bench.settle(4)
  t.equal(bench.executed, 2)
})

t.test('silence, emptiness and absence turn to another peer', async (t) => {
  const { synced } = await chainOf(2)
  const bench = await Bench.open({ timeoutMs: 1 })
  bench.sync.lagging(A, asHeight(2))
  bench.sync.lagging(B, asHeight(2))
  const first = bench.request()
  while (bench.parts.network.sent.length === 0) await turn()
  const second = bench.request()
  t.not(second.to, first.to, 'after the time-out')
  t.ok(second.request.id > first.request.id)
  t.equal(bench.answer(first.to, first.request.id, synced), undefined, 'too late')
  t.equal(bench.executed, 0)

  const patient = await Bench.open()
  for (const peer of [A, B, C]) patient.sync.lagging(peer, asHeight(2))
  const asked = [patient.request()]
  t.equal(patient.answer(asked[0]!.to, asked[0]!.request.id, []), undefined, 'empty: it has nothing')
  asked.push(patient.request())
  patient.sync.peerGone(asked[1]!.to)
  asked.push(patient.request())
  t.same(new Set(asked.map(({ to }) => to)), new Set([A, B, C]))
  t.equal(patient.answer(asked[0]!.to, asked[2]!.request.id, synced), undefined, 'not the one who was asked')
  t.equal(patient.executed, 0)
  t.equal(patient.answer(asked[2]!.to, asked[2]!.request.id, synced), undefined)
  await patient.settle(2)

  const cut = await Bench.open()
  cut.parts.network.takes = (to) => to === C
  for (const peer of [A, B]) cut.sync.lagging(peer, asHeight(2))
  t.same(cut.sent(), [])
  t.equal(cut.sync.status(), false, 'nobody to ask')
  cut.sync.lagging(C, asHeight(2))
  t.equal(cut.request().to, C, 'not after a time-out only')
  cut.sync.stop()
  cut.sync.lagging(A, asHeight(9))
  t.same(cut.sent(), [])
})

t.test('serving is bounded in blocks, bytes and requests', async (t) => {
  const small = { block: new Uint8Array(10), certificate: new Uint8Array(5) }
  let served: (height: Height) => SyncedBlock | undefined = () => small
  const reads: number[] = []
  const bench = await Bench.open({
    serve: (height) => {
      reads.push(height)
      return served(height)
    },
  })
  const ask = (from: number, to: number, peer = A): RangeResponse | undefined => {
    bench.seconds++
    reads.length = 0
    bench.sync.receive(peer, encodeSyncMessage({ type: 'request', id: 7, from: asHeight(from), to: asHeight(to) }))
    const [answer] = bench.sent()
    t.match(answer ?? { to: peer, message: { id: 7 } }, { to: peer, message: { id: 7 } })
    return answer?.message as RangeResponse | undefined
  }
  t.equal(ask(3, 5)!.blocks.length, 3)
  t.same(reads, [3, 4, 5])
  t.equal(ask(1, 2 ** 50)!.blocks.length, SYNC_BLOCKS_MAX)
  served = (height) => (height <= 9 ? small : undefined)
  t.equal(ask(8, 2 ** 50)!.blocks.length, 2, 'up to the head')
  t.same(ask(10, 12)!.blocks, [])
  t.same(reads, [10])
  served = (height) => ({ ...small, certificate: height % 4 === 0 ? small.certificate : EMPTY_BYTES })
  t.equal(ask(1, 7)!.blocks.length, 4, 'a range ends with a certificate')
  const large = new Uint8Array(1_000_000)
  served = () => ({ block: large, certificate: small.certificate })
  t.equal(ask(1, 100)!.blocks.length, Math.floor(SYNC_BYTES_MAX / large.length) + 1)
  served = (height) => ({ block: large, certificate: height === 6 ? small.certificate : EMPTY_BYTES })
  t.equal(ask(1, 100)!.blocks.length, 6, 'further, to find a certificate')
  served = () => ({ block: large, certificate: EMPTY_BYTES })
  t.same(ask(1, 100)!.blocks, [])
  t.ok(reads.length * large.length <= blocksFrameBytesMax, 'but not beyond a frame')

  served = () => small
  reads.length = 0
  bench.seconds++
  const request = encodeSyncMessage({ type: 'request', id: 1, from: asHeight(1), to: asHeight(1) })
  for (let i = 0; i < SYNC_REQUESTS_PER_SECOND_MAX + 5; i++) t.equal(bench.sync.receive(A, request), undefined)
  t.equal(bench.sent().length, SYNC_REQUESTS_PER_SECOND_MAX)
  t.equal(reads.length, SYNC_REQUESTS_PER_SECOND_MAX, 'beyond it nothing is read')
  bench.sync.receive(B, request)
  t.equal(bench.sent().length, 1, 'each peer for itself')
  bench.seconds++
  bench.sync.receive(A, request)
  t.equal(bench.sent().length, 1)
})

t.test('messages of range sync', async (t) => {
  const height = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map(asHeight)
  const id = fc.nat()
  const bytes = fc.uint8Array({ maxLength: 200 })
  const request = fc.tuple(id, height, height).map(([id, a, b]): RangeRequest => {
    return { type: 'request', id, from: asHeight(Math.min(a, b)), to: asHeight(Math.max(a, b)) }
  })
  const response = fc.record<RangeResponse>({
    type: fc.constant('response'),
    id,
    blocks: fc.array(fc.record({ block: bytes, certificate: bytes }), { maxLength: 8 }),
  })
  fc.assert(
    fc.property(fc.oneof(request, response), (message) => {
      t.same(decodeSyncMessage(encodeSyncMessage(message)), message)
    }),
    { numRuns: 100 },
  )
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), request.map(encodeSyncMessage)), fc.nat(), (frame, at) => {
      const mutated = frame.length === 0 ? frame : frame.with(at % frame.length, at & 255)
      try {
        t.same(encodeSyncMessage(decodeSyncMessage(mutated)), mutated, 'what is read is what was written')
      } catch (error) {
        if (!(error instanceof CodedError)) throw error
      }
    }),
    { numRuns: 500 },
  )
  const n = (value: number) => Uint8Array.of(value)
  const pair = [n(1), n(1)]
  const refused: [string, Uint8Array, string | RegExp][] = [
    ['empty', EMPTY_BYTES, 'TRUNCATED'],
    ['a fifth kind', rlpEncode([n(4), n(1), n(1)]), 'FIELD_RANGE'],
    ['from 0', rlpEncode([EMPTY_BYTES, n(1), EMPTY_BYTES, n(1)]), 'FIELD_RANGE'],
    ['backwards', rlpEncode([EMPTY_BYTES, n(1), n(2), n(1)]), 'FIELD_RANGE'],
    ['a request too short', rlpEncode([EMPTY_BYTES, n(1), n(2)]), 'FIELD_COUNT'],
    ['a response too long', rlpEncode([n(1), n(1), [pair], n(1)]), 'FIELD_COUNT'],
    ['half a pair', rlpEncode([n(1), n(1), [[n(1)]]]), 'FIELD_COUNT'],
    ['a large certificate', rlpEncode([n(1), n(1), [[n(1), new Uint8Array(certificateBytesMax + 1)]]]), 'FIELD_LENGTH'],
    ['too many blocks', rlpEncode([n(1), n(1), new Array(SYNC_BLOCKS_MAX + 1).fill(pair)]), /FIELD_COUNT|TOO_MANY/],
    ['too deep', rlpEncode([n(1), n(1), [[[n(1)], n(1)]]]), 'TOO_DEEP'],
  ]
  const bench = await Bench.open()
  const stranger = toAddress(new Uint8Array(20).fill(5))
  for (const [title, frame, code] of refused) {
    t.throws(() => decodeSyncMessage(frame), { code }, title)
    t.match(bench.sync.receive(stranger, frame), /^MALFORMED: /, title)
  }
  const most = new Array<SyncedBlock>(SYNC_BLOCKS_MAX).fill({ block: n(200), certificate: n(1) })
  t.equal(bench.answer(A, 1, most), undefined, 'as many as allowed; not asked for, so not looked at')
  t.equal(bench.parts.chain.head().hash, genesisHash)
})
