/** A slot that is not in memory: the flat value against a walk through the trie, and a synchronous read against a promised one. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { concatBytes, type Hash, toHex } from '../../src/core/bytes.js'
import { rlpEncode } from '../../src/core/rlp.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { trieKey } from '../../src/state/keys.js'
import { slotKey, storageNodePrefix } from '../../src/state/store/keys.js'
import { openLevelStore } from '../../src/state/store/level.js'
import { Trie } from '../../src/state/trie/trie.js'
import { type Benchmark, OURS, type Side } from './benchmark.js'
import { CONTRACT, initChain, slotOf } from './chain.js'
import { cpuMicros } from './clock.js'
import type { Sizes } from './sizes.js'

/** Slots spread over the state, others in each repeat. */
function slotsOf({ stateReads, stateSlots }: Sizes, repeat: number): number[] {
  return Array.from({ length: stateReads }, (_, i) => (i * 7919 + repeat * 104_729) % stateSlots)
}

/** Writes a chain with `slots` slots and closes it; the root of their trie. */
async function writeState(dir: string, slots: number): Promise<Hash> {
  const store = await openLevelStore(dir)
  const chain = await ChainStore.open({ store })
  await initChain(chain, slots)
  const root = chain.state().account(CONTRACT)!.storageRoot
  await store.compact()
  await chain.close()
  return root
}

/** `begin` prepares one repeat; what it returns reads one slot. `text`: the word, whatever form it is stored in. */
function readSide(
  name: string,
  sizes: Sizes,
  begin: () => (slot: Hash) => Uint8Array | undefined,
  text: (stored: Uint8Array) => string,
): Side {
  let repeat = 0
  return {
    name,
    measure() {
      const slots = slotsOf(sizes, ++repeat).map(slotOf)
      const read = begin()
      const start = cpuMicros()
      for (const slot of slots) read(slot)
      return (cpuMicros() - start) / slots.length
    },
    result: () => [0, 1, 2].map((n) => text(begin()(slotOf(n))!)).join(),
  }
}

/** Wall time of a read in µs: other threads work for the promised one. */
function wallSide(
  name: string,
  sizes: Sizes,
  readAll: (keys: readonly Uint8Array[]) => unknown,
  first: Side['result'],
): Side {
  let repeat = 0
  return {
    name,
    async measure() {
      const keys = slotsOf(sizes, ++repeat).map((n) => slotKey(CONTRACT, slotOf(n)))
      const start = performance.now()
      await readAll(keys)
      return ((performance.now() - start) * 1_000) / keys.length
    },
    result: first!,
  }
}

export const stateReadBenchmarks: readonly Benchmark[] = [
  {
    name: 'read a slot, flat',
    quantity: 'CPU time of a read',
    unit: 'µs',
    async setup({ dir, sizes }) {
      const root = await writeState(dir, sizes.stateSlots)
      const store = await openLevelStore(dir)
      const prefix = storageNodePrefix(CONTRACT)
      // The walk keeps the nodes that it has passed in this repeat: the upper levels are in memory soon.
      const walk = () => {
        const trie = Trie.at(root, { load: (path) => store.getSync(concatBytes(prefix, path)) })
        return (slot: Hash) => trie.get(trieKey(slot))
      }
      const flat = () => (slot: Hash) => store.getSync(slotKey(CONTRACT, slot))
      return {
        sides: [
          readSide(OURS, sizes, flat, (word) => toHex(rlpEncode(word))),
          readSide('trie walk', sizes, walk, toHex),
        ],
        teardown: () => store.close(),
      }
    },
  },
  {
    name: 'read a slot, synchronously',
    quantity: 'wall time of a read',
    unit: 'µs',
    async setup({ dir, sizes }) {
      const folders = [join(dir, 'ours'), join(dir, 'other')] as const
      await writeState(folders[0], sizes.stateSlots)
      cpSync(folders[0], folders[1], { recursive: true })
      const store = await openLevelStore(folders[0])
      const options = { keyEncoding: 'view', valueEncoding: 'view', cacheSize: 32 * 1024 * 1024 } as const
      const database = new ClassicLevel<Uint8Array, Uint8Array>(folders[1], options)
      await database.open()
      const first = slotKey(CONTRACT, slotOf(0))
      const readSync = (keys: readonly Uint8Array[]) => {
        for (const key of keys) store.getSync(key)
      }
      const readAwaited = async (keys: readonly Uint8Array[]) => {
        for (const key of keys) await database.get(key)
      }
      return {
        sides: [
          wallSide(OURS, sizes, readSync, () => toHex(store.getSync(first)!)),
          wallSide('await get', sizes, readAwaited, async () => toHex((await database.get(first))!)),
        ],
        async teardown() {
          await store.close()
          await database.close()
        },
      }
    },
  },
]
