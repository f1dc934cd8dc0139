/** How much the throughput experiment measures. */

export interface ThroughputSizes {
  /** Networks that are measured, by their number of nodes; the first one serves all that does not vary it. */
  readonly nodes: readonly number[]
  /** Repeats at most: a repeat of everything takes long. */
  readonly repeatsMax: number
  /** Enterprises that submit in turn. */
  readonly senders: number
  /** Full load before the first measurement: code is compiled, caches are filled. */
  readonly warmUpSeconds: number
  /** Open loop. */
  readonly offeredPerSecond: readonly number[]
  readonly offeredSeconds: number
  /** Closed loop: submissions under way at a time. */
  readonly clients: readonly number[]
  readonly closedSeconds: number
  /** Under way at a time where a network is to be saturated: blocks are always full and the next one waits. */
  readonly saturatingClients: number
  readonly saturatedSeconds: number
  /** One at a time on an idle network. */
  readonly idleSeconds: number
  /** Envelopes of submissions to one department; the first one is that of real submissions. */
  readonly envelopeBytes: readonly number[]
  readonly hitClients: readonly number[]
  readonly hitSeconds: number
  /** Full load between two looks at a compacted store. */
  readonly diskSeconds: number
}

/** Two minutes on two cores. */
export const QUICK: ThroughputSizes = {
  nodes: [4, 7],
  repeatsMax: 2,
  senders: 200,
  warmUpSeconds: 3,
  offeredPerSecond: [100, 300, 600, 1_000, 1_400],
  offeredSeconds: 1.5,
  clients: [1, 16, 256],
  closedSeconds: 1,
  saturatingClients: 2_048,
  saturatedSeconds: 2.5,
  idleSeconds: 1,
  envelopeBytes: [320, 4_096, 32_768],
  hitClients: [4, 16],
  hitSeconds: 1,
  diskSeconds: 2,
}

/** Twelve minutes on two cores. */
export const FULL: ThroughputSizes = {
  nodes: [4, 7, 10],
  repeatsMax: 100,
  senders: 400,
  warmUpSeconds: 8,
  offeredPerSecond: [50, 100, 200, 400, 600, 800, 1_000, 1_200, 1_400, 1_600],
  offeredSeconds: 3,
  clients: [1, 4, 16, 64, 256],
  closedSeconds: 2,
  saturatingClients: 2_048,
  saturatedSeconds: 4,
  idleSeconds: 1.5,
  envelopeBytes: [320, 4_096, 32_768],
  hitClients: [1, 4, 16, 64],
  hitSeconds: 1.5,
  diskSeconds: 15,
}
