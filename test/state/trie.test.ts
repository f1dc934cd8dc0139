import { Trie as ReferenceTrie } from '@ethereumjs/trie'
import fc from 'fast-check'
import t from 'tap'
import { toHex, uintToBytes, uintToWord } from '../../src/core/bytes.js'
import { rlpEncode } from '../../src/core/rlp.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { orderedRoot } from '../../src/state/orderedTrie.js'
import { NO_SOURCE } from '../../src/state/trie/load.js'
import { Trie } from '../../src/state/trie/trie.js'
import { freshNodes, PathStore } from './pathStore.js'

/** Keys of one length with long common prefixes, so that extensions split and branches collapse often. */
const anyKey = fc
  .array(fc.constantFrom(0x00, 0x01, 0x10, 0x11, 0xf1), { minLength: 4, maxLength: 4 })
  .map((bytes) => Uint8Array.from(bytes))
/** Short values make nodes below 32 bytes, which their parents embed. */
const anyValue = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 3 }),
  fc.uint8Array({ minLength: 40, maxLength: 80 }),
)
/** null deletes. */
const anyBatch = fc.array(fc.tuple(anyKey, fc.option(anyValue, { freq: 2 })), { maxLength: 25 })

type Batch = readonly (readonly [Uint8Array, Uint8Array | null])[]
type Model = Map<string, readonly [Uint8Array, Uint8Array]>

function applyTo(trie: Trie, model: Model, batch: Batch): void {
  for (const [key, value] of batch) {
    if (value === null) {
      trie.delete(key)
      model.delete(toHex(key))
    } else {
      trie.put(key, value)
      model.set(toHex(key), [key, value])
    }
  }
}

async function referenceOf(model: Model): Promise<ReferenceTrie> {
  const reference = await ReferenceTrie.create()
  for (const [key, value] of model.values()) await reference.put(key, value)
  return reference
}

const sorted = (store: PathStore) => [...store.nodes].map(([path, node]) => `${path}=${toHex(node)}`).sort()

t.test('batches on forks over a path store: roots, values and exactly the nodes that belong there', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyBatch, { minLength: 1, maxLength: 6 }), fc.boolean(), async (batches, reopen) => {
      const store = new PathStore()
      const model: Model = new Map()
      let trie = Trie.empty(store)
      for (const batch of batches) {
        trie = reopen ? Trie.at(trie.root(), store) : trie.fork()
        // A root in the middle of a batch must not be taken for the one at its end.
        applyTo(trie, model, batch.slice(0, batch.length >> 1))
        trie.root()
        applyTo(trie, model, batch.slice(batch.length >> 1))
        const reference = await referenceOf(model)
        if (trie.root() !== toHex(reference.root())) return false
        store.apply(trie)
        t.strictSame(sorted(store), sorted(freshNodes(model.values())), 'no node is missing, none is stale')
        if ([...store.nodes].some(([path, node]) => path !== '0x' && node.length < 32)) return false
        for (const [key] of batch) {
          const expected = model.get(toHex(key))?.[1]
          const found = trie.get(key)
          if (toHex(found ?? new Uint8Array(0)) !== toHex(expected ?? new Uint8Array(0))) return false
        }
      }
      return true
    }),
    { numRuns: 150 },
  )
})

t.test('proofs of values and of absence hold for @ethereumjs/trie', async (t) => {
  const verifier = await ReferenceTrie.create()
  await fc.assert(
    fc.asyncProperty(anyBatch, fc.array(anyKey, { minLength: 1, maxLength: 5 }), async (batch, asked) => {
      const trie = Trie.empty(NO_SOURCE)
      const model: Model = new Map()
      applyTo(trie, model, batch)
      if (model.size === 0) return
      const reference = await referenceOf(model)
      for (const key of [...asked, ...[...model.values()].map(([key]) => key)]) {
        const proof = trie.prove(key)
        // The reference repeats nodes that their parent embeds; geth leaves them out, and so do we.
        const expected = (await reference.createProof(key)).filter((node, i) => i === 0 || node.length >= 32)
        t.strictSame(proof.map(toHex), expected.map(toHex), 'the same nodes')
        const value = await verifier.verifyProof(reference.root(), key, proof)
        t.equal(
          value === null ? undefined : toHex(value),
          model.has(toHex(key)) ? toHex(model.get(toHex(key))![1]) : undefined,
        )
      }
    }),
    { numRuns: 60 },
  )
  t.strictSame(Trie.empty(NO_SOURCE).prove(keccak256(uintToWord(1))), [])
})

t.test('keys of different lengths: values at branches', async () => {
  const key = fc.uint8Array({ minLength: 0, maxLength: 3, max: 0x12 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(key, fc.option(anyValue, { freq: 3 })), { maxLength: 40 }), async (batch) => {
      const trie = Trie.empty(NO_SOURCE)
      const model: Model = new Map()
      applyTo(trie, model, batch)
      return trie.root() === toHex((await referenceOf(model)).root())
    }),
    { numRuns: 150 },
  )
})

t.test('ordered roots equal a trie of rlp(index)', async (t) => {
  for (const count of [0, 1, 2, 127, 128, 129, 300]) {
    const items = Array.from({ length: count }, (_, i) => keccak256(uintToWord(i)))
    const reference = await ReferenceTrie.create()
    for (const [i, item] of items.entries()) await reference.put(rlpEncode(uintToBytes(i)), item)
    t.equal(orderedRoot(items), toHex(reference.root()), `${count} items`)
  }
})

t.test('a fork leaves the trie it came from as it was', async (t) => {
  const trie = Trie.empty(NO_SOURCE)
  for (let i = 0; i < 500; i++) trie.put(keccak256(uintToWord(i)), uintToWord(i))
  const before = trie.root()
  const forks = [trie.fork(), trie.fork()]
  for (const [n, fork] of forks.entries()) {
    for (let i = 0; i < 100; i++) fork.put(keccak256(uintToWord(i)), uintToWord(1000 + n))
    for (let i = 100; i < 200; i++) fork.delete(keccak256(uintToWord(i)))
  }
  t.not(forks[0]!.root(), forks[1]!.root())
  t.equal(trie.root(), before)
  for (let i = 0; i < 500; i++) t.same(trie.get(keccak256(uintToWord(i))), uintToWord(i))
  t.throws(() => trie.put(uintToWord(1), uintToWord(1)), /forked/)
})

t.test('shrink keeps memory bounded and the content', async (t) => {
  const store = new PathStore()
  let trie = Trie.empty(store)
  for (let i = 0; i < 3000; i++) trie.put(keccak256(uintToWord(i)), uintToWord(i))
  store.apply(trie)
  const full = trie.nodesInMemory
  for (let round = 0; round < 30; round++) {
    trie = trie.fork()
    for (let i = 0; i < 10; i++) trie.put(keccak256(uintToWord(round * 10 + i)), uintToWord(5000 + round))
    store.apply(trie)
  }
  trie.shrink(1000)
  t.ok(full > 3000 && trie.nodesInMemory <= 1000, `${full} nodes, then ${trie.nodesInMemory}`)
  t.ok(trie.nodesInMemory > 10, 'what changed lately is kept')
  store.loads = 0
  t.same(trie.get(keccak256(uintToWord(299))), uintToWord(5029))
  t.equal(store.loads, 0, 'the latest change needs no read')
  for (let i = 300; i < 3000; i++) t.same(trie.get(keccak256(uintToWord(i))), uintToWord(i))
  t.ok(store.loads > 100)
  trie.shrink(1)
  t.equal(trie.nodesInMemory, 1, 'the root stays')
})

t.test('MISSING_NODE and CORRUPT name the node', async (t) => {
  const store = freshNodes(Array.from({ length: 300 }, (_, i) => [keccak256(uintToWord(i)), uintToWord(i)] as const))
  const whole = Trie.empty(NO_SOURCE)
  for (let i = 0; i < 300; i++) whole.put(keccak256(uintToWord(i)), uintToWord(i))
  const key = keccak256(uintToWord(7))
  const [path] = [...store.nodes.keys()].filter((path) => path === `0x0${toHex(key)[2]}`)
  const node = store.nodes.get(path!)!
  const damaged = node.slice()
  damaged[40]! ^= 1
  store.nodes.set(path!, damaged)
  t.throws(() => Trie.at(whole.root(), store).get(key), {
    code: 'CORRUPT',
    message: new RegExp(`path "${toHex(key)[2]}" is damaged`),
  })
  store.nodes.delete(path!)
  t.throws(() => Trie.at(whole.root(), store).put(key, key), { code: 'MISSING_NODE' })
  store.nodes.set(path!, node)
  t.same(Trie.at(whole.root(), store).get(key), uintToWord(7))
})
