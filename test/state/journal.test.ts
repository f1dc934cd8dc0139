import fs, { copyFileSync, existsSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { toHex, utf8 } from '../../src/core/bytes.js'
import { journalRecordBytesMax } from '../../src/core/limits.js'
import { isBefore, Journal } from '../../src/state/journal.js'
import { FILE_HEADER_BYTES, frameBytes, JOURNAL_OWNER_BYTES } from '../../src/state/journalFrames.js'

/** Small, so that the tests read and copy little. */
const options = { growBytes: 4096, bytesMax: 1024 * 1024 }
const texts = (records: readonly Uint8Array[]) => records.map((record) => new TextDecoder().decode(record))

/** Opens, reads the records and closes. */
function recordsIn(path: string): string[] {
  const journal = Journal.open(path, options)
  const records = texts(journal.records())
  journal.close()
  return records
}

t.test('records come back in order, those not synced do not', async (t) => {
  const path = join(t.testdir(), 'deep', 'journal')
  const journal = Journal.open(path, options)
  t.same(journal.records(), [])
  journal.append(utf8('one'))
  journal.append(utf8(''))
  journal.sync()
  journal.append(utf8('three'))
  journal.sync()
  journal.sync()
  journal.append(utf8('lost'))
  journal.close()
  journal.close()
  t.same(recordsIn(path), ['one', '', 'three'])
  const again = Journal.open(path, options)
  t.equal(again.bytesUsed, FILE_HEADER_BYTES + frameBytes(4 + 3 + 4) + frameBytes(4 + 5))
  t.equal(again.records().length, 3)
  t.same(again.records(), [], 'handed out once')
  again.append(utf8('four'))
  again.sync()
  again.close()
  t.same(recordsIn(path), ['one', '', 'three', 'four'])
})

t.test('any batches of records', async (t) => {
  const dir = t.testdir()
  let run = 0
  const anyBatches = fc.array(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 4 }), { maxLength: 6 })
  fc.assert(
    fc.property(anyBatches, (batches) => {
      const path = join(dir, `journal-${run++}`)
      for (const batch of batches) {
        const journal = Journal.open(path, options)
        for (const record of batch) journal.append(record)
        journal.sync()
        journal.close()
      }
      const journal = Journal.open(path, options)
      const found = journal.records()
      journal.close()
      return JSON.stringify(found.map(toHex)) === JSON.stringify(batches.flat().map(toHex))
    }),
    { numRuns: 30 },
  )
})

t.test('cut or torn anywhere in the last frame: the frames before it stay, and appending goes on', async (t) => {
  const dir = t.testdir()
  const whole = join(dir, 'whole')
  const journal = Journal.open(whole, options)
  for (const text of ['first', 'second', 'the last one, somewhat longer']) {
    journal.append(utf8(text))
    if (text === 'first') continue
    journal.sync()
  }
  const end = journal.bytesUsed
  journal.close()
  const start = end - frameBytes(4 + 29)
  // Behind it the frame is padded with zeros.
  const dataEnd = start + 16 + 4 + 29
  const path = join(dir, 'cut')
  for (let length = start; length < dataEnd; length++) {
    copyFileSync(whole, path)
    truncateSync(path, length)
    t.same(recordsIn(path), ['first', 'second'], `cut at ${length}`)
  }
  const bytes = readFileSync(whole)
  for (let at = start; at < dataEnd; at++) {
    const torn = Buffer.from(bytes)
    // From here on the disk still has what was there before: zeros; and the other way round.
    if (at % 2 === 0) torn.fill(0, at, end)
    else torn.fill(0, start, at + 1)
    writeFileSync(path, torn)
    const reopened = Journal.open(path, options)
    const records = texts(reopened.records())
    if (records.length === 3) t.equal(at % 2, 0, 'only zeros were lost')
    else t.same(records, ['first', 'second'], `torn at ${at}`)
    reopened.append(utf8('after'))
    reopened.sync()
    reopened.close()
    t.equal(recordsIn(path).at(-1), 'after')
  }
})

t.test('CORRUPT: damage with whole frames behind it, a bad header, a file of another kind', async (t) => {
  const dir = t.testdir()
  const path = join(dir, 'journal')
  const journal = Journal.open(path, options)
  for (const text of ['first', 'second', 'third']) {
    journal.append(utf8(text))
    journal.sync()
  }
  journal.close()
  const bytes = readFileSync(path)
  // The first bytes tell the version.
  for (let at = 4; at < FILE_HEADER_BYTES + 2 * frameBytes(4 + 6) - 6; at++) {
    // Padding carries nothing.
    const inFrame = (at - FILE_HEADER_BYTES) % frameBytes(4 + 6)
    if (at >= FILE_HEADER_BYTES && inFrame >= 16 + 4 + 5) continue
    const damaged = Buffer.from(bytes)
    damaged[at]! ^= 0x40
    writeFileSync(path, damaged)
    t.throws(
      () => Journal.open(path, options),
      { code: 'CORRUPT', message: /is damaged .*do not let it seal/ },
      `byte ${at}`,
    )
    t.same(readFileSync(path), damaged, 'the file is left as it is')
  }
  writeFileSync(path, 'something else entirely, '.repeat(5))
  t.throws(() => Journal.open(path, options), { code: 'CORRUPT' })
  truncateSync(path, 0)
  truncateSync(path, options.bytesMax + 1)
  t.throws(() => Journal.open(path, options), { code: 'CORRUPT' })
  truncateSync(path, 100)
  t.same(recordsIn(path), [], 'a file that was being created when the power went')
})

t.test('one bit wrong, anywhere: it stops, or loses the last frame only', async (t) => {
  const path = join(t.testdir(), 'journal')
  const journal = Journal.open(path, { ...options, growBytes: 64 })
  for (const text of ['first', 'second', 'third']) {
    journal.append(utf8(text))
    journal.sync()
  }
  const end = journal.bytesUsed
  journal.close()
  const bytes = readFileSync(path)
  const last = end - frameBytes(4 + 5)
  const outcomes = new Map<string, number>()
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  for (let bit = 0; bit < 8 * end; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    writeFileSync(path, flipped)
    const before = bit < 8 * last
    try {
      const found = recordsIn(path)
      if (found.length === 3) count('padding')
      else if (found.length === 2 && !before) count('cut')
      else t.fail(`bit ${bit}: ${found}`)
    } catch (error) {
      const { code, message } = error as { code: string; message: string }
      if (!before || !message.includes(path)) t.fail(`bit ${bit}: ${message}`)
      count(code)
    }
  }
  // The second frame is 'second', which fills 26 bytes of 32; 'first' and 'third' leave 7 of 32 and the header none.
  t.same(Object.fromEntries(outcomes), {
    VERSION: 8,
    CORRUPT: 8 * (FILE_HEADER_BYTES + 25 + 26) - 8,
    padding: 8 * (7 + 6 + 7),
    cut: 8 * 25,
  })
})

t.test('cut at every byte of the last three frames: what is left is a run of whole frames', async (t) => {
  const dir = t.testdir()
  const whole = join(dir, 'whole')
  const path = join(dir, 'cut')
  const texts = ['first', 'second', 'third', 'fourth']
  const journal = Journal.open(whole, { ...options, growBytes: 64 })
  const ends = texts.map((text) => {
    journal.append(utf8(text))
    journal.sync()
    return journal.bytesUsed
  })
  journal.close()
  for (let length = ends[0]!; length < ends[3]!; length++) {
    copyFileSync(whole, path)
    truncateSync(path, length)
    const reopened = Journal.open(path, options)
    const found = reopened.records().map((record) => new TextDecoder().decode(record))
    const left = texts.filter((text, index) => length >= ends[index]! - paddingOf(text))
    t.same(found, left, `cut at ${length}`)
    t.equal(reopened.position.sequence, left.length + 1)
    reopened.close()
  }
})

/** Zeros behind a frame of one record, which carry nothing. */
const paddingOf = (text: string): number => frameBytes(4 + text.length) - 16 - 4 - text.length

t.test('owner and position: another node, another chain, another version, an older copy', async (t) => {
  const dir = t.testdir()
  const path = join(dir, 'journal')
  const owner = new Uint8Array(JOURNAL_OWNER_BYTES).fill(7)
  const journal = Journal.open(path, { ...options, owner })
  t.same(journal.position, { generation: 0, sequence: 1 })
  journal.append(utf8('one'))
  journal.sync()
  t.same(journal.position, { generation: 0, sequence: 2 })
  journal.close()
  copyFileSync(path, `${path}.old`)
  const again = Journal.open(path, { ...options, owner })
  t.same(again.position, { generation: 0, sequence: 2 })
  again.rewrite([utf8('kept')])
  const later = again.position
  t.same(later, { generation: 1, sequence: 2 })
  again.rewrite([], 9)
  t.same(again.position, { generation: 9, sequence: 1 }, 'not before the generation that was asked for')
  again.close()
  const old = Journal.open(`${path}.old`, { ...options, owner })
  t.ok(isBefore(old.position, later))
  t.notOk(isBefore(later, old.position))
  t.notOk(isBefore(later, later))
  t.ok(isBefore({ generation: 1, sequence: 1 }, later))
  old.close()
  const bytes = readFileSync(path)
  for (const at of [0, 31, 32, JOURNAL_OWNER_BYTES - 1]) {
    const other = owner.slice()
    other[at]! ^= 1
    t.throws(() => Journal.open(path, { ...options, owner: other }), { code: 'FOREIGN', message: /another sealer/ })
  }
  t.same(readFileSync(path), bytes, 'the file is left as it is')
  writeFileSync(path, Buffer.concat([Buffer.from('cdj1'), bytes.subarray(4)]))
  t.throws(() => Journal.open(path, { ...options, owner }), { code: 'VERSION', message: /another version/ })
})

t.test('IO: a path that is no ordinary file', async (t) => {
  const path = join(t.testdir(), 'journal')
  symlinkSync('/dev/full', path)
  t.throws(() => Journal.open(path, options), { code: 'IO', message: /no ordinary file/ })
})

t.test(
  'IO: a disk that fails, at each call that may: nothing is used afterwards, and what was synced is there',
  async (t) => {
    const faulty = ['writeSync', 'fdatasyncSync', 'fsyncSync', 'openSync', 'renameSync', 'closeSync'] as const
    for (const name of faulty) {
      const path = join(t.testdir(), `journal-${name}`)
      const journal = Journal.open(path, { ...options, growBytes: 64 })
      journal.append(utf8('synced'))
      journal.sync()
      journal.append(utf8('lost'.repeat(40)))
      const rewrites = name === 'openSync' || name === 'renameSync' || name === 'closeSync'
      const act = () => (rewrites ? journal.rewrite([utf8('new')]) : journal.sync())
      const restore = failing(name)
      try {
        t.throws(act, { code: 'IO', message: /EIO.*check the disk/ }, name)
      } finally {
        restore()
      }
      t.throws(() => journal.append(utf8('more')), { code: 'IO' }, 'refuses further use')
      t.throws(act, { code: 'IO' })
      t.equal(recordsIn(path)[0], 'synced', name)
      if (rewrites) t.same(recordsIn(path), ['synced'], 'the old file is still there')
    }
  },
)

/** Makes one call of the file system fail as a broken disk does. */
function failing(
  name: 'writeSync' | 'fdatasyncSync' | 'fsyncSync' | 'openSync' | 'renameSync' | 'closeSync',
): () => void {
  const original = fs[name]
  Reflect.set(fs, name, () => {
    throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
  })
  syncBuiltinESMExports()
  return () => {
    Reflect.set(fs, name, original)
    syncBuiltinESMExports()
  }
}

t.test('rewrite replaces the content at once', async (t) => {
  const path = join(t.testdir(), 'journal')
  const journal = Journal.open(path, options)
  for (let i = 0; i < 50; i++) {
    journal.append(new Uint8Array(1000).fill(i))
    journal.sync()
  }
  t.ok(journal.bytesUsed > 50_000)
  journal.append(utf8('not synced'))
  journal.rewrite([utf8('kept')])
  t.ok(journal.bytesUsed < 100)
  journal.append(utf8('next'))
  journal.sync()
  journal.close()
  t.ok(statSync(path).size < 10_000)
  writeFileSync(`${path}.new`, 'a rewrite that did not get to its end')
  t.same(recordsIn(path), ['kept', 'next'])
  t.notOk(existsSync(`${path}.new`))
  const empty = Journal.open(path, options)
  empty.rewrite([])
  empty.close()
  t.same(recordsIn(path), [])
})

t.test('FULL: the bound holds at the last byte, and rewriting makes room', async (t) => {
  const path = join(t.testdir(), 'journal')
  const journal = Journal.open(path, { growBytes: 1024, bytesMax: 8192 })
  const room = 8192 - FILE_HEADER_BYTES - 16 - 4
  t.throws(() => journal.append(new Uint8Array(room + 1)), { code: 'FULL', message: /nothing became final/ })
  journal.append(new Uint8Array(room))
  journal.sync()
  t.equal(statSync(path).size, 8192)
  t.throws(() => journal.append(utf8('x')), { code: 'FULL' })
  journal.rewrite([utf8('x')])
  journal.append(utf8('y'))
  journal.sync()
  journal.close()
  t.same(recordsIn(path), ['x', 'y'])
  const other = Journal.open(join(t.testdir(), 'other'))
  t.throws(() => other.append(new Uint8Array(journalRecordBytesMax + 1)), { code: 'FULL', message: /at most/ })
  other.close()
})

t.test('IO: a failed write poisons the journal; a folder that cannot be written is named', async (t) => {
  const dir = t.testdir({ file: '' })
  const journal = Journal.open(join(dir, 'journal'), options)
  journal.append(utf8('x'))
  journal.close()
  t.throws(() => journal.sync(), { code: 'IO', message: /writing journal .* failed/ })
  t.throws(() => journal.append(utf8('y')), { code: 'IO' })
  t.throws(() => journal.sync(), { code: 'IO' })
  t.throws(() => journal.rewrite([]), { code: 'IO' })
  t.throws(() => Journal.open(join(dir, 'file', 'journal'), options), { code: 'IO', message: /opening journal/ })
})
