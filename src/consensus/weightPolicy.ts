/** Port for researchers: where the weights of an epoch come from. Nothing else in the rules knows it. */
import type { Address } from '../core/bytes.js'

/** Weight of each of `sealers`, in order; a pure function of the state at the end of the epoch before. */
export interface WeightPolicy<State> {
  readonly name: string
  readonly weights: (state: State, sealers: readonly Address[]) => readonly number[]
}

/** One sealer, one vote. */
export const equalWeights: WeightPolicy<unknown> = {
  name: 'equal',
  weights: (_state, sealers) => sealers.map(() => 1),
}
