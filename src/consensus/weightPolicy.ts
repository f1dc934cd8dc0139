/** Port for researchers: where the weights of an epoch come from. Nothing else in the rules knows it. */
import { assert } from '../core/assert.js'
import type { Address, Epoch, Height } from '../core/bytes.js'
import { totalWeight } from './quorum.js'

/** What the chain knows of one sealer at the end of an epoch. */
export interface SealerRecord {
  readonly address: Address
  /** Contract `credit`: 0 to scoreMax. */
  readonly score: number
  /** Turns since it joined in which its block became final, and in which it was passed over. */
  readonly sealed: number
  readonly missed: number
  readonly missedInRow: number
  /** In the epoch that ends; 0 for one that joins. */
  readonly weight: number
}

export interface EpochState {
  /** The epoch that ends. */
  readonly epoch: Epoch
  /** Of its last block. */
  readonly height: Height
  readonly scoreMax: number
  /** Of the next epoch, in leader order. */
  readonly sealers: readonly SealerRecord[]
}

/** Weight of each sealer of `state`, in order: positive integers, a pure function of the state. */
export interface WeightPolicy {
  readonly name: string
  readonly weights: (state: EpochState) => readonly number[]
}

/** One sealer, one vote. */
export const equalWeights: WeightPolicy = {
  name: 'equal',
  weights: ({ sealers }) => sealers.map(() => 1),
}

/** Weight of score 0, and what a full score adds: five to one at most, in steps that a few turns do not move. */
const FLOOR = 5
const SPAN = 20

/** Weight grows with the score, from a floor, so that weight never concentrates on those who are praised. */
export const creditWeights: WeightPolicy = {
  name: 'credit',
  weights: ({ sealers, scoreMax }) => sealers.map(({ score }) => FLOOR + Math.floor((SPAN * score) / scoreMax)),
}

/** Sealers from which on one of them may fail. */
const TOLERANT_MIN = 4

/**
 * Weights as the chain takes them: cut so that no one reaches a third, or one failure would end all quorums. Fewer than four
 * sealers weigh the same. Throws InvariantError on anything but positive integers.
 */
export function epochWeights(policy: WeightPolicy, state: EpochState): readonly number[] {
  const weights = policy.weights(state)
  assert(weights.length === state.sealers.length, `policy ${policy.name} must weigh each sealer, once`)
  totalWeight(weights)
  if (weights.length < TOLERANT_MIN) return weights.map(() => 1)
  const cap = largestCap(weights)
  return weights.map((weight) => Math.min(weight, cap))
}

/**
 * Largest cap c with 3c < sum(min(w, c)). The right side is concave in c and larger at c = 1 (four sealers or more), so
 * that the caps which hold are all those up to one of them.
 */
function largestCap(weights: readonly number[]): number {
  let holds = 1
  let tooLarge = Math.max(...weights) + 1
  while (tooLarge - holds > 1) {
    const middle = holds + Math.floor((tooLarge - holds) / 2)
    if (isBelowThird(weights, middle)) holds = middle
    else tooLarge = middle
  }
  return holds
}

/** 3c may exceed 2^53; 2c does not. */
function isBelowThird(weights: readonly number[], cap: number): boolean {
  const total = weights.reduce((sum, weight) => sum + Math.min(weight, cap), 0)
  return total - cap > 2 * cap
}
