/** Whose turns passed without a block before a block: what the chain books against them. */
import type { LeaderSchedule, SealerSet } from '../consensus/types.js'
import type { Turn } from '../contracts/epoch.js'
import { type Address, asView, type View } from '../core/bytes.js'
import type { Header } from '../core/header.js'
import { missedTurnsMax } from '../core/limits.js'
import { readVanity } from '../core/seal.js'

/** The block on which another one stands, and the sealers of that one. */
export interface TurnParent {
  readonly header: Header
  readonly set: SealerSet
}

/**
 * The turn of a block sealed in `view` on `parent`: the leaders of the views between, in their order, the last
 * `missedTurnsMax` only. After a block that closed its epoch the views are those of the new set.
 */
export function turnOf({ header, set }: TurnParent, view: View, schedule: LeaderSchedule): Turn {
  const first = Math.max(readVanity(header.extraData).view + 1, view - missedTurnsMax)
  const missed: Address[] = []
  for (let at = first; at < view; at++) missed.push(schedule(set, asView(at)))
  return { epoch: set.epoch, view, missed }
}
