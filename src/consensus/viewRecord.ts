/** What is known of one view: votes, certificates, the proposal and what this node said itself. */
import type { Hash, View } from '../core/bytes.js'
import type { Certificate, Proposal, SignedVote, VoteKind } from './types.js'

/** Votes of one kind: the first of each sealer by its index (R12), and the weight behind each block. */
export interface Ballot {
  readonly votes: Map<number, SignedVote>
  readonly weights: Map<Hash, number>
}

export interface ViewRecord {
  readonly view: View
  readonly ballots: Readonly<Record<VoteKind, Ballot>>
  readonly certificates: Record<VoteKind, Certificate | null>
  readonly own: Record<VoteKind, SignedVote | null>
  /** When the notarization was adopted, in ms. */
  notarizedAt: number | null
  /** First proposal of the leader. */
  proposal: Proposal | null
  /** The proposal broke a rule: nullify (R5). */
  refused: boolean
  /** The shell had nothing to build. */
  declined: boolean
  /** Left far behind: takes no more votes. */
  compact: boolean
  /** Sealers whose conflicting votes were handed out (R13). */
  readonly reported: Set<number>
}

export function emptyRecord(view: View): ViewRecord {
  return {
    view,
    ballots: { notarize: emptyBallot(), nullify: emptyBallot(), finalize: emptyBallot() },
    certificates: { notarize: null, nullify: null, finalize: null },
    own: { notarize: null, nullify: null, finalize: null },
    notarizedAt: null,
    proposal: null,
    refused: false,
    declined: false,
    compact: false,
    reported: new Set(),
  }
}

/** Whether anyone has said anything in this view. */
export function touched(record: ViewRecord): boolean {
  const { notarize, nullify, finalize } = record.ballots
  return record.proposal !== null || notarize.votes.size + nullify.votes.size + finalize.votes.size > 0
}

function emptyBallot(): Ballot {
  return { votes: new Map(), weights: new Map() }
}
