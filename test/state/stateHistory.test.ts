/** States of past blocks against an oracle that keeps a copy of each: window, archive, gaps, reopening, proofs, reads beside a write. */
import { Trie as ReferenceTrie } from '@ethereumjs/trie'
import fc from 'fast-check'
import t from 'tap'
import { asHeight, fromHex, type Height, utf8 } from '../../src/core/bytes.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { decodeAccount } from '../../src/state/account.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { firstChangeAbove, noteChange } from '../../src/state/history/archiveIndex.js'
import { RecentChanges } from '../../src/state/history/recentChanges.js'
import { StateOverlay } from '../../src/state/overlay.js'
import { tableRange } from '../../src/state/store/keys.js'
import type { WriteOperation } from '../../src/state/store/keyValueStore.js'
import { MemoryStore } from '../../src/state/store/memory.js'
import { address, blockOn, genesisOf, word } from './chain.js'

const ACCOUNTS = 4
const SLOTS = 12

/** [account, slot, value]; slot 0 stands for the balance. */
const anyWrite = fc.tuple(fc.nat(ACCOUNTS - 1), fc.nat(SLOTS), fc.nat(2))
const anyBlock = fc.record({
  writes: fc.array(anyWrite, { maxLength: 12 }),
  after: fc.constantFrom('go on', 'go on', 'go on', 'reopen', 'reopen without', 'reopen as archive', 'reopen wider'),
})

type Model = ReadonlyMap<string, number>

interface Mode {
  readonly recentBlocks: number
  readonly archive?: boolean
}

function write(overlay: StateOverlay, [account, slot, value]: readonly [number, number, number]): void {
  if (slot === 0) overlay.setBalance(address(account), BigInt(value))
  else {
    overlay.setNonce(address(account), 1n)
    overlay.setStorage(address(account), word(slot), word(value))
  }
}

/** What of the state at `height` is not as the model says. */
function differences(chain: ChainStore, height: Height, model: Model): string[] {
  const state = chain.stateAt(height)!
  const found: string[] = []
  for (let account = 0; account < ACCOUNTS; account++) {
    const balance = state.account(address(account))?.balance ?? 0n
    if (balance !== BigInt(model.get(`${account} 0`) ?? 0)) found.push(`balance of ${account} at ${height}`)
    for (let slot = 1; slot <= SLOTS; slot++) {
      const expected = model.get(`${account} ${slot}`) ?? 0
      if (state.storage(address(account), word(slot)) !== word(expected))
        found.push(`slot ${slot} of ${account} at ${height}`)
    }
  }
  return found
}

/** Proofs of every account and slot at `height`, checked by another implementation. */
async function badProofs(chain: ChainStore, height: Height, model: Model): Promise<string[]> {
  const verifier = new ReferenceTrie({ useKeyHashing: false })
  const root = fromHex(chain.headerByNumber(height)!.stateRoot)
  const found: string[] = []
  for (let account = 0; account < ACCOUNTS; account++) {
    const slots = Array.from({ length: SLOTS }, (_, i) => word(i + 1))
    const proved = chain.prove(address(account), slots, chain.stateAt(height))
    const accountKey = keccak256(fromHex(address(account)))
    const record = proved.proof.length === 0 ? null : await verifier.verifyProof(root, accountKey, proved.proof)
    const storageRoot = record === null ? undefined : decodeAccount(record).storageRoot
    if (record !== null && storageRoot !== proved.account.storageRoot) found.push(`account ${account} at ${height}`)
    if (storageRoot === undefined) continue
    for (const [i, { proof }] of proved.storage.entries()) {
      const expected = model.get(`${account} ${i + 1}`) ?? 0
      const key = keccak256(fromHex(slots[i]!))
      const value = proof.length === 0 ? null : await verifier.verifyProof(fromHex(storageRoot), key, proof)
      if ((value === null ? 0 : value[0]) !== expected) found.push(`slot ${i + 1} of ${account} at ${height}`)
    }
  }
  return found
}

t.test('any blocks, reopened in any mode', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyBlock, { minLength: 1, maxLength: 24 }), fc.nat(6), async (blocks, window) => {
      const store = new MemoryStore()
      let mode: Mode = { recentBlocks: window }
      let chain = await ChainStore.open({ store, trieNodesMax: 20, history: mode })
      await chain.init(genesisOf(() => undefined))
      const models: Model[] = [new Map()]
      // The first height whose successors were all recorded in the mode that is on.
      let recordedFrom = 0
      let archiveFrom = Number.POSITIVE_INFINITY
      for (const { writes, after } of blocks) {
        if (after !== 'go on') {
          if (after === 'reopen without') mode = { recentBlocks: 0 }
          if (after === 'reopen as archive') mode = { recentBlocks: window, archive: true }
          if (after === 'reopen wider') mode = { recentBlocks: window + 3 }
          const head = chain.head()!.height
          chain = await ChainStore.open({ store, trieNodesMax: 20, history: mode })
          if (mode.archive === true) archiveFrom = Math.min(archiveFrom, head)
          else archiveFrom = Number.POSITIVE_INFINITY
        }
        const overlay = new StateOverlay(chain.state())
        const model = new Map(models.at(-1))
        for (const [account, slot, value] of writes) {
          write(overlay, [account, slot, value])
          model.set(`${account} ${slot}`, value)
        }
        await chain.commit(blockOn(chain.head()!, overlay))
        models.push(model)
        const head = chain.head()!.height
        if (mode.recentBlocks === 0 && mode.archive !== true) {
          recordedFrom = head
          archiveFrom = Number.POSITIVE_INFINITY
        }
        const oldest = chain.oldestState()
        // Nothing less than what was asked for and recorded, and nothing that cannot be known.
        if (oldest < recordedFrom) throw new Error(`block ${oldest} was not recorded from ${recordedFrom} on`)
        if (archiveFrom !== Number.POSITIVE_INFINITY && oldest > Math.max(archiveFrom, recordedFrom))
          throw new Error(`the archive of ${archiveFrom} begins at ${oldest}`)
        if (mode.archive !== true && oldest < head - mode.recentBlocks) throw new Error('more than was asked for')
        if (mode.recentBlocks <= window && oldest > Math.max(head - mode.recentBlocks, recordedFrom))
          throw new Error(`the window of ${mode.recentBlocks} before ${head} begins at ${oldest}`)
        for (let h = oldest; h <= head; h = asHeight(h + 1)) {
          const faults = differences(chain, h, models[h]!)
          if (faults.length > 0) throw new Error(faults.join())
        }
        if (oldest > 0 && chain.stateAt(asHeight(oldest - 1)) !== undefined) throw new Error('a state too many')
      }
      for (let h = chain.oldestState(); h <= chain.head()!.height; h = asHeight(h + 1)) {
        const faults = await badProofs(chain, h, models[h]!)
        if (faults.length > 0) throw new Error(faults.join())
      }
    }),
    { numRuns: 25 },
  )
  t.pass()
})

async function countOf(store: MemoryStore, table: 'diff' | 'diffPart' | 'changes'): Promise<number> {
  let count = 0
  for await (const _ of store.range(tableRange(table))) count++
  return count
}

async function commitOne(chain: ChainStore, value: number): Promise<void> {
  const overlay = new StateOverlay(chain.state())
  overlay.setStorage(address(1), word(1), word(value))
  await chain.commit(blockOn(chain.head()!, overlay))
}

t.test('the window moves, and what left it is gone', async (t) => {
  const store = new MemoryStore()
  const open = (recentBlocks: number) => ChainStore.open({ store, history: { recentBlocks } })
  let chain = await open(20)
  await chain.init(genesisOf((overlay) => overlay.setNonce(address(1), 1n)))
  for (let i = 1; i <= 30; i++) await commitOne(chain, i)
  t.equal(chain.oldestState(), 10)
  t.equal(chain.stateAt(asHeight(10))!.storage(address(1), word(1)), word(10))
  t.equal(chain.stateAt(asHeight(9)), undefined)
  t.equal(chain.stateAt(asHeight(31)), undefined)
  t.equal(await countOf(store, 'diff'), 20)
  const held = chain.stateAt(asHeight(10))!
  await commitOne(chain, 31)
  t.throws(() => held.storage(address(1), word(1)), { code: 'SUPERSEDED', message: /block 10 is not kept any more/ })
  // A smaller window gives the room back over some blocks.
  chain = await open(2)
  for (let i = 32; i <= 36; i++) await commitOne(chain, i)
  t.equal(chain.oldestState(), 34)
  t.equal(await countOf(store, 'diff'), 2)
  t.equal(await countOf(store, 'changes'), 0)
  t.equal(chain.stateAt(asHeight(34))!.storage(address(1), word(1)), word(34))
})

t.test('code of a past state', async (t) => {
  const chain = await ChainStore.open({ store: new MemoryStore(), history: { recentBlocks: 4 } })
  await chain.init(genesisOf(() => undefined))
  for (const code of ['one', 'two']) {
    const overlay = new StateOverlay(chain.state())
    overlay.setCode(address(1), utf8(code))
    await chain.commit(blockOn(chain.head()!, overlay))
  }
  const codeAt = (h: number) => new TextDecoder().decode(chain.stateAt(asHeight(h))!.code(address(1)))
  t.same([codeAt(0), codeAt(1), codeAt(2)], ['', 'one', 'two'])
})

t.test('past states while a batch is being written, and after it', async (t) => {
  let release = () => {}
  class Gated extends MemoryStore {
    gate: Promise<void> | undefined
    override async batch(operations: readonly WriteOperation[]): Promise<void> {
      await super.batch(operations)
      await this.gate
    }
  }
  const store = new Gated()
  const chain = await ChainStore.open({ store, history: { recentBlocks: 3 } })
  await chain.init(genesisOf((overlay) => overlay.setNonce(address(1), 1n)))
  for (let i = 1; i <= 5; i++) await commitOne(chain, i)
  const at = (h: number) => chain.stateAt(asHeight(h))?.storage(address(1), word(1))
  store.gate = new Promise((resolve) => {
    release = resolve
  })
  const writing = commitOne(chain, 6)
  await Promise.resolve()
  t.same([at(1), at(2), at(3), at(4), at(5), at(6)], [undefined, word(2), word(3), word(4), word(5), undefined])
  release()
  await writing
  t.same([at(2), at(3), at(4), at(5), at(6)], [undefined, word(3), word(4), word(5), word(6)])
})

t.test('recent changes of many blocks, against a list', async (t) => {
  const anyBlockOfKeys = fc.array(fc.nat(5000), { maxLength: 900 })
  await fc.assert(
    fc.property(fc.array(anyBlockOfKeys, { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), (blocks, window) => {
      const recent = new RecentChanges()
      const list: { height: number; keys: Set<number> }[] = []
      for (const [i, keys] of blocks.entries()) {
        const distinct = [...new Set(keys)]
        recent.add(
          asHeight(i + 1),
          Uint32Array.from(distinct, (key) => key * 7919),
        )
        list.push({ height: i + 1, keys: new Set(distinct) })
        if (list.length > window) {
          recent.dropOldest()
          list.shift()
        }
        if (recent.from !== list[0]!.height) return false
        for (const key of [0, 17, ...distinct.slice(0, 40)]) {
          const expected = list
            .filter((block) => block.height > i - 1 && block.keys.has(key))
            .map(({ height }) => height)
          const found = recent.above(asHeight(Math.max(0, i - 1)), key * 7919)
          if (JSON.stringify(found) !== JSON.stringify(expected.reverse())) return false
        }
      }
      return true
    }),
    { numRuns: 30 },
  )
  t.pass()
})

t.test('the archive finds changes over segments of 4096 blocks', async (t) => {
  const store = new MemoryStore()
  const key = utf8('A key')
  const heights = [1, 7, 4095, 4096, 4097, 20_000, 300_000]
  for (const height of heights) {
    const operations: WriteOperation[] = []
    noteChange(store, asHeight(height), key, operations)
    await store.batch(operations)
  }
  for (const from of [0, 1, 6, 7, 4094, 4095, 4096, 4097, 5000, 19_999, 20_000, 299_999, 300_000]) {
    t.equal(
      firstChangeAbove(store, asHeight(from), key),
      heights.find((height) => height > from),
      `above ${from}`,
    )
  }
  t.equal(firstChangeAbove(store, asHeight(0), utf8('another')), undefined)
})
