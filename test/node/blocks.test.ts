/** Blocks are built and checked by the same rules; whatever a header claims falsely is named in the refusal. */
import t from 'tap'
import { encodeBlock } from '../../src/core/block.js'
import { asHeight, concatBytes, EMPTY_BYTES, type Hash, toHash, ZERO_HASH } from '../../src/core/bytes.js'
import type { Header } from '../../src/core/header.js'
import { blockBytesMax, txBytesMax } from '../../src/core/limits.js'
import { readVanity, sealBytes, vanityBytes, writeVanity } from '../../src/core/seal.js'
import { sealHeader } from '../../src/crypto/header.js'
import { type RecoveredTransaction, recoverCount } from '../../src/crypto/transaction.js'
import type { Candidate } from '../../src/node/blocks.js'
import { orderedRoot } from '../../src/state/orderedTrie.js'
import {
  accountKeys,
  accounts,
  CHAIN_ID,
  GAS_LIMIT,
  NOW,
  Parts,
  sealerKeys,
  sealers,
  someone,
  transfer,
} from './world.js'

const other = toHash(new Uint8Array(32).fill(9))

function pooled(parts: Parts, ...transactions: RecoveredTransaction[]): Parts {
  for (const { raw } of transactions) t.ok(parts.transactions.submit(raw).ok)
  return parts
}

/** The candidate's block with another header, sealed again by its sealer. */
function altered(parts: Parts, { block }: Candidate, changes: Partial<Header>) {
  const key = sealerKeys[sealers.indexOf(block.header.miner)]!
  const header = sealHeader({ ...block.header, ...changes }, CHAIN_ID, key)
  return parts.readBlock(encodeBlock({ header, transactions: block.transactions }))
}

t.test('what one builds another one verifies, with the same state', async (t) => {
  const builder = pooled(await Parts.open(), transfer(0), transfer(1), transfer(0, { key: accountKeys[1]! }))
  const first = builder.build(1)!
  t.equal(first.block.transactions.length, 3)
  t.equal(first.receipts.length, 3)
  const verifier = await Parts.open({ index: 1 })
  const sealed = verifier.readBlock(first.sealed.payload)
  t.same(
    { ...sealed, payload: null },
    { ...first.sealed, payload: null },
    'the payload says what the builder says of the block',
  )
  const before = recoverCount()
  t.same(verifier.blocks.verify(sealed, false), { ok: true })
  t.equal(recoverCount() - before, 3, 'one recovery for each transaction')
  const candidate = verifier.blocks.candidate(sealed.hash)!
  t.equal(candidate.overlay.root(), first.overlay.root())
  t.equal(candidate.overlay.account(someone)?.balance, 3n)
  t.same(candidate.receipts, first.receipts)
  t.same(verifier.blocks.verify(sealed, false), { ok: true }, 'again: nothing to do')
  t.equal(recoverCount() - before, 3)

  pooled(builder, transfer(2))
  const second = builder.build(2, { parent: first.sealed.hash })!
  t.same(
    second.block.transactions.map((tx) => tx.nonce),
    [2n],
    'on the unfinal parent only what it lacks is included',
  )
  t.same(verifier.blocks.verify(verifier.readBlock(second.sealed.payload), false), { ok: true })
})

t.test('every field of the header is checked', async (t) => {
  const builder = pooled(await Parts.open(), transfer(0))
  const candidate = builder.build(1)!
  const { header } = candidate.block
  const vanity = readVanity(header.extraData)
  const withVanity = (changes: Partial<typeof vanity>) =>
    concatBytes(writeVanity({ ...vanity, ...changes }), new Uint8Array(sealBytes))
  const cases: [keyof Header, Header[keyof Header], RegExp][] = [
    ['parentHash', other, /parent .* is not known/],
    ['ommersHash', other, /ommers/],
    ['stateRoot', other, /stateRoot is 0x0909.*execution gives/],
    ['transactionsRoot', other, /transactionsRoot does not match/],
    ['receiptsRoot', other, /receiptsRoot does not match/],
    ['logsBloom', new Uint8Array(256).fill(1), /logsBloom does not match/],
    ['difficulty', 2n, /difficulty is 2, must be 1/],
    ['number', asHeight(2), /number is 2 after 0/],
    ['gasLimit', GAS_LIMIT + 1n, /gasLimit is 1000001, the chain's is 1000000/],
    ['gasUsed', header.gasUsed + 1n, /gasUsed is \d+, execution used/],
    ['timestamp', 1_600_000_000, /timestamp is before/],
    ['timestamp', header.timestamp + 2, /timestamp is 2000 ms ahead/],
    ['extraData', withVanity({ ms: 999 }), /^$/],
    ['extraData', concatBytes(header.extraData.subarray(0, vanityBytes), new Uint8Array(20 + sealBytes)), /extraData/],
    ['mixHash', other, /mixHash and nonce/],
    ['nonce', new Uint8Array(8).fill(1), /mixHash and nonce/],
    ['baseFeePerGas', 1n, /baseFeePerGas/],
    ['baseFeePerGas', undefined, /baseFeePerGas/],
  ]
  for (const [field, value, reason] of cases) {
    const verifier = await Parts.open({ index: 1 })
    const sealed = altered(verifier, candidate, { [field]: value })
    const verdict = verifier.blocks.verify(sealed, false)
    if (reason.source === '^$') {
      t.same(verdict, { ok: true }, `${field}: milliseconds within the drift are the sealer's business`)
      continue
    }
    t.match(verdict, { ok: false, reason }, field)
    t.equal(verifier.blocks.candidate(sealed.hash), undefined, 'nothing is kept')
  }
  const verifier = await Parts.open({ index: 1 })
  t.throws(
    () => verifier.readBlock(encodeBlock({ ...candidate.block, header: { ...header, miner: someone } })),
    { code: 'SEAL_INVALID' },
    'miner: the seal is not by it',
  )
  const impostor = sealHeader(header, CHAIN_ID, sealerKeys[1]!)
  t.throws(() => verifier.readBlock(encodeBlock({ ...candidate.block, header: impostor })), { code: 'SEAL_INVALID' })
  const foreign = sealHeader(header, CHAIN_ID + 1, sealerKeys[0]!)
  t.throws(() => verifier.readBlock(encodeBlock({ ...candidate.block, header: foreign })), { code: 'SEAL_INVALID' })
})

t.test('a parentHash other than the parent it is executed on', async (t) => {
  const parts = await Parts.open()
  const candidate = parts.build(1)!
  const sealed = { ...altered(parts, candidate, { parentHash: other }), parent: candidate.sealed.parent }
  t.match(parts.blocks.verify(sealed, false), { ok: false, reason: /parentHash is not the parent/ })
})

t.test('the clock binds a proposal, not what a quorum vouches for', async (t) => {
  const ahead = await Parts.open()
  ahead.now = NOW + 1_001
  const candidate = ahead.build(1)!
  const parts = await Parts.open({ index: 1 })
  const sealed = parts.readBlock(candidate.sealed.payload)
  t.match(parts.blocks.verify(sealed, false), { ok: false, reason: /timestamp is 1001 ms ahead/ })
  t.same(parts.blocks.verify(sealed, true), { ok: true })
  ahead.now = NOW + 1_000
  t.same(parts.blocks.verify(parts.readBlock(ahead.build(2)!.sealed.payload), false), { ok: true }, 'at the limit')

  parts.now = NOW - 60_000
  const child = parts.build(3, { parent: sealed.hash })!
  t.equal(child.block.header.timestamp, candidate.block.header.timestamp, 'a slow clock does not go before the parent')
  t.equal(readVanity(child.block.header.extraData).ms, readVanity(candidate.block.header.extraData).ms)
  const back = altered(parts, child, {
    extraData: concatBytes(writeVanity({ ...readVanity(child.block.header.extraData), ms: 0 }), new Uint8Array(65)),
  })
  t.match(parts.blocks.verify(back, true), { ok: false, reason: /timestamp is before that of the parent/ })
})

t.test('a block is as full as its gas and bytes allow', async (t) => {
  const gas = await Parts.open()
  for (let nonce = 0; nonce < 40; nonce++) pooled(gas, transfer(nonce))
  const { block } = gas.build(1)!
  t.ok(block.header.gasUsed <= GAS_LIMIT)
  t.ok(block.header.gasUsed > GAS_LIMIT - 130_000n, 'no room for another one of its gas limit')
  t.equal(gas.pool.size, 40, 'what did not fit waits')

  const gasLimit = 1_000_000_000n
  const bytes = await Parts.open({ blocks: { gasLimit, select: () => large } })
  const large = Array.from({ length: 9 }, (_, nonce) =>
    transfer(nonce, { data: new Uint8Array(txBytesMax - 200), gasLimit: 900_000n }),
  )
  const full = bytes.build(1)!
  t.equal(full.block.transactions.length, 7, 'seven of 128 KiB beside the header')
  t.ok(full.sealed.payload.length <= blockBytesMax)
  const verifier = await Parts.open({ index: 1, blocks: { gasLimit } })
  t.same(verifier.blocks.verify(verifier.readBlock(full.sealed.payload), false), { ok: true })

  const { header, transactions } = full.block
  const over = [...transactions, large[7]!]
  const sealed = sealHeader(
    { ...header, transactionsRoot: orderedRoot(over.map((tx) => tx.raw)) },
    CHAIN_ID,
    sealerKeys[0]!,
  )
  const oversize = { ...full.sealed, payload: encodeBlock({ header: sealed, transactions: over }) }
  t.match(verifier.blocks.verify({ ...oversize, hash: other }, false), { ok: false, reason: /TOO_LARGE|BLOCK_BYTES/ })
})

t.test('transactions that cannot be where they are', async (t) => {
  const parts = await Parts.open()
  const candidate = pooled(parts, transfer(0)).build(1)!
  const cases: [string, RecoveredTransaction, RegExp][] = [
    ['nonce', transfer(1), /transaction 0 cannot be included: NONCE_TOO_HIGH/],
    ['chain', transfer(0, { chainId: 1n }), /WRONG_CHAIN/],
    ['funds', transfer(0, { value: 10n ** 18n }), /INSUFFICIENT_FUNDS/],
    ['gas', transfer(0, { gasLimit: GAS_LIMIT + 1n }), /GAS_LIMIT_ABOVE_BLOCK/],
  ]
  for (const [title, tx, reason] of cases) {
    const verifier = await Parts.open({ index: 1 })
    const transactionsRoot = orderedRoot([tx.raw])
    const header = sealHeader({ ...candidate.block.header, transactionsRoot }, CHAIN_ID, sealerKeys[0]!)
    const sealed = verifier.readBlock(encodeBlock({ header, transactions: [tx] }))
    t.match(verifier.blocks.verify(sealed, true), { ok: false, reason }, title)
  }
  const raw = transfer(0).raw.slice()
  raw[raw.length - 40]! ^= 0xff
  const verifier = await Parts.open({ index: 1 })
  const header = sealHeader(
    { ...candidate.block.header, transactionsRoot: orderedRoot([raw]) },
    CHAIN_ID,
    sealerKeys[0]!,
  )
  const verdict = verifier.blocks.verify(verifier.readBlock(encodeBlock({ header, transactions: [{ raw }] })), true)
  t.equal(verdict.ok, false, 'a signature of nobody who has funds')
})

t.test('an altered body is told from a bad block', async (t) => {
  const builder = pooled(await Parts.open(), transfer(0), transfer(1))
  const { block, sealed } = builder.build(1)!
  const verifier = await Parts.open({ index: 1 })
  const swapped = verifier.readBlock(encodeBlock({ ...block, transactions: block.transactions.toReversed() }))
  t.equal(swapped.hash, sealed.hash, 'the hash says nothing of it')
  t.match(verifier.blocks.verify(swapped, true), { ok: false, reason: /BODY_INVALID/ })
  t.same(
    verifier.blocks.verify(verifier.readBlock(sealed.payload.slice()), true),
    { ok: true },
    'the true one is taken',
  )
})

t.test('an empty block only when it may be empty', async (t) => {
  const parts = await Parts.open()
  t.equal(parts.build(1, { mayBeEmpty: false }), null)
  t.equal(parts.build(1)!.block.transactions.length, 0)
  pooled(parts, transfer(1))
  t.equal(parts.build(1, { mayBeEmpty: false }), null, 'what waits for a nonce is not enough')
  t.equal(
    parts.build(1, { parent: other, height: asHeight(7) }),
    null,
    'on an unknown parent there is nothing to build',
  )
})

t.test('transactions that can never be included leave the pool', async (t) => {
  const parts = await Parts.open()
  pooled(parts, transfer(0, { value: 900_000n }), transfer(1, { value: 900_000n }), transfer(2))
  const { block } = parts.build(1)!
  t.equal(block.transactions.length, 1)
  t.notOk(parts.pool.has(transfer(1, { value: 900_000n }).hash), 'its sender cannot pay')
  t.ok(parts.pool.has(transfer(2).hash), 'the next one waits for its nonce')
})

t.test('candidates live until a final block settles them', async (t) => {
  const parts = pooled(await Parts.open(), transfer(0))
  const first = parts.build(1)!
  const sibling = parts.build(2)!
  pooled(parts, transfer(1))
  const second = parts.build(3, { parent: first.sealed.hash })!
  const hashes = (candidate: Candidate) => candidate.block.transactions.map((tx) => tx.hash)
  t.same(parts.blocks.unfinal(second.sealed.hash), new Set([...hashes(first), ...hashes(second)]))
  t.same(parts.blocks.unfinal(parts.chain.head().hash), new Set<Hash>())
  t.same(parts.blocks.unfinal(ZERO_HASH), new Set<Hash>())

  await parts.chain.commit(first, EMPTY_BYTES)
  t.equal(parts.blocks.candidate(first.sealed.hash), undefined)
  t.equal(parts.blocks.candidate(sibling.sealed.hash), undefined)
  t.ok(parts.blocks.candidate(second.sealed.hash))
  t.same(parts.blocks.unfinal(second.sealed.hash), new Set(hashes(second)))
  t.equal(parts.blocks.ground(first.sealed.hash)?.state, parts.store.state(), 'the final head is ground to build on')
  t.equal(parts.blocks.ground(second.sealed.parent)?.hash, first.sealed.hash)
  await parts.chain.commit(second, EMPTY_BYTES)
  t.equal(parts.store.state().account(accounts[0]!)?.nonce, 2n)
  t.same(parts.fatal, [])
})

t.test('what range sync has committed in the meantime verifies, though its parent is gone', async (t) => {
  const builder = pooled(await Parts.open(), transfer(0))
  const first = builder.build(1)!
  const second = builder.build(2, { parent: first.sealed.hash })!
  const parts = await Parts.open({ index: 1 })
  const blocks = [first, second].map((one) => parts.readBlock(one.sealed.payload))
  for (const sealed of blocks) {
    t.same(parts.blocks.verify(sealed, true), { ok: true })
    await parts.chain.commit(parts.blocks.candidate(sealed.hash)!, EMPTY_BYTES)
  }
  t.same(parts.blocks.verify(blocks[0]!, true), { ok: true }, 'no R15 stop for a block that is final here')
  const rival = builder.build(3)!
  t.match(parts.blocks.verify(parts.readBlock(rival.sealed.payload), true), { ok: false, reason: /is not known here/ })
})
