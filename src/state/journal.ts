/**
 * Append-only file of records for what must be on disk before a vote leaves (consensus rules P1 to P3).
 *
 * File: 'cdj2' | salt 8 | generation u32 | owner 52 | crc32 u32, then frames, then zeros. A frame holds the records of one `sync`:
 *   magic u32 | payload length u32 | sequence u32 | crc32 u32 (of salt, the three before and payload) | payload | zeros to 8 bytes
 *   payload = ( record length u32 | record )*
 * A crash can tear only the last frame, on which nobody has acted yet; it is cut off. A damaged frame with a whole one behind
 * it is damage of another kind: the journal refuses to open. docs/journal.md has the rules in full.
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
import { equalBytes } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { journalBytesMax, journalRecordBytesMax } from '../core/limits.js'
import {
  encodeFileHeader,
  encodeFrame,
  FILE_HEADER_BYTES,
  frameBytes,
  isOtherVersion,
  JOURNAL_OWNER_BYTES,
  readFileHeader,
  scanFrames,
} from './journalFrames.js'

export type JournalErrorCode =
  /** What is in the file cannot be what this program wrote. */
  | 'CORRUPT'
  /** The file belongs to another sealer or another chain. */
  | 'FOREIGN'
  /** Another version of this program wrote the file. */
  | 'VERSION'
  /** A record is larger than journalRecordBytesMax, or the file would be larger than its bound. */
  | 'FULL'
  /** Reading, writing or syncing failed. After a failed write the journal is of no more use: what is on disk is unknown. */
  | 'IO'

export class JournalError extends CodedError<JournalErrorCode> {}

export interface JournalOptions {
  /** Hash of the genesis block and address of the sealer, 52 bytes; a file of another owner is refused. Default: zeros. */
  readonly owner?: Uint8Array
  /** Bound on the file's size. */
  readonly bytesMax?: number
  /** The file grows by this much at a time, written with zeros, so that a sync has no metadata to write. */
  readonly growBytes?: number
}

/** How far a journal has come. Later positions are greater: by generation, then by sequence. */
export interface JournalPosition {
  /** 0 in a file that was just created; one more with each `rewrite`. */
  readonly generation: number
  /** Of the next frame. */
  readonly sequence: number
}

const GROW_BYTES = 4 * 1024 * 1024
const NO_OWNER = new Uint8Array(JOURNAL_OWNER_BYTES)

export class Journal {
  /** Records appended since the last sync. */
  private pending: Uint8Array[] = []
  private pendingBytes = 0
  private poison: JournalError | undefined
  /** File size: zeros from `end` to here. */
  private allocated: number

  private constructor(
    private readonly path: string,
    private readonly limits: Required<JournalOptions>,
    private fd: number,
    private salt: Uint8Array,
    private generation: number,
    /** Where the next frame goes. */
    private end: number,
    private sequence: number,
    private opened: Uint8Array[],
  ) {
    this.allocated = end
  }

  /** Opens or creates the file. Cuts off a torn last frame. Throws JournalError CORRUPT, FOREIGN, VERSION or IO. */
  static open(path: string, options: JournalOptions = {}): Journal {
    const { bytesMax = journalBytesMax, growBytes = GROW_BYTES, owner = NO_OWNER } = options
    const limits = { bytesMax, growBytes, owner }
    return attempt(path, 'opening', () => {
      mkdirSync(dirname(path), { recursive: true })
      rmSync(temporary(path), { force: true })
      const bytes = readExisting(path, bytesMax)
      const header = readFileHeader(bytes)
      if (header === undefined) return Journal.create(path, bytes, limits)
      if (!equalBytes(header.owner, owner)) throw foreign(path)
      const { salt, generation } = header
      const { records, end, sequence, damage } = scanFrames(bytes, salt)
      if (damage !== undefined) throw corrupt(path, damage)
      const fd = openSync(path, 'r+')
      ftruncateSync(fd, end)
      const journal = new Journal(path, limits, fd, salt, generation, end, sequence, records)
      journal.allocate(growBytes)
      fsyncSync(fd)
      return journal
    })
  }

  private static create(path: string, existing: Uint8Array, limits: Required<JournalOptions>): Journal {
    if (isOtherVersion(existing)) throw otherVersion(path)
    // A crash while the file was being created leaves zeros behind the header, if anything.
    if (existing.subarray(FILE_HEADER_BYTES).some((byte) => byte !== 0)) throw corrupt(path, 'its header is unreadable')
    const fd = openSync(path, 'w+')
    const journal = new Journal(path, limits, fd, randomBytes(8), 0, FILE_HEADER_BYTES, 1, [])
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

  /** Behind everything that was synced. */
  get position(): JournalPosition {
    return { generation: this.generation, sequence: this.sequence }
  }

  /** Adds a record to the next `sync`. The bytes must not change until then. Throws JournalError FULL, or IO after a failure. */
  append(record: Uint8Array): void {
    this.assertHealthy()
    if (record.length > journalRecordBytesMax) {
      throw new JournalError('FULL', `record of ${record.length} bytes: at most ${journalRecordBytesMax} are allowed`)
    }
    const payloadBytes = this.pendingBytes + 4 + record.length
    const { bytesMax } = this.limits
    if (this.end + frameBytes(payloadBytes) > bytesMax) {
      throw new JournalError(
        'FULL',
        `journal ${this.path} has reached ${bytesMax} bytes, since nothing became final for long: see why, then restart`,
      )
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
        this.allocate(frame.length + this.limits.growBytes)
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

  /**
   * Replaces the whole content, durably and at once: after a crash either the old or the new content is there. The new file
   * is of the next generation, or of `generation` where that is later.
   */
  rewrite(records: readonly Uint8Array[], generation = 0): void {
    this.assertHealthy()
    const next = temporary(this.path)
    this.pending = []
    this.pendingBytes = 0
    this.guarded('rewriting', () => {
      closeSync(this.fd)
      this.fd = openSync(next, 'w+')
      this.salt = randomBytes(8)
      this.generation = Math.max(this.generation + 1, generation)
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
    const { salt, generation } = this
    writeAll(this.fd, encodeFileHeader({ salt, generation, owner: this.limits.owner }), 0)
    this.allocated = FILE_HEADER_BYTES
    this.allocate(this.limits.growBytes)
  }

  /** Makes sure of `bytes` zeros behind the last frame, as far as the bound allows. */
  private allocate(bytes: number): void {
    const target = Math.min(this.end + bytes, this.limits.bytesMax)
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

/** Whether `position` lies behind `other`: what led to `other` is missing. */
export function isBefore(position: JournalPosition, other: JournalPosition): boolean {
  if (position.generation !== other.generation) return position.generation < other.generation
  return position.sequence < other.sequence
}

function foreign(path: string): JournalError {
  return new JournalError(
    'FOREIGN',
    `journal ${path} holds the votes of another sealer or of another chain: set journalDir to this node's own folder`,
  )
}

function otherVersion(path: string): JournalError {
  return new JournalError(
    'VERSION',
    `journal ${path} was written by another version of this program: start that version, or move the file away; ` +
      'the node then waits with its votes until others have gone on without it',
  )
}

function corrupt(path: string, problem: string): JournalError {
  return new JournalError(
    'CORRUPT',
    `journal ${path} is damaged (${problem}) and votes of this sealer may be lost: do not let it seal with this key again ` +
      'before every view it may have voted in is final; move the file away, and the node waits until then by itself',
  )
}

function temporary(path: string): string {
  return `${path}.new`
}

function readExisting(path: string, bytesMax: number): Uint8Array {
  try {
    const stat = statSync(path)
    if (!stat.isFile()) throw new Error('it is no ordinary file')
    const { size } = stat
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
