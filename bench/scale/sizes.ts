/** How far the scale experiment lets the chain grow. */

export interface ScaleStep {
  /** Accounts and storage slots to reach; what is reached is counted. */
  readonly entries: number
  /** Submissions of one measurement of CPU time: the last ones before the size is reached. */
  readonly measuredTransactions: number
  /** A sync takes as long as the chain is. */
  readonly syncs: number
}

export interface ScaleSizes {
  readonly steps: readonly ScaleStep[]
  readonly senders: number
  /** Transactions that change the same few entries over and over, before anything is measured: code is compiled. */
  readonly warmUpTransactions: number
  /** Submissions under way at a time while the state is filled. */
  readonly clients: number
  readonly idleSeconds: number
  readonly restartsMax: number
  readonly measurementsMax: number
}

/** Three quarters of a minute on two cores. */
export const QUICK: ScaleSizes = {
  steps: [
    { entries: 10_000, measuredTransactions: 250, syncs: 1 },
    { entries: 30_000, measuredTransactions: 250, syncs: 1 },
  ],
  senders: 200,
  warmUpTransactions: 2_000,
  clients: 1_024,
  idleSeconds: 1,
  restartsMax: 2,
  measurementsMax: 3,
}

/** Ten minutes on two cores. */
export const FULL: ScaleSizes = {
  steps: [
    { entries: 10_000, measuredTransactions: 200, syncs: 6 },
    { entries: 100_000, measuredTransactions: 1_000, syncs: 3 },
    { entries: 1_000_000, measuredTransactions: 1_000, syncs: 1 },
  ],
  senders: 200,
  warmUpTransactions: 6_000,
  clients: 1_024,
  idleSeconds: 5,
  restartsMax: 100,
  measurementsMax: 100,
}
