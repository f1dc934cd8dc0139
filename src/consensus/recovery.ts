/** What a node takes back from its journal, and what of the journal still counts. */
import type { Hash } from '../core/bytes.js'
import { adopt, takeVote } from './ballots.js'
import { entryOf } from './blockTable.js'
import { type Core, finalView, isLeader, recordOf, sabotaged } from './core.js'
import { justificationOf, parentFor } from './parent.js'
import type { JournalRecord, SignedVote } from './types.js'

/**
 * Takes back records in journal order. Own votes are never derived again: what was said in a view stays said. Records of
 * later epochs wait until the block that opens them is final here again.
 */
export function replay(core: Core, records: readonly JournalRecord[]): void {
  for (const record of records) {
    const epoch = epochOf(record)
    if (epoch > core.council.set.epoch) core.laterRecords.push(record)
    else if (epoch === core.council.set.epoch) restore(core, record)
  }
  restoreProposal(core)
}

function epochOf(record: JournalRecord): number {
  if (record.type === 'vote') return record.vote.epoch
  return record.type === 'block' ? record.block.epoch : record.certificate.epoch
}

function restore(core: Core, record: JournalRecord): void {
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

/**
 * Records that a rewritten journal keeps, in an order that `replay` accepts. Null while `durableFinal`, the last block
 * the database has durably, is behind what was handed out to commit: then nothing may be dropped yet.
 */
export function liveRecords(core: Core, durableFinal: Hash): JournalRecord[] | null {
  if (durableFinal !== core.final.hash) return null
  const records: JournalRecord[] = []
  if (core.pending) records.push({ type: 'certificate', certificate: core.pending })
  for (const { block, parentView, justification, journaled } of core.blocks.values()) {
    if (journaled) records.push({ type: 'block', block, parentView, justification })
  }
  for (const record of [...core.views.values()].sort((a, b) => a.view - b.view)) {
    for (const certificate of [record.certificates.notarize, record.certificates.nullify]) {
      if (certificate) records.push({ type: 'certificate', certificate })
    }
    for (const vote of [record.own.notarize, record.own.nullify, record.own.finalize]) {
      if (vote) records.push({ type: 'vote', vote })
    }
  }
  return [...records, ...core.laterRecords]
}
