/**
 * The log of reads of the user portrait through this node (docs/audit.md). A read costs a push to a bounded queue; records are
 * encoded, chained, written and synced behind it. A read that has no place in the queue must not be answered; a fault of the
 * disk ends the node: nobody reads without a record for longer than one flush.
 */
import { mkdirSync, readFileSync, renameSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { chainHash, encodeReadRecord, READ_LOG_START, type ReadRecord } from '../audit/readRecord.js'
import { assert } from '../core/assert.js'
import type { Hash } from '../core/bytes.js'
import {
  encodeFileHeader,
  encodeFrame,
  listReadFiles,
  READ_FILE_HEADER_BYTES,
  type ReadFile,
  ReadLogError,
  type ReadLogHead,
  readFileName,
  scanReadFile,
} from './readLogFiles.js'

export interface ReadLogOptions {
  readonly dir: string
  /** A new file begins beyond this. */
  readonly fileBytesMax: number
  /** The oldest files go beyond this. */
  readonly totalBytesMax: number
  /** Longest that a record waits in memory. */
  readonly flushMs: number
  /** Reads that may wait. */
  readonly queueMax: number
  /** Head that is anchored on chain: an older log goes on behind it, so that what is lost shows. */
  readonly anchored?: ReadLogHead
}

export interface ReadLogNeeds {
  /** Called once with a fault of the disk; nothing is written any more. */
  readonly fatal: (error: unknown) => void
  readonly warn: (message: string, fields: object) => void
}

/** Makes the record of a read when it is its turn: what takes time is not done while somebody waits for an answer. */
export type PendingRead = () => Omit<ReadRecord, 'sequence'>

/** Records encoded in one go: a few ms. */
const BATCH_MAX = 500

export class ReadLog {
  readonly #options: ReadLogOptions
  readonly #needs: ReadLogNeeds
  #queue: PendingRead[] = []
  /** Synced. */
  #head: ReadLogHead
  #files: ReadFile[]
  #file: FileHandle | undefined
  #fileBytes: number
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined
  #failed = false
  #closed = false

  /** Opens or begins a log; cuts off what a crash has left half written, and keeps it beside. Throws ReadLogError. */
  static open(options: ReadLogOptions, needs: ReadLogNeeds): ReadLog {
    mkdirSync(options.dir, { recursive: true, mode: 0o700 })
    const files = listReadFiles(options.dir)
    const last = files.at(-1)
    const found = last === undefined ? undefined : recover(last, needs)
    if (last !== undefined && found === undefined) files.pop()
    const head = found?.head ?? previousHead(files, needs)
    const { anchored } = options
    if (anchored === undefined || anchored.sequence <= head.sequence) {
      return new ReadLog(options, needs, { files, head, bytes: found?.bytes ?? 0 })
    }
    needs.warn('the read log is behind its anchor: entries are lost; it goes on behind the anchor', {
      from: head.sequence + 1,
      to: anchored.sequence,
    })
    return new ReadLog(options, needs, { files, head: anchored, bytes: Number.POSITIVE_INFINITY })
  }

  private constructor(
    options: ReadLogOptions,
    needs: ReadLogNeeds,
    at: { readonly files: ReadFile[]; readonly head: ReadLogHead; readonly bytes: number },
  ) {
    this.#options = options
    this.#needs = needs
    this.#files = at.files
    this.#head = at.head
    this.#fileBytes = at.files.length === 0 ? Number.POSITIVE_INFINITY : at.bytes
  }

  /** Last record that is on disk. */
  get head(): ReadLogHead {
    return this.#head
  }

  /** Files with their first sequences, oldest first. */
  get files(): readonly ReadFile[] {
    return this.#files
  }

  /** After a fault of the disk: what was pushed last may have no record. */
  get failed(): boolean {
    return this.#failed
  }

  /** False: a read must be refused for now. */
  get hasRoom(): boolean {
    return this.#queue.length < this.#options.queueMax && !this.#failed && !this.#closed
  }

  /** Takes a read in; `hasRoom` was asked before. */
  push(read: PendingRead): void {
    this.#queue.push(read)
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.flushMs)
  }

  /** Resolves when all that was pushed before is on disk, or a fault was raised. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#flushing) await this.#flushing
    if (this.#queue.length === 0 || this.#failed) return
    this.#flushing = this.#drain()
    await this.#flushing
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    await this.flush()
    this.#closed = true
    await this.#file?.close()
    this.#file = undefined
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0) await this.#write(this.#queue.splice(0, BATCH_MAX))
    } catch (error) {
      this.#failed = true
      this.#needs.fatal(error)
    } finally {
      this.#flushing = undefined
    }
  }

  async #write(reads: readonly PendingRead[]): Promise<void> {
    if (this.#fileBytes >= this.#options.fileBytesMax) await this.#rotate()
    let { sequence, hash } = this.#head
    const frames: Uint8Array[] = []
    for (const read of reads) {
      sequence++
      const record = encodeReadRecord({ ...read(), sequence })
      hash = chainHash(hash, record)
      frames.push(encodeFrame(record, hash))
    }
    const file = await this.#current()
    const bytes = Buffer.concat(frames)
    await writeAll(file, bytes)
    await file.datasync()
    this.#fileBytes += bytes.length
    this.#head = { sequence, hash }
  }

  async #current(): Promise<FileHandle> {
    const last = this.#files.at(-1)
    assert(last, 'a log that is written has a file')
    this.#file ??= await open(last.path, 'a')
    return this.#file
  }

  /** Begins the next file, durable with its name, and drops the oldest ones beyond the bound. */
  async #rotate(): Promise<void> {
    await this.#file?.close()
    const first = this.#head.sequence + 1
    const path = join(this.#options.dir, readFileName(first))
    this.#file = await open(path, 'wx', 0o600)
    await writeAll(this.#file, encodeFileHeader(first, this.#head.hash))
    await this.#file.datasync()
    const folder = await open(this.#options.dir, 'r')
    await folder.sync()
    await folder.close()
    this.#files.push({ path, first })
    this.#fileBytes = READ_FILE_HEADER_BYTES
    this.#retain()
  }

  #retain(): void {
    let bytes = this.#files.reduce((sum, { path }) => sum + statSync(path).size, 0)
    while (this.#files.length > 1 && bytes > this.#options.totalBytesMax) {
      const oldest = this.#files.shift()!
      bytes -= statSync(oldest.path).size
      unlinkSync(oldest.path)
    }
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

/** Head of the last file, cut to what is whole; undefined for a file whose very header was not written. */
function recover(file: ReadFile, needs: ReadLogNeeds): { head: ReadLogHead; bytes: number } | undefined {
  const size = statSync(file.path).size
  if (size < READ_FILE_HEADER_BYTES) {
    renameSync(file.path, `${file.path}.cut`)
    needs.warn('a file of the read log was not begun properly; it is kept beside', { file: file.path })
    return undefined
  }
  const { first, previous, records, end, fault } = scanReadFile(file)
  if (end < size) {
    writeFileSync(`${file.path}.cut`, readFileSync(file.path).subarray(end), { mode: 0o600 })
    truncateSync(file.path, end)
    needs.warn('the end of the read log was cut off; it is kept beside', { file: file.path, fault })
  }
  const sequence = first + records.length - 1
  return { head: { sequence, hash: (records.at(-1)?.hash ?? previous) as Hash }, bytes: end }
}

function previousHead(files: readonly ReadFile[], needs: ReadLogNeeds): ReadLogHead {
  const last = files.at(-1)
  const found = last && recover(last, needs)
  return found?.head ?? { sequence: 0, hash: READ_LOG_START }
}

export { ReadLogError }
