/** What many runs of one size came to. Plain data, so that it crosses threads. */
import type { Bug } from './bugs.js'
import { type RunResult, runSeed } from './run.js'

/** Seeds from `from` up to and without `to`; `nodes` null leaves the size to the seed. */
export interface Task {
  readonly nodes: number | null
  readonly from: number
  readonly to: number
  readonly bug: Bug | null
}

export interface Failure {
  readonly seed: number
  readonly nodes: number | null
  readonly bug: Bug | null
  readonly violation: string
}

export interface Tally {
  seeds: number
  blocks: number
  epochs: number
  views: number
  messages: number
  /** Runs by the time they took to settle, in steps of 100 ms, and by views. */
  readonly settledMs: Map<number, number>
  readonly settledViews: Map<number, number>
  readonly failures: Failure[]
}

const stepMs = 100

export function emptyTally(): Tally {
  return {
    seeds: 0,
    blocks: 0,
    epochs: 0,
    views: 0,
    messages: 0,
    settledMs: new Map(),
    settledViews: new Map(),
    failures: [],
  }
}

export function runTask({ nodes, from, to, bug }: Task): Tally {
  const tally = emptyTally()
  for (let seed = from; seed < to; seed++) {
    const result = runSeed(seed, { ...(nodes === null ? {} : { nodes }), ...(bug === null ? {} : { bug }) })
    count(tally, result)
    const { violation } = result
    if (violation !== null) tally.failures.push({ seed, nodes, bug, violation })
  }
  return tally
}

function count(tally: Tally, result: RunResult): void {
  tally.seeds++
  tally.blocks += result.height
  tally.epochs += result.epoch
  tally.views += result.views
  tally.messages += result.messages
  if (result.violation !== null) return
  add(tally.settledMs, Math.ceil(result.settledMs / stepMs) * stepMs, 1)
  add(tally.settledViews, result.settledViews, 1)
}

export function merge(into: Tally, from: Tally): void {
  into.seeds += from.seeds
  into.blocks += from.blocks
  into.epochs += from.epochs
  into.views += from.views
  into.messages += from.messages
  for (const [ms, runs] of from.settledMs) add(into.settledMs, ms, runs)
  for (const [views, runs] of from.settledViews) add(into.settledViews, views, runs)
  into.failures.push(...from.failures)
}

function add(histogram: Map<number, number>, key: number, runs: number): void {
  histogram.set(key, (histogram.get(key) ?? 0) + runs)
}

/** Smallest value that `share` of the runs do not exceed; 0 without runs. */
export function quantile(histogram: ReadonlyMap<number, number>, share: number): number {
  const total = [...histogram.values()].reduce((sum, runs) => sum + runs, 0)
  let seen = 0
  for (const [value, runs] of [...histogram].sort(([a], [b]) => a - b)) {
    seen += runs
    if (seen >= share * total) return value
  }
  return 0
}
