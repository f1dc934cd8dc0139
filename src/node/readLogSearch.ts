/** Reads of the log that a query matches, in slices: the event loop belongs to consensus. */
import { readFile } from 'node:fs/promises'
import type { TraceEntry } from '../audit/entry.js'
import type { TraceQuery } from '../audit/query.js'
import type { ReadRecord } from '../audit/readRecord.js'
import { wordText } from '../audit/words.js'
import type { Slices } from '../rpc/slices.js'
import { type ReadFile, recordsIn } from './readLogFiles.js'

export interface ReadPage {
  readonly entries: readonly TraceEntry[]
  /** Sequence to go on with; null: that was all. */
  readonly next: number | null
}

/** At most `max` entries from sequence `from` on. Throws what `slices` throws at the deadline. */
export async function searchReads(
  files: readonly ReadFile[],
  query: TraceQuery,
  from: number,
  max: number,
  slices: Slices,
): Promise<ReadPage> {
  const entries: TraceEntry[] = []
  for (const [index, file] of files.entries()) {
    const behind = files[index + 1]?.first ?? Number.POSITIVE_INFINITY
    if (behind <= from) continue
    for (const record of recordsIn(await readFile(file.path))) {
      const pause = slices.pause()
      if (pause) await pause
      if (record.sequence < from) continue
      if (record.height > query.toBlock) return { entries, next: null }
      if (matches(query, record)) entries.push(entryOf(record))
      if (entries.length >= max) return { entries, next: record.sequence + 1 }
    }
  }
  return { entries, next: null }
}

function matches(query: TraceQuery, record: ReadRecord): boolean {
  const { fromBlock, enterprise, department, attribute, purpose, kinds } = query
  if (record.height < fromBlock || purpose !== undefined) return false
  if (kinds !== undefined && !kinds.includes('read')) return false
  if (enterprise !== undefined && record.enterprise !== enterprise) return false
  if (department !== undefined && record.reader !== department) return false
  return attribute === undefined || record.attributes.length === 0 || record.attributes.includes(attribute)
}

function entryOf(record: ReadRecord): TraceEntry {
  const { sequence, timeMs, height, call, enterprise, attributes, reader, remote, note } = record
  return {
    kind: 'read',
    contract: 'readLog',
    event: call,
    block: height,
    timeMs,
    transaction: null,
    logIndex: sequence,
    who: reader,
    says: call === 'auditTrail' ? 'looks through the records' : 'reads the user portrait',
    parties: [],
    enterprise: wordText(enterprise),
    attributes: attributes.map((word) => wordText(word) ?? word),
    purpose: null,
    basis: null,
    outcome: note === '' ? `from ${remote}` : `${note}, from ${remote}`,
    exchange: null,
    after: null,
  }
}
