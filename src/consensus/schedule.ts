/** Leader schedules: pure functions of sealer set and view. */
import type { Address } from '../core/bytes.js'
import type { LeaderSchedule, SealerSet } from './types.js'

/** A schedule under the name by which genesis chooses it. */
export interface NamedSchedule {
  readonly name: string
  readonly leader: LeaderSchedule
}

/** Longest table of a weighted schedule; heavier sets are scaled down to it. */
const turnsMax = 4096

/** Strict turns: `sealers[view mod n]`. */
export const roundRobin: LeaderSchedule = (set, view) => at(set, view % set.sealers.length)

/**
 * Smooth weighted turns (as in nginx upstreams): within W turns each sealer leads as often as its weight says and turns of
 * one sealer lie as far apart as possible. Equal weights give strict turns.
 */
export const smoothWeightedRoundRobin: LeaderSchedule = (set, view) => {
  const turns = turnsOf(set)
  return at(set, turns[view % turns.length] ?? 0)
}

export const builtinSchedules: readonly NamedSchedule[] = [
  { name: 'round-robin', leader: roundRobin },
  { name: 'weighted-round-robin', leader: smoothWeightedRoundRobin },
]

const memo = new WeakMap<SealerSet, readonly number[]>()

function turnsOf(set: SealerSet): readonly number[] {
  const known = memo.get(set)
  if (known) return known
  const turns = smoothTurns(scale(set.sealers.map((sealer) => sealer.weight)))
  memo.set(set, turns)
  return turns
}

/** Order of turns for one period: the largest credit leads and pays the total; ties go to the lower index. */
function smoothTurns(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const credit = weights.map(() => 0)
  const turns: number[] = []
  for (let turn = 0; turn < total; turn++) {
    let best = 0
    for (let i = 0; i < weights.length; i++) {
      credit[i] = credit[i]! + weights[i]!
      if (credit[i]! > credit[best]!) best = i
    }
    credit[best] = credit[best]! - total
    turns.push(best)
  }
  return turns
}

/** Smallest equal proportions; sets heavier than `turnsMax` are rounded, never below one turn. */
function scale(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(gcd)
  const reduced = weights.map((weight) => weight / divisor)
  const total = reduced.reduce((sum, weight) => sum + weight, 0)
  if (total <= turnsMax) return reduced
  return reduced.map((weight) => Math.max(1, Math.floor((weight * turnsMax) / total)))
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

function at(set: SealerSet, index: number): Address {
  const sealer = set.sealers[index]
  if (!sealer) throw new RangeError('a sealer set must not be empty')
  return sealer.address
}
