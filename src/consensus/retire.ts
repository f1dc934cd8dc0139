/** P4: which journal records still count when the journal is rewritten. */
import type { Hash } from '../core/bytes.js'
import type { BlockEntry } from './blockTable.js'
import { commitsOutstandingMax } from './bounds.js'
import { after, type Core } from './core.js'
import { abstentionRecord, narrower } from './doubt.js'
import type { JournalRecord } from './types.js'
import type { ViewRecord } from './viewRecord.js'

/**
 * Records that a rewritten journal keeps, in an order that `replay` accepts. `durableFinal` is the last block that the
 * database has: what later finalities settled is kept, too. Null when it is not among the latest finalities.
 */
export function liveRecords(core: Core, durableFinal: Hash): JournalRecord[] | null {
  const at = core.retired.findIndex(({ hash }) => hash === durableFinal)
  if (at < 0) return null
  const records: JournalRecord[] = [abstentionRecord(narrower(core.abstention, core.retired[at]!.floor))]
  records.push(...core.retired.slice(at + 1).flatMap((entry) => entry.records), ...core.retiring)
  if (core.pending) records.push({ type: 'certificate', certificate: core.pending })
  for (const entry of core.blocks.values()) records.push(...blockRecords(entry))
  for (const record of [...core.views.values()].sort((a, b) => a.view - b.view)) records.push(...viewRecords(record))
  return [...records, ...core.laterRecords]
}

function blockRecords({ block, parentView, justification, journaled }: BlockEntry): JournalRecord[] {
  return journaled ? [{ type: 'block', block, parentView, justification }] : []
}

function viewRecords({ certificates, own }: ViewRecord): JournalRecord[] {
  const records: JournalRecord[] = []
  for (const certificate of [certificates.notarize, certificates.nullify]) {
    if (certificate) records.push({ type: 'certificate', certificate })
  }
  for (const vote of [own.notarize, own.nullify, own.finalize]) if (vote) records.push({ type: 'vote', vote })
  return records
}

/** A view is settled: what was said in it counts until the final block that settled it is durable. */
export function retireView(core: Core, record: ViewRecord): void {
  core.retiring.push(...viewRecords(record))
}

export function retireBlock(core: Core, entry: BlockEntry): void {
  core.retiring.push(...blockRecords(entry))
}

/** Everything retired so far is settled by the present final block. */
export function sealRetired(core: Core): void {
  const floor = { epoch: core.council.set.epoch, below: after(core.final.view) }
  core.retired.push({ hash: core.final.hash, records: core.retiring, floor })
  core.retiring = []
  core.retired.splice(0, Math.max(0, core.retired.length - 1 - commitsOutstandingMax))
}
