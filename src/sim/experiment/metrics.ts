/** Figures of runs, in long form: one number a row, by variant, seed, quantity and what it is about. */
import type { Variant } from './plan.js'
import type { RunTrace } from './trace.js'

export interface Metric {
  readonly variant: string
  readonly seed: number
  readonly quantity: string
  /** `p50`, `node2`, `fault 1 crash`; '' for the whole. */
  readonly part: string
  readonly unit: 'ms' | 'share' | 'count' | 'per second'
  /** Null where the run has none, such as the recovery from a fault that never ended. */
  readonly value: number | null
}

export interface VariantRuns {
  readonly variant: Variant
  readonly traces: readonly RunTrace[]
}

/** Quantities in the order in which they are reported. */
export const QUANTITIES = {
  latency: 'finality latency',
  finalShare: 'share of transactions final',
  blocks: 'blocks',
  blockRate: 'blocks a second',
  skipped: 'share of views skipped',
  blockShare: 'share of blocks',
  weightShare: 'share of weight',
  score: 'credit at the end',
  blocksAgain: 'blocks go on after',
  caughtUp: 'caught up after',
} as const

export function metricsOf({ variant, traces }: VariantRuns, durationMs: number): Metric[] {
  return traces.flatMap((trace) => runMetrics(variant, trace, durationMs))
}

function runMetrics(variant: Variant, trace: RunTrace, durationMs: number): Metric[] {
  const make =
    (quantity: string, unit: Metric['unit']) =>
    (part: string, value: number | null): Metric => ({
      variant: variant.name,
      seed: trace.seed,
      quantity,
      part,
      unit,
      value,
    })
  const nodes = Array.from({ length: variant.nodes }, (_, i) => i + 1)
  const { blocks, transactions, standings, faults } = trace
  const latencies = transactions.flatMap(({ submittedMs, finalMs }) =>
    finalMs === null ? [] : [finalMs - submittedMs],
  )
  const latency = make(QUANTITIES.latency, 'ms')
  const blockShare = make(QUANTITIES.blockShare, 'share')
  const weightShare = make(QUANTITIES.weightShare, 'share')
  const score = make(QUANTITIES.score, 'count')
  const sealed = (node: number) => blocks.filter(({ sealer }) => sealer === node).length
  const last = (node: number) => standings.findLast((row) => row.node === node)
  return [
    ...([50, 90, 99, 100] as const).map((rank) =>
      latency(rank === 100 ? 'max' : `p${rank}`, latencies.length === 0 ? null : quantile(latencies, rank / 100)),
    ),
    make(QUANTITIES.finalShare, 'share')('', ratio(latencies.length, transactions.length)),
    make(QUANTITIES.blocks, 'count')('', blocks.length),
    make(QUANTITIES.blockRate, 'per second')('', blocks.length / (durationMs / 1_000)),
    make(QUANTITIES.skipped, 'share')('', ratio(trace.views - blocks.length, trace.views)),
    ...nodes.map((node) => blockShare(`node${node}`, ratio(sealed(node), blocks.length))),
    ...nodes.map((node) => weightShare(`node${node}`, meanShare(trace, node))),
    ...nodes.map((node) => score(`node${node}`, last(node)?.score ?? null)),
    ...faults.map(({ fault, kind, blocksAgainMs }) =>
      make(QUANTITIES.blocksAgain, 'ms')(`fault ${fault} ${kind}`, blocksAgainMs),
    ),
    ...faults.map(({ fault, kind, caughtUpMs }) =>
      make(QUANTITIES.caughtUp, 'ms')(`fault ${fault} ${kind}`, caughtUpMs),
    ),
  ]
}

/** Of the weight, averaged over blocks: each block counts with the weights valid when it was sealed. */
function meanShare({ blocks, standings }: RunTrace, node: number): number | null {
  const own = standings.filter((row) => row.node === node)
  const last = blocks.at(-1)
  if (own.length === 0 || last === undefined) return null
  let sum = 0
  own.forEach((row, i) => {
    sum += row.weightShare * ((own[i + 1]?.height ?? last.height + 1) - row.height)
  })
  return sum / (last.height + 1 - own[0]!.height)
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

/** Nearest rank; at least one value. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!
}
