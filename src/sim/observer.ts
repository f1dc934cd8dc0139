/** What an experiment sees of a run. Hooks are optional, are called in virtual time and must not touch the world. */
import type { SealedBlock, SealerSet, SignedVote } from '../consensus/types.js'
import type { Address, Epoch, View } from '../core/bytes.js'
import type { SimState } from './chainState.js'

export interface SimObserver {
  /** A block is durable at a node. */
  readonly onFinal?: (event: FinalEvent) => void
  /** A node entered a view. */
  readonly onView?: (event: ViewEvent) => void
  /** A node counts with a new sealer set; also when it starts. */
  readonly onEpoch?: (event: EpochEvent) => void
  /** A node holds two conflicting votes of one sealer. */
  readonly onEvidence?: (event: EvidenceEvent) => void
  /** A client sent a transaction to a node. */
  readonly onSubmit?: (event: SubmitEvent) => void
  readonly onCrash?: (event: NodeEvent) => void
  readonly onRecovery?: (event: NodeEvent) => void
}

/** Time in virtual ms since the run began; `node` is a machine, counted from 0. */
export interface NodeEvent {
  readonly atMs: number
  readonly node: number
}

export interface FinalEvent extends NodeEvent {
  readonly block: SealedBlock
  readonly txs: readonly number[]
  /** The set that sealed it. */
  readonly set: SealerSet
  /** After it: accounts have credit and turns of every sealer so far. */
  readonly state: SimState
}

export interface ViewEvent extends NodeEvent {
  readonly epoch: Epoch
  readonly view: View
  readonly leader: Address
}

export interface EpochEvent extends NodeEvent {
  readonly set: SealerSet
}

export interface EvidenceEvent extends NodeEvent {
  readonly first: SignedVote
  readonly second: SignedVote
}

export interface SubmitEvent extends NodeEvent {
  readonly tx: number
}
