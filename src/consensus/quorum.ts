/** Arithmetic of voting power; knows no protocol. Weights are positive integers, total below 2^52 so that doubling stays exact. */
import { assert } from '../core/assert.js'

/** Largest total weight for which 2 * total is an exact integer. */
export const totalWeightMax = 2 ** 52 - 1

export type Tally = 'pending' | 'reached' | 'impossible'

/** Sum of `weights`. Throws InvariantError unless each is a positive integer and the sum is exact. */
export function totalWeight(weights: readonly number[]): number {
  let total = 0
  for (const weight of weights) {
    assert(Number.isSafeInteger(weight) && weight > 0, `a weight must be a positive integer, got ${weight}`)
    total += weight
  }
  assert(weights.length > 0 && total <= totalWeightMax, `total weight must be between 1 and ${totalWeightMax}`)
  return total
}

/** Smallest weight that is more than two thirds of `total`: any two quorums share more than one third. */
export function quorumWeight(total: number): number {
  return Math.floor((2 * total) / 3) + 1
}

/** Whether `weight` is more than one third of `total`, so that it holds an honest sealer. */
export function exceedsThird(total: number, weight: number): boolean {
  return 3 * weight > total
}

/** State of a poll: weight that agreed, weight that has not spoken yet. */
export function tally(total: number, agreed: number, silent: number): Tally {
  const quorum = quorumWeight(total)
  if (agreed >= quorum) return 'reached'
  return agreed + silent >= quorum ? 'pending' : 'impossible'
}

/** Whether losing or corrupting the heaviest sealer leaves the others able to agree (its weight is below one third). */
export function toleratesHeaviest(weights: readonly number[]): boolean {
  return 3 * Math.max(...weights) < totalWeight(weights)
}
