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

/** A minute and a half. Towards the end most draws find a portrait entry. */
const QUICK: LatencySizes = {
  askers: ASKERS,
  points: [20, 40, 60, 80],
  longPoints: [],
  drawnFrom: 60,
  records: 12_000,
  startQueries: 60,
  warmUpQueries: 8,
}

/** About half an hour: a cold query takes as long as tens of others, so only one pass goes up to 10,000. */
const FULL: LatencySizes = {
  askers: ASKERS,
  points: [100, 200, 500],
  longPoints: [1_000, 2_000, 5_000, 10_000],
  drawnFrom: 2_000,
  records: 12_000,
  startQueries: 200,
  warmUpQueries: 16,
}

/** A running network cannot be taken back: all passes together ask about no more enterprises than the dataset has. */
const FULL_RUNNING: LatencySizes = {
  ...FULL,
  points: [50, 100],
  longPoints: [200, 500, 1_000, 2_000, 5_000, 10_000],
  drawnFrom: 400,
}

export function latencySizes({ quick, network }: Pick<Settings, 'quick' | 'network'>): LatencySizes {
  if (quick) return QUICK
  return network === undefined ? FULL : FULL_RUNNING
}

/** About what a query takes of the experiment's time, in milliseconds: for the time that is left. */
export const QUERY_COST_MS = { cold: 100, hit: 4, baseline: 5 } as const
/** Registering an enterprise and sharing its portrait key. */
export const ENTERPRISE_COST_MS = 5
/** Creating, starting and stopping everything. */
export const START_COST_MS = 25_000
