/** One epoch's sealers with the sums that the rules need. */
import type { Address } from '../core/bytes.js'
import { exceedsThird, quorumWeight, totalWeight } from './quorum.js'
import type { SealerSet } from './types.js'

export interface Council {
  readonly set: SealerSet
  readonly indexOf: ReadonlyMap<Address, number>
  readonly total: number
  readonly quorum: number
}

/** Throws InvariantError when a weight is not a positive integer. `majority` is a planted bug. */
export function councilOf(set: SealerSet, majority = false): Council {
  const total = totalWeight(set.sealers.map((sealer) => sealer.weight))
  return {
    set,
    indexOf: new Map(set.sealers.map((sealer, index) => [sealer.address, index])),
    total,
    quorum: majority ? Math.floor(total / 2) + 1 : quorumWeight(total),
  }
}

export function weightAt(council: Council, index: number): number {
  return council.set.sealers[index]?.weight ?? 0
}

export function holdsHonest(council: Council, weight: number): boolean {
  return exceedsThird(council.total, weight)
}
