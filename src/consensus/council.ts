/** One epoch's sealers with the sums that the rules need. */
import type { Address } from '../core/bytes.js'
import { exceedsThird, quorumWeight, totalWeight } from './quorum.js'
import type { Sabotage } from './sabotage.js'
import type { SealerSet } from './types.js'

export interface Council {
  readonly set: SealerSet
  readonly indexOf: ReadonlyMap<Address, number>
  /** Voting power by index. */
  readonly weights: readonly number[]
  readonly total: number
  readonly quorum: number
}

/** Throws InvariantError when a weight is not a positive integer. */
export function councilOf(set: SealerSet, sabotage?: ReadonlySet<Sabotage>): Council {
  const weights = set.sealers.map((sealer) => (sabotage?.has('head-count') ? 1 : sealer.weight))
  const total = totalWeight(weights)
  return {
    set,
    weights,
    indexOf: new Map(set.sealers.map((sealer, index) => [sealer.address, index])),
    total,
    quorum: sabotage?.has('majority-quorum') ? Math.floor(total / 2) + 1 : quorumWeight(total),
  }
}

export function weightAt(council: Council, index: number): number {
  return council.weights[index] ?? 0
}

export function holdsHonest(council: Council, weight: number): boolean {
  return exceedsThird(council.total, weight)
}
