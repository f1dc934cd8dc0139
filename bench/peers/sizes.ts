/** How much `bench peers` measures. */

export interface PeersSizes {
  /** Repeats at most: what is quantised by a block a second takes its time. */
  readonly repeatsMax: number
  /** Enterprises that submit in turn; the first of them are also asked about. */
  readonly enterprises: number
  /** Queries that every supervisor has to answer, a repeat. */
  readonly coldQueries: number
  /** Queries that the portrait answers, a repeat. */
  readonly hits: number
  /** Single submissions on an idle network, a repeat. */
  readonly writes: number
  /** Closed loop: submissions under way at a time. */
  readonly clients: readonly number[]
  /** Closed loop: departments that each submission goes to. */
  readonly departments: readonly number[]
  readonly loopSeconds: number
}

/** A minute on two cores. */
export const QUICK: PeersSizes = {
  repeatsMax: 2,
  enterprises: 80,
  coldQueries: 1,
  hits: 30,
  writes: 2,
  clients: [200],
  departments: [1, 3],
  loopSeconds: 3,
}

/** Seven minutes on two cores. */
export const FULL: PeersSizes = {
  repeatsMax: 100,
  enterprises: 200,
  coldQueries: 2,
  hits: 200,
  writes: 3,
  clients: [50, 1_000],
  departments: [1, 3],
  loopSeconds: 3,
}
