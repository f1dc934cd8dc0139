import { join } from 'node:path'
import { Trie as ReferenceTrie } from '@ethereumjs/trie'
import t, { type Test } from 'tap'
import { encodeBlock } from '../../src/core/block.js'
import { asHeight, EMPTY_BYTES, fromHex, toHex, utf8, ZERO_HASH } from '../../src/core/bytes.js'
import { recentBlocksMax } from '../../src/core/limits.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { recoverCount } from '../../src/crypto/transaction.js'
import { decodeAccount } from '../../src/state/account.js'
import { ChainStore, type FinalBlock } from '../../src/state/chainStore.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { StateOverlay } from '../../src/state/overlay.js'
import { headKey, layoutKey } from '../../src/state/store/keys.js'
import type { KeyValueStore, WriteOperation } from '../../src/state/store/keyValueStore.js'
import { MemoryStore } from '../../src/state/store/memory.js'
import { address, blockOn, genesisOf, receiptOf, signedTransaction, word } from './chain.js'

const genesis = () =>
  genesisOf((overlay) => {
    overlay.setCode(address(1), utf8('contract'))
    for (let i = 1; i < 200; i++) overlay.setStorage(address(1), word(i), word(i))
    for (let i = 2; i < 100; i++) overlay.setBalance(address(i), BigInt(i))
  })

/** A block with `count` transactions that changes slot 1 and one of its own. */
function nextBlock(chain: ChainStore, count = 0): FinalBlock {
  const head = chain.head()!
  const overlay = new StateOverlay(chain.state())
  overlay.setStorage(address(1), word(1), word(1000 + head.height))
  overlay.setStorage(address(1), word(5000 + head.height), word(1))
  return blockOn(
    head,
    overlay,
    Array.from({ length: count }, (_, i) => signedTransaction(i, i % 2 === 0 ? 2 : 0)),
  )
}

/** Memory store whose writes wait for `release`, or fail. */
class GatedStore extends MemoryStore {
  gate: Promise<void> | undefined
  fault: Error | undefined
  batches = 0

  override async batch(operations: readonly WriteOperation[]): Promise<void> {
    this.batches++
    await this.gate
    if (this.fault !== undefined) throw this.fault
    await super.batch(operations)
  }
}

t.test('an empty store, genesis, the same genesis again, another one', async (t) => {
  const dir = join(t.testdir(), 'data')
  const chain = await ChainStore.open({ dir })
  t.equal(chain.head(), undefined)
  t.equal(chain.canonicalHash(asHeight(0)), undefined)
  t.throws(() => chain.state(), { code: 'NO_GENESIS' })
  await t.rejects(
    chain.commit(blockOn({ ...genesis(), header: genesis().block.header }, new StateOverlay(EMPTY_STATE))),
    { code: 'NO_GENESIS' },
  )
  const first = genesis()
  await chain.init(first)
  t.same(chain.head(), { header: first.block.header, hash: first.hash, height: 0, certificate: EMPTY_BYTES })
  t.equal(first.overlay.storage(address(1), word(7)), word(7), 'the genesis overlay reads from the store now')
  await chain.init(genesis())
  await t.rejects(chain.init(genesisOf((overlay) => overlay.setBalance(address(1), 1n))), {
    code: 'WRONG_CHAIN',
    message: /choose another folder/,
  })
  await t.rejects(ChainStore.open({ dir }), { code: 'LOCKED' })
  await chain.close()
  await chain.close()
  const again = await ChainStore.open({ dir })
  t.equal(again.head()?.hash, first.hash)
  t.same(again.state().code(address(1)), utf8('contract'))
  t.equal(again.state().account(address(50))?.balance, 50n)
  t.equal(again.state().account(address(500)), undefined)
  await again.close()
})

t.test('a block with everything in it, read back before and after reopening', async (t) => {
  const dir = join(t.testdir(), 'data')
  const chain = await ChainStore.open({ dir })
  await chain.init(genesis())
  const final = { ...nextBlock(chain, 5), meta: { view: utf8('17') } }
  await chain.commit(final)
  const recovered = recoverCount()
  const check = (t: Test, store: ChainStore) => {
    const height = asHeight(1)
    t.same(store.head(), { header: final.block.header, hash: final.hash, height, certificate: final.certificate })
    t.same(store.blockByNumber(height), final.block)
    t.same(store.blockByHash(final.hash), final.block)
    t.same(store.headerByNumber(height), final.block.header)
    t.same(store.headerByHash(final.hash), final.block.header)
    t.same(store.rawBlock(height), encodeBlock(final.block))
    t.same(store.receipts(height), final.receipts)
    t.same(store.certificate(height), utf8('certificate of 1'))
    t.equal(store.canonicalHash(height), final.hash)
    t.equal(store.heightOf(final.hash), 1)
    t.same(store.transactionLocation(final.block.transactions[3]!.hash), { height: 1, index: 3 })
    t.same(store.meta('view'), utf8('17'))
    t.equal(store.state().storage(address(1), word(1)), word(1000))
  }
  await t.test('before', async (t) => check(t, chain))
  await chain.close()
  const again = await ChainStore.open({ dir })
  await t.test('after', async (t) => check(t, again))
  t.equal(recoverCount(), recovered, 'no signature is recovered to read a block')
  for (const unknown of [2, -1, 1.5, Number.NaN]) t.equal(again.blockByNumber(asHeight(unknown)), undefined)
  t.equal(again.rawBlock(asHeight(2)), undefined)
  t.equal(again.receipts(asHeight(2)), undefined)
  t.equal(again.headerByHash(word(1)), undefined)
  t.equal(again.blockByHash(word(1)), undefined)
  t.equal(again.transactionLocation(word(1)), undefined)
  t.equal(again.meta('unknown'), undefined)
  await again.close()
})

t.test('old blocks are read from the store', async (t) => {
  const chain = await ChainStore.memory()
  await chain.init(genesis())
  const blocks: FinalBlock[] = []
  for (let i = 0; i < recentBlocksMax + 3; i++) {
    blocks.push(nextBlock(chain, i % 3))
    await chain.commit(blocks[i]!)
  }
  for (const { block, receipts } of blocks) {
    t.same(chain.blockByNumber(block.header.number), block)
    t.same(chain.receipts(block.header.number), receipts)
  }
})

t.test('overlays on an overlay that was committed keep working; those beside it do not', async (t) => {
  const chain = await ChainStore.memory()
  await chain.init(genesis())
  const head = chain.head()!
  const a = new StateOverlay(chain.state())
  a.setStorage(address(1), word(1), word(77))
  a.setNonce(address(5), 1n)
  const blockA = blockOn(head, a)
  const b = new StateOverlay(a)
  b.setStorage(address(1), word(2), word(78))
  const blockB = blockOn(blockA, b)
  const c = new StateOverlay(b)
  const beside = new StateOverlay(chain.state())
  beside.setStorage(address(1), word(1), word(99))
  const blockBeside = blockOn(head, beside)
  const old = chain.state()
  await chain.commit(blockA)
  t.equal(b.storage(address(1), word(1)), word(77))
  t.equal(b.account(address(5))?.nonce, 1n)
  t.throws(() => old.account(address(5)), { code: 'SUPERSEDED' })
  t.throws(() => beside.storage(address(1), word(3)), { code: 'SUPERSEDED' })
  await t.rejects(chain.commit(blockBeside), { code: 'NOT_NEXT' })
  await t.rejects(chain.commit(blockA), { code: 'NOT_NEXT' })
  c.setStorage(address(1), word(3), word(79))
  const blockC = blockOn(blockB, c)
  await Promise.all([chain.commit(blockB), chain.commit(blockC)])
  t.equal(chain.head()?.height, 3)
  t.same(
    [1, 2, 3, 4].map((i) => chain.state().storage(address(1), word(i))),
    [77, 78, 79, 4].map(word),
  )
  const whole = new StateOverlay(EMPTY_STATE)
  whole.setCode(address(1), utf8('contract'))
  for (let i = 1; i < 200; i++) whole.setStorage(address(1), word(i), i < 4 ? word(76 + i) : word(i))
  for (let i = 2; i < 100; i++) whole.setBalance(address(i), BigInt(i))
  whole.setNonce(address(5), 1n)
  t.equal(whole.root(), chain.head()?.header.stateRoot)
})

t.test('NOT_NEXT: wrong number, parent, state or receipts; nothing is written', async (t) => {
  const store = new GatedStore()
  const chain = await ChainStore.open({ store })
  await t.rejects(chain.init({ ...genesis(), overlay: new StateOverlay(EMPTY_STATE) }), { code: 'NOT_NEXT' })
  await chain.init(genesis())
  const written = store.batches
  const good = nextBlock(chain, 1)
  const other = nextBlock(chain, 1)
  const withHeader = (fields: object): FinalBlock => ({
    ...good,
    block: { ...good.block, header: { ...good.block.header, ...fields } },
  })
  await t.rejects(chain.commit(withHeader({ number: asHeight(2) })), { code: 'NOT_NEXT' })
  await t.rejects(chain.commit(withHeader({ parentHash: ZERO_HASH })), { code: 'NOT_NEXT' })
  await t.rejects(chain.commit(withHeader({ stateRoot: ZERO_HASH })), { code: 'NOT_NEXT' })
  await t.rejects(chain.commit({ ...good, receipts: [] }), { code: 'NOT_NEXT' })
  await t.rejects(chain.commit({ ...good, receipts: [receiptOf(0), receiptOf(1)] }), { code: 'NOT_NEXT' })
  t.equal(store.batches, written)
  await chain.commit(other)
  t.equal(chain.head()?.height, 1)
})

t.test('while a block is being written, reads see the block before it', async (t) => {
  const store = new GatedStore()
  const chain = await ChainStore.open({ store })
  await chain.init(genesis())
  let open = (): void => undefined
  store.gate = new Promise((resolve) => {
    open = resolve
  })
  const final = nextBlock(chain, 2)
  const child = new StateOverlay(final.overlay)
  const done = chain.commit(final)
  const before = () => {
    t.equal(chain.head()?.height, 0)
    t.equal(chain.state().storage(address(1), word(1)), word(1))
    t.equal(chain.blockByNumber(asHeight(1)), undefined)
    t.equal(chain.transactionLocation(final.block.transactions[0]!.hash), undefined)
    t.equal(chain.prove(address(1), [word(5000)]).storage[0]!.word, ZERO_HASH)
    t.equal(child.storage(address(1), word(1)), word(1000), 'a child overlay sees it already')
  }
  before()
  const batched = new Promise<void>((resolve) => setImmediate(resolve))
  await batched
  before()
  // The batch is in the store, but commit has not resolved yet.
  open()
  await store.gate
  before()
  await done
  t.equal(chain.state().storage(address(1), word(1)), word(1000))
  t.equal(chain.transactionLocation(final.block.transactions[0]!.hash)?.height, 1)
})

t.test('FAILED: after a failed write nothing more is written, reads go on', async (t) => {
  const store = new GatedStore()
  const chain = await ChainStore.open({ store })
  await chain.init(genesis())
  const final = nextBlock(chain)
  store.fault = new Error('EIO: i/o error, write')
  await t.rejects(chain.commit(final), { code: 'FAILED', message: /EIO.*must stop/ })
  store.fault = undefined
  const { batches } = store
  await t.rejects(chain.commit(final), { code: 'FAILED' })
  t.equal(store.batches, batches)
  t.equal(chain.head()?.height, 0)
  t.equal(chain.state().storage(address(1), word(1)), word(1))
  await chain.close()
})

t.test('a store of another layout, a head that is missing', async (t) => {
  const damaged = async (key: Uint8Array, value: Uint8Array): Promise<KeyValueStore> => {
    const store = new MemoryStore()
    const chain = await ChainStore.open({ store })
    await chain.init(genesis())
    await store.batch([{ type: 'put', key, value }])
    return store
  }
  const layout = await damaged(layoutKey(), Uint8Array.of(9))
  await t.rejects(ChainStore.open({ store: layout }), { code: 'WRONG_CHAIN', message: /layout 9/ })
  const head = await damaged(headKey(), new Uint8Array(38).fill(1))
  await t.rejects(ChainStore.open({ store: head }), { code: 'CORRUPT' })
})

t.test('EIP-1186 proofs hold for @ethereumjs/trie', async (t) => {
  const chain = await ChainStore.memory()
  await chain.init(genesis())
  await chain.commit(nextBlock(chain))
  const verifier = await ReferenceTrie.create()
  const root = fromHex(chain.head()!.header.stateRoot)
  const proved = chain.prove(address(1), [word(1), word(9), word(4000)])
  const record = await verifier.verifyProof(root, keccak256(fromHex(address(1))), proved.proof)
  t.same(decodeAccount(record!), proved.account)
  for (const { slot, word: value, proof } of proved.storage) {
    const found = await verifier.verifyProof(fromHex(proved.account.storageRoot), keccak256(fromHex(slot)), proof)
    t.equal(found === null, value === ZERO_HASH, `slot ${slot}`)
  }
  t.same(
    proved.storage.map(({ word }) => word),
    [word(1000), word(9), ZERO_HASH],
  )
  const absent = chain.prove(address(4000), [word(1)])
  t.equal(await verifier.verifyProof(root, keccak256(fromHex(address(4000))), absent.proof), null)
  t.same([absent.account.nonce, absent.storage[0]!.proof.map(toHex)], [0n, []])
})
