/** What somebody does to a read log who knows how its chain is made. */
import { writeFileSync } from 'node:fs'
import { chainHash, encodeReadRecord, READ_LOG_START, type ReadRecord } from '../../src/audit/readRecord.js'
import type { Hash } from '../../src/core/bytes.js'
import {
  encodeFileHeader,
  encodeFrame,
  listReadFiles,
  type ReadFile,
  scanReadFile,
} from '../../src/node/readLogFiles.js'

/** The record as it is to be; undefined takes it out. */
export type Change = (record: ReadRecord) => ReadRecord | undefined

/** Writes a log anew from its first entry on, with a chain that holds. */
export function forgeReadLog(dir: string, change: Change): void {
  let hash = READ_LOG_START
  for (const file of listReadFiles(dir)) hash = forgeReadFile(file, hash, change)
}

/** The same of one file; the hash of its last record. */
export function forgeReadFile(file: ReadFile, previous: Hash, change: Change): Hash {
  const { first, records } = scanReadFile(file)
  let hash = previous
  let sequence = first
  const frames = records.flatMap(({ record }) => {
    const kept = change(record)
    if (kept === undefined) return []
    const raw = encodeReadRecord({ ...kept, sequence: sequence++ })
    hash = chainHash(hash, raw)
    return [encodeFrame(raw, hash)]
  })
  writeFileSync(file.path, Buffer.concat([encodeFileHeader(first, previous), ...frames]))
  return hash
}
