/** How transactions get into the pool: every refusal, one recovery each, bounded waiting, and who is to blame. */
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { concatBytes, EMPTY_BYTES } from '../../src/core/bytes.js'
import { txBytesMax } from '../../src/core/limits.js'
import { type RlpItem, rlpDecode, rlpEncode } from '../../src/core/rlp.js'
import { SECP256K1_N } from '../../src/core/transaction.js'
import { encodeSigned } from '../../src/core/transactionEncode.js'
import { type RecoveredTransaction, recoverCount } from '../../src/crypto/transaction.js'
import {
  GOSSIP_FRAME_BYTES_MAX,
  GOSSIP_FRAME_COUNT_MAX,
  INGEST_BYTES_MAX,
  INGEST_OVERHEAD_BYTES,
} from '../../src/node/limits.js'
import { LruMap } from '../../src/node/lru.js'
import { MEMPOOL_DEFAULTS } from '../../src/node/mempool.js'
import { CHANNEL } from '../../src/p2p/network.js'
import type { SubmitFault } from '../../src/rpc/chainApi.js'
import { accountKeys, accounts, GAS_LIMIT, Parts, sealers, transfer } from './world.js'

const peer = sealers[1]!
const strangerKey = new Uint8Array(32).fill(99)

function highS(tx: RecoveredTransaction): Uint8Array {
  return encodeSigned(tx, { r: tx.r, s: SECP256K1_N - tx.s, yParity: tx.yParity === 0 ? 1 : 0 })
}

/** r is the x of no point. */
function unrecoverable(tx: RecoveredTransaction): Uint8Array {
  return encodeSigned(tx, { r: 5n, s: tx.s, yParity: tx.yParity })
}

/** Lets the slices of ingestion run until nothing waits: the frame's last transaction was handled. */
async function ingested(parts: Parts, done: () => boolean): Promise<void> {
  for (let turns = 0; turns < 10_000 && !done(); turns++) await turn()
  if (!done()) throw new Error(`not ingested: ${parts.pool.size} in the pool`)
}

t.test('each reason for a refusal', async (t) => {
  const parts = await Parts.open({
    pool: { ...MEMPOOL_DEFAULTS, countMax: 6, perSenderMax: 3, nonceWindow: 10 },
    admission: { maySend: (address) => accounts.includes(address) },
  })
  const submit = (raw: Uint8Array) => parts.transactions.submit(raw)
  const good = transfer(0)
  const first = submit(good.raw)
  t.same(first, { ok: true, hash: good.hash })
  const refused: [SubmitFault, Uint8Array, RegExp?][] = [
    ['MALFORMED', EMPTY_BYTES],
    ['MALFORMED', good.raw.subarray(0, 60)],
    ['MALFORMED', concatBytes(good.raw, Uint8Array.of(0))],
    ['UNSUPPORTED_TYPE', Uint8Array.of(3, 0xc0), /type 3/],
    ['NOT_REPLAY_PROTECTED', transfer(1, { type: 0, chainId: null }).raw],
    ['WRONG_CHAIN_ID', transfer(1, { chainId: 5n }).raw, /^5, this chain is 20261/],
    ['INVALID_SIGNATURE', highS(good)],
    ['INVALID_SIGNATURE', unrecoverable(good)],
    ['OVERSIZED', new Uint8Array(txBytesMax + 1), /131073 bytes, at most 131072/],
    ['ALREADY_KNOWN', good.raw],
    ['REPLACEMENT_UNDERPRICED', transfer(0, { value: 2n }).raw],
    ['NONCE_TOO_HIGH', transfer(10).raw, /nonce 10, next 0/],
    ['INTRINSIC_GAS_TOO_LOW', transfer(1, { gasLimit: 20_999n }).raw, /have 20999, want 21000/],
    ['GAS_LIMIT_TOO_HIGH', transfer(1, { gasLimit: GAS_LIMIT + 1n }).raw],
    ['TIP_ABOVE_FEE_CAP', encodeSigned({ ...good, gasPrice: 1n, maxPriorityFeePerGas: 2n }, good)],
    ['INSUFFICIENT_FUNDS', transfer(1, { value: 1_000_001n }).raw],
    ['CONTRACT_CREATION', transfer(1, { to: null }).raw],
    ['SENDER_NOT_PERMITTED', transfer(0, { key: strangerKey, value: 0n }).raw],
  ]
  for (const [code, raw, detail = /./] of refused) {
    const result = submit(raw)
    t.match(result, { ok: false, code }, code)
    if (!result.ok && result.detail !== undefined) t.match(result.detail, detail)
  }
  for (const nonce of [1, 2]) t.ok(submit(transfer(nonce).raw).ok)
  t.match(submit(transfer(3).raw), { ok: false, code: 'SENDER_LIMIT' })
  for (const nonce of [0, 1, 2]) t.ok(submit(transfer(nonce, { key: accountKeys[1]! }).raw).ok)
  t.match(submit(transfer(0, { key: accountKeys[2]! }).raw), { ok: false, code: 'POOL_FULL' })
  await parts.chain.commit(parts.build(1)!, EMPTY_BYTES)
  t.match(submit(good.raw), { ok: false, code: 'NONCE_TOO_LOW' })
  t.equal(parts.pooled.length, 6, 'announced: what was taken')
})

t.test('types 0, 1 and 2 are taken, gas and value at their limits, too', async (t) => {
  const parts = await Parts.open()
  for (const type of [0, 1, 2] as const)
    t.ok(parts.transactions.submit(transfer(type, { type, gasLimit: GAS_LIMIT, value: 1_000_000n }).raw).ok)
  t.ok(parts.transactions.submit(transfer(3, { gasLimit: 21_000n }).raw).ok)
})

t.test('one recovery for a transaction, however often it comes', async (t) => {
  const parts = await Parts.open()
  const tx = transfer(0)
  const before = recoverCount()
  const count = () => recoverCount() - before
  t.ok(parts.transactions.submit(tx.raw).ok)
  t.equal(count(), 1)
  t.ok(parts.transactions.receive(peer, rlpEncode([tx.raw, transfer(1).raw])))
  await ingested(parts, () => parts.pool.size === 2)
  t.equal(count(), 2)
  const candidate = parts.build(1)!
  t.equal(candidate.block.transactions.length, 2)
  const fresh = parts.readBlock(candidate.sealed.payload.slice())
  parts.blocks.prune(fresh.height)
  t.same(parts.blocks.verify(fresh, false), { ok: true })
  t.equal(count(), 2, 'in a block')
  await parts.chain.commit(parts.blocks.candidate(fresh.hash)!, EMPTY_BYTES)
  t.equal(parts.pool.size, 0)
  t.match(parts.transactions.submit(tx.raw.slice()), { code: 'NONCE_TOO_LOW' })
  t.equal(count(), 2, 'after it has left the pool')

  const follower = await Parts.open({ index: 1 })
  const start = recoverCount()
  t.same(follower.blocks.verify(follower.readBlock(candidate.sealed.payload), false), { ok: true })
  t.ok(follower.transactions.receive(peer, rlpEncode([tx.raw])))
  await ingested(follower, () => follower.pool.size === 1)
  t.equal(recoverCount() - start, 2, 'first in a block, then by gossip')
})

t.test('what is kept is a copy, not a view into a large frame', async (t) => {
  const parts = await Parts.open()
  const frame = rlpEncode([transfer(0).raw, transfer(1).raw])
  t.ok(parts.transactions.receive(peer, frame))
  await ingested(parts, () => parts.pool.size === 2)
  for (const { tx } of parts.pool.all()) {
    t.equal(tx.raw.buffer.byteLength, tx.raw.length)
    t.equal(tx.data.buffer, tx.raw.buffer)
  }
  const block = parts.build(1)!.sealed
  const verifier = await Parts.open({ index: 1 })
  t.same(verifier.blocks.verify(verifier.readBlock(block.payload), false), { ok: true })
  for (const tx of verifier.blocks.candidate(block.hash)!.block.transactions)
    t.equal(tx.raw.buffer.byteLength, tx.raw.length, 'from a block, too')
})

t.test('malformed frames are a fault at once, and nothing of them is taken', async (t) => {
  const parts = await Parts.open()
  const good = transfer(0).raw
  const frames: [string, Uint8Array][] = [
    ['nothing', EMPTY_BYTES],
    ['a string', rlpEncode(good)],
    ['trailing bytes', concatBytes(rlpEncode([good]), Uint8Array.of(0))],
    ['a list inside', rlpEncode([good, [good]])],
    ['one too large', rlpEncode([good, new Uint8Array(txBytesMax + 1)])],
    ['too many', rlpEncode(new Array<RlpItem>(GOSSIP_FRAME_COUNT_MAX + 1).fill(EMPTY_BYTES))],
  ]
  for (const [title, frame] of frames) t.equal(parts.transactions.receive(peer, frame), false, title)
  t.ok(parts.transactions.receive(peer, rlpEncode([transfer(1).raw])))
  await ingested(parts, () => parts.pool.size > 0)
  await turn()
  t.same(
    [...parts.pool.all()].map(({ tx }) => tx.nonce),
    [1n],
  )
})

t.test('a peer answers for transactions that no state excuses, and only for these', async (t) => {
  const parts = await Parts.open({ admission: { maySend: (address) => accounts.includes(address) } })
  const blame = async (raw: Uint8Array) => {
    const from = parts.network.faults.length
    const size = parts.pool.size
    t.ok(parts.transactions.receive(peer, rlpEncode([raw, transfer(size).raw])))
    await ingested(parts, () => parts.pool.size > size)
    return parts.network.faults.slice(from).map(({ peer: blamed, fault }) => {
      t.equal(blamed, peer)
      return fault.split(':')[0]
    })
  }
  const good = transfer(0)
  t.same(await blame(EMPTY_BYTES), ['MALFORMED'])
  t.same(await blame(Uint8Array.of(4)), ['UNSUPPORTED_TYPE'])
  t.same(await blame(highS(good)), ['INVALID_SIGNATURE'])
  t.same(await blame(transfer(0, { chainId: 5n }).raw), ['WRONG_CHAIN_ID'])
  t.same(await blame(transfer(0, { type: 0, chainId: null }).raw), ['NOT_REPLAY_PROTECTED'])
  t.same(await blame(transfer(0, { to: null }).raw), ['CONTRACT_CREATION'])
  t.same(await blame(transfer(0, { gasLimit: GAS_LIMIT + 1n }).raw), ['GAS_LIMIT_TOO_HIGH'])
  t.same(await blame(transfer(0, { gasLimit: 1n }).raw), ['INTRINSIC_GAS_TOO_LOW'])
  for (const innocent of [
    good.raw,
    transfer(0, { value: 2n }).raw,
    transfer(9_999).raw,
    transfer(20, { value: 10n ** 9n }).raw,
    transfer(0, { key: strangerKey, value: 0n }).raw,
  ])
    t.same(await blame(innocent), [])
})

t.test('what waits for ingestion is bounded, small ones included', async (t) => {
  const ingestBytesMax = 1024 * 1024
  for (const bytes of [0, 50_000]) {
    const parts = await Parts.open({ ingestBytesMax })
    const most = Math.floor(ingestBytesMax / (bytes + INGEST_OVERHEAD_BYTES))
    const frame = rlpEncode(new Array<RlpItem>(16).fill(new Uint8Array(bytes).fill(1)))
    for (let sent = 0; sent < most + 100; sent += 16) t.ok(parts.transactions.receive(peer, frame))
    t.ok(parts.transactions.receive(peer, rlpEncode([transfer(0).raw])), 'dropped, which is nobody’s fault')
    await ingested(parts, () => parts.network.faults.length >= most)
    await turn()
    t.equal(parts.network.faults.length, most, `${bytes} bytes each: as many as fit were looked at`)
    t.equal(parts.pool.size > 0, bytes > 0, 'a small one may fit where a large one does not')
    t.ok(parts.transactions.receive(peer, rlpEncode([transfer(0).raw, transfer(1).raw])))
    await ingested(parts, () => parts.pool.size === 2)
  }
  t.ok(INGEST_BYTES_MAX >= 64 * txBytesMax)
})

t.test('ingestion gives way after each slice', async (t) => {
  const parts = await Parts.open()
  const garbage = rlpEncode(new Array<RlpItem>(GOSSIP_FRAME_COUNT_MAX).fill(EMPTY_BYTES))
  t.ok(parts.transactions.receive(peer, garbage))
  let turns = 0
  await ingested(parts, () => {
    turns++
    return parts.network.faults.length === GOSSIP_FRAME_COUNT_MAX
  })
  t.ok(turns > 2, `${turns} turns`)
})

t.test('what RPC takes goes to all peers, in frames of bounded size', async (t) => {
  const parts = await Parts.open({ admission: { balance: () => 10n ** 18n } })
  for (let nonce = 0; nonce < 3; nonce++) parts.transactions.submit(transfer(nonce).raw)
  t.match(parts.transactions.submit(transfer(0, { value: 9n }).raw), { ok: false })
  t.same(parts.network.sent, [], 'not before the tick is over')
  await turn()
  t.equal(parts.network.sent.length, 1, 'one frame for all of a tick')
  const [frame] = parts.network.sent
  t.match(frame, { to: 'all', channel: CHANNEL.transactions })
  t.same(
    rlpDecode(frame!.frame),
    [0, 1, 2].map((nonce) => transfer(nonce).raw),
  )
  t.ok(parts.transactions.receive(peer, rlpEncode([transfer(3).raw])))
  await ingested(parts, () => parts.pool.size === 4)
  await turn()
  t.equal(parts.network.sent.length, 1, 'gossip is not passed on: everyone is connected to everyone')

  const data = new Uint8Array(100_000)
  for (let nonce = 4; nonce < 16; nonce++)
    t.ok(parts.transactions.submit(transfer(nonce, { data, gasLimit: 500_000n }).raw).ok)
  await turn()
  await turn()
  t.equal(parts.network.sent.length, 3)
  for (const { frame } of parts.network.sent) t.ok(frame.length <= GOSSIP_FRAME_BYTES_MAX + txBytesMax)

  parts.network.sent.length = 0
  parts.transactions.greet(peer)
  const greeted = parts.network.sent.flatMap(({ frame }) => rlpDecode(frame) as Uint8Array[])
  t.equal(greeted.length, 16, 'who connects gets what is pending')
  t.ok(parts.network.sent.every(({ to }) => to === peer))
  parts.network.sent.length = 0
  let offered = 0
  parts.network.takes = () => ++offered > 1
  parts.transactions.greet(peer)
  t.same([offered, parts.network.sent.length], [1, 0], 'a full queue ends it')
  const empty = await Parts.open()
  empty.transactions.greet(peer)
  t.same(empty.network.sent, [])
})

t.test('what an observer sends is passed on, once', async (t) => {
  const parts = await Parts.open()
  const frame = rlpEncode([transfer(0).raw])
  const observer = accounts[2]!
  t.ok(parts.transactions.receive(observer, frame))
  await ingested(parts, () => parts.pool.size === 1)
  await turn()
  t.same(
    parts.network.sent.map(({ frame: sent }) => rlpDecode(sent)),
    [[transfer(0).raw]],
  )
  t.ok(parts.transactions.receive(observer, frame))
  t.ok(parts.transactions.receive(observer, rlpEncode([transfer(9_999).raw, transfer(1).raw])))
  await ingested(parts, () => parts.pool.size === 2)
  await turn()
  t.same(
    parts.network.sent.slice(1).map(({ frame: sent }) => rlpDecode(sent)),
    [[transfer(1).raw]],
    'neither what is known nor what is refused',
  )
})

t.test('the cache of recovered transactions is bounded in number and weight', async (t) => {
  const cache = new LruMap<number, Uint8Array>(3, 100, (bytes) => bytes.length)
  const kept = () => [1, 2, 3, 4, 5].filter((key) => cache.get(key) !== undefined)
  for (const key of [1, 2, 3, 4]) cache.set(key, new Uint8Array(10))
  t.same(kept(), [2, 3, 4])
  cache.get(2)
  cache.set(5, new Uint8Array(85))
  t.same(kept(), [2, 5], 'the ones used last')
  cache.set(5, new Uint8Array(5))
  cache.set(1, new Uint8Array(85))
  t.same(kept(), [1, 2, 5], 'a replaced one does not count twice')
  cache.set(3, new Uint8Array(101))
  t.same(kept(), [], 'too heavy for itself')
  cache.set(3, new Uint8Array(100))
  cache.clear()
  cache.set(4, new Uint8Array(100))
  t.same(kept(), [4])
})
