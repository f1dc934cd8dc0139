/** Who may write to the agent's schema, and what a lost connection leaves behind. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import type { DatabaseChange } from '../../src/agent/database/departmentDatabase.js'
import { endpointOf, endpointText } from '../../src/agent/database/postgres/connection.js'
import { faultKind, faultText } from '../../src/agent/database/postgres/faults.js'
import { openPostgresDatabase } from '../../src/agent/database/postgres/open.js'
import { schemaSql } from '../../src/agent/database/postgres/schema.js'
import { CutProxy } from '../support/cutProxy.js'
import { type TestDatabase, testDatabase, testRole, withoutPostgres } from '../support/postgres.js'

const CODE = '91510104000000017X'
const change = (i: number): DatabaseChange => ({
  cursor: { height: i, logIndex: 0 },
  writes: [{ locator: { companyName: '甲', creditCode: CODE }, values: new Map([['number', `${i}`]]) }],
  outboxPut: [{ key: `${i}`, payload: Uint8Array.of(i % 256) }],
})

t.test('PostgreSQL', { skip: withoutPostgres }, async (t) => {
  const database = await testDatabase(t)
  const { settings, sql } = database
  const portOf = () => Number(new URL(settings.url ?? '').port || 5432)
  const through = (proxy: CutProxy) => {
    const url = new URL(settings.url ?? '')
    url.host = `127.0.0.1:${proxy.port}`
    return { url: url.href }
  }

  t.test('one agent for one schema', async (t) => {
    const options = { source: settings, schema: 'one', lockWaitMs: 100 }
    const first = await openPostgresDatabase(options)
    await t.rejects(openPostgresDatabase(options), { code: 'LOCKED', message: /schema one of .* is in use by another/ })
    const other = await openPostgresDatabase({ ...options, schema: 'another' })
    await other.close()
    await first.close()
    const second = await openPostgresDatabase(options)
    await second.close()
  })

  t.test('an agent that was cut off and replaced does not write any more', async (t) => {
    const proxy = await CutProxy.start(portOf())
    t.teardown(() => proxy.close())
    const options = { schema: 'fenced', lockWaitMs: 5_000 }
    const first = await openPostgresDatabase({ ...options, source: through(proxy) })
    await first.apply(change(1))
    proxy.up = false
    proxy.cutAll()
    const second = await openPostgresDatabase({ ...options, source: settings })
    await second.apply(change(2))
    proxy.up = true
    const waiting = first.apply(change(3))
    await second.close()
    await t.rejects(waiting, { code: 'LOCKED', message: /taken over by another agent/ })
    await t.rejects(first.apply(change(4)), { code: 'LOCKED' }, 'for good')
    await first.close()
    t.same(await sql('select cursor_height::int as at from fenced.state'), [{ at: 2 }])
  })

  t.test('a commit whose answer is lost happens once', async (t) => {
    const proxy = await CutProxy.start(portOf())
    t.teardown(() => proxy.close())
    const notices: string[] = []
    const notice = (text: string) => notices.push(text)
    const db = await openPostgresDatabase({ source: through(proxy), schema: 'doubt', notice })
    for (let i = 1; i <= 4; i++) {
      // Before the server has heard of it, or after it has done it.
      proxy.cutAfter = i % 2 === 0 ? 'commit' : 'insert into "doubt".outbox'
      await db.apply({ ...change(i), outboxDelete: [`${i - 2}`] })
      t.equal(proxy.cuts, i)
    }
    t.equal(notices.length, 4)
    await db.close()
    t.same(await sql('select owner <> $1 as owned, change::int, cursor_height::int as at from doubt.state', ['']), [
      { owned: true, change: 4, at: 4 },
    ])
    t.same(await sql('select key from doubt.outbox order by sequence'), [{ key: '3' }, { key: '4' }])
  })

  t.test('a server that stays away is UNAVAILABLE, and the same database goes on when it is back', async (t) => {
    const proxy = await CutProxy.start(portOf())
    t.teardown(() => proxy.close())
    const db = await openPostgresDatabase({ source: through(proxy), schema: 'away' })
    await db.apply(change(1))
    proxy.up = false
    proxy.cutAll()
    await t.rejects(db.apply(change(2)), { code: 'UNAVAILABLE' })
    await t.rejects(db.cursor(), { code: 'UNAVAILABLE' })
    proxy.up = true
    t.same(await db.cursor(), { height: 1, logIndex: 0 })
    await db.apply(change(2))
    t.same(await db.cursor(), { height: 2, logIndex: 0 })
    await db.close()
  })

  t.test('a process that is killed at any time leaves whole changes', async (t) => {
    await killed(t, database)
  })

  t.test('the schema made by an administrator is enough, and its SQL can run twice', async (t) => {
    const role = await testRole(t, 'p')
    await t.rejects(openPostgresDatabase({ source: database.as(role, 'p'), schema: 'made' }), { code: 'MISCONFIGURED' })
    await sql(schemaSql('made', role))
    await sql(schemaSql('made', role))
    const db = await openPostgresDatabase({ source: database.as(role, 'p'), schema: 'made' })
    await db.apply({ ...change(1), secrets: [{ name: 'a', value: Uint8Array.of(1) }] })
    t.same(await db.secret('a'), Uint8Array.of(1))
    await db.close()
    await sql('insert into made.version (version) values (99)')
    const newer = openPostgresDatabase({ source: settings, schema: 'made' })
    await t.rejects(newer, { code: 'CORRUPT', message: /has layout 99, this version reads up to/ })
    await sql(`drop owned by ${role}`)
  })
})

/** Changes in a process of its own, killed again and again; what it said is durable, and no change is half there. */
async function killed(t: Test, { settings, sql }: TestDatabase): Promise<void> {
  const program = `
    import { openPostgresDatabase } from ${JSON.stringify(path.resolve('dist/src/agent/database/postgres/open.js'))}
    const db = await openPostgresDatabase({ source: ${JSON.stringify(settings)}, schema: 'killed' })
    for (let i = ((await db.cursor())?.height ?? 0) + 1; ; i++) {
      await db.apply({
        cursor: { height: i, logIndex: 0 },
        writes: [{ locator: { companyName: '甲', creditCode: '${CODE}' }, values: new Map([['number', String(i)]]) }],
        outboxPut: [{ key: String(i), payload: Uint8Array.of(1) }],
        outboxDelete: [String(i - 1)],
        portraitKeys: [{ enterpriseId: '0x' + '11'.repeat(32), portraitVersion: i, key: new Uint8Array(32) }],
      })
      process.stdout.write(i + '\\n')
    }`
  let said = 0
  for (const more of [1, 7, 23]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise((done) => child.once('exit', done))
    const until = said + more
    for await (const line of createInterface(child.stdout)) {
      said = Number(line)
      if (said >= until) child.kill('SIGKILL')
    }
    await ended
    const db = await openPostgresDatabase({ source: settings, schema: 'killed' })
    const height = (await db.cursor())?.height ?? 0
    t.ok(height === said || height === said + 1, `said ${said}, holds ${height}`)
    const record = await db.find({ companyName: '', creditCode: CODE })
    t.equal(record?.values.get('number'), `${height}`)
    t.same(
      (await db.outbox()).map(({ key }) => key),
      [`${height}`],
    )
    t.same(await sql('select count(*)::int as n from killed.portrait_key'), [{ n: height }])
    await db.close()
    said = height
  }
}

t.test('no password in what is said', async (t) => {
  const password = 'geheim-7'
  const passwordFile = path.join(t.testdir(), 'password')
  writeFileSync(passwordFile, `${password}\n`)
  const parts = { host: '127.0.0.1', port: 1, database: 'd', user: 'u', passwordFile }
  t.equal(endpointOf(parts, 'x').password, password, 'without the end of its line')
  t.equal(endpointText(endpointOf({ url: `postgres://u:${password}@h/d` }, 'x')), 'u@h:5432/d')
  t.same(endpointOf({ url: `postgres://u%40v:${password}%25@[::1]:99/d%2Fe` }, 'x'), {
    ...{ host: '::1', port: 99, database: 'd/e', user: 'u@v', password: `${password}%`, ssl: {} },
  })
  for (const url of [
    `postgres://u:${password}@127.0.0.1:1/d`,
    `postgres://u:${password}@127.0.0.1:1/d?sslmode=disable`,
    `postgres://u:${password}@/d`,
    `postgres://u:${password}`,
    `postgres://u:${password}%zz@h/d`,
    `mysql://u:${password}@h/d`,
    `${password}`,
    `postgres://u:${password}@127.0.0.1:x/d`,
  ]) {
    const error = await openPostgresDatabase({ source: { url }, connectTimeoutMs: 1_000 }).catch(
      (error: Error) => error,
    )
    t.ok(error instanceof Error)
    t.notMatch(`${(error as Error).message} ${JSON.stringify(error)}`, password)
  }
  await t.rejects(openPostgresDatabase({ source: parts }), {
    code: 'UNAVAILABLE',
    message: /PostgreSQL u@127.0.0.1:1\/d: /,
  })
  for (const source of [
    { host: 'h', user: 'u' },
    { ...parts, passwordFile: '/nowhere' },
    { ...parts, host: 'far', ssl: { caFile: '/no' } },
  ]) {
    await t.rejects(openPostgresDatabase({ source }), { code: 'MISCONFIGURED', message: /^database connection / })
  }
})

t.test('faults: what passes, what stays, and no data in the words', (t) => {
  const kinds = {
    '57P01': 'lost',
    '08006': 'lost',
    40001: 'passing',
    57014: 'passing',
    53300: 'passing',
    23505: 'refused',
  }
  for (const [code, kind] of Object.entries({
    ...kinds,
    '22P02': 'refused',
    '28P01': 'final',
    '42P01': 'final',
    XX001: 'corrupt',
  })) {
    t.equal(faultKind(Object.assign(new Error('x'), { code })), kind, code)
  }
  t.equal(faultKind(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })), 'lost')
  t.equal(faultKind(Object.assign(new Error('x'), { code: 'CERT_HAS_EXPIRED' })), 'final')
  t.equal(faultKind(new Error('Connection terminated unexpectedly')), 'lost')
  const data = { code: '22P02', message: 'invalid input syntax for type integer: "geheim"', table: 'a', column: 'b' }
  t.equal(faultText(data), 'SQLSTATE 22P02, table a, column b')
  t.equal(faultText({ code: 'P0001', message: 'geheim' }), 'SQLSTATE P0001')
  t.match(faultText({ code: '42P01', message: 'relation "x" does not exist' }), /relation "x".*42P01/)
  t.end()
})
