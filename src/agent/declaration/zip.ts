/**
 * Archives of untrusted origin -> their files, in memory. Reads the central directory of a .zip (APPNOTE 4.3) and takes only what
 * every tool understands alike: stored or deflated files, one name each, no encryption, no links, no overlapping data. What
 * the directory says of a file has to agree with the file's own header, its size and its checksum.
 */
import { crc32, inflateRawSync } from 'node:zlib'
import { utf8 } from '../../core/bytes.js'
import {
  archiveDepthMax,
  archiveEntriesMax,
  archivePathBytesMax,
  archiveRatioFreeBytesMax,
  archiveRatioMax,
  archiveUnpackedBytesMax,
  declarationPackageBytesMax,
} from '../../core/limits.js'
import { DeclarationError, type DeclarationErrorCode } from './declarationError.js'

/** Path with `/` -> bytes. */
export type Files = ReadonlyMap<string, Uint8Array>

const END = 0x06054b50
const CENTRAL = 0x02014b50
const LOCAL = 0x04034b50
const END_BYTES = 22
const CENTRAL_BYTES = 46
const LOCAL_BYTES = 30
const COMMENT_BYTES_MAX = 0xffff
/** Bits 0, 6 and 13: encrypted, strongly encrypted, directory masked. */
const ENCRYPTED = 0x2041
const UTF8_NAME = 0x800
const STORED = 0
const DEFLATED = 8
const FILE_TYPE = 0o170000
const REGULAR = 0o100000
const FOLDER = 0o040000

interface Entry {
  readonly path: string
  readonly rawName: Uint8Array
  readonly method: number
  readonly crc: number
  readonly packed: number
  readonly unpacked: number
  readonly offset: number
}

/** The regular files of an archive; `name` stands in messages. Throws DeclarationError. */
export function readZip(bytes: Uint8Array, name: string): Files {
  return new ZipReader(bytes, name).files()
}

class ZipReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #name: string

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#name = name
  }

  files(): Files {
    if (this.#bytes.length > declarationPackageBytesMax) {
      throw this.#fault('TOO_LARGE', `is over ${declarationPackageBytesMax} bytes`)
    }
    const entries = this.#directory()
    const names = new UniquePaths(this.#name)
    let total = 0
    for (const { path, unpacked, packed } of entries) {
      names.add(path)
      total += unpacked
      if (total > archiveUnpackedBytesMax) {
        throw this.#fault('TOO_LARGE', `unpacks to more than ${archiveUnpackedBytesMax} bytes: leave files out`)
      }
      if (unpacked > archiveRatioFreeBytesMax && unpacked > packed * archiveRatioMax) {
        throw this.#fault('TOO_LARGE', `unpacks to over ${archiveRatioMax} times its size: leave it out`, path)
      }
    }
    const starts = entries.map((entry) => this.#dataStart(entry))
    this.#refuseOverlap(entries, starts)
    return new Map(entries.map((entry, i) => [entry.path, this.#unpack(entry, starts[i]!)]))
  }

  #directory(): Entry[] {
    const end = this.#findEnd()
    const view = this.#view
    const count = view.getUint16(end + 10, true)
    const [size, start] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)]
    if (view.getUint32(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count) {
      throw this.#fault('BAD_ARCHIVE', 'is one part of several: pack it as one file')
    }
    if (count > archiveEntriesMax) throw this.#fault('TOO_LARGE', `holds more than ${archiveEntriesMax} files`)
    if (start + size !== end) throw this.#fault('BAD_ARCHIVE', 'is damaged (directory): pack it again')
    const entries: Entry[] = []
    let at = start
    for (let i = 0; i < count; i++) {
      const { entry, next } = this.#entry(at, end)
      if (entry) entries.push(entry)
      at = next
    }
    if (at !== end) throw this.#fault('BAD_ARCHIVE', 'is damaged (directory): pack it again')
    return entries
  }

  #findEnd(): number {
    const last = this.#bytes.length - END_BYTES
    for (let at = last; at >= 0 && at >= last - COMMENT_BYTES_MAX; at--) {
      if (this.#view.getUint32(at, true) !== END) continue
      if (at + END_BYTES + this.#view.getUint16(at + 20, true) === this.#bytes.length) return at
    }
    throw this.#fault('BAD_ARCHIVE', 'is no .zip archive, or is cut off: pack it again')
  }

  /** No entry for a folder. */
  #entry(at: number, end: number): { entry: Entry | undefined; next: number } {
    const view = this.#view
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL) {
      throw this.#fault('BAD_ARCHIVE', 'is damaged (directory): pack it again')
    }
    const u16 = (offset: number) => view.getUint16(at + offset, true)
    const u32 = (offset: number) => view.getUint32(at + offset, true)
    const next = at + CENTRAL_BYTES + u16(28) + u16(30) + u16(32)
    if (next > end) throw this.#fault('BAD_ARCHIVE', 'is damaged (directory): pack it again')
    const rawName = this.#bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + u16(28))
    const name = this.#text(rawName, (u16(8) & UTF8_NAME) !== 0)
    this.#checkKind(name, u16(8), u16(4) >>> 8, u32(38) >>> 16)
    const [packed, unpacked, offset] = [u32(20), u32(24), u32(42)]
    if (name.endsWith('/')) {
      checkPath(name.slice(0, -1), this.#name)
      if (unpacked !== 0) throw this.#fault('BAD_ARCHIVE', 'is a folder with content: pack it again', name)
      return { entry: undefined, next }
    }
    const path = checkPath(name, this.#name)
    return { entry: { path, rawName, method: u16(10), crc: u32(16), packed, unpacked, offset }, next }
  }

  #checkKind(name: string, flags: number, madeBy: number, mode: number): void {
    if ((flags & ENCRYPTED) !== 0) {
      throw this.#fault('ENCRYPTED', 'is protected by a password: pack it without one', name)
    }
    const type = mode & FILE_TYPE
    // 3: made on Unix, 19: on macOS; the mode says what it is.
    if ((madeBy === 3 || madeBy === 19) && type !== 0 && type !== REGULAR && type !== FOLDER) {
      throw this.#fault('UNSAFE_PATH', 'is a link or a device: pack the file itself', name)
    }
  }

  /** Chinese editions of Windows write names in GB18030 and do not say so. */
  #text(raw: Uint8Array, isUtf8: boolean): string {
    for (const encoding of isUtf8 ? ['utf-8'] : ['utf-8', 'gb18030']) {
      try {
        return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(raw)
      } catch {
        // The next encoding.
      }
    }
    throw this.#fault('BAD_ARCHIVE', 'holds a file whose name is neither UTF-8 nor GB18030: rename it')
  }

  #dataStart({ path, rawName, method, offset }: Entry): number {
    const view = this.#view
    if (offset + LOCAL_BYTES > this.#bytes.length || view.getUint32(offset, true) !== LOCAL) {
      throw this.#fault('BAD_ARCHIVE', 'is damaged (no header): pack it again', path)
    }
    const nameLength = view.getUint16(offset + 26, true)
    const own = this.#bytes.subarray(offset + LOCAL_BYTES, offset + LOCAL_BYTES + nameLength)
    const encrypted = (view.getUint16(offset + 6, true) & ENCRYPTED) !== 0
    if (encrypted || view.getUint16(offset + 8, true) !== method || Buffer.compare(own, rawName) !== 0) {
      throw this.#fault('BAD_ARCHIVE', 'has two headers that contradict each other: pack it again', path)
    }
    return offset + LOCAL_BYTES + nameLength + view.getUint16(offset + 28, true)
  }

  #refuseOverlap(entries: readonly Entry[], starts: readonly number[]): void {
    const spans = entries.map(({ offset, packed }, i) => ({ from: offset, to: starts[i]! + packed }))
    spans.sort((a, b) => a.from - b.from)
    let reached = 0
    for (const { from, to } of spans) {
      if (from < reached || to > this.#bytes.length) {
        throw this.#fault('BAD_ARCHIVE', 'holds files that overlap, or is cut off: pack it again')
      }
      reached = to
    }
  }

  #unpack({ path, method, crc, packed, unpacked }: Entry, start: number): Uint8Array {
    const data = this.#bytes.subarray(start, start + packed)
    const content = method === STORED ? data : method === DEFLATED ? this.#inflate(data, unpacked, path) : undefined
    if (content === undefined) {
      throw this.#fault('BAD_ARCHIVE', `is packed with method ${method}: pack it with deflate`, path)
    }
    if (content.length !== unpacked || crc32(content) !== crc) {
      throw this.#fault('BAD_ARCHIVE', 'is damaged (size or checksum): pack it again', path)
    }
    return content
  }

  #inflate(data: Uint8Array, unpacked: number, path: string): Uint8Array {
    try {
      // One byte more than stated, so that a longer stream is seen and never unpacked.
      return new Uint8Array(inflateRawSync(data, { maxOutputLength: unpacked + 1 }))
    } catch {
      throw this.#fault('BAD_ARCHIVE', 'is damaged (data): pack it again', path)
    }
  }

  #fault(code: DeclarationErrorCode, problem: string, field?: string): DeclarationError {
    return new DeclarationError(code, problem, { file: this.#name, field: field && printable(field) })
  }
}

/** Refuses paths that are one file on some systems and two on others. */
export class UniquePaths {
  readonly #seen = new Set<string>()
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  add(path: string): void {
    const key = path.toLowerCase()
    if (this.#seen.has(key)) {
      throw new DeclarationError('BAD_ARCHIVE', 'is there twice: rename or remove one', {
        file: this.#name,
        field: path,
      })
    }
    this.#seen.add(key)
  }
}

/** A path that stays inside the package, in NFC. Throws DeclarationError UNSAFE_PATH. */
export function checkPath(path: string, name: string): string {
  const fault = (problem: string) =>
    new DeclarationError('UNSAFE_PATH', problem, { file: name, field: printable(path) })
  const parts = path.split('/')
  if (/[\\:*?"<>|\p{Cc}\p{Cs}]/u.test(path))
    throw fault('the name has characters that no file of a package may have: rename it')
  if (parts.some((part) => part === '' || part === '.' || part === '..'))
    throw fault('leads out of the package: rename it')
  if (parts.some((part) => part.trim() !== part || part.endsWith('.'))) {
    throw fault('a name begins or ends with a space or ends with a dot: rename it')
  }
  if (parts.length - 1 > archiveDepthMax) throw fault(`is in more than ${archiveDepthMax} folders: move it up`)
  const normal = path.normalize('NFC')
  if (utf8(normal).length > archivePathBytesMax)
    throw fault(`the path is over ${archivePathBytesMax} bytes: shorten it`)
  return normal
}

const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cs}]/gu, '?').slice(0, archivePathBytesMax)
