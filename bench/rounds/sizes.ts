/** How much the experiment on rounds measures. */

export interface RoundsSizes {
  /** Repeats at most, of sides and of events. */
  readonly repeatsMax: number
  readonly eventsMax: number
  readonly senders: number
  readonly warmUpSeconds: number
  /** Submissions under way at a time. */
  readonly clients: number
  readonly closedSeconds: number
  /** One at a time. */
  readonly idleSeconds: number
  /** A node dies or freezes in the midst of submissions that fall due at this rate. */
  readonly offeredPerSecond: number
  readonly offeredSeconds: number
  /** For how long two of four nodes are away; the last one is measured once. */
  readonly outageSeconds: readonly number[]
  readonly splitSeconds: number
  /** For how long a node stands still. */
  readonly frozenSeconds: number
}

/** A minute and a half on two cores. */
export const QUICK: RoundsSizes = {
  repeatsMax: 2,
  eventsMax: 1,
  senders: 100,
  warmUpSeconds: 1.5,
  clients: 128,
  closedSeconds: 1.5,
  idleSeconds: 1.5,
  offeredPerSecond: 40,
  offeredSeconds: 6,
  outageSeconds: [3],
  splitSeconds: 3,
  frozenSeconds: 5,
}

/** Six minutes on two cores. */
export const FULL: RoundsSizes = {
  repeatsMax: 6,
  eventsMax: 3,
  senders: 200,
  warmUpSeconds: 5,
  clients: 256,
  closedSeconds: 3,
  idleSeconds: 2,
  offeredPerSecond: 40,
  offeredSeconds: 8,
  outageSeconds: [5, 60],
  splitSeconds: 6,
  frozenSeconds: 20,
}
