/**
 * Append-only file of records for what must be on disk before a vote leaves (consensus rules P1 to P3).
 *
 * File: 'cdj1' | salt of 8 bytes | crc32 u32, then frames, then zeros. A frame holds the records of one `sync`:
 *   magic u32 | payload length u32 | sequence u32 | crc32 u32 (of salt, the three before and payload) | payload | zeros to 8 bytes
 *   payload = ( record length u32 | record )*
 * A crash can tear only the last frame, on which nobody has acted yet; it is cut off. A damaged frame with a whole one behind
 * it is damage of another kind: the journal refuses to open.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { CodedError } from '../core/codedError.js'
import { journalBytesMax, journalRecordBytesMax } from '../core/limits.js'
import {
  encodeFileHeader,
  encodeFrame,
  FILE_HEADER_BYTES,
  frameBytes,
  readFileHeader,
  scanFrames,
} from './journalFrames.js'

export type JournalErrorCode =
  /** What is in the file cannot be what this program wrote. */
  | 'CORRUPT'
  /** A record is larger than journalRecordBytesMax, or the file would be larger than its bound. */
  | 'FULL'
  /** Reading, writing or syncing failed. After a failed write the journal is of no more use: what is on disk is unknown. */
  | 'IO'

export class JournalError extends CodedError<JournalErrorCode> {}

export interface JournalOptions {
  /** Bound on the file's size. */
  readonly bytesMax?: number
  /** The file grows by this much at a time, written with zeros, so that a sync has no metadata to write. */
  readonly growBytes?: number
}

const GROW_BYTES = 4 * 1024 * 1024

export class Journal {
  /** Records appended since the last sync. */
  private pending: Uint8Array[] = []
  private pendingBytes = 0
  private poison: JournalError | undefined
  /** File size: zeros from `end` to here. */
  private allocated: number

  private constructor(
    private readonly path: string,
    private readonly bytesMax: number,
    private readonly growBytes: number,
    private fd: number,
    private salt: Uint8Array,
    /** Where the next frame goes. */
    private end: number,
    private sequence: number,
    private opened: Uint8Array[],
  ) {
    this.allocated = end
  }

  /** Opens or creates the file. Cuts off a torn last frame. Throws JournalError CORRUPT or IO. */
  static open(path: string, options: JournalOptions = {}): Journal {
    const { bytesMax = journalBytesMax, growBytes = GROW_BYTES } = options
    return attempt(path, 'opening', () => {
      mkdirSync(dirname(path), { recursive: true })
      rmSync(temporary(path), { force: true })
      const bytes = readExisting(path, bytesMax)
      const salt = readFileHeader(bytes)
      if (salt === undefined) return Journal.create(path, bytes, bytesMax, growBytes)
      const found = scanFrames(bytes, salt)
      if (found.damage !== undefined) throw corrupt(path, found.damage)
      const fd = openSync(path, 'r+')
      ftruncateSync(fd, found.end)
      const journal = new Journal(path, bytesMax, growBytes, fd, salt, found.end, found.sequence, found.records)
      journal.allocate(growBytes)
      fsyncSync(fd)
      return journal
    })
  }

  private static create(path: string, existing: Uint8Array, bytesMax: number, growBytes: number): Journal {
    // A crash while the file was being created leaves an empty or a zero file behind.
    if (existing.subarray(FILE_HEADER_BYTES).some((byte) => byte !== 0)) throw corrupt(path, 'its header is unreadable')
    const fd = openSync(path, 'w+')
    const journal = new Journal(path, bytesMax, growBytes, fd, randomBytes(8), FILE_HEADER_BYTES, 1, [])
    journal.start()
    fsyncSync(fd)
    syncFolder(path)
    return journal
  }

  /** What was in the file when it was opened, oldest first; handed out once. */
  records(): Uint8Array[] {
    const records = this.opened
    this.opened = []
    return records
  }

  /** Bytes in use; `rewrite` brings it down. */
  get bytesUsed(): number {
    return this.end
  }

  /** Adds a record to the next `sync`. The bytes must not change until then. Throws JournalError FULL, or IO after a failure. */
  append(record: Uint8Array): void {
    this.assertHealthy()
    if (record.length > journalRecordBytesMax) {
      throw new JournalError('FULL', `record of ${record.length} bytes: at most ${journalRecordBytesMax} are allowed`)
    }
    const payloadBytes = this.pendingBytes + 4 + record.length
    if (this.end + frameBytes(payloadBytes) > this.bytesMax) {
      throw new JournalError('FULL', `journal ${this.path} has reached ${this.bytesMax} bytes: prune it with rewrite`)
    }
    this.pending.push(record)
    this.pendingBytes = payloadBytes
  }

  /** Everything appended is on disk when this returns. Blocks for one fdatasync. Throws JournalError IO and poisons the journal. */
  sync(): void {
    this.assertHealthy()
    if (this.pending.length === 0) return
    this.guarded('writing', () => {
      const frame = encodeFrame(this.salt, this.sequence, this.pending, this.pendingBytes)
      if (this.end + frame.length > this.allocated) {
        this.allocate(frame.length + this.growBytes)
        fsyncSync(this.fd)
      }
      writeAll(this.fd, frame, this.end)
      fdatasyncSync(this.fd)
      this.end += frame.length
      this.sequence += 1
      this.pending = []
      this.pendingBytes = 0
    })
  }

  /** Replaces the whole content, durably and at once: after a crash either the old or the new content is there. */
  rewrite(records: readonly Uint8Array[]): void {
    this.assertHealthy()
    const next = temporary(this.path)
    this.pending = []
    this.pendingBytes = 0
    this.guarded('rewriting', () => {
      closeSync(this.fd)
      this.fd = openSync(next, 'w+')
      this.salt = randomBytes(8)
      this.end = FILE_HEADER_BYTES
      this.sequence = 1
      this.start()
      for (const record of records) this.append(record)
      this.sync()
      fsyncSync(this.fd)
      renameSync(next, this.path)
      syncFolder(this.path)
    })
  }

  close(): void {
    if (this.fd === -1) return
    closeSync(this.fd)
    this.fd = -1
  }

  /** Writes the header of a new file and allocates room behind it. */
  private start(): void {
    writeAll(this.fd, encodeFileHeader(this.salt), 0)
    this.allocated = FILE_HEADER_BYTES
    this.allocate(this.growBytes)
  }

  /** Makes sure of `bytes` zeros behind the last frame, as far as the bound allows. */
  private allocate(bytes: number): void {
    const target = Math.min(this.end + bytes, this.bytesMax)
    const zeros = new Uint8Array(64 * 1024)
    for (let at = this.allocated; at < target; at += zeros.length) {
      writeAll(this.fd, zeros.subarray(0, Math.min(zeros.length, target - at)), at)
    }
    this.allocated = Math.max(this.allocated, target)
  }

  private guarded(doing: string, action: () => void): void {
    try {
      attempt(this.path, doing, action)
    } catch (error) {
      if (error instanceof JournalError) this.poison = error
      throw error
    }
  }

  private assertHealthy(): void {
    if (this.poison !== undefined) throw this.poison
  }
}

function corrupt(path: string, problem: string): JournalError {
  return new JournalError(
    'CORRUPT',
    `journal ${path} is damaged (${problem}) and votes of this sealer may be lost: do not let it seal with this key again ` +
      'before every view it may have voted in is final; keep the file',
  )
}

function temporary(path: string): string {
  return `${path}.new`
}

function readExisting(path: string, bytesMax: number): Uint8Array {
  try {
    const { size } = statSync(path)
    if (size > bytesMax) throw corrupt(path, `it has ${size} bytes, at most ${bytesMax} are ever written`)
    const bytes = readFileSync(path)
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Uint8Array(0)
    throw error
  }
}

function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}

/** A new or renamed file is there after a crash only when its folder was synced. */
function syncFolder(path: string): void {
  const fd = openSync(dirname(path), 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function attempt<T>(path: string, doing: string, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    if (cause instanceof JournalError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new JournalError('IO', `${doing} journal ${path} failed (${reason}): check the disk, then restart`, { cause })
  }
}
