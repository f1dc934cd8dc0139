/** What a node takes back from its journal when it starts. */
import { adopt, takeVote } from './ballots.js'
import { entryOf } from './blockTable.js'
import { type Core, finalView, isLeader, recordOf, sabotaged } from './core.js'
import { justificationOf, parentFor } from './parent.js'
import type { JournalRecord, SignedVote } from './types.js'

/** What was said or heard in some epoch. */
type Said = Exclude<JournalRecord, { type: 'abstain' }>

/**
 * Takes back records in journal order. Own votes are never derived again: what was said in a view stays said. Records of
 * later epochs wait until the block that opens them is final here again.
 */
export function replay(core: Core, records: readonly JournalRecord[]): void {
  for (const record of records) {
    if (record.type === 'abstain') {
      core.abstention = { epoch: record.epoch, below: record.below, first: record.first }
      continue
    }
    const epoch = epochOf(record)
    if (epoch > core.council.set.epoch) core.laterRecords.push(record)
    else if (epoch === core.council.set.epoch) restore(core, record)
  }
  restoreProposal(core)
}

function epochOf(record: Said): number {
  if (record.type === 'vote') return record.vote.epoch
  return record.type === 'block' ? record.block.epoch : record.certificate.epoch
}

function restore(core: Core, record: Said): void {
  if (record.type === 'vote') restoreVote(core, record.vote)
  else if (record.type === 'certificate') adopt(core, record.certificate, true)
  else if (record.block.height > core.final.height) {
    const entry = entryOf(record.block, record.parentView, record.justification)
    entry.journaled = true
    core.blocks.set(record.block.hash, entry)
  }
}

function restoreVote(core: Core, vote: SignedVote): void {
  if (vote.signer !== core.options.self || vote.view <= finalView(core)) return
  if (sabotaged(core, 'forget-votes')) return
  recordOf(core, vote.view).own[vote.kind] = vote
  takeVote(core, vote)
}

/** R11 after a restart: the own proposal of the current view, rebuilt from what was journaled for it. */
function restoreProposal(core: Core): void {
  const record = core.views.get(core.cur)
  const vote = record?.own.notarize
  if (!record || !vote || !isLeader(core, core.cur)) return
  const entry = core.blocks.get(vote.block)
  if (!entry) return
  const { block } = entry
  if (block.view === core.cur) {
    const { parentView, justification } = entry
    record.proposal = { type: 'proposal', block, parentView, justification, vote }
    return
  }
  const parent = parentFor(core, core.cur)
  if (!parent.known || parent.hash !== block.hash) return
  const justification = justificationOf(core, core.cur, parent.view)
  record.proposal = { type: 'proposal', block, parentView: parent.view, justification, vote }
}
