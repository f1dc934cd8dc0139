/** R4, R5, R6: this node's own votes. */
import type { Hash, View } from '../core/bytes.js'
import { takeVote } from './ballots.js'
import {
  broadcast,
  type Core,
  finalView,
  journalBlock,
  leaderOf,
  mayVote,
  NO_BLOCK,
  recordOf,
  sabotaged,
} from './core.js'
import { holdsHonest } from './council.js'
import { resolve, startCheck } from './execution.js'
import { mayExtend } from './parent.js'
import { isOverdue } from './timers.js'
import type { ConsensusMessage, Proposal, SignedVote, VoteKind } from './types.js'
import type { ViewRecord } from './viewRecord.js'

/** Signs, journals (P1, P2), announces and counts one vote. `announce` wraps it for the others. */
export function cast(
  core: Core,
  kind: VoteKind,
  view: View,
  block: Hash,
  announce: (vote: SignedVote) => ConsensusMessage = (vote) => ({ type: 'vote', vote }),
): void {
  const { self, sign } = core.options
  if (self === null) return
  const vote = { kind, epoch: core.council.set.epoch, view, block }
  const signed: SignedVote = { ...vote, signer: self, signature: sign(vote) }
  if (kind !== 'nullify') journalBlock(core, block)
  core.journal.push({ type: 'vote', vote: signed })
  recordOf(core, view).own[kind] = signed
  broadcast(core, announce(signed))
  takeVote(core, signed)
}

/** R4: on the first proposal of the leader for the current view. */
export function notarizeRule(core: Core): void {
  const record = core.views.get(core.cur)
  const proposal = record?.proposal
  if (!record || !proposal || record.refused || !mayVote(core, core.cur)) return
  if (record.own.nullify && !sabotaged(core, 'notarize-after-nullify')) return
  if (record.own.notarize && !mayVoteTwice(core, record, proposal)) return
  const verdict = judge(core, proposal)
  if (verdict === 'refuse') {
    record.refused = true
    core.changed = true
  } else if (verdict === 'vote') cast(core, 'notarize', core.cur, proposal.block.hash)
}

function mayVoteTwice(core: Core, record: ViewRecord, proposal: Proposal): boolean {
  return sabotaged(core, 'second-vote') && record.own.notarize?.block !== proposal.block.hash
}

/** Whether the proposal deserves the vote, breaks a rule, or waits for certificates, blocks or its execution. */
function judge(core: Core, proposal: Proposal): 'vote' | 'refuse' | 'wait' {
  const { block, parentView, vote } = proposal
  const again = block.view < vote.view
  const extended = mayExtend(core, vote.view, parentView, again ? block.hash : block.parent)
  if (extended !== 'yes') return extended === 'no' ? 'refuse' : 'wait'
  if (again) {
    const found = resolve(core, block.hash, true)
    if (found !== 'valid') return found === 'bad' ? 'refuse' : 'wait'
    return core.blocks.get(block.hash)?.nextSet ? 'vote' : 'refuse'
  }
  const found = block.parent === core.final.hash ? 'valid' : resolve(core, block.parent, true, true)
  if (found !== 'valid') return found === 'bad' ? 'refuse' : 'wait'
  if (core.blocks.get(block.parent)?.nextSet && !sabotaged(core, 'no-epoch-boundary')) return 'refuse'
  return judgeContent(core, block.hash)
}

function judgeContent(core: Core, hash: Hash): 'vote' | 'refuse' | 'wait' {
  const entry = core.blocks.get(hash)
  if (!entry || entry.state === 'invalid') return 'refuse'
  if (entry.state === 'valid' || sabotaged(core, 'unexecuted-vote')) return 'vote'
  return startCheck(core, entry, false) ? 'wait' : 'refuse'
}

/** R5: give up the current view, unless a finalize vote was cast in it. */
export function nullifyRule(core: Core): void {
  if (!mayVote(core, core.cur)) return
  const record = core.views.get(core.cur)
  if (record?.own.nullify || record?.own.finalize) return
  if ((record && givenUp(core, record)) || isOverdue(core)) cast(core, 'nullify', core.cur, NO_BLOCK)
}

/** The leader gave up itself, or an honest sealer did. */
function givenUp(core: Core, record: ViewRecord): boolean {
  const { votes, weights } = record.ballots.nullify
  const leader = core.council.indexOf.get(leaderOf(core, record.view))
  const byLeader = leader !== undefined && votes.has(leader)
  return byLeader || holdsHonest(core.council, weights.get(NO_BLOCK) ?? 0)
}

/** R6: on a notarization whose block is here and executed, unless the view was nullified. Fetches and executes it, too. */
export function finalizeRule(core: Core): void {
  for (const [view, certificate] of core.notarized) {
    if (view <= finalView(core)) continue
    if (resolve(core, certificate.block, true) !== 'valid' || !mayVote(core, view)) continue
    const { own } = recordOf(core, view)
    if (own.finalize || (own.nullify && !sabotaged(core, 'finalize-after-nullify'))) continue
    cast(core, 'finalize', view, certificate.block)
    return
  }
}
