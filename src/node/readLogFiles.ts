/**
 * Files of the read log: a header, then frames. Read back whole, as a chain; docs/audit.md has them byte by byte.
 *
 *     file  = 'cdreads1' 8 | sequence of the first record u64 | hash that it is chained to 32 | frames
 *     frame = length u32 | record (RLP) | hash 32
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { chainHash, decodeReadRecord, type ReadRecord } from '../audit/readRecord.js'
import { concatBytes, fromHex, type Hash, toHash, utf8 } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { readRecordBytesMax } from '../core/limits.js'

/** A read log that cannot be used. */
export class ReadLogError extends CodedError<'NOT_A_READ_LOG'> {}

const MAGIC = utf8('cdreads1')
export const READ_FILE_HEADER_BYTES = 8 + 8 + 32
const HASH_BYTES = 32
const NAME = /^reads-(\d{16})\.log$/

export interface ReadLogHead {
  /** Of the last record; 0: none. */
  readonly sequence: number
  readonly hash: Hash
}

export interface ReadFile {
  readonly path: string
  /** Sequence of its first record. */
  readonly first: number
}

export interface ScannedFile {
  readonly first: number
  readonly previous: Hash
  readonly records: readonly { readonly record: ReadRecord; readonly hash: Hash }[]
  /** First byte behind the last record that is whole and chained. */
  readonly end: number
  /** What is wrong with the bytes there; undefined at the end of the file. */
  readonly fault: string | undefined
  /** The file ends within a record: so does that of a node which writes one just now. */
  readonly isCut: boolean
}

export const readFileName = (first: number): string => `reads-${String(first).padStart(16, '0')}.log`

/** Files of a log in order; other files of the folder are left alone. */
export function listReadFiles(dir: string): ReadFile[] {
  return readdirSync(dir)
    .flatMap((name) => {
      const first = NAME.exec(name)?.[1]
      return first === undefined ? [] : [{ path: join(dir, name), first: Number(first) }]
    })
    .sort((a, b) => a.first - b.first)
}

export function encodeFileHeader(first: number, previous: Hash): Uint8Array {
  const header = new Uint8Array(READ_FILE_HEADER_BYTES)
  header.set(MAGIC)
  new DataView(header.buffer).setBigUint64(8, BigInt(first))
  header.set(fromHex(previous), 16)
  return header
}

export function encodeFrame(record: Uint8Array, hash: Hash): Uint8Array {
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, record.length)
  return concatBytes(length, record, fromHex(hash))
}

/** Height of a file's first record, without reading the rest; undefined when it has none. */
export function firstHeight({ path }: ReadFile): number | undefined {
  const bytes = new Uint8Array(READ_FILE_HEADER_BYTES + 4 + readRecordBytesMax)
  const file = openSync(path, 'r')
  try {
    const length = readSync(file, bytes, 0, bytes.length, 0)
    return recordAt(bytes.subarray(0, length), READ_FILE_HEADER_BYTES)?.record.height
  } finally {
    closeSync(file)
  }
}

/** Whether the header is there: without it, a node has made the file just now, or was stopped when it did. */
export const isBegun = ({ path }: ReadFile): boolean => statSync(path).size >= READ_FILE_HEADER_BYTES

/** Reads a file as far as its chain holds. Throws ReadLogError when it is none of a read log. */
export function scanReadFile({ path, first: named }: ReadFile): ScannedFile {
  const bytes = readFileSync(path)
  if (bytes.length < READ_FILE_HEADER_BYTES || Buffer.compare(bytes.subarray(0, 8), MAGIC) !== 0) {
    throw new ReadLogError('NOT_A_READ_LOG', `${path} does not begin as a file of a read log does`)
  }
  const first = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(8))
  const previous = toHash(bytes.subarray(16, READ_FILE_HEADER_BYTES))
  const records: { record: ReadRecord; hash: Hash }[] = []
  let end = READ_FILE_HEADER_BYTES
  let hash = previous
  let fault = first === named ? undefined : `its header says that it begins with entry ${first}`
  while (fault === undefined && end < bytes.length) {
    const sequence = first + records.length
    const frame = recordAt(bytes, end)
    if (frame === undefined) fault = `entry ${sequence} is not whole`
    else if (frame.record.sequence !== sequence)
      fault = `entry ${sequence} is missing: ${frame.record.sequence} stands there`
    else if (chainHash(hash, frame.raw) !== frame.hash) fault = `entry ${sequence} was changed, or one before it`
    else {
      records.push({ record: frame.record, hash: frame.hash })
      hash = frame.hash
      end = frame.end
    }
  }
  return { first, previous, records, end, fault, isCut: fault !== undefined && isCutAt(bytes, end) }
}

function isCutAt(bytes: Uint8Array, at: number): boolean {
  if (at + 4 > bytes.length) return true
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at)
  return length <= readRecordBytesMax && at + 4 + length + HASH_BYTES > bytes.length
}

function recordAt(bytes: Uint8Array, at: number) {
  if (at + 4 > bytes.length) return undefined
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at)
  const end = at + 4 + length + HASH_BYTES
  if (length > readRecordBytesMax || end > bytes.length) return undefined
  const raw = bytes.subarray(at + 4, at + 4 + length)
  try {
    return { record: decodeReadRecord(raw), raw, hash: toHash(bytes.subarray(end - HASH_BYTES, end)), end }
  } catch {
    return undefined
  }
}

/** Records of a file's bytes in order, up to the first that is not whole; whether they are chained is not looked at. */
export function* recordsIn(bytes: Uint8Array): Generator<ReadRecord> {
  for (let at = READ_FILE_HEADER_BYTES; ; ) {
    const frame = recordAt(bytes, at)
    if (frame === undefined) return
    yield frame.record
    at = frame.end
  }
}
