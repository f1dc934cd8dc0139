/** How much one repeat of a benchmark does. */

export interface Sizes {
  /** CPU time for which a function is called again and again, in ms. */
  readonly callMs: number
  /** Uncounted repeats of what is quick enough for several; of the rest one. */
  readonly warmUps: number
  /** Keys in the trie whose root is computed. */
  readonly trieKeys: number
  readonly trieUpdates: number
  /** Commits of ours in one repeat; the other library makes one. */
  readonly trieCommits: number
  /** Must fit a block: 250 of the largest kind do. */
  readonly blockTransactions: number
  /** Slots in the state under a committed block. */
  readonly commitSlots: number
  /** Blocks that read the tries into memory and are not counted. */
  readonly commitWarmUps: number
  /** Slots in the store from which `stateReads` are read. */
  readonly stateSlots: number
  readonly stateReads: number
  /** Slots that are written again and again, this many a block, this many blocks. */
  readonly growthSlots: number
  readonly growthUpdates: number
  readonly growthBlocks: number
  readonly journalSyncs: number
  readonly roundTrips: number
  /** Frames of 200 bytes; with 512 more for each, within the 64 MiB that a node takes from a peer at once. */
  readonly messages: number
  /** Frames of 4 MiB; within the same 64 MiB. */
  readonly bulkFrames: number
  /** Pause before each of these, after which the 64 MiB are there again (p2p/inboundBudget.ts), in ms. */
  readonly inboundPauseMs: number
  readonly requests: number
}

/** Half a minute of measuring and as much of preparing and starting processes. The tries keep the sizes that the budget names. */
export const QUICK: Sizes = {
  callMs: 40,
  warmUps: 5,
  trieKeys: 100_000,
  trieUpdates: 1_000,
  trieCommits: 5,
  blockTransactions: 200,
  commitSlots: 20_000,
  commitWarmUps: 4,
  stateSlots: 50_000,
  stateReads: 1_000,
  growthSlots: 10_000,
  growthUpdates: 500,
  growthBlocks: 4,
  journalSyncs: 100,
  roundTrips: 300,
  messages: 20_000,
  bulkFrames: 8,
  inboundPauseMs: 500,
  requests: 200,
}

/** Longer repeats, states of the sizes that the budgets name. */
export const FULL: Sizes = {
  callMs: 250,
  warmUps: 4,
  trieKeys: 100_000,
  trieUpdates: 1_000,
  trieCommits: 10,
  blockTransactions: 250,
  commitSlots: 100_000,
  commitWarmUps: 15,
  stateSlots: 100_000,
  stateReads: 5_000,
  growthSlots: 50_000,
  growthUpdates: 1_000,
  growthBlocks: 10,
  journalSyncs: 500,
  roundTrips: 2_000,
  messages: 80_000,
  bulkFrames: 12,
  inboundPauseMs: 1_000,
  requests: 1_000,
}

/** For tests: nothing that is worth reading. */
export const TINY: Sizes = {
  callMs: 1,
  warmUps: 1,
  trieKeys: 500,
  trieUpdates: 50,
  trieCommits: 1,
  blockTransactions: 5,
  commitSlots: 100,
  commitWarmUps: 0,
  stateSlots: 200,
  stateReads: 20,
  growthSlots: 100,
  growthUpdates: 20,
  growthBlocks: 1,
  journalSyncs: 3,
  roundTrips: 3,
  messages: 200,
  bulkFrames: 1,
  inboundPauseMs: 0,
  requests: 5,
}
