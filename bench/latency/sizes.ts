/** Sizes of the experiment on time (paper 5.2, Fig. 9). */
import type { Settings } from '../harness/experiment.js'

export interface LatencySizes {
  /** Queries under way at a time, on both sides. */
  readonly askers: number
  /** Numbers of queries at which the time is taken; the last is that of one pass. Every repeat has a pass of each series. */
  readonly points: readonly number[]
  /** Further numbers, of one long pass of each series; empty: none. */
  readonly longPoints: readonly number[]
  /** Enterprises from which the queries of a filling portrait are drawn, with repetition. */
  readonly drawnFrom: number
  /** Records of the largest department. */
  readonly records: number
  /** Queries after the processes have started: compiled code, connections, members in memory. */
  readonly startQueries: number
  /** Queries before each pass. */
  readonly warmUpQueries: number
}

/** A service desk with eight clerks: enough that blocks carry several queries, few enough that nobody waits for a free hand. */
const ASKERS = 8

/** Two minutes. Half of the draws find a portrait entry towards the end. */
const QUICK: LatencySizes = {
  askers: ASKERS,
  points: [50, 100, 150, 200],
  longPoints: [],
  drawnFrom: 150,
  records: 12_000,
  startQueries: 60,
  warmUpQueries: 8,
}

/** A quarter of an hour. A cold query takes as long as a hundred others, so only one pass goes up to 10,000. */
const FULL: LatencySizes = {
  askers: ASKERS,
  points: [100, 200, 500, 1_000],
  longPoints: [2_000, 5_000, 10_000],
  drawnFrom: 5_000,
  records: 12_000,
  startQueries: 200,
  warmUpQueries: 16,
}

export const latencySizes = ({ quick }: Pick<Settings, 'quick'>): LatencySizes => (quick ? QUICK : FULL)

/** About what a query takes of the experiment's time, in milliseconds: for the time that is left. */
export const QUERY_COST_MS = { cold: 35, hit: 2, baseline: 3 } as const
/** Registering an enterprise and sharing its portrait key. */
export const ENTERPRISE_COST_MS = 5
/** Creating, starting and stopping everything. */
export const START_COST_MS = 25_000
