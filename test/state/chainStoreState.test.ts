/** The stored state against a plain model, over blocks, reopening and bounded memory; and its growth. */
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { toHex } from '../../src/core/bytes.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { StateOverlay } from '../../src/state/overlay.js'
import { accountNodePrefix, storageNodePrefix, tableRange } from '../../src/state/store/keys.js'
import { openLevelStore } from '../../src/state/store/level.js'
import { MemoryStore } from '../../src/state/store/memory.js'
import { address, blockOn, genesisOf, word } from './chain.js'

const STATE_TABLES = ['account', 'slot', 'accountNode', 'storageNode'] as const

/** [account, slot, value]; slot 0 stands for the balance. */
const anyWrite = fc.tuple(fc.nat(5), fc.nat(40), fc.nat(3))
const anyBlock = fc.record({ writes: fc.array(anyWrite, { maxLength: 40 }), reopen: fc.boolean() })

type Model = Map<string, number>

function write(overlay: StateOverlay, [account, slot, value]: readonly [number, number, number]): void {
  if (slot === 0) overlay.setBalance(address(account), BigInt(value))
  else {
    overlay.setNonce(address(account), 1n)
    overlay.setStorage(address(account), word(slot), word(value))
  }
}

/** All keys of the state that a model stands for, from a state built at once. */
function expectedNodeKeys(model: Model): { root: string; keys: string[] } {
  const overlay = new StateOverlay(EMPTY_STATE)
  for (const [id, value] of model) {
    const [account, slot] = id.split(' ').map(Number) as [number, number]
    write(overlay, [account, slot, value])
  }
  const root = overlay.root()
  const { accountTrie, storageTries } = overlay.changes()
  const keys: string[] = []
  accountTrie?.visitChanges(
    (path, encoded) => encoded && keys.push(`${toHex(accountNodePrefix)}${toHex(path).slice(2)}`),
  )
  for (const [address, trie] of storageTries) {
    trie.visitChanges(
      (path, encoded) => encoded && keys.push(`${toHex(storageNodePrefix(address))}${toHex(path).slice(2)}`),
    )
  }
  return { root, keys: keys.sort() }
}

async function storedNodeKeys(store: MemoryStore): Promise<string[]> {
  const keys: string[] = []
  for (const table of ['accountNode', 'storageNode'] as const) {
    for await (const [key] of store.range(tableRange(table))) keys.push(toHex(key))
  }
  return keys.sort()
}

t.test('blocks of random writes, with few trie nodes in memory', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyBlock, { minLength: 1, maxLength: 8 }), async (blocks) => {
      const store = new MemoryStore()
      let chain = await ChainStore.open({ store, trieNodesMax: 20 })
      await chain.init(genesisOf(() => undefined))
      const model: Model = new Map()
      for (const { writes, reopen } of blocks) {
        // The store stays open: a new ChainStore over it starts from what was written.
        if (reopen) chain = await ChainStore.open({ store, trieNodesMax: 20 })
        const overlay = new StateOverlay(chain.state())
        for (const [account, slot, value] of writes) {
          write(overlay, [account, slot, value])
          model.set(`${account} ${slot}`, value)
        }
        await chain.commit(blockOn(chain.head()!, overlay))
        const { root, keys } = expectedNodeKeys(model)
        if (chain.head()!.header.stateRoot !== root) return false
        if (JSON.stringify(await storedNodeKeys(store)) !== JSON.stringify(keys)) return false
        for (const [id, value] of model) {
          const [account, slot] = id.split(' ').map(Number) as [number, number]
          const state = chain.state()
          if (
            slot === 0
              ? state.account(address(account))!.balance !== BigInt(value)
              : state.storage(address(account), word(slot)) !== word(value)
          )
            return false
        }
      }
      return true
    }),
    { numRuns: 60 },
  )
  t.pass()
})

t.test('updates in place do not grow the stored state', async (t) => {
  const dir = join(t.testdir(), 'data')
  const chain = await ChainStore.open({ dir })
  await chain.init(
    genesisOf((overlay) => {
      for (let i = 1; i <= 2000; i++) overlay.setStorage(address(i % 3), word(i), word(1_000_000 + i))
    }),
  )
  await update(chain, 1)
  await chain.close()
  const before = await stateBytes(dir)
  const again = await ChainStore.open({ dir })
  for (let round = 2; round < 12; round++) await update(again, round)
  await again.close()
  const after = await stateBytes(dir)
  t.ok(before > 100_000, `${before} bytes`)
  const perUpdate = (after - before) / 10_000
  t.ok(Math.abs(perUpdate) < 2, `${before} bytes, then ${after}: ${perUpdate} bytes an update`)
})

/** Changes half of the slots. */
async function update(chain: ChainStore, round: number): Promise<void> {
  const overlay = new StateOverlay(chain.state())
  for (let i = 1; i <= 2000; i += 2) overlay.setStorage(address(i % 3), word(i), word(1_000_000 + 5000 * round + i))
  await chain.commit(blockOn(chain.head()!, overlay))
}

/** Bytes of the state's tables after compaction. */
async function stateBytes(dir: string): Promise<number> {
  const store = await openLevelStore(dir)
  await store.compact()
  let bytes = 0
  for (const table of STATE_TABLES) {
    const { gte, lt } = tableRange(table)
    bytes += await store.approximateSize(gte, lt)
  }
  await store.close()
  return bytes
}
