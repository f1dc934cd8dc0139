/** Writes a chain file beside its place and moves it there once it is whole and on disk. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { concatBytes, fromHex, type Hash } from '../../core/bytes.js'
import { writeHeight } from '../../state/store/keys.js'
import {
  ChainFileError,
  encodeFileHeader,
  encodeRecord,
  type FileHeader,
  HEADER_BYTES,
  RECORD,
  type RecordType,
} from './format.js'

/** Bytes gathered for one write. */
const WRITE_BYTES = 1024 * 1024

export class ChainFileWriter {
  private waiting: Uint8Array[] = []
  private waitingBytes = 0
  private checksum = 0
  private records = 0
  private written = 0

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /** Throws ChainFileError UNREADABLE. */
  static async create(path: string, header: FileHeader): Promise<ChainFileWriter> {
    const file = await open(partialPath(path), 'w', 0o644).catch((error) => {
      throw new ChainFileError('UNREADABLE', `${path} cannot be written: ${(error as Error).message}`)
    })
    const writer = new ChainFileWriter(path, file)
    const bytes = encodeFileHeader(header)
    writer.checksum = new DataView(bytes.buffer).getUint32(HEADER_BYTES - 4)
    await writer.append(bytes)
    return writer
  }

  /** Bytes of the file so far. */
  get bytes(): number {
    return this.written + this.waitingBytes
  }

  /** Throws ChainFileError WRITE_FAILED, as `finish` does. */
  async add(type: RecordType, payload: Uint8Array): Promise<void> {
    const { bytes, checksum } = encodeRecord(type, payload, this.checksum)
    this.checksum = checksum
    this.records++
    await this.append(bytes)
  }

  /** Ends the file. Resolves when it is on disk under its name. */
  async finish(last: Hash): Promise<void> {
    const count = new Uint8Array(6)
    writeHeight(count, 0, this.records)
    await this.add(RECORD.end, concatBytes(count, fromHex(last)))
    await this.flush()
    await this.attempt(async () => {
      await this.file.sync()
      await this.file.close()
      await rename(partialPath(this.path), this.path)
    })
    await syncFolder(dirname(this.path)).catch((error) => {
      throw failed(error, `${this.path} is written, and its folder could not be synced`, 'check the disk')
    })
  }

  /** Gives up and leaves nothing behind; what failed before is worth more than what fails here. */
  async abandon(): Promise<void> {
    await this.file.close().catch(() => {})
    await rm(partialPath(this.path), { force: true }).catch(() => {})
  }

  private async append(bytes: Uint8Array): Promise<void> {
    this.waiting.push(bytes)
    this.waitingBytes += bytes.length
    if (this.waitingBytes >= WRITE_BYTES) await this.flush()
  }

  private async flush(): Promise<void> {
    await this.attempt(() => this.file.writeFile(concatBytes(...this.waiting)))
    this.written += this.waitingBytes
    this.waiting = []
    this.waitingBytes = 0
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    await work().catch((error) => {
      throw failed(error, `${this.path} could not be written`, 'make room, or name another place')
    })
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}

function failed(cause: Error, what: string, advice: string): ChainFileError {
  return new ChainFileError('WRITE_FAILED', `${what} (${cause.message}): ${advice}`, { cause })
}

const partialPath = (path: string): string => `${path}.partial`
