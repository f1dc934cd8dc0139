/** What every DepartmentDatabase must do. Run it with a function that opens the database under a name, keeping what is there. */
import type { Test } from 'tap'
import type { DepartmentDatabase, NamedSecret, RecordWrite } from '../../src/agent/database/departmentDatabase.js'
import type { Hash } from '../../src/core/bytes.js'
import { secretNameBytesMax, secretValueBytesMax } from '../../src/core/limits.js'

export interface DatabaseUnderTest {
  /** Opens the database called `name`; a second open after close finds what the first has written. */
  open(name: string): Promise<DepartmentDatabase>
  /** False for databases that forget. */
  readonly durable: boolean
}

const CODE = '91510104000000017X'
const OTHER_CODE = '91510104000000028Y'
const enterpriseId = `0x${'ab'.repeat(32)}` as Hash
const bytes = (...values: number[]) => Uint8Array.from(values)
const plain = (record: { values: ReadonlyMap<string, string> } | null) =>
  record ? Object.fromEntries(record.values) : null

function write(companyName: string, creditCode: string, values: Record<string, string>): RecordWrite {
  return { locator: { companyName, creditCode }, values: new Map(Object.entries(values)) }
}

export function departmentDatabaseCompliance(t: Test, under: DatabaseUnderTest): void {
  t.test('an empty database has no records, cursor, messages or keys', async (t) => {
    const database = await under.open('empty')
    t.equal(await database.find({ companyName: 'A', creditCode: CODE }), null)
    t.equal(await database.cursor(), null)
    t.same(await database.outbox(), [])
    t.equal(await database.portraitKey(enterpriseId, 1), null)
    t.equal(await database.secret('a'), null)
    t.equal(await database.count(), 0)
    await database.close()
  })

  t.test('vacant and missing fields stay apart; a write merges', async (t) => {
    const database = await under.open('merge')
    const cursor = { height: 1, logIndex: 0 }
    await database.apply({ cursor, writes: [write('甲公司', CODE, { employees: '12', registeredCapital: '' })] })
    await database.apply({ cursor, writes: [write('甲公司', CODE, { employees: '13', paidUpCapital: '5.00' })] })
    const record = await database.find({ companyName: '', creditCode: CODE })
    t.same(plain(record), { employees: '13', registeredCapital: '', paidUpCapital: '5.00' })
    t.equal(record?.values.has('inventionPatents'), false)
    t.equal(await database.count(), 1)
    await database.close()
  })

  t.test('names that mean something to JavaScript are names', async (t) => {
    const database = await under.open('names')
    await database.bulkLoad([write('__proto__', '', { constructor: 'x', ['__proto__']: 'y', toString: 'z' })])
    const record = await database.find({ companyName: '__proto__', creditCode: '' })
    t.equal(record?.values.get('constructor'), 'x')
    t.equal(record?.values.get('toString'), 'z')
    t.equal(await database.find({ companyName: 'constructor', creditCode: '' }), null)
    await database.close()
  })

  t.test('finds by credit code, else by name; another code is another enterprise', async (t) => {
    const database = await under.open('find')
    await database.bulkLoad([
      write('同名公司', CODE, { employees: '1' }),
      write('同名公司', OTHER_CODE, { employees: '2' }),
    ])
    await database.bulkLoad([write('无码公司', '', { openingBank: '中国银行' })])
    t.equal(await database.count(), 3)
    t.same(plain(await database.find({ companyName: '同名公司', creditCode: CODE })), { employees: '1' })
    t.same(plain(await database.find({ companyName: '同名公司', creditCode: OTHER_CODE })), { employees: '2' })
    t.equal(await database.find({ companyName: '同名公司', creditCode: '91510104000000039Z' }), null)
    const uncoded = await database.find({ companyName: '无码公司', creditCode: '91510104000000039Z' })
    t.same(plain(uncoded), { openingBank: '中国银行' }, 'a record without a code is found by name')
    await database.close()
  })

  t.test('a new name replaces the old one', async (t) => {
    const database = await under.open('rename')
    await database.bulkLoad([write('旧名', CODE, { employees: '1' })])
    await database.apply({ cursor: { height: 1, logIndex: 0 }, writes: [write('新名', CODE, { employees: '2' })] })
    t.equal(await database.find({ companyName: '旧名', creditCode: '' }), null)
    t.same(plain(await database.find({ companyName: '新名', creditCode: '' })), { employees: '2' })
    t.equal(await database.count(), 1)
    await database.close()
  })

  t.test('writes, messages, keys and cursor of one change come together', async (t) => {
    const database = await under.open('change')
    await database.apply({
      cursor: { height: 7, logIndex: 3 },
      writes: [write('甲', CODE, { employees: '1' })],
      outboxPut: [
        { key: 'b', payload: bytes(1) },
        { key: 'a', payload: bytes(2) },
      ],
      portraitKeys: [{ enterpriseId, portraitVersion: 2, key: new Uint8Array(32).fill(9) }],
    })
    t.same(await database.cursor(), { height: 7, logIndex: 3 })
    t.same(
      (await database.outbox()).map((item) => [item.key, ...item.payload]),
      [
        ['b', 1],
        ['a', 2],
      ],
    )
    t.same(await database.portraitKey(enterpriseId, 2), new Uint8Array(32).fill(9))
    t.equal(await database.portraitKey(enterpriseId, 1), null)
    const put = [{ key: 'b', payload: bytes(3) }]
    await database.apply({ outboxPut: put, outboxDelete: ['a', 'unknown'] })
    t.same(await database.cursor(), { height: 7, logIndex: 3 }, 'a change without a cursor leaves it')
    t.same(
      (await database.outbox()).map((item) => [item.key, ...item.payload]),
      [['b', 3]],
    )
    await database.close()
  })

  t.test('secrets: written, replaced, deleted, bounded', async (t) => {
    const database = await under.open('secrets')
    t.equal(await database.secret('round/1'), null)
    const one = { name: 'round/1', value: bytes(1, 2) }
    await database.apply({ cursor: { height: 1, logIndex: 0 }, secrets: [one, { name: 'empty', value: bytes() }] })
    t.same(await database.secret('round/1'), bytes(1, 2))
    t.same(await database.secret('empty'), bytes(), 'an empty secret is there')
    t.equal(await database.secret('round'), null, 'a name is the whole name')
    const gone = { name: 'empty', value: null }
    await database.apply({ secrets: [{ ...one, value: bytes(3) }, gone, { ...gone, name: 'unknown' }] })
    t.same(await database.secret('round/1'), bytes(3))
    t.equal(await database.secret('empty'), null)

    const name = `${'密'.repeat(42)}ab`
    t.equal(Buffer.byteLength(name), secretNameBytesMax)
    const value = new Uint8Array(secretValueBytesMax).fill(7)
    await database.apply({ secrets: [{ name, value }] })
    t.same(await database.secret(name), value)
    const refused = (secret: NamedSecret) =>
      t.rejects(database.apply({ secrets: [{ ...one, value: bytes(9) }, secret] }), { code: 'INVALID_RECORD' })
    await refused({ name: `${name}x`, value })
    await refused({ name: '', value })
    await refused({ name, value: new Uint8Array(secretValueBytesMax + 1) })
    t.same(await database.secret('round/1'), bytes(3), 'nothing of a refused change has happened')
    await database.close()
  })

  t.test('a refused change changes nothing', async (t) => {
    const database = await under.open('refused')
    await database.apply({ cursor: { height: 1, logIndex: 0 }, writes: [write('甲', CODE, { employees: '1' })] })
    const bad = {
      cursor: { height: 2, logIndex: 0 },
      writes: [write('甲', CODE, { employees: '2' }), write('', '', { employees: '3' })],
      outboxPut: [{ key: 'x', payload: bytes(1) }],
    }
    await t.rejects(database.apply(bad), { code: 'INVALID_RECORD' })
    const long = write('甲', CODE, { employees: 'x'.repeat(5_000) })
    await t.rejects(database.apply({ cursor: { height: 2, logIndex: 0 }, writes: [long] }), { code: 'INVALID_RECORD' })
    t.same(await database.cursor(), { height: 1, logIndex: 0 })
    t.same(plain(await database.find({ companyName: '', creditCode: CODE })), { employees: '1' })
    t.same(await database.outbox(), [])
    await database.close()
  })

  t.test('concurrent changes happen one after the other', async (t) => {
    const database = await under.open('concurrent')
    const one = (i: number) =>
      database.apply({ cursor: { height: i, logIndex: 0 }, writes: [write('甲', CODE, { [`attribute${i}`]: `${i}` })] })
    await Promise.all(Array.from({ length: 20 }, (_, i) => one(i)))
    t.equal((await database.find({ companyName: '甲', creditCode: CODE }))?.values.size, 20)
    t.same(await database.cursor(), { height: 19, logIndex: 0 })
    t.equal(await database.count(), 1)
    await database.close()
  })

  t.test('bulk load reports progress and can be repeated', async (t) => {
    const database = await under.open('bulk')
    const records = Array.from({ length: 2_500 }, (_, i) => write(`公司${i}`, '', { employees: `${i}` }))
    const seen: number[] = []
    const onProgress = ({ loaded }: { loaded: number }) => seen.push(loaded)
    t.equal(await database.bulkLoad(records, { total: records.length, onProgress }), 2_500)
    t.equal(seen.at(-1), 2_500)
    t.ok(seen.length > 1, 'more than one report')
    await database.bulkLoad(records)
    t.equal(await database.count(), 2_500)
    await database.close()
    await t.rejects(database.apply({ cursor: { height: 1, logIndex: 0 } }), { code: 'FAILED' }, 'closed')
  })

  t.test('everything is there after reopening', { skip: under.durable ? false : 'forgets on close' }, async (t) => {
    const first = await under.open('durable')
    await first.bulkLoad([write('甲', CODE, { employees: '1', openingBank: '' })])
    await first.apply({
      cursor: { height: 3, logIndex: 4 },
      outboxPut: ['c', 'a', 'b'].map((key) => ({ key, payload: bytes(key.charCodeAt(0)) })),
      portraitKeys: [{ enterpriseId, portraitVersion: 1, key: new Uint8Array(32).fill(5) }],
      secrets: [{ name: 'a', value: bytes(8) }],
    })
    await first.apply({ cursor: { height: 3, logIndex: 5 }, outboxDelete: ['a'] })
    await first.close()
    const second = await under.open('durable')
    t.same(await second.cursor(), { height: 3, logIndex: 5 })
    t.same(
      (await second.outbox()).map((item) => item.key),
      ['c', 'b'],
    )
    t.same(plain(await second.find({ companyName: '甲', creditCode: '' })), { employees: '1', openingBank: '' })
    t.same(await second.portraitKey(enterpriseId, 1), new Uint8Array(32).fill(5))
    t.same(await second.secret('a'), bytes(8))
    t.equal(await second.count(), 1)
    await second.close()
  })
}
