/** Bugs that the simulator can plant; each must be caught (docs/simulator.md has the table). */
import type { Sabotage } from '../consensus/sabotage.js'

/** Bugs of the shell, or of what it hands to the core, beside those of the core. */
export type ShellBug =
  | 'send-before-durable'
  | 'prune-early'
  | 'no-epoch-in-vote'
  | 'duplicate-signers'
  | 'unchecked-sync'
  | 'trust-lost-journal'
  | 'repeated-txs'

export type Bug = Sabotage | ShellBug

/** What each bug leaves out, in one line. */
export const bugs: Readonly<Record<Bug, string>> = {
  'send-before-durable': 'P1: votes leave before the journal is synced',
  'forget-votes': 'P1: own votes are not taken back after a restart',
  'block-not-durable': 'P2: the block is not journaled before the vote on it',
  'prune-early': 'P4: the journal is rewritten for blocks that are not yet in the database',
  'trust-lost-journal': 'R16: a journal that lost records is taken for whole',
  'early-commit': 'R7: a notarization is taken for finality',
  'majority-quorum': 'a simple majority is a quorum',
  'head-count': 'weights are ignored: sealers are counted',
  'duplicate-signers': 'a certificate may count a signer twice',
  'no-epoch-in-vote': 'the epoch is left out of the signed bytes',
  'stale-certificate': 'certificates of an older epoch are adopted in the present one',
  'no-epoch-boundary': 'R8: children are built on a block that closes its epoch',
  'early-set-change': 'R8: the next set counts as soon as the block that brings it is executed',
  'unchecked-sync': 'a node that joins takes final blocks without their certificates',
  'no-skip-check': 'R2: views between parent and proposal need not be nullified',
  'drop-lock': 'R2: a notarized view may be skipped',
  'any-proposer': 'R4: proposals out of turn count',
  'second-vote': 'R4: a later proposal of the view is voted for, too',
  'unexecuted-vote': 'R4: the block is voted for before it is executed',
  'notarize-after-nullify': 'R4: a view that was given up is voted for',
  'finalize-after-nullify': 'R6: a view that was given up is finalized',
  'repeated-txs': 'a transaction may be executed again',
  'drop-evidence': 'R13: conflicting votes are not reported',
  'no-view-window': 'R12: votes of any view ahead are kept',
  'no-resend': 'R11: nothing is sent twice',
  'no-tip-demand': 'D3: an unfinal tip creates no demand',
  'no-backoff': 'T1: the time-out never grows',
  'timer-never-reset': 'T1: the clock of a view is not started anew',
}

export const bugNames = Object.keys(bugs) as Bug[]

export function isBug(name: string): name is Bug {
  return Object.hasOwn(bugs, name)
}

const shellBugs: readonly string[] = [
  'send-before-durable',
  'prune-early',
  'no-epoch-in-vote',
  'duplicate-signers',
  'unchecked-sync',
  'trust-lost-journal',
  'repeated-txs',
] satisfies readonly ShellBug[]

function isSabotage(bug: Bug): bug is Sabotage {
  return !shellBugs.includes(bug)
}

/** What of a planted bug the core is told. */
export function sabotageOf(bug: Bug | null): ReadonlySet<Sabotage> {
  return new Set(bug !== null && isSabotage(bug) ? [bug] : [])
}
