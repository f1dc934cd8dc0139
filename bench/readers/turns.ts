/** What is kept of the turns of a side, and what they come to. */
import type { NodeUsage } from '../testbed/usage.js'
import type { SideDone } from './processes.js'

export const SIDES = ['idle', 'control', 'storm'] as const
export type Side = (typeof SIDES)[number]

export interface Turn {
  /** To final, in ms, of each submission. */
  readonly times: readonly number[]
  readonly seconds: number
  readonly usage: { readonly before: readonly NodeUsage[]; readonly after: readonly NodeUsage[] } | undefined
  /** undefined: nobody read. */
  readonly readers: { readonly before: SideDone; readonly after: SideDone } | undefined
}

/** Each a second of wall time: CPU seconds of the processes, and calls of the readers. */
export interface Total {
  readonly nodesCpu: number
  readonly readersCpu: number
  readonly echoesCpu: number
  readonly portraitHits: number
  readonly blocks: number
  readonly logSearches: number
  readonly refused: number
  readonly cut: number
}

export function totalOf(turns: readonly Turn[]): Total {
  const seconds = sum(turns, (turn) => turn.seconds)
  const each = (pick: (turn: Turn) => number | undefined) => sum(turns, (turn) => pick(turn) ?? 0) / seconds
  const more = (pick: (done: SideDone) => number) =>
    each(({ readers }) => readers && pick(readers.after) - pick(readers.before))
  return {
    nodesCpu: each(({ usage }) => usage && cpuOf(usage.after) - cpuOf(usage.before)),
    readersCpu: more((done) => done.readers.cpuSeconds),
    echoesCpu: more((done) => done.echoCpuSeconds),
    portraitHits: more((done) => done.readers.answered.portraitHits),
    blocks: more((done) => done.readers.answered.blocks),
    logSearches: more((done) => done.readers.answered.logSearches),
    refused: more((done) => done.readers.refused),
    cut: more((done) => done.readers.cut),
  }
}

/** p99 of the node and the turn where it was longest. */
export const eventLoopDelayOf = (turns: readonly Turn[]): number =>
  Math.max(...turns.flatMap(({ usage }) => (usage?.after ?? []).map((node) => node.eventLoopDelayP99Ms)))

const cpuOf = (nodes: readonly NodeUsage[]): number => sum(nodes, ({ cpuSeconds }) => cpuSeconds)

const sum = <T>(items: readonly T[], value: (item: T) => number): number =>
  items.reduce((total, item) => total + value(item), 0)
