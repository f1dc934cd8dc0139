/** Writes .zip archives for tests, with every field open to lies. */
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  readonly name: string | Uint8Array
  readonly data: Uint8Array | string
  readonly method?: 0 | 8 | number
  readonly flags?: number
  readonly localName?: string
  readonly localMethod?: number
  readonly unpacked?: number
  readonly crc?: number
  readonly offset?: number
  /** Unix mode; the entry then says that it was made on Unix. */
  readonly mode?: number
  /** In place of the packed data. */
  readonly packed?: Uint8Array
}

export interface ZipOptions {
  readonly comment?: string
  readonly count?: number
  readonly directoryOffset?: number
}

const bytesOf = (data: Uint8Array | string) => (typeof data === 'string' ? Buffer.from(data) : Buffer.from(data))

export function writeZip(entries: readonly ZipEntry[], options: ZipOptions = {}): Uint8Array {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const entry of entries) {
    const data = bytesOf(entry.data)
    const method = entry.method ?? 8
    const packed = Buffer.from(entry.packed ?? (method === 8 ? deflateRawSync(data) : data))
    const name = bytesOf(entry.name)
    const local = Buffer.alloc(30)
    const localName = entry.localName === undefined ? name : Buffer.from(entry.localName)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(entry.flags ?? 0x800, 6)
    local.writeUInt16LE(entry.localMethod ?? method, 8)
    local.writeUInt16LE(localName.length, 26)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt16LE(entry.mode === undefined ? 20 : 20 | (3 << 8), 4)
    central.writeUInt16LE(entry.flags ?? 0x800, 8)
    central.writeUInt16LE(method, 10)
    central.writeUInt32LE(entry.crc ?? crc32(data), 16)
    central.writeUInt32LE(packed.length, 20)
    central.writeUInt32LE(entry.unpacked ?? data.length, 24)
    central.writeUInt16LE(name.length, 28)
    central.writeUInt32LE(((entry.mode ?? 0) << 16) >>> 0, 38)
    central.writeUInt32LE(entry.offset ?? at, 42)
    parts.push(local, localName, packed)
    directory.push(central, name)
    at += local.length + localName.length + packed.length
  }
  const end = Buffer.alloc(22)
  const size = directory.reduce((sum, part) => sum + part.length, 0)
  const count = options.count ?? entries.length
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(size, 12)
  end.writeUInt32LE(options.directoryOffset ?? at, 16)
  end.writeUInt16LE(options.comment?.length ?? 0, 20)
  return new Uint8Array(Buffer.concat([...parts, ...directory, end, Buffer.from(options.comment ?? '')]))
}

/** A workbook whose sheets are given as the XML inside `<worksheet>`. */
export function writeWorkbook(
  sheets: Readonly<Record<string, string>>,
  { strings = '', styles = '', workbook = '', extra = [] as ZipEntry[] } = {},
): Uint8Array {
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
  const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
  const relations = 'http://schemas.openxmlformats.org/package/2006/relationships'
  const names = Object.keys(sheets)
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${office}/${type}" Target="${target}"/>`
  return writeZip([
    {
      name: '_rels/.rels',
      data: `<Relationships xmlns="${relations}">${relation('r', 'officeDocument', 'xl/workbook.xml')}</Relationships>`,
    },
    {
      name: 'xl/workbook.xml',
      data: `<workbook xmlns="${main}" xmlns:r="${office}">${workbook}<sheets>${names.map((name, i) => `<sheet name="${name}" sheetId="${i + 1}" r:id="s${i}"/>`).join('')}</sheets></workbook>`,
    },
    {
      name: 'xl/_rels/workbook.xml.rels',
      data: `<Relationships xmlns="${relations}">${names.map((_, i) => relation(`s${i}`, 'worksheet', `worksheets/sheet${i}.xml`)).join('')}${relation('t', 'sharedStrings', 'sharedStrings.xml')}${relation('y', 'styles', 'styles.xml')}</Relationships>`,
    },
    { name: 'xl/sharedStrings.xml', data: `<sst xmlns="${main}">${strings}</sst>` },
    { name: 'xl/styles.xml', data: `<styleSheet xmlns="${main}">${styles}</styleSheet>` },
    ...Object.values(sheets).map((xml, i) => ({
      name: `xl/worksheets/sheet${i}.xml`,
      data: `<?xml version="1.0" encoding="UTF-8"?>\n<worksheet xmlns="${main}">${xml}</worksheet>`,
    })),
    ...extra,
  ])
}
