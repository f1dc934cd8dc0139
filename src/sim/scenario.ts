/** What one run is made of: sizes, rules, actors, faults and load. Plain data; `draw.ts` makes it from a seed. */

import type { NamedSchedule } from '../consensus/schedule.js'
import type { ConsensusTimers, Sealer, SealerSet } from '../consensus/types.js'
import type { WeightPolicy } from '../consensus/weightPolicy.js'
import type { CreditParameters } from '../contracts/creditRules.js'
import type { Address } from '../core/bytes.js'
import type { ActorName } from './actors.js'
import type { Bug } from './bugs.js'
import type { Fault, LoadPeriod } from './faults.js'
import type { PlannedOperation } from './operations.js'

/** A machine that is not among the first sealers: it starts with genesis and one peer. */
export interface Spare {
  readonly startsAtMs: number
  /** The node it asks; it meets the others when it has caught up. */
  readonly peer: number
}

export interface Scenario {
  readonly seed: number
  /** Sealers of epoch 0, on the machines from 0 on. */
  readonly nodes: number
  readonly spares: readonly Spare[]
  /** By machine, spares included. */
  readonly actors: readonly ActorName[]
  readonly genesisSet: SealerSet
  /** Credit of the first sealers, where it is not what everybody starts with. */
  readonly genesisScores: ReadonlyMap<Address, number>
  readonly policy: WeightPolicy
  readonly schedule: NamedSchedule
  /** Weights are taken anew in blocks whose height is a multiple; 0: only when the sealers change. */
  readonly epochBlocks: number
  readonly creditParameters: CreditParameters
  /** Evidence becomes a transaction that costs credit. */
  readonly evidenceOnChain: boolean
  readonly operations: readonly PlannedOperation[]
  readonly timers: ConsensusTimers
  /** Time of a message on its way, least and most. */
  readonly delayMs: readonly [number, number]
  readonly loss: number
  /** Loss that goes on when the faults have ended. */
  readonly lossAfter: number
  readonly duplication: number
  readonly faults: readonly Fault[]
  /** One sealer stays away for the whole run. */
  readonly downForGood: number | null
  /** Wall clocks are wrong by up to this much until the faults end. */
  readonly clockOffsetMs: number
  /** How far a block's time may lie ahead of a node's own clock. */
  readonly clockDriftMs: number
  /** Faults end. */
  readonly chaosMs: number
  readonly load: readonly LoadPeriod[]
  readonly blockTxsMax: number
  /** Transactions reach all nodes, or only the one they were sent to. */
  readonly gossip: boolean
  readonly fsyncMs: number
  readonly executeMs: number
  /** Time a commit takes until it is durable. */
  readonly commitMs: number
  /** Messages and journals pass through their bytes. */
  readonly throughCodec: boolean
  /** Range sync goes on by itself; else each range is asked for when the core says again that this node lags. */
  readonly eagerSync?: boolean
  /** The shell asks `Engine.needs` first. */
  readonly prefilter: boolean
  /** The shell says when connections open and close. */
  readonly peerInputs: boolean
  readonly bug: Bug | null
}

/** Sealers of weight 1. */
export function equalSealers(addresses: readonly Sealer['address'][]): readonly Sealer[] {
  return addresses.map((address) => ({ address, weight: 1 }))
}

/** A machine that the others cannot count on: faulty, away, or in doubt of what it signed (R16). */
export function isUnreliable({ actors, downForGood, faults }: Scenario, machine: number): boolean {
  if (actors[machine] !== 'honest' || downForGood === machine) return true
  return faults.some((fault) => fault.kind === 'lost-journal' && fault.node === machine)
}
