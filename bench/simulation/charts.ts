/** Pictures of an experiment: what a paper shows of it. */
import type { Metric, VariantRuns } from '../../src/sim/experiment/metrics.js'
import { QUANTITIES, quantile } from '../../src/sim/experiment/metrics.js'
import type { RunTrace, StandingRow } from '../../src/sim/experiment/trace.js'
import { median } from '../harness/statistics.js'
import type { Axis, Chart, Point, Series } from '../report/chart.js'

const BINS = 40

export function chartsOf(runs: readonly VariantRuns[], metrics: readonly Metric[], durationMs: number): Chart[] {
  const names = runs.map(({ variant }) => variant.name)
  const bars = barsOf(names, metrics)
  return [
    bars('finality-latency', 'Time from submission to finality', QUANTITIES.latency, LATENCY, 'percentile', 1),
    {
      name: 'latency-over-time',
      title: 'Time to finality over the run',
      caption: `Median of what was submitted within ${seconds(durationMs / BINS)} s, all seeds together.`,
      kind: 'line',
      x: TIME,
      y: LATENCY,
      series: runs.map((one) => ({ name: one.variant.name, points: latencyOverTime(one.traces, durationMs) })),
    },
    bars('block-share', 'Share of blocks by sealer', QUANTITIES.blockShare, SHARE, 'sealer', 100),
    {
      ...bars('weight-share', 'Share of weight by sealer', QUANTITIES.weightShare, SHARE, 'sealer', 100),
      rules: [{ y: 100 / 3, label: 'a third: never reached' }],
    },
    ...runs.flatMap((one) => [overTime(one, 'credit', 'Credit'), overTime(one, 'weight', 'Share of weight')]),
    bars(
      'blocks-again',
      'From the beginning of a fault until blocks go on',
      QUANTITIES.blocksAgain,
      RECOVERY,
      'fault',
      1,
    ),
    bars(
      'caught-up',
      'From the end of a fault until all nodes have all blocks',
      QUANTITIES.caughtUp,
      RECOVERY,
      'fault',
      1,
    ),
  ]
}

const TIME: Axis = { title: 'virtual time', unit: 's' }
const LATENCY: Axis = { title: 'time to finality', unit: 'ms', log: true }
const SHARE: Axis = { title: 'share', unit: '%' }
const RECOVERY: Axis = { title: 'time', unit: 'ms' }

/** A bar for each variant and part: the median over the seeds, from the least to the most of them. */
function barsOf(names: readonly string[], metrics: readonly Metric[]) {
  return (name: string, title: string, quantity: string, y: Axis, axis: string, factor: number): Chart => ({
    name,
    title,
    caption: 'Median over the seeds; whiskers from the least to the greatest.',
    kind: 'bars',
    x: { title: axis },
    y,
    series: names.map((variant) => ({
      name: variant,
      points: partsOf(metrics.filter((one) => one.variant === variant && one.quantity === quantity)).map((point) =>
        scaled(point, factor),
      ),
    })),
  })
}

function partsOf(metrics: readonly Metric[]): Point[] {
  return [...new Set(metrics.map(({ part }) => part))].flatMap((part) => {
    const values = metrics.flatMap((one) => (one.part === part && one.value !== null ? [one.value] : []))
    return values.length === 0
      ? []
      : [{ x: part, y: median(values), low: Math.min(...values), high: Math.max(...values) }]
  })
}

const scaled = ({ x, y, low, high }: Point, factor: number): Point => ({
  x,
  y: y * factor,
  ...(low === undefined || high === undefined ? {} : { low: low * factor, high: high * factor }),
})

function latencyOverTime(traces: readonly RunTrace[], durationMs: number): Point[] {
  const bins = new Map<number, number[]>()
  for (const { submittedMs, finalMs } of traces.flatMap(({ transactions }) => transactions)) {
    if (finalMs === null) continue
    const bin = Math.min(BINS - 1, Math.floor((submittedMs / durationMs) * BINS))
    bins.set(bin, [...(bins.get(bin) ?? []), finalMs - submittedMs])
  }
  return [...bins]
    .sort(([a], [b]) => a - b)
    .map(([bin, values]) => ({ x: seconds(((bin + 0.5) * durationMs) / BINS), y: quantile(values, 0.5) }))
}

/** One line a sealer, in the run of the first seed. */
function overTime({ variant, traces }: VariantRuns, what: 'credit' | 'weight', title: string): Chart {
  const [first] = traces
  const valueAt = ({ score, weightShare }: StandingRow) => (what === 'credit' ? score : weightShare * 100)
  const series: Series[] = Array.from({ length: variant.nodes }, (_, i) => ({
    name: `node${i + 1}`,
    points: thinned((first?.standings ?? []).filter(({ node }) => node === i + 1)).map((row) => ({
      x: seconds(row.atMs),
      y: valueAt(row),
    })),
  }))
  return {
    name: `${what}-${variant.name}`,
    title: `${title} over time: ${variant.name}`,
    caption: `Seed ${first?.seed}; policy ${variant.policy.name}, schedule ${variant.schedule.name}.`,
    kind: 'line',
    x: TIME,
    y: what === 'credit' ? { title: 'score', unit: 'count' } : SHARE,
    series,
  }
}

/** As many points as a line shows. */
function thinned<T>(rows: readonly T[]): readonly T[] {
  const step = Math.ceil(rows.length / BINS)
  return rows.filter((_, i) => i % step === 0 || i === rows.length - 1)
}

const seconds = (ms: number): number => Number((ms / 1_000).toFixed(3))
