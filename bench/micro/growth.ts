/**
 * What one update of a value that is there already adds to the disk, compacted: our chain store, with trie nodes by path, against
 * the same tries with their nodes by hash, of which none is ever removed.
 */
import { join } from 'node:path'
import { fromHex, toHex } from '../../src/core/bytes.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { StateOverlay } from '../../src/state/overlay.js'
import { tableRange } from '../../src/state/store/keys.js'
import type { KeyValueStore, WriteOperation } from '../../src/state/store/keyValueStore.js'
import { openLevelStore } from '../../src/state/store/level.js'
import { type Benchmark, OURS, type Side } from './benchmark.js'
import { CONTRACT, finalBlockOn, initChain, slotOf, wordOf } from './chain.js'
import type { Sizes } from './sizes.js'

const STATE_TABLES = ['account', 'slot', 'accountNode', 'storageNode'] as const

/** The nth block's writes: slots that exist get other words of as many bytes. */
function writeSlots(overlay: StateOverlay, { growthSlots, growthUpdates }: Sizes, block: number): void {
  for (let i = 0; i < growthUpdates; i++) {
    const slot = slotOf((i * 7919 + block * 104_729) % growthSlots)
    overlay.setStorage(CONTRACT, slot, wordOf((block + 1) * growthSlots + i))
  }
}

interface Written {
  /** One block of updates; its state root. */
  write(block: number): Promise<string>
  /** Bytes on disk, compacted. */
  bytes(): Promise<number>
}

function growthSide(name: string, sizes: Sizes, { write, bytes }: Written): Side {
  let block = 0
  return {
    name,
    async measure() {
      const before = await bytes()
      for (let n = 0; n < sizes.growthBlocks; n++) await write(++block)
      return ((await bytes()) - before) / (sizes.growthBlocks * sizes.growthUpdates)
    },
    result: () => write(++block),
  }
}

/** The state's tables alone: blocks are history, and grow in either system. */
async function openOurs(store: KeyValueStore, sizes: Sizes): Promise<Written> {
  const chain = await ChainStore.open({ store })
  await initChain(chain, sizes.growthSlots)
  return {
    async write(block) {
      const overlay = new StateOverlay(chain.state())
      writeSlots(overlay, sizes, block)
      await chain.commit(finalBlockOn(chain, overlay))
      return overlay.root()
    },
    bytes: () => compactBytes(store, STATE_TABLES.map(tableRange)),
  }
}

async function openByHash(store: KeyValueStore, sizes: Sizes): Promise<Written> {
  const chain = await ChainStore.memory()
  const genesis = new StateOverlay(EMPTY_STATE)
  for (let i = 0; i < sizes.growthSlots; i++) genesis.setStorage(CONTRACT, slotOf(i), wordOf(i))
  await store.batch(nodesByHash(genesis), { sync: true })
  await initChain(chain, sizes.growthSlots)
  return {
    async write(block) {
      const overlay = new StateOverlay(chain.state())
      writeSlots(overlay, sizes, block)
      await store.batch(nodesByHash(overlay), { sync: true })
      await chain.commit(finalBlockOn(chain, overlay))
      return toHex(keccak256(store.getSync(fromHex(overlay.root()))!))
    },
    bytes: () => compactBytes(store, [{ gte: Uint8Array.of(), lt: new Uint8Array(33).fill(0xff) }]),
  }
}

/** The nodes that a block changed, one batch a block. */
function nodesByHash(overlay: StateOverlay): WriteOperation[] {
  const { accountTrie, storageTries } = overlay.changes()
  const operations: WriteOperation[] = []
  for (const trie of [accountTrie, ...storageTries.values()]) {
    trie?.visitChanges((_path, encoded) => {
      if (encoded === null) return
      const value = encoded.slice()
      operations.push({ type: 'put', key: keccak256(value), value })
    })
  }
  return operations
}

async function compactBytes(
  store: KeyValueStore,
  ranges: readonly { readonly gte: Uint8Array; readonly lt: Uint8Array }[],
): Promise<number> {
  await store.compact()
  let sum = 0
  for (const { gte, lt } of ranges) sum += await store.approximateSize(gte, lt)
  return sum
}

export const growthBenchmarks: readonly Benchmark[] = [
  {
    name: 'disk of an update in place',
    quantity: 'size of the growth by an update',
    unit: 'bytes',
    budget: { bound: 'at most', value: 0, unit: 'bytes' },
    async setup({ dir, sizes }) {
      const [store, byHash] = [await openLevelStore(join(dir, 'chain')), await openLevelStore(join(dir, 'by-hash'))]
      return {
        sides: [
          growthSide(OURS, sizes, await openOurs(store, sizes)),
          growthSide('trie nodes by hash', sizes, await openByHash(byHash, sizes)),
        ],
        async teardown() {
          await store.close()
          await byHash.close()
        },
      }
    },
  },
]
