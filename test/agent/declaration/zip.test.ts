import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { DeclarationError } from '../../../src/agent/declaration/declarationError.js'
import { readZip } from '../../../src/agent/declaration/zip.js'
import {
  archiveDepthMax,
  archiveEntriesMax,
  archivePathBytesMax,
  archiveRatioFreeBytesMax,
  archiveUnpackedBytesMax,
} from '../../../src/core/limits.js'
import { writeZip, type ZipEntry } from './zipWriter.js'

const FIXTURE = path.join(process.cwd(), 'test/agent/declaration/fixtures/types-openpyxl.xlsx')
const read = (entries: readonly ZipEntry[], options = {}) => readZip(writeZip(entries, options), 'a.zip')
const one = (entry: Partial<ZipEntry>) => read([{ name: 'a.txt', data: 'hello', ...entry }])
const gb = Uint8Array.from([0xd6, 0xd0, 0xce, 0xc4]) // 中文

t.test('files come out as they went in', async (t) => {
  const files = read([
    { name: 'a.txt', data: 'hello' },
    { name: 'folder/', data: '' },
    { name: 'folder/b.bin', data: new Uint8Array(1000), method: 0 },
    { name: 'empty', data: '' },
  ])
  t.same([...files.keys()], ['a.txt', 'folder/b.bin', 'empty'])
  t.equal(Buffer.from(files.get('a.txt')!).toString(), 'hello')
  t.equal(files.get('folder/b.bin')!.length, 1000)
  t.equal(read([{ name: 'a', data: 'x' }], { comment: 'made by a test' }).size, 1)
  t.equal(readZip(readFileSync(FIXTURE), 'f.xlsx').has('xl/workbook.xml'), true, "Python's zipfile wrote this one")
  t.equal(one({ mode: 0o100644 }).size, 1)
})

t.test('names in UTF-8 and in the GB18030 of Windows are read alike', async (t) => {
  t.same([...one({ name: '中文' }).keys()], ['中文'])
  t.same([...one({ name: gb, flags: 0 }).keys()], ['中文'])
  t.throws(() => one({ name: gb }), { code: 'BAD_ARCHIVE', message: /neither/ })
  t.same([...one({ name: 'e\u0301.txt' }).keys()], ['\u00e9.txt'], 'NFC')
})

t.test('UNSAFE_PATH: what leads out of the package', async (t) => {
  const names = [
    '../a',
    'a/../../b',
    '/etc/passwd',
    'C:\\x',
    'a\\b',
    'C:a',
    'a//b',
    './a',
    'a/.',
    'a\u0000b',
    'a/b ',
    ' a',
    'a.',
    'con:',
  ]
  for (const name of names) t.throws(() => one({ name }), { code: 'UNSAFE_PATH' }, JSON.stringify(name))
  for (const mode of [0o120777, 0o060000, 0o010000])
    t.throws(() => one({ mode }), { code: 'UNSAFE_PATH', message: /link/ })
  t.throws(() => one({ name: '../x/' }), { code: 'UNSAFE_PATH' }, 'folders too')
  const deep = (n: number) => `${'d/'.repeat(n)}f`
  t.equal(one({ name: deep(archiveDepthMax) }).size, 1)
  t.throws(() => one({ name: deep(archiveDepthMax + 1) }), { code: 'UNSAFE_PATH' })
  t.equal(one({ name: 'n'.repeat(archivePathBytesMax) }).size, 1)
  t.throws(() => one({ name: 'n'.repeat(archivePathBytesMax + 1) }), { code: 'UNSAFE_PATH' })
})

t.test('BAD_ARCHIVE, ENCRYPTED: archives that two tools would read differently', async (t) => {
  const bad = { code: 'BAD_ARCHIVE' }
  t.throws(() => readZip(new Uint8Array(0), 'a.zip'), bad)
  t.throws(() => readZip(new Uint8Array(100), 'a.zip'), bad)
  t.throws(() => one({ flags: 0x801 }), { code: 'ENCRYPTED' })
  t.throws(() => one({ method: 12 }), { ...bad, message: /method 12/ })
  t.throws(() => one({ localName: 'b.txt' }), { ...bad, message: /contradict/ })
  t.throws(() => one({ localMethod: 0 }), { ...bad, message: /contradict/ })
  t.throws(() => one({ crc: 1 }), { ...bad, message: /checksum/ })
  t.throws(() => one({ unpacked: 4 }), bad)
  t.throws(() => one({ unpacked: 6 }), bad)
  t.throws(() => one({ packed: Uint8Array.of(0xff, 0xff) }), bad)
  t.throws(() => one({ offset: 5 }), bad)
  t.throws(
    () =>
      read([
        { name: 'a', data: 'x' },
        { name: 'A', data: 'y' },
      ]),
    { ...bad, message: /twice/ },
  )
  t.throws(
    () =>
      read([
        { name: 'a', data: 'x' },
        { name: 'a', data: 'x', offset: 0 },
      ]),
    bad,
    'overlap',
  )
  t.throws(
    () =>
      read([
        { name: 'a', data: 'x' },
        { name: 'b', data: 'x', localName: 'a', offset: 0 },
      ]),
    bad,
  )
  t.throws(() => read([{ name: 'a', data: 'x' }], { count: 2 }), bad)
  t.throws(() => read([{ name: 'a', data: 'x' }], { directoryOffset: 0 }), bad)
})

t.test('BAD_ARCHIVE: a file inside of another, as bombs are made', async (t) => {
  const inner = writeZip([{ name: 'b', data: 'x', method: 0 }]).subarray(0, 32)
  const outer = { name: 'a', data: inner, method: 0 }
  const nested = { name: 'b', data: 'x', method: 0, offset: 31 }
  t.throws(() => read([outer, nested]), { code: 'BAD_ARCHIVE', message: /overlap/ })
  t.equal(read([outer, { ...nested, offset: 63 }]).size, 2, 'the same one beside it')
})

t.test('TOO_LARGE: bombs', async (t) => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => ({ name: `f${i}`, data: '' }))
  t.equal(read(many(archiveEntriesMax)).size, archiveEntriesMax)
  t.throws(() => read(many(archiveEntriesMax + 1)), { code: 'TOO_LARGE' })
  const zeros = (n: number) => [{ name: 'zeros', data: new Uint8Array(n) }]
  t.equal(read(zeros(archiveRatioFreeBytesMax)).size, 1)
  t.throws(() => read(zeros(archiveRatioFreeBytesMax + 100)), { code: 'TOO_LARGE', message: /200 times/ })
  const lie = { name: 'a', data: 'x', unpacked: archiveUnpackedBytesMax + 1 }
  t.throws(() => read([lie]), { code: 'TOO_LARGE', message: /unpacks to more/ })
  // The directory says 10 bytes, the stream holds a million: not more than 11 are unpacked.
  t.throws(() => read([{ name: 'a', data: new Uint8Array(1_000_000), unpacked: 10 }]), { code: 'BAD_ARCHIVE' })
})

t.test('any bytes: files, or an error with a code', async () => {
  const good = writeZip([
    { name: 'a.txt', data: 'hello '.repeat(50) },
    { name: 'b/c.txt', data: 'x', method: 0 },
  ])
  const attempt = (bytes: Uint8Array) => {
    try {
      readZip(bytes, 'fuzz.zip')
    } catch (error) {
      if (!(error instanceof DeclarationError)) throw error
    }
  }
  const flips = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(flips, fc.nat(good.length), (changes, cut) => {
      const bytes = good.slice()
      for (const [at, value] of changes) bytes[at] = value
      attempt(bytes)
      attempt(bytes.subarray(0, cut))
    }),
    { numRuns: 1500 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), attempt), { numRuns: 500 })
})
