/** How much of the paper's dataset each part of the experiment takes. */
import { DATASET_DEPARTMENTS } from '../../src/agent/dataset/departments.js'
import type { Settings } from '../harness/experiment.js'

export interface Sizes {
  /** Enterprises of the dataset: what the stores without a chain, and the chain with an empty portrait library, grow to. */
  readonly enterprises: number
  /** Equal steps of that growth. */
  readonly steps: number
  /** Enterprises that are all asked about. A query that the supervisors answer takes tens of milliseconds. */
  readonly asked: number
  /** Enterprises that submit through the chain: three acknowledgements each. */
  readonly submitted: number
  /** Enterprises while the number of using departments grows: each gives its portrait key again and again. */
  readonly shared: number
}

const FULL: Sizes = {
  enterprises: DATASET_DEPARTMENTS[0]!.records,
  steps: 6,
  asked: 2_400,
  submitted: 2_400,
  shared: 2_400,
}
const QUICK: Sizes = { enterprises: 600, steps: 3, asked: 120, submitted: 120, shared: 120 }

export const sizesOf = ({ quick }: Pick<Settings, 'quick'>): Sizes => (quick ? QUICK : FULL)

/** Numbers of using departments; the network itself has four. */
export const USERS = [2, 4, 8, 16] as const

/** Multiples of the dataset up to which the chain is measured too: at more, registration alone takes hours. */
export const CHAIN_SCALE_MAX = 10

/** Seconds for one enterprise, and for a network to start, on two cores: only for the time that is left. */
export const SECONDS = {
  stored: 0.0006,
  joined: 0.009,
  asked: 0.06,
  submitted: 0.045,
  shared: 0.03,
  network: 8,
} as const
