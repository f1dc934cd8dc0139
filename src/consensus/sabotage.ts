/**
 * Bugs that tests plant into the core to prove that the simulator's checkers catch them. Production never sets one; each
 * name says which rule of README.md is left out.
 */
export type Sabotage =
  /** Quorum of a simple majority instead of more than two thirds. */
  | 'majority-quorum'
  /** Weights are ignored: sealers are counted. */
  | 'head-count'
  /** Certificates of an older epoch are adopted in the present one. */
  | 'stale-certificate'
  /** P1: own votes are not taken back from the journal. */
  | 'forget-votes'
  /** P2: the block is not journaled before the vote on it. */
  | 'block-not-durable'
  /** R2: views between parent and proposal need not be nullified. */
  | 'no-skip-check'
  /** R2: a notarized view may be skipped like a nullified one. */
  | 'drop-lock'
  /** R4: a later proposal of the same view is voted for as well. */
  | 'second-vote'
  /** R4: anyone may propose. */
  | 'any-proposer'
  /** R4: the block is voted for before it is executed. */
  | 'unexecuted-vote'
  /** R4: a view that was given up is voted for. */
  | 'notarize-after-nullify'
  /** R6: finalize although nullified. */
  | 'finalize-after-nullify'
  /** R7: commit on notarization. */
  | 'early-commit'
  /** R8: children are built on a block that closes its epoch. */
  | 'no-epoch-boundary'
  /** R8: the next set counts as soon as the block that brings it is executed. */
  | 'early-set-change'
  /** R12: votes of any view ahead are kept. */
  | 'no-view-window'
  /** R13: conflicting votes are not reported. */
  | 'drop-evidence'
  /** R11: nothing is sent twice. */
  | 'no-resend'
  /** D3: an unfinal tip creates no demand. */
  | 'no-tip-demand'
  /** T1: the time-out never grows. */
  | 'no-backoff'
  /** T1: the clock of a view is not started anew. */
  | 'timer-never-reset'
