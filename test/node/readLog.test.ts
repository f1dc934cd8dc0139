import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import {
  chainHash,
  decodeReadRecord,
  encodeReadRecord,
  READ_LOG_START,
  type ReadRecord,
} from '../../src/audit/readRecord.js'
import { textId } from '../../src/contracts/textId.js'
import { type Address, toAddress, toHash, ZERO_HASH } from '../../src/core/bytes.js'
import { ReadLog, type ReadLogOptions } from '../../src/node/readLog.js'
import { listReadFiles, type ReadLogHead, scanReadFile } from '../../src/node/readLogFiles.js'

const READER = `0x${'ab'.repeat(20)}` as Address
const ENTERPRISE = textId('91440300708461136T')

const read = (height: number, changes: Partial<ReadRecord> = {}) => ({
  timeMs: 1_700_000_000_000 + height,
  height,
  call: 'portraitEntries',
  enterprise: ENTERPRISE,
  attributes: [textId('employees')],
  reader: READER,
  remote: 'loopback',
  note: '',
  ...changes,
})

const OPTIONS = { fileBytesMax: 1_000_000, totalBytesMax: 10_000_000, flushMs: 1, queueMax: 1_000 }

function open(dir: string, options: Partial<ReadLogOptions> = {}) {
  const fatal: unknown[] = []
  const warnings: string[] = []
  const needs = { fatal: (error: unknown) => fatal.push(error), warn: (message: string) => warnings.push(message) }
  return { log: ReadLog.open({ dir, ...OPTIONS, ...options }, needs), fatal, warnings }
}

async function write(log: ReadLog, from: number, to: number): Promise<void> {
  for (let height = from; height <= to; height++) log.push(() => read(height))
  await log.flush()
}

/** All records by their files, and the first fault. */
function scan(dir: string) {
  const files = listReadFiles(dir).map(scanReadFile)
  const records = files.flatMap((file) => file.records)
  return {
    files,
    records,
    heights: records.map(({ record }) => record.height),
    fault: files.find((f) => f.fault)?.fault,
  }
}

t.test('records survive their encoding', async (t) => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHash)
  const text = fc.string({ unit: 'grapheme', maxLength: 60 })
  const record = fc.record({
    sequence: fc.integer({ min: 1 }),
    timeMs: fc.nat(),
    height: fc.nat(),
    call: text,
    enterprise: fc.oneof(hash, fc.constant(ZERO_HASH)),
    attributes: fc.array(hash, { maxLength: 32 }),
    reader: fc.uint8Array({ minLength: 20, maxLength: 20 }).map(toAddress),
    remote: text,
    note: text,
  })
  fc.assert(
    fc.property(record, (one) => {
      t.same(decodeReadRecord(encodeReadRecord(one)), one)
    }),
    { numRuns: 50 },
  )
})

t.test('each record is chained to the one before it, over files and restarts', async (t) => {
  const dir = t.testdir()
  const { log, fatal } = open(dir, { fileBytesMax: 400 })
  for (let height = 1; height <= 6; height++) await write(log, height, height)
  await log.close()
  const again = open(dir, { fileBytesMax: 400 })
  t.same(again.log.head, log.head)
  await write(again.log, 7, 9)
  await again.log.close()
  const { files, records, heights, fault } = scan(dir)
  t.ok(files.length > 2, 'several files')
  t.equal(fault, undefined)
  t.same(heights, [1, 2, 3, 4, 5, 6, 7, 8, 9])
  let previous = READ_LOG_START
  for (const [index, { record, hash }] of records.entries()) {
    t.equal(record.sequence, index + 1)
    previous = chainHash(previous, encodeReadRecord(record))
    t.equal(hash, previous)
  }
  t.same(again.log.head, { sequence: 9, hash: previous })
  t.same(fatal, [])
})

t.test('a torn end is cut off and kept beside, wherever it was torn', async (t) => {
  const whole = t.testdir({ whole: {} })
  const { log } = open(join(whole, 'whole'))
  await write(log, 1, 3)
  await log.close()
  const [file] = listReadFiles(join(whole, 'whole'))
  const bytes = readFileSync(file!.path)
  const recordBytes = (bytes.length - 48) / 3
  for (const cut of [1, 31, 32, 33, recordBytes - 1, recordBytes]) {
    const dir = join(whole, `cut-${cut}`)
    const { log: begun } = open(dir)
    await write(begun, 1, 3)
    await begun.close()
    truncateSync(listReadFiles(dir)[0]!.path, bytes.length - cut)
    const { log: after, warnings } = open(dir)
    t.equal(after.head.sequence, 2, `${cut} bytes less`)
    t.equal(warnings.length, cut === recordBytes ? 0 : 1)
    await write(after, 4, 4)
    await after.close()
    t.same(scan(dir).heights, [1, 2, 4])
    t.equal(scan(dir).fault, undefined)
    t.equal(readdirSync(dir).filter((name) => name.endsWith('.cut')).length, cut === recordBytes ? 0 : 1)
  }
})

t.test('a file whose header was not written whole is begun anew', async (t) => {
  const dir = t.testdir()
  const { log } = open(dir)
  await write(log, 1, 2)
  await log.close()
  writeFileSync(join(dir, 'reads-0000000000000003.log'), 'cdre')
  const { log: after, warnings } = open(dir)
  t.equal(after.head.sequence, 2)
  t.equal(warnings.length, 1)
  await write(after, 3, 3)
  await after.close()
  t.same(scan(dir).heights, [1, 2, 3])
})

t.test('a changed, removed or exchanged record is found', async (t) => {
  const dir = t.testdir()
  const { log } = open(dir)
  await write(log, 1, 4)
  await log.close()
  const [file] = listReadFiles(dir)
  const bytes = readFileSync(file!.path)
  const size = (bytes.length - 48) / 4
  const at = (sequence: number) => 48 + size * (sequence - 1)
  const faultOf = (changed: Uint8Array) => {
    writeFileSync(file!.path, changed)
    return scan(dir).fault
  }
  for (let offset = at(2); offset < at(3); offset += 7) {
    const changed = Uint8Array.from(bytes)
    changed[offset]! ^= 1
    t.match(faultOf(changed), /entry 2 /, `byte ${offset - at(2)} of entry 2`)
  }
  const without = Buffer.concat([bytes.subarray(0, at(2)), bytes.subarray(at(3))])
  t.match(faultOf(without), /entry 2 is missing: 3 stands there/)
})

t.test('the oldest files go beyond the bound', async (t) => {
  const dir = t.testdir()
  const { log } = open(dir, { fileBytesMax: 400, totalBytesMax: 2_000 })
  for (let height = 1; height <= 40; height++) await write(log, height, height)
  await log.close()
  const bytes = listReadFiles(dir).reduce((sum, { path }) => sum + statSync(path).size, 0)
  t.ok(bytes <= 2_000 + 600, `${bytes} bytes are kept`)
  const { files, heights, fault } = scan(dir)
  t.equal(fault, undefined)
  t.equal(heights.at(-1), 40)
  t.ok(files[0]!.first > 1)
  const { log: again } = open(dir)
  t.same(again.head, log.head)
})

t.test('a full queue has no room until it is on disk', async (t) => {
  const { log } = open(t.testdir(), { queueMax: 3, flushMs: 60_000 })
  for (let i = 0; i < 3; i++) {
    t.ok(log.hasRoom)
    log.push(() => read(i))
  }
  t.notOk(log.hasRoom)
  await log.flush()
  t.ok(log.hasRoom)
  await log.close()
  t.notOk(log.hasRoom, 'nor has a closed one')
})

t.test('a fault of the disk is fatal, and ends all reads', async (t) => {
  const dir = join(t.testdir(), 'reads')
  const { log, fatal } = open(dir)
  rmSync(dir, { recursive: true })
  log.push(() => read(1))
  await log.flush()
  t.equal(fatal.length, 1)
  t.notOk(log.hasRoom)
})

t.test('a log that is behind its anchor goes on behind it, so that the gap shows', async (t) => {
  const dir = t.testdir()
  const { log } = open(dir)
  await write(log, 1, 2)
  await log.close()
  const anchored: ReadLogHead = { sequence: 5, hash: toHash(new Uint8Array(32).fill(5)) }
  const { log: after, warnings } = open(dir, { anchored })
  t.equal(warnings.length, 1)
  await write(after, 6, 6)
  await after.close()
  const { files, records } = scan(dir)
  t.equal(files.at(-1)!.previous, anchored.hash)
  t.equal(records.at(-1)!.record.sequence, 6)
  t.equal(open(dir, { anchored }).warnings.length, 0)
})

t.test('garbage behind the last record is cut off', async (t) => {
  const dir = t.testdir()
  const { log } = open(dir)
  await write(log, 1, 2)
  await log.close()
  appendFileSync(listReadFiles(dir)[0]!.path, Buffer.alloc(500))
  t.equal(open(dir).log.head.sequence, 2)
})
