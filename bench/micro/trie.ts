/** Root after a commit of updates to a large trie, ours against @ethereumjs/trie. */
import { Trie as ReferenceTrie } from '@ethereumjs/trie'
import { fromHex, toHex, uintToWord } from '../../src/core/bytes.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { NO_SOURCE } from '../../src/state/trie/load.js'
import { Trie } from '../../src/state/trie/trie.js'
import { type Benchmark, OURS, type Side } from './benchmark.js'
import { cpuMicros } from './clock.js'
import type { Sizes } from './sizes.js'

type Update = readonly [key: Uint8Array, value: Uint8Array]

/** Keys are hashes, as in the state trie; values are as long as an account record. */
function update(i: number, round: number): Update {
  const bytes = new Uint8Array(70).fill(1 + (round % 250))
  bytes.set(uintToWord(i), 0)
  bytes[0] = 0xf8
  return [keccak256(uintToWord(i)), bytes]
}

function updates({ trieKeys, trieUpdates }: Sizes, round: number): Update[] {
  return Array.from({ length: trieUpdates }, (_, n) => update((n * 7919 + round * 104_729) % trieKeys, round))
}

function ourSide(initial: Trie, sizes: Sizes): Side {
  let trie = initial
  let round = 0
  const commit = (batch: readonly Update[]) => {
    trie = trie.fork()
    for (const [key, value] of batch) trie.put(key, value)
    return trie.root()
  }
  return {
    name: OURS,
    measure() {
      const batches = Array.from({ length: sizes.trieCommits }, () => updates(sizes, ++round))
      const start = cpuMicros()
      for (const batch of batches) commit(batch)
      return (cpuMicros() - start) / 1_000 / sizes.trieCommits
    },
    result: () => commit(updates(sizes, ++round)),
  }
}

function referenceSide(trie: ReferenceTrie, sizes: Sizes): Side {
  let round = 0
  const commit = async (batch: readonly Update[]) => {
    for (const [key, value] of batch) await trie.put(key, value)
    return toHex(trie.root())
  }
  return {
    name: '@ethereumjs/trie',
    async measure() {
      const batch = updates(sizes, ++round)
      const start = cpuMicros()
      await commit(batch)
      return (cpuMicros() - start) / 1_000
    },
    result: () => commit(updates(sizes, ++round)),
  }
}

/** The same trie in the other library: its nodes by hash, in the map in memory that it makes by default. */
async function referenceOf(trie: Trie): Promise<ReferenceTrie> {
  const reference = await ReferenceTrie.create({ useNodePruning: true })
  const nodes: Uint8Array[] = []
  trie.visitChanges((_path, encoded) => {
    if (encoded !== null) nodes.push(encoded.slice())
  })
  for (const node of nodes) await reference.database().put(keccak256(node), node)
  reference.root(fromHex(trie.root()))
  return reference
}

export const trieBenchmarks: readonly Benchmark[] = [
  {
    name: 'trie root',
    quantity: 'CPU time of a root after 1,000 updates of 100,000 keys',
    unit: 'ms',
    budget: { bound: 'at least', value: 40, unit: 'ratio' },
    async setup({ sizes }) {
      const trie = Trie.empty(NO_SOURCE)
      for (let i = 0; i < sizes.trieKeys; i++) trie.put(...update(i, 0))
      const reference = await referenceOf(trie)
      return { sides: [ourSide(trie, sizes), referenceSide(reference, sizes)] }
    },
  },
]
