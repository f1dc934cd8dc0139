/**
 * A weight policy: who is there when it is its turn weighs more.
 *
 * The share of turns sealed since a sealer joined, smoothed by a few turns that nobody took, so that the first turns do not
 * decide and a newcomer begins in the middle. A sealer that misses turn after turn falls to the floor at once, whatever its past.
 */
import type { Extension, SealerRecord, WeightPolicy } from '../../src/consensus/index.js'

/** Turns that count as half sealed, half missed. */
const PRIOR_TURNS = 20
const WEIGHT_MIN = 1
const WEIGHT_MAX = 10
/** Turns missed in a row from which on a sealer counts as gone. */
const GONE_TURNS = 10

function weightOf({ sealed, missed, missedInRow }: SealerRecord): number {
  if (missedInRow >= GONE_TURNS) return WEIGHT_MIN
  const share = (sealed + PRIOR_TURNS / 2) / (sealed + missed + PRIOR_TURNS)
  return WEIGHT_MIN + Math.floor((WEIGHT_MAX - WEIGHT_MIN) * share)
}

export const availability: WeightPolicy = {
  name: 'availability',
  weights: ({ sealers }) => sealers.map(weightOf),
}

const extension: Extension = { policies: [availability] }
export default extension
