/** Reads a chain file from one end to the other; never more of it in memory than one record and one read. */
import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { type Hash, toHash } from '../../core/bytes.js'
import { readHeight } from '../../state/store/keys.js'
import {
  ChainFileError,
  decodeFileHeader,
  type FileHeader,
  HEADER_BYTES,
  KIND,
  type Kind,
  payloadBytesMax,
  RECORD,
  RECORD_HEAD_BYTES,
  RECORD_TAIL_BYTES,
  type RecordType,
} from './format.js'

const READ_BYTES = 1024 * 1024

export interface FileRecord {
  readonly type: RecordType
  /** Valid for as long as it is kept. */
  readonly payload: Uint8Array
  /** First byte in the file, and its number from 1 on. */
  readonly position: number
  readonly number: number
}

export class ChainFileReader {
  private buffer = new Uint8Array(0)
  /** Byte of the file with which `buffer` begins. */
  private at = 0
  private records = 0

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    readonly bytes: number,
    readonly header: FileHeader,
    private checksum: number,
  ) {}

  /** Reads and checks the header. Throws ChainFileError. */
  static async open(path: string, kind: Kind): Promise<ChainFileReader> {
    const file = await open(path, 'r').catch((error) => {
      throw unreadable(path, error)
    })
    try {
      const { size } = await file.stat()
      const bytes = new Uint8Array(HEADER_BYTES)
      const { bytesRead } = await file.read(bytes, 0, HEADER_BYTES, 0).catch((error) => {
        throw unreadable(path, error)
      })
      const { header, checksum } = decodeFileHeader(bytes.subarray(0, bytesRead))
      if (header.kind !== kind)
        throw new ChainFileError('NOT_A_CHAIN_FILE', `${path} is a ${nameOf(header.kind)}, wanted is a ${nameOf(kind)}`)
      const reader = new ChainFileReader(path, file, size, header, checksum)
      reader.at = HEADER_BYTES
      return reader
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Every record but the end, which is checked: a file without it is torn. Throws ChainFileError. */
  async *read(): AsyncGenerator<FileRecord, Hash> {
    for (;;) {
      const record = await this.next()
      if (record.type === RECORD.end) return this.checkEnd(record)
      yield record
    }
  }

  /** Where a record stands, for messages. */
  place({ number, position }: Pick<FileRecord, 'number' | 'position'>): string {
    return `record ${number} at byte ${position} of ${this.path}`
  }

  close(): Promise<void> {
    return this.file.close()
  }

  private async next(): Promise<FileRecord> {
    const where = { number: this.records + 1, position: this.at }
    const head = await this.peek(RECORD_HEAD_BYTES, where)
    const type = head[0]!
    const length = new DataView(head.buffer, head.byteOffset).getUint32(1)
    const longest = payloadBytesMax(type)
    if (longest === undefined || length > longest) throw this.damaged(where, 'is damaged')
    const end = RECORD_HEAD_BYTES + length
    const bytes = (await this.peek(end + RECORD_TAIL_BYTES, where)).slice()
    const checksum = crc32(bytes.subarray(0, end), this.checksum)
    if (new DataView(bytes.buffer).getUint32(end) !== checksum) throw this.damaged(where, 'is damaged')
    this.checksum = checksum
    this.records++
    this.at += bytes.length
    this.buffer = this.buffer.subarray(bytes.length)
    return { type: type as RecordType, payload: bytes.subarray(RECORD_HEAD_BYTES, end), ...where }
  }

  private async checkEnd(end: FileRecord): Promise<Hash> {
    if (end.payload.length !== 38 || readHeight(end.payload) !== end.number - 1) throw this.damaged(end, 'is damaged')
    if (this.at !== this.bytes) throw this.damaged({ number: end.number, position: this.at }, 'is followed by more')
    return toHash(end.payload.subarray(6))
  }

  /** The next `length` bytes, without taking them. */
  private async peek(length: number, where: Pick<FileRecord, 'number' | 'position'>): Promise<Uint8Array> {
    if (this.buffer.length < length) {
      const wanted = Math.max(length, READ_BYTES)
      const bytes = new Uint8Array(wanted)
      bytes.set(this.buffer)
      let filled = this.buffer.length
      while (filled < wanted) {
        const { bytesRead } = await this.file.read(bytes, filled, wanted - filled, this.at + filled).catch((error) => {
          throw unreadable(this.path, error)
        })
        if (bytesRead === 0) break
        filled += bytesRead
      }
      this.buffer = bytes.subarray(0, filled)
    }
    if (this.buffer.length < length) throw this.damaged(where, 'is cut off')
    return this.buffer.subarray(0, length)
  }

  private damaged(where: Pick<FileRecord, 'number' | 'position'>, what: string): ChainFileError {
    return new ChainFileError('DAMAGED', `${this.place(where)} ${what}: take another copy of the file`)
  }
}

function unreadable(path: string, cause: Error): ChainFileError {
  return new ChainFileError('UNREADABLE', `${path} cannot be read: ${cause.message}`, { cause })
}

const nameOf = (kind: Kind): string => (kind === KIND.chain ? 'chain file' : 'snapshot')
