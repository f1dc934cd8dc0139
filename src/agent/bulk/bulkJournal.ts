/**
 * What a bulk submission has done, append-only beside its input: one JSON object a line. A transaction's hash is durable before the
 * transaction leaves, so that a run that was killed knows what it may have sent; a torn last line was never acted on and is cut off.
 */
import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readFile, stat, unlink } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { asHash, type Hash } from '../../core/bytes.js'
import { CodedError } from '../../core/codedError.js'
import { bulkJournalBytesMax } from '../../core/limits.js'

export class BulkJournalError extends CodedError<
  'MALFORMED' | 'OTHER_CHAIN' | 'IN_USE' | 'TOO_LARGE' | 'UNREADABLE' | 'UNWRITABLE'
> {}

const hash = z.string().regex(/^0x[0-9a-f]{64}$/)
const headSchema = z.strictObject({
  journal: z.literal('concordat-bulk/1'),
  chainId: z.int().min(1),
  /** Blinds the document hashes of rows, which have few possible contents. */
  salt: z.string().regex(/^[0-9a-f]{64}$/),
})
const about = { enterprise: z.string().max(32), document: hash }
const id = z.string().regex(/^\d{1,78}$/)
const part = z.strictObject({
  department: z.string(),
  status: z.enum(['accepted', 'rejected']),
  code: z.union([z.string(), z.number()]),
})
const entrySchema = z.discriminatedUnion('at', [
  z.strictObject({ ...about, at: z.literal('sending'), transaction: hash, afterHeight: z.int() }),
  z.strictObject({ ...about, at: z.literal('final'), transaction: hash, submission: id, height: z.int() }),
  z.strictObject({ ...about, at: z.literal('shared') }),
  z.strictObject({ ...about, at: z.literal('acknowledged'), parts: z.array(part) }),
])

export type JournalEntry = z.infer<typeof entrySchema>
export type JournalPart = z.infer<typeof part>

/** What is known of one document of one enterprise. */
export interface Progress {
  /** Transactions that may have left, oldest first. */
  readonly sending: readonly { readonly transaction: Hash; readonly afterHeight: number }[]
  readonly final?: { readonly transaction: Hash; readonly submissionId: bigint; readonly height: number }
  readonly shared: boolean
  readonly parts?: readonly JournalPart[]
}

const NOTHING: Progress = { sending: [], shared: false }

export interface BulkJournal {
  /** 64 hex digits; the same in every run of this journal. */
  readonly salt: string
  progress(enterprise: string, document: Hash): Progress
  /** Resolves when the entry is durable; entries of one moment share one sync. */
  append(entry: JournalEntry): Promise<void>
  close(): Promise<void>
}

/** Makes the file (mode 0600) or goes on with it. One process at a time. Throws BulkJournalError. */
export async function openBulkJournal(file: string, chainId: number): Promise<BulkJournal> {
  const unlock = await lock(`${file}.lock`)
  try {
    return await FileJournal.open(file, chainId, unlock)
  } catch (error) {
    await unlock()
    throw error
  }
}

class FileJournal implements BulkJournal {
  readonly salt: string
  readonly #handle: FileHandle
  readonly #known: Map<string, Progress>
  readonly #unlock: () => Promise<void>
  /** Where the next entry goes, in bytes. */
  #end = 0
  #waiting: string[] = []
  #writing: Promise<void> | undefined

  private constructor(handle: FileHandle, salt: string, known: Map<string, Progress>, unlock: () => Promise<void>) {
    this.#handle = handle
    this.salt = salt
    this.#known = known
    this.#unlock = unlock
  }

  static async open(file: string, chainId: number, unlock: () => Promise<void>): Promise<FileJournal> {
    const { lines, wholeBytes } = await readLines(file)
    const known = new Map<string, Progress>()
    const [first, ...entries] = lines
    const head = first === undefined ? freshHead(chainId) : parseLine(headSchema, first, file, 1)
    if (head.chainId !== chainId) {
      throw new BulkJournalError(
        'OTHER_CHAIN',
        `${file} is of chain ${head.chainId}, the node is on ${chainId}: name another journal`,
      )
    }
    for (const [i, line] of entries.entries()) note(known, parseLine(entrySchema, line, file, i + 2))
    const handle = await open(file, first === undefined ? 'w' : 'r+', 0o600)
    try {
      if (first !== undefined) await handle.truncate(wholeBytes)
      const journal = new FileJournal(handle, head.salt, known, unlock)
      journal.#end = wholeBytes
      if (first === undefined) journal.#waiting.push(`${JSON.stringify(head)}\n`)
      await journal.#flush()
      await syncFolder(path.dirname(file))
      return journal
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  progress(enterprise: string, document: Hash): Progress {
    return this.#known.get(`${enterprise}/${document}`) ?? NOTHING
  }

  async append(entry: JournalEntry): Promise<void> {
    note(this.#known, entry)
    this.#waiting.push(`${JSON.stringify(entry)}\n`)
    // Who comes while a sync is under way takes part in the next one.
    const previous = this.#writing
    if (previous) await previous
    if (this.#writing === previous) this.#writing = this.#flush()
    await this.#writing
  }

  /** After the entries under way; one that failed was told to whoever appended it. */
  async close(): Promise<void> {
    for (let last: Promise<void> | undefined; last !== this.#writing; ) {
      last = this.#writing
      await last?.catch(() => {})
    }
    await this.#handle.close()
    await this.#unlock()
  }

  /** Once it has failed what is on disk is unknown: every later entry fails with it. */
  async #flush(): Promise<void> {
    const lines = Buffer.from(this.#waiting.join(''))
    this.#waiting = []
    try {
      // A write may take a part only.
      for (let at = 0; at < lines.length; ) {
        at += (await this.#handle.write(lines, at, lines.length - at, this.#end + at)).bytesWritten
      }
      await this.#handle.datasync()
    } catch (error) {
      const reason = (error as Error).message
      throw new BulkJournalError(
        'UNWRITABLE',
        `the journal cannot be written (${reason}): check the disk, then run it again`,
      )
    }
    this.#end += lines.length
  }
}

const freshHead = (chainId: number) => {
  return { journal: 'concordat-bulk/1' as const, chainId, salt: randomBytes(32).toString('hex') }
}

function note(known: Map<string, Progress>, entry: JournalEntry): void {
  const key = `${entry.enterprise}/${entry.document}`
  const before = known.get(key) ?? NOTHING
  known.set(key, after(before, entry))
}

function after(before: Progress, entry: JournalEntry): Progress {
  switch (entry.at) {
    case 'sending': {
      const { afterHeight } = entry
      return { ...before, sending: [...before.sending, { transaction: asHash(entry.transaction), afterHeight }] }
    }
    case 'final': {
      const { height, submission, transaction } = entry
      return { ...before, final: { transaction: asHash(transaction), submissionId: BigInt(submission), height } }
    }
    case 'shared':
      return { ...before, shared: true }
    case 'acknowledged':
      return { ...before, parts: entry.parts }
  }
}

/** A new name in the folder is durable with it. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r')
  await folder.sync()
  await folder.close()
}

/** Whole lines; `wholeBytes` is where the last one ends. */
async function readLines(file: string): Promise<{ lines: string[]; wholeBytes: number }> {
  const info = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new BulkJournalError('UNREADABLE', `${file} cannot be read (${error.code}): check the path`)
  })
  if (info === undefined) return { lines: [], wholeBytes: 0 }
  if (info.size > bulkJournalBytesMax) {
    throw new BulkJournalError('TOO_LARGE', `${file} is over ${bulkJournalBytesMax} bytes: submit in several inputs`)
  }
  const bytes = await readFile(file)
  const wholeBytes = bytes.lastIndexOf(10) + 1
  const lines = bytes.subarray(0, wholeBytes).toString('utf8').split('\n').slice(0, -1)
  return { lines, wholeBytes }
}

function parseLine<T>(schema: z.ZodType<T>, line: string, file: string, row: number): T {
  try {
    return schema.parse(JSON.parse(line))
  } catch {
    const message = `${file}, row ${row}, is no entry of a bulk journal: restore the file, or name another with --journal`
    throw new BulkJournalError('MALFORMED', message)
  }
}

/** Lock files of this process. */
const held = new Set<string>()

/** A lock file with our process id; one whose process is gone is taken over. */
async function lock(file: string): Promise<() => Promise<void>> {
  for (let tries = 0; tries < 3; tries++) {
    try {
      await writeLock(file)
      held.add(file)
      return async () => {
        held.delete(file)
        await unlink(file).catch(() => {})
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EEXIST')
        throw new BulkJournalError('UNREADABLE', `${file} cannot be written (${code}): check the folder`)
      const holder = Number(await readFile(file, 'utf8').catch(() => ''))
      // Ours from an earlier process that had the same id, unless we hold it now.
      const running = holder === process.pid ? held.has(file) : isRunning(holder)
      if (running) {
        throw new BulkJournalError(
          'IN_USE',
          `process ${holder} is submitting this input (${file}): wait for it, or stop it`,
        )
      }
      await unlink(file).catch(() => {})
    }
  }
  throw new BulkJournalError('IN_USE', `${file} keeps coming back: is another process submitting this input?`)
}

async function writeLock(file: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(String(process.pid))
  } catch (error) {
    await unlink(file).catch(() => {})
    throw error
  } finally {
    await handle.close()
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
