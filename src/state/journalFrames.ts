/** Header and frames of the consensus journal (journal.ts); docs/journal.md has them byte by byte. */
import { crc32 } from 'node:zlib'

const FRAME_ALIGN = 8
/** magic u32 | salt 8 | generation u32 | owner 52 | crc32 u32 of all before */
export const FILE_HEADER_BYTES = 72
/** Hash of the genesis block and address of the sealer: whose votes these are, and on which chain. */
export const JOURNAL_OWNER_BYTES = 32 + 20
const HEADER_BYTES = 16
/** 'cdj2' */
const FILE_MAGIC = 0x63646a32
/** 'cdj' of any version. */
const FILE_MAGIC_PREFIX = 0x63646a
/** 'cdtj' */
const MAGIC = 0x6364746a

export interface ScannedFrames {
  readonly records: Uint8Array[]
  /** First byte behind the last whole frame. */
  readonly end: number
  /** Sequence number of the next frame. */
  readonly sequence: number
  /** Set when a whole frame was found behind a damaged one. */
  readonly damage: string | undefined
}

export interface JournalHeader {
  /**
   * 8 random bytes. Checksums start from them, so that nothing that others send us (a transaction in a journaled block) can
   * look like a frame of this file.
   */
  readonly salt: Uint8Array
  /** How often the file was written anew; grows over the life of the journal. */
  readonly generation: number
  /** JOURNAL_OWNER_BYTES. */
  readonly owner: Uint8Array
}

export function encodeFileHeader({ salt, generation, owner }: JournalHeader): Uint8Array {
  const header = new Uint8Array(FILE_HEADER_BYTES)
  const view = new DataView(header.buffer)
  view.setUint32(0, FILE_MAGIC)
  header.set(salt, 4)
  view.setUint32(12, generation)
  header.set(owner, 16)
  view.setUint32(FILE_HEADER_BYTES - 4, crc32(header.subarray(0, FILE_HEADER_BYTES - 4)))
  return header
}

/** Header of a file; undefined when it is damaged or of another version. */
export function readFileHeader(bytes: Uint8Array): JournalHeader | undefined {
  if (bytes.length < FILE_HEADER_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const sum = crc32(bytes.subarray(0, FILE_HEADER_BYTES - 4))
  if (view.getUint32(0) !== FILE_MAGIC || view.getUint32(FILE_HEADER_BYTES - 4) !== sum) return undefined
  return {
    salt: bytes.slice(4, 12),
    generation: view.getUint32(12),
    owner: bytes.slice(16, 16 + JOURNAL_OWNER_BYTES),
  }
}

/** Begins as a journal does, but not as one of this version. */
export function isOtherVersion(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false
  const magic = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  return magic >>> 8 === FILE_MAGIC_PREFIX && magic !== FILE_MAGIC
}

/** File bytes of a frame with this payload. */
export function frameBytes(payloadBytes: number): number {
  return Math.ceil((HEADER_BYTES + payloadBytes) / FRAME_ALIGN) * FRAME_ALIGN
}

/** `payloadBytes`: lengths of the records and 4 bytes for each. */
export function encodeFrame(
  salt: Uint8Array,
  sequence: number,
  records: readonly Uint8Array[],
  payloadBytes: number,
): Uint8Array {
  const frame = new Uint8Array(frameBytes(payloadBytes))
  const view = new DataView(frame.buffer)
  view.setUint32(0, MAGIC)
  view.setUint32(4, payloadBytes)
  view.setUint32(8, sequence)
  let at = HEADER_BYTES
  for (const record of records) {
    view.setUint32(at, record.length)
    frame.set(record, at + 4)
    at += 4 + record.length
  }
  view.setUint32(12, checksum(salt, frame.subarray(0, at)))
  return frame
}

/** Reads the frames behind the file header until one is missing or damaged. Records are views into `bytes`. */
export function scanFrames(bytes: Uint8Array, salt: Uint8Array): ScannedFrames {
  const records: Uint8Array[] = []
  let end = FILE_HEADER_BYTES
  let sequence = 1
  for (;;) {
    const frame = frameAt(bytes, end, salt)
    if (frame?.sequence !== sequence) break
    splitRecords(frame.payload, records)
    end += frameBytes(frame.payload.length)
    sequence += 1
  }
  return { records, end, sequence, damage: laterFrame(bytes, end, sequence, salt) }
}

/** A torn frame is the last one: any whole frame behind it means that a synced one was damaged. */
function laterFrame(bytes: Uint8Array, from: number, sequence: number, salt: Uint8Array): string | undefined {
  for (let at = from; at + HEADER_BYTES <= bytes.length; at += FRAME_ALIGN) {
    if (bytes[at] !== MAGIC >>> 24) continue
    const frame = frameAt(bytes, at, salt)
    if (frame !== undefined) return `frame ${sequence} is unreadable, frame ${frame.sequence} at byte ${at} is whole`
  }
  return undefined
}

function frameAt(
  bytes: Uint8Array,
  at: number,
  salt: Uint8Array,
): { sequence: number; payload: Uint8Array } | undefined {
  if (at + HEADER_BYTES > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + at)
  const length = view.getUint32(4)
  if (view.getUint32(0) !== MAGIC || length > bytes.length - at - HEADER_BYTES) return undefined
  if (view.getUint32(12) !== checksum(salt, bytes.subarray(at, at + HEADER_BYTES + length))) return undefined
  return { sequence: view.getUint32(8), payload: bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length) }
}

/** Of a frame without its checksum. */
function checksum(salt: Uint8Array, frame: Uint8Array): number {
  return crc32(frame.subarray(HEADER_BYTES), crc32(frame.subarray(0, 12), crc32(salt)))
}

function splitRecords(payload: Uint8Array, records: Uint8Array[]): void {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  for (let at = 0; at < payload.length; ) {
    const length = view.getUint32(at)
    records.push(payload.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
}
