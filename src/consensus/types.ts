/**
 * What goes into the consensus core and what comes out of it. The core never sees a socket, a clock, a file or a private
 * key: the shell (src/node) verifies signatures before `step`, executes blocks when asked, and carries out effects in order.
 */
import type { Address, Epoch, Hash, Height, View } from '../core/bytes.js'
import type { SignedVote, Vote } from '../core/vote.js'
import type { Sabotage } from './sabotage.js'

/** Voting power of one sealer; a positive integer. */
export interface Sealer {
  readonly address: Address
  readonly weight: number
}

/** The sealers of one epoch in leader order; fixed within the epoch. */
export interface SealerSet {
  readonly epoch: Epoch
  readonly sealers: readonly Sealer[]
}

/** Port for researchers: who leads a view. A pure function of set and view. */
export type LeaderSchedule = (set: SealerSet, view: View) => Address

export type { SignedVote, Vote, VoteKind } from '../core/vote.js'

/** A quorum of equal votes: ascending indices into the sealer set of `epoch`, one signature each. */
export interface Certificate extends Vote {
  readonly signers: readonly number[]
  readonly signatures: readonly Uint8Array[]
}

/** What the core knows of a block; `payload` is its RLP, opaque here. */
export interface SealedBlock {
  readonly hash: Hash
  readonly parent: Hash
  readonly height: Height
  readonly epoch: Epoch
  readonly view: View
  readonly leader: Address
  readonly payload: Uint8Array
}

/**
 * A leader's block for the view of `vote`. That view is the block's own, unless the block closes its epoch and is proposed
 * again because it is notarized but not final (R8).
 */
export interface Proposal {
  readonly type: 'proposal'
  readonly block: SealedBlock
  /** View in which the parent was notarized or finalized (R2). */
  readonly parentView: View
  /** Notarization or finalization of the parent (none for genesis and an epoch's first view), nullifications of the views between (R3). */
  readonly justification: readonly Certificate[]
  /** The leader's own notarize vote. */
  readonly vote: SignedVote
}

/** Where a node stands; answered with help when it lags (R10). */
export interface Status {
  readonly type: 'status'
  readonly epoch: Epoch
  readonly view: View
  readonly finalView: View
  readonly finalHeight: Height
}

export type ConsensusMessage =
  | Proposal
  | { readonly type: 'vote'; readonly vote: SignedVote }
  | { readonly type: 'certificate'; readonly certificate: Certificate }
  | Status
  | { readonly type: 'requestBlock'; readonly hash: Hash }
  | { readonly type: 'block'; readonly block: SealedBlock }
  | { readonly type: 'requestCertificates'; readonly from: View; readonly to: View }

/** Outcome of executing a proposed block on its parent. */
export type Verdict =
  | {
      readonly ok: true /** Set of the next epoch when this block closes its epoch (R8). */
      readonly nextSet?: SealerSet
    }
  | { readonly ok: false; readonly reason: string }

export type Input =
  /** Time passed; also sent when `wakeAt` of the last Ready is reached. */
  | { readonly type: 'tick' }
  /** Signatures, seals and certificates in `message` have been verified by the shell. */
  | { readonly type: 'message'; readonly from: Address; readonly message: ConsensusMessage }
  /** Answer to a `verify` effect. */
  | { readonly type: 'verified'; readonly hash: Hash; readonly verdict: Verdict }
  /** Answer to a `build` effect; null when there is nothing to build after all, which also ends the demand. */
  | { readonly type: 'built'; readonly view: View; readonly block: SealedBlock | null; readonly verdict: Verdict }
  /** D1, D2, D4: whether the shell wants a block on the present tip. The answer to every `tip` effect, and sent whenever it changes. */
  | { readonly type: 'demand'; readonly wanted: boolean }
  /** Optional: a connection opened or closed. A leader known to be cut off is skipped at once (T3). */
  | { readonly type: 'peer'; readonly address: Address; readonly connected: boolean }
  /** The shell imported final blocks by range sync; `set` is the set of the epoch which follows them. */
  | { readonly type: 'synced'; readonly block: SealedBlock; readonly certificate: Certificate; readonly set: SealerSet }

/** Written to the journal, in order, before any effect of the same Ready (P1-P3). */
export type JournalRecord =
  | { readonly type: 'vote'; readonly vote: SignedVote }
  | {
      readonly type: 'block'
      readonly block: SealedBlock
      readonly parentView: View
      readonly justification: readonly Certificate[]
    }
  | { readonly type: 'certificate'; readonly certificate: Certificate }
  /**
   * R16: votes in epochs before `epoch` and in views below `below` are not in the journal; the last such record counts. null:
   * none is known to be. `first`: nor had the node a database, so that before the chain has begun nothing can be missing.
   */
  | { readonly type: 'abstain'; readonly epoch: Epoch; readonly below: View | null; readonly first: boolean }

export type Effect =
  | { readonly type: 'send'; readonly to: Address; readonly message: ConsensusMessage }
  | { readonly type: 'broadcast'; readonly message: ConsensusMessage }
  /** Build a block for `view` on `parent` (whose state the shell holds); answer with `built`. `mayBeEmpty`: build it even without transactions (D3). */
  | {
      readonly type: 'build'
      readonly epoch: Epoch
      readonly view: View
      readonly parent: Hash
      readonly height: Height
      readonly mayBeEmpty: boolean
    }
  /**
   * Execute and check `block`; answer with `verified`. The parent was verified or committed before. `certified`: a quorum
   * vouches for it, so the check against this node's own clock is left out; a block that failed may be asked for once more so.
   */
  | { readonly type: 'verify'; readonly block: SealedBlock; readonly certified: boolean }
  /** Commit these blocks in order, each durable, then forget everything at or below them; `certificate` finalizes the last. */
  | {
      readonly type: 'commit'
      readonly blocks: readonly SealedBlock[]
      readonly certificate: Certificate
      readonly parentViews: readonly View[]
    }
  /** `peer` has final blocks up to `height` which this node lacks: fetch them by range sync. */
  | { readonly type: 'lagging'; readonly peer: Address; readonly height: Height }
  /** The tip on which the shell answers `demand` changed. */
  | { readonly type: 'tip'; readonly hash: Hash; readonly height: Height }
  /** Two conflicting votes of one sealer (R13). */
  | { readonly type: 'evidence'; readonly first: SignedVote; readonly second: SignedVote }
  /** Stop voting (R14) or stop the node (R15). */
  | { readonly type: 'halt'; readonly severity: 'stop-voting' | 'stop-node'; readonly reason: string }

export interface Ready {
  /** Durable, in order, before any `send` or `broadcast` of `effects` leaves; the other effects need not wait for it. */
  readonly journal: readonly JournalRecord[]
  readonly effects: readonly Effect[]
  /** Next time in ms at which a `tick` is due, or null. */
  readonly wakeAt: number | null
}

/** Times in ms; see README.md, Timers. */
export interface ConsensusTimers {
  readonly viewTimeoutMs: number
  readonly viewTimeoutMaxMs: number
  readonly resendMs: number
  readonly idleStatusMs: number
  readonly inactivityMs: number
  /** D3: a notarized tip that is not final after this creates demand. */
  readonly finalizeGraceMs: number
}

export interface EngineOptions {
  /** This node's sealer address, or null for an observer. */
  readonly self: Address | null
  readonly schedule: LeaderSchedule
  readonly timers: ConsensusTimers
  /** Deterministic signature over a vote; called only for votes that are then journaled. */
  readonly sign: (vote: Vote) => Uint8Array
  /** Tests only: planted bugs which the simulator must catch. */
  readonly sabotage?: ReadonlySet<Sabotage>
}

/** The last final block. `view` is the view in its header, `certificate` null for genesis only. */
export interface FinalPoint {
  readonly hash: Hash
  readonly height: Height
  readonly view: View
  readonly certificate: Certificate | null
}

/** What a node knows when it starts: the last final block from the database and the journal in order. */
export interface Recovery {
  readonly final: FinalPoint
  /** Set of the epoch in which the next block will be sealed. */
  readonly set: SealerSet
  readonly journal: readonly JournalRecord[]
}
