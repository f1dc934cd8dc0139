/** Which messages are worth verifying: recovering signatures is nearly all that consensus costs. */
import { viewWindow } from './bounds.js'
import { type Core, finalView, sabotaged } from './core.js'
import type { Certificate, ConsensusMessage, Proposal, SignedVote } from './types.js'
import { conflicts, sameVote } from './vote.js'

export function needsMessage(core: Core, message: ConsensusMessage): boolean {
  switch (message.type) {
    case 'proposal':
      return needsProposal(core, message)
    case 'vote':
      return needsVote(core, message.vote)
    case 'certificate':
      return needsCertificate(core, message.certificate)
    case 'block':
      return core.missing.has(message.block.hash)
    default:
      return true
  }
}

/** A certificate of this epoch above the base which is not here yet or says something else. */
export function needsCertificate(core: Core, certificate: Certificate): boolean {
  if (certificate.epoch !== core.council.set.epoch || certificate.view <= finalView(core)) return false
  const known = core.views.get(certificate.view)?.certificates[certificate.kind]
  return !known || known.block !== certificate.block
}

/** A vote that counts, that is a conflict to be kept as evidence, or that comes early for the next epoch. */
function needsVote(core: Core, vote: SignedVote): boolean {
  const { epoch } = core.council.set
  if (vote.epoch === epoch + 1) return true
  if (vote.epoch !== epoch || vote.view <= finalView(core)) return false
  if (vote.view > core.cur + viewWindow && !sabotaged(core, 'no-view-window')) return false
  const index = core.council.indexOf.get(vote.signer)
  if (index === undefined) return false
  const record = core.views.get(vote.view)
  if (!record) return true
  if (vote.signer === core.options.self) {
    const own = record.own[vote.kind]
    return !own || !sameVote(own, vote)
  }
  if (record.reported.has(index)) return !record.ballots[vote.kind].votes.has(index)
  for (const ballot of [record.ballots.notarize, record.ballots.nullify, record.ballots.finalize]) {
    const other = ballot.votes.get(index)
    if (other && conflicts(other, vote)) return true
  }
  if (record.ballots[vote.kind].votes.has(index)) return false
  const certificate = record.certificates[vote.kind]
  return !certificate || certificate.block !== vote.block
}

function needsProposal(core: Core, proposal: Proposal): boolean {
  const { vote, block } = proposal
  if (vote.epoch !== core.council.set.epoch || vote.view <= finalView(core)) return false
  if (core.missing.has(block.hash)) return true
  if (vote.view < core.cur) return false
  return core.views.get(vote.view)?.proposal?.block.hash !== block.hash
}
