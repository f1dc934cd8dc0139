/** The benchmarks by the names that `--only` takes. Loaded when wanted: each has libraries of its own. */
import type { Benchmark } from './benchmark.js'

export const GROUPS = {
  trie: async () => (await import('./trie.js')).trieBenchmarks,
  signatures: async () => (await import('./crypto.js')).signatureBenchmarks,
  keccak: async () => (await import('./crypto.js')).keccakBenchmarks,
  codec: async () => (await import('./codec.js')).codecBenchmarks,
  envelope: async () => (await import('./envelope.js')).envelopeBenchmarks,
  state: async () => (await import('./stateRead.js')).stateReadBenchmarks,
  journal: async () => (await import('./journal.js')).journalBenchmarks,
  growth: async () => (await import('./growth.js')).growthBenchmarks,
  stream: async () => (await import('./stream.js')).streamBenchmarks,
  portrait: async () => (await import('./portrait.js')).portraitBenchmarks,
  commit: async () => (await import('./commit.js')).commitBenchmarks,
  execute: async () => (await import('./execute.js')).executeBenchmarks,
} as const satisfies Record<string, () => Promise<readonly Benchmark[]>>

export type GroupName = keyof typeof GROUPS

export const GROUP_NAMES = Object.keys(GROUPS) as readonly GroupName[]

/** Seconds of each group with six repeats on an idle machine with two cores. */
export const GROUP_SECONDS: Readonly<Record<GroupName, { readonly quick: number; readonly full: number }>> = {
  trie: { quick: 13, full: 25 },
  signatures: { quick: 3, full: 12 },
  keccak: { quick: 5, full: 24 },
  codec: { quick: 12, full: 48 },
  envelope: { quick: 3, full: 12 },
  state: { quick: 6, full: 20 },
  journal: { quick: 2, full: 8 },
  growth: { quick: 5, full: 25 },
  stream: { quick: 22, full: 40 },
  portrait: { quick: 2, full: 8 },
  commit: { quick: 4, full: 30 },
  execute: { quick: 4, full: 18 },
}
