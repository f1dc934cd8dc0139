/** Departments' own tables, as a mapping reads and writes them. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import pg from 'pg'
import t, { type Test } from 'tap'
import { emptyMapping, type Mapping, mappingSchema } from '../../src/agent/database/postgres/mapping.js'
import { openPostgresDatabase, type PostgresOptions } from '../../src/agent/database/postgres/open.js'
import { GetConfirm, GetExistence } from '../../src/agent/department/functions.js'
import { CASE_RULE, CHECKSUM, EXISTENCE, VALUE_TYPE } from '../../src/contracts/codes.js'
import type { Schema } from '../../src/contracts/genesisTypes.js'
import { readConfig } from '../../src/node/configFile.js'
import { type TestDatabase, testDatabase, testRole, withoutPostgres } from '../support/postgres.js'

const CODE = '91510104000000017X'
const OTHER = '91510104000000028Y'
const A = { companyName: '成都甲科技有限公司', creditCode: CODE }
const B = { companyName: '成都乙贸易有限公司', creditCode: OTHER }
const NOBODY = { companyName: '没有这家公司', creditCode: '91510104000000039Z' }

const exampleMapping = (name: string): Mapping =>
  readConfig(mappingSchema, `examples/databases/${name}.yaml`, { env: {} })
const mappingOf = (given: object): Mapping => mappingSchema.parse(given)

/** A new database with the tables of an example, or with `sql`. */
async function databaseWith(t: Test, sql: string): Promise<TestDatabase> {
  const database = await testDatabase(t)
  await database.sql(sql.endsWith('.sql') ? readFileSync(`examples/databases/${sql}`, 'utf8') : sql)
  return database
}

/** Opened until the test ends, with what it had to say. */
async function opened(t: Test, options: PostgresOptions) {
  const notices: string[] = []
  const database = await openPostgresDatabase({ ...options, notice: (text) => notices.push(text) })
  t.teardown(() => database.close())
  const values = async (locator: { companyName: string; creditCode: string }, wanted?: readonly string[]) => {
    const record = await database.find(locator, wanted)
    return record && Object.fromEntries(record.values)
  }
  return { database, notices, values }
}

const schemaOf = (change: Partial<Schema>): Schema => {
  const text = {
    valueType: VALUE_TYPE.text,
    checksum: CHECKSUM.none,
    caseRule: CASE_RULE.keep,
    scale: 0,
    lengthMax: 256,
  }
  return { ...text, min: 0n, max: 0n, ...change }
}
const DECIMAL = schemaOf({ valueType: VALUE_TYPE.decimal, scale: 2 })
const INTEGER = schemaOf({ valueType: VALUE_TYPE.integer })
const DATE = schemaOf({ valueType: VALUE_TYPE.date })

t.test('PostgreSQL', { skip: withoutPostgres }, async (t) => {
  t.test('example: one wide table', async (t) => {
    const { settings } = await databaseWith(t, 'one-wide-table.sql')
    const { database, values } = await opened(t, { source: settings, mapping: exampleMapping('one-wide-table') })
    t.same(await values(A), {
      companyName: '成都甲科技有限公司',
      legalRepresentative: '张三',
      registeredCapital: '5000000.000000',
      registrationDate: '2015-03-09',
      registrationAddress: '成都市锦江区一号',
      enterpriseType: '有限责任公司',
    })
    t.equal((await values(B))?.registrationAddress, '', 'null is a vacant field')
    t.equal(await values(NOBODY), null)
    t.match(await values({ ...A, creditCode: '' }, ['enterpriseType']), { enterpriseType: '有限责任公司' }, 'by name')
    t.equal(await values({ ...A, creditCode: OTHER.replace('2', '3') }), null, 'a name with another code is another')
    t.equal(await GetConfirm(database, A, 'registeredCapital', DECIMAL, '5,000,000'), false)
    t.equal(await GetConfirm(database, A, 'registeredCapital', DECIMAL, '5000000'), true)
    t.equal(await GetConfirm(database, B, 'registeredCapital', DECIMAL, '325000.00'), true)
    t.equal(await GetConfirm(database, A, 'registrationDate', DATE, '2015年3月9日'), true)
    t.equal(await GetExistence(database, A, 'employees'), EXISTENCE.missing)
    t.equal(await GetExistence(database, B, 'registrationAddress'), EXISTENCE.vacant)
  })

  t.test('example: joined tables', async (t) => {
    const { settings } = await databaseWith(t, 'joined-tables.sql')
    const { database, values } = await opened(t, { source: settings, mapping: exampleMapping('joined-tables') })
    t.same(await values(A), {
      companyName: '成都甲科技有限公司',
      employees: '52',
      paidUpCapital: '5000000.00',
      lastReturn: '2024-03-01',
      openingBank: '中国银行',
    })
    const uncoded = { companyName: '成都丙服务有限公司', creditCode: '91510104000000039Z' }
    t.same(await values(uncoded), {
      companyName: '成都丙服务有限公司',
      employees: '',
      paidUpCapital: '10000.00',
      lastReturn: '',
    })
    t.equal(await GetExistence(database, uncoded, 'openingBank'), EXISTENCE.missing, 'no row is no field')
    t.equal(await GetConfirm(database, A, 'employees', INTEGER, '052'), true)
  })

  t.test('example: counted rows', async (t) => {
    const { settings } = await databaseWith(t, 'counted-rows.sql')
    const { values } = await opened(t, { source: settings, mapping: exampleMapping('counted-rows') })
    t.same(await values(A), {
      inventionPatents: '2',
      patentKinds: '2',
      patentValuation: '350000.50',
      lastGrant: '2022-07-15',
    })
    t.same(await values(B), { inventionPatents: '0', patentKinds: '0', patentValuation: '', lastGrant: '' })
    t.equal(await values(NOBODY), null, 'an enterprise that the office does not know has no number of patents')
  })

  t.test('aggregates by a key of their own; rows that are not one; time as authority', async (t) => {
    const { settings, sql } = await databaseWith(
      t,
      `create table permits (code text, kind text, until timestamp);
       insert into permits values ('${CODE}', 'a', '2030-01-01 23:00'), ('${CODE}', 'b', null), ('${OTHER}', 'a', null);
       create table odd (code bpchar(24), flag boolean, amount float8, cash money, "Größe ""x""" text, id uuid);
       insert into odd values ('${CODE}', true, 0.1, 12.5, 'ein "Wort"', '00000000-0000-0000-0000-00000000000a')`,
    )
    const mapping = mappingOf({
      tables: {
        permits: { table: 'permits', creditCode: 'code' },
        b: { table: 'permits', creditCode: 'code', where: [{ column: 'kind', is: 'b' }] },
        odd: { table: { schema: 'public', name: 'odd' }, creditCode: 'code' },
      },
      attributes: {
        kind: { from: 'permits', column: 'kind' },
        last: { from: 'permits', column: 'until', aggregate: 'max' },
        kindsB: { from: 'b', aggregate: 'count' },
        flag: { from: 'odd', column: 'flag', translate: { true: '是' } },
        amount: { from: 'odd', column: 'amount' },
        cash: { from: 'odd', column: 'cash', times: 100 },
        word: { from: 'odd', column: 'Größe "x"' },
        id: { from: 'odd', column: 'id' },
      },
    })
    const { values, notices, database } = await opened(t, { source: settings, mapping })
    const odd = { flag: '是', amount: '0.1', cash: '1250.00', word: 'ein "Wort"' }
    const id = '00000000-0000-0000-0000-00000000000a'
    t.same(await values({ ...A, companyName: '' }), { last: '2030-01-01', kindsB: '1', ...odd, id })
    t.match(notices, [/several rows in tables.permits/])
    t.same(await values(B), { kind: 'a', last: '', kindsB: '0' }, 'known, and none of that kind')
    t.equal(await values(NOBODY), null)
    await sql('alter table odd alter column flag drop not null; drop table permits')
    await t.rejects(database.find(A), { code: 'FAILED', message: /permits" does not exist/ }, 'a table that has gone')
  })

  t.test('accepted submissions: kept aside, written into the table, or not kept', async (t) => {
    const { settings, sql } = await databaseWith(
      t,
      `create table firm (code text primary key, name text, staff int check (staff < 1000), capital numeric, opened date, phone text);
       insert into firm values ('${CODE}', '甲', 5, null, null, '1')`,
    )
    const columns = ['staff', 'capital', 'opened', 'phone']
    const mappingWith = (write: string) =>
      mappingOf({
        tables: { firm: { table: 'firm', creditCode: 'code', write } },
        attributes: Object.fromEntries(columns.map((column) => [column, { from: 'firm', column }])),
      })
    const write = (values: Record<string, string>, locator = A) => ({
      writes: [{ locator, values: new Map(Object.entries(values)) }],
    })
    const submitted = { staff: '7', capital: '12.50', opened: '2020-02-29', unmapped: 'x' }

    const aside = await opened(t, { source: settings, mapping: mappingWith('own-schema'), schema: 'aside' })
    await aside.database.apply(write(submitted))
    t.same(await aside.values(A), { staff: '5', capital: '12.50', opened: '2020-02-29', phone: '1', unmapped: 'x' })
    t.same(await sql('select staff, capital from firm'), [{ staff: 5, capital: null }], 'the table is untouched')

    const none = await opened(t, { source: settings, mapping: mappingWith('none'), schema: 'none_kept' })
    await none.database.apply(write(submitted))
    t.same(await none.values(A), { staff: '5', capital: '', opened: '', phone: '1', unmapped: 'x' })

    const into = await opened(t, { source: settings, mapping: mappingWith('table'), schema: 'into_table' })
    await into.database.apply(write(submitted))
    t.same(await sql('select staff, capital, opened::text, phone from firm'), [
      { staff: 7, capital: '12.50', opened: '2020-02-29', phone: '1' },
    ])
    t.same(await sql('select attribute from into_table.record_value'), [{ attribute: 'unmapped' }])
    await into.database.apply(write({ staff: '5000', phone: '' }))
    t.match(into.notices, [/refuses an accepted value, it is kept aside: SQLSTATE 23514, table firm/])
    t.notMatch(into.notices, [/5000/], 'without the value')
    t.same(await sql('select staff, phone from firm'), [{ staff: 7, phone: '1' }], 'all of it or nothing')
    t.equal((await into.values(A))?.staff, '7', 'the table is the authority')
    await into.database.apply(write({ staff: '8' }))
    t.equal((await into.values(A))?.staff, '8')
    await into.database.apply(write({ staff: '3' }, NOBODY))
    t.same(await into.values(NOBODY), { staff: '3' }, 'no row of this enterprise: kept aside')
  })

  t.test('with changedColumn the newer one counts', async (t) => {
    const { settings, sql } = await databaseWith(t, 'one-wide-table.sql')
    const { database, values } = await opened(t, { source: settings, mapping: exampleMapping('one-wide-table') })
    await database.apply({ writes: [{ locator: A, values: new Map([['legalRepresentative', '王五']]) }] })
    t.equal((await values(A))?.legalRepresentative, '王五', 'accepted after the row was changed')
    await sql(
      `update register.enterprise set updated_at = now() + interval '1 second', legal_rep = '赵六' where uscc = $1`,
      [CODE],
    )
    t.equal((await values(A))?.legalRepresentative, '赵六')
  })

  t.test('what does not fit is named', async (t) => {
    const { settings, sql } = await databaseWith(
      t,
      `create schema r; create table r.firm (code text, num int, at timestamptz, doc jsonb, day date);
       create table r.child (firm_num int, code text); create schema closed; create table closed.c (code text)`,
    )
    const firm = { table: 'r.firm', creditCode: 'code' }
    const faults: readonly [RegExp, object, object?][] = [
      [
        /tables\.firm: table r\.frim does not exist; tables of that schema are child, firm/,
        { firm: { ...firm, table: 'r.frim' } },
      ],
      [
        /tables\.firm: column cod does not exist in table r\.firm; columns are code, num, at, doc, day/,
        { firm: { ...firm, creditCode: 'cod' } },
      ],
      [
        /attributes\.x: column employes does not exist in table r\.firm; columns are/,
        { firm },
        { x: { from: 'firm', column: 'employes' } },
      ],
      [
        /attributes\.x: from names no table of the mapping: frim; there are firm/,
        { firm },
        { x: { from: 'frim', column: 'num' } },
      ],
      [/r\.firm\.num is integer; a key column holds text/, { firm: { ...firm, creditCode: 'num' } }],
      [/say how an enterprise is found/, { firm: { table: 'r.firm' } }],
      [/give either join, or/, { firm: { ...firm, join: { column: 'num', to: 'firm', references: 'num' } } }],
      [
        /r\.child\.code is text, r\.firm\.num is integer/,
        { firm, c: { table: 'r.child', join: { column: 'code', to: 'firm', references: 'num' } } },
      ],
      [/they run in a circle/, { c: { table: 'r.child', join: { column: 'code', to: 'c', references: 'code' } } }],
      [/doc is jsonb, which has no text/, { firm }, { x: { from: 'firm', column: 'doc' } }],
      [
        /r\.firm\.at is timestamp with time zone: say timeZone of tables\.firm/,
        { firm },
        { x: { from: 'firm', column: 'at' } },
      ],
      [/knows no time zone Mars/, { firm: { ...firm, timeZone: 'Mars' } }],
      [/a sum needs numbers/, { firm }, { x: { from: 'firm', column: 'code', aggregate: 'sum' } }],
      [/times multiplies a number column/, { firm }, { x: { from: 'firm', column: 'day', times: 10 } }],
      [/say column; only aggregate: count/, { firm }, { x: { from: 'firm', aggregate: 'sum' } }],
      [
        /an aggregate takes all rows/,
        { firm: { ...firm, current: { orderBy: 'day' } } },
        { x: { from: 'firm', aggregate: 'count' } },
      ],
      [
        /needs a unique index on r\.firm\.code/,
        { firm: { ...firm, write: 'table' } },
        { x: { from: 'firm', column: 'num' } },
      ],
      [/cannot be combined with where/, { firm: { ...firm, write: 'table', where: [{ column: 'num', is: 1 }] } }],
      [/changedColumn r\.firm\.day is date: say timeZone/, { firm: { ...firm, changedColumn: 'day' } }],
    ]
    for (const [message, tables, attributes = {}] of faults) {
      const mapping = mappingOf({ tables, attributes })
      const options = { source: settings, mapping, mappingFile: 'my.yaml' }
      await t.rejects(openPostgresDatabase(options), { code: 'MISCONFIGURED', message }, message.source)
      await t.rejects(openPostgresDatabase(options), { message: /^my\.yaml: / })
    }
    t.same(await sql(`select 1 from pg_namespace where nspname = 'concordat'`), [], 'nothing was made')
    const malformed: readonly [object, RegExp][] = [
      [{ tables: { firm: { ...firm, table: 'a.b.c' } }, attributes: {} }, /a table is given as schema\.table/],
      [{ tables: { firm: { ...firm, where: [{ column: 'x' }] } }, attributes: {} }, /give either is or isNull/],
      [{ tables: { firm: { ...firm, sql: 'x' } }, attributes: {} }, /nrecognized key/],
      [{ tables: { firm }, attributes: { 'a b': { from: 'firm', column: 'num' } } }, /no name of an attribute/],
      [{ tables: { firm }, attributes: { a: { from: 'firm', column: 'num', aggregate: 'pg_sleep' } } }, /nvalid/],
      [{ tables: { firm: { ...firm, creditCode: 'x'.repeat(64) } }, attributes: {} }, /at most 63 bytes/],
    ]
    for (const [given, message] of malformed) t.throws(() => mappingSchema.parse(given), { message }, message.source)
  })

  t.test('a role that may only read is enough for the tables, and cannot write', async (t) => {
    const reader = await testRole(t, 'p')
    const agent = await testRole(t, 'p')
    const { as, sql } = await databaseWith(t, 'one-wide-table.sql')
    const mapping = exampleMapping('one-wide-table')
    const source = as(reader, 'p')
    const unseen = openPostgresDatabase({ source, mapping })
    await t.rejects(unseen, {
      code: 'MISCONFIGURED',
      message: /may not use schema register: grant usage|may not read column/,
    })
    await sql(`grant usage on schema register to ${reader}; grant select (uscc) on register.enterprise to ${reader}`)
    await t.rejects(openPostgresDatabase({ source, mapping }), {
      message: /may not read column ent_name of table register/,
    })
    await sql(`grant select on register.enterprise to ${reader}`)
    const without = openPostgresDatabase({ source, mapping })
    await t.rejects(without, { code: 'MISCONFIGURED', message: /may not create schema concordat.*init-schema/ })

    await sql(`create schema concordat authorization ${agent}`)
    const { database, values } = await opened(t, { source, store: as(agent, 'p'), mapping })
    await database.apply({ writes: [{ locator: A, values: new Map([['employees', '9']]) }] })
    t.match(await values(A), { legalRepresentative: '张三', employees: '9' })
    t.same(await sql('select count(*)::int as n from concordat.record'), [{ n: 1 }])
    for (const [user, text] of [
      [reader, `update register.enterprise set legal_rep = 'x'`],
      [reader, 'select * from concordat.portrait_key'],
      [reader, 'create table public.x ()'],
      [agent, 'select * from register.enterprise'],
    ] as const) {
      const client = new pg.Client({ connectionString: as(user, 'p').url as string })
      await client.connect()
      await t.rejects(client.query(text), { code: '42501' }, text)
      await client.end()
    }
  })

  t.test('names and values are never SQL', async (t) => {
    const { settings, sql } = await databaseWith(t, 'one-wide-table.sql')
    const { database, values } = await opened(t, { source: settings, mapping: exampleMapping('one-wide-table') })
    const tables = `select count(*)::int as n from register.enterprise where legal_rep in ('张三', '李四')`
    const evil = [
      `'; drop table register.enterprise; --`,
      `' or '1'='1`,
      `" or 1=1 --`,
      `${CODE}' --`,
      `\\'; delete from concordat.record; --`,
      '$1',
      '$$; rollback; $$',
      `x\0' or true --`,
      '{"a","b"}',
      'NULL',
      '%',
      '_'.repeat(18),
    ]
    for (const text of evil) {
      t.equal(await values({ creditCode: text, companyName: text }), null, JSON.stringify(text))
      t.equal(
        await GetExistence(database, { creditCode: text, companyName: text }, 'legalRepresentative'),
        EXISTENCE.missing,
      )
      t.equal(await GetExistence(database, A, text), EXISTENCE.missing)
      t.equal(await GetConfirm(database, A, 'legalRepresentative', schemaOf({}), text), false)
    }
    const strange = fc.oneof(fc.constantFrom(...evil), fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }))
    const stored = (text: string) => Buffer.from(text.replaceAll('\0', '\uFFFD')).toString()
    await fc.assert(
      fc.asyncProperty(strange, strange, strange, strange, async (creditCode, companyName, attribute, value) => {
        const locator = { creditCode, companyName }
        await database.apply({
          writes: [{ locator, values: new Map([[attribute, value]]) }],
          outboxPut: [{ key: attribute, payload: Buffer.from(value) }],
          secrets: [{ name: attribute, value: Buffer.from(value) }],
        })
        t.equal((await database.find(locator))?.values.get(stored(attribute)), stored(value))
        t.same(await database.secret(attribute), Uint8Array.from(Buffer.from(value)))
        await database.apply({ outboxDelete: [attribute] })
        t.same(await database.outbox(), [])
      }),
      { numRuns: 30 },
    )
    t.same(await sql(tables), [{ n: 2 }])
  })

  t.test('identifiers of a mapping are names, whatever they hold', async (t) => {
    const name = `firm"; drop table "keep"; --`
    const column = `a' || (select 1) || '"`
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
    const { settings, sql } = await databaseWith(
      t,
      `create table "keep" (x int); create table ${quote(name)} (code text, ${quote(column)} text);
       insert into ${quote(name)} values ('${CODE}', 'fine')`,
    )
    const tables = { firm: { table: { schema: 'public', name }, creditCode: 'code' } }
    const mapping = mappingOf({ tables, attributes: { x: { from: 'firm', column } } })
    const { values } = await opened(t, { source: settings, mapping })
    t.same(await values(A), { x: 'fine' })
    t.same(await sql('select * from "keep"'), [])
    const absent = mappingOf({ tables, attributes: { x: { from: 'firm', column: `${column}; select 1` } } })
    await t.rejects(openPostgresDatabase({ source: settings, mapping: absent, schema: 'other' }), {
      code: 'MISCONFIGURED',
    })
  })

  t.test('without a mapping it is a database of its own', async (t) => {
    const { settings } = await testDatabase(t)
    const { database, values } = await opened(t, { source: settings, mapping: emptyMapping })
    const name = { companyName: '甲\0乙', creditCode: '' }
    await database.apply({ writes: [{ locator: name, values: new Map([['a', '1']]) }] })
    t.same(await values(name), { a: '1' }, 'a name with a character that PostgreSQL does not know')
  })
})
