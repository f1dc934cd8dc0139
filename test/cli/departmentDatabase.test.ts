/** `concordat department check` and `init-schema`, and section `database` of the configuration. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { checkPostgresDatabase } from '../../src/agent/database/postgres/check.js'
import { loadDepartmentConfig } from '../../src/cli/commands/department.js'
import { testDatabase, testRole, withoutPostgres } from '../support/postgres.js'

const dir = t.testdir()
const base = { department: 'd', rpc: 'http://a', keyFile: 'k', encryptionKeyFile: 'e' }

function configFile(name: string, database: object): string {
  const file = join(dir, name)
  writeFileSync(file, stringify({ ...base, database }))
  return file
}

function concordat(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  return new Promise((done) => {
    execFile(process.execPath, ['dist/src/cli/main.js', 'department', ...args], (error, out, err) => {
      done({ status: error ? Number(error.code) : 0, out, err })
    })
  })
}

t.test('section database: a folder or PostgreSQL, each with its own keys', async (t) => {
  const load = (database: object, env = {}) => loadDepartmentConfig(configFile('a.yaml', database), env).database
  t.same(load({ dir: 'x' }), { kind: 'embedded', dir: join(dir, 'x') })
  const example = loadDepartmentConfig('examples/databases/department.yaml', {}).database
  t.match(example, { kind: 'postgres', options: { schema: 'concordat', source: { user: 'concordat_reader' } } })
  t.match(example, { options: { store: { ssl: { caFile: resolve('examples/databases/ca.pem') } } } })
  t.equal(example.kind === 'postgres' && example.options.mapping?.attributes.size, 6)
  const inline = { tables: { f: { table: 'f', creditCode: 'c' } }, attributes: { x: { from: 'f', column: 'y' } } }
  t.match(load({ kind: 'postgres', host: '/tmp', mapping: inline }), { options: { mapping: { tables: new Map() } } })
  const env = { CONCORDAT_DATABASE_URL: 'postgres://u@h/d', CONCORDAT_DATABASE_STORE_PORT: '99' }
  t.match(load({ kind: 'postgres' }, env), { options: { source: { url: 'postgres://u@h/d' }, store: { port: 99 } } })
  mkdirSync(join(dir, 'sub'))
  writeFileSync(join(dir, 'sub', 'bad.yaml'), stringify({ tables: {}, attributes: { x: { from: 'f', colum: 'y' } } }))
  for (const [database, message] of [
    [{}, /database\.dir.*say the folder of the database, or kind: postgres/],
    [{ dir: 'x', host: 'h' }, /database\.host.*belongs to kind: postgres/],
    [{ kind: 'postgres', dir: 'x' }, /database\.dir.*belongs to the embedded/],
    [{ kind: 'postgres', schema: 'A b' }, /lower-case letters/],
    [{ kind: 'postgres', mapping: 'sub/bad.yaml' }, /sub\/bad\.yaml: unknown key 'attributes\.x\.colum'/],
    [{ kind: 'postgres', mapping: { tables: {} } }, /a\.yaml: database\.mapping: 'attributes'/],
    [{ kind: 'postgres', ssl: { mode: 'prefer' } }, /database\.ssl\.mode/],
  ] as const) {
    t.throws(() => load(database), { name: 'ConfigError', message }, message.source)
  }
})

t.test('commands', { skip: withoutPostgres }, async (t) => {
  const role = await testRole(t, 'geheim')
  const { as, sql, settings } = await testDatabase(t)
  await sql(readFileSync('examples/databases/joined-tables.sql', 'utf8'))
  await sql(`grant usage on schema tax to ${role}; grant select on all tables in schema tax to ${role}`)
  const database = {
    kind: 'postgres',
    ...as(role, 'geheim'),
    mapping: resolve('examples/databases/joined-tables.yaml'),
  }
  const config = configFile('whole.yaml', database)

  const lacking = await concordat('check', '--config', config)
  t.equal(lacking.status, 1)
  t.match(lacking.out, /wrong: schema concordat: is not complete and concordat_role_\w+ may not create it/)
  await sql(`create schema owned authorization ${role}`)
  const owned = await checkPostgresDatabase({ source: as(role, 'geheim'), schema: 'owned' })
  t.same(owned.faults, [], 'whoever owns the schema completes it')
  const urlFile = join(dir, 'url')
  writeFileSync(urlFile, `${settings.url}\n`)
  const made = await concordat('init-schema', '--config', config, '--url-file', urlFile)
  t.same({ status: made.status, err: made.err }, { status: 0, err: '' })

  const fine = await concordat('check', '--config', config)
  t.equal(fine.status, 0, fine.err)
  t.match(fine.out, /openingBank +│ tax\.bank_account\.bank +│ text +│ own-schema +│ 3 +│ 3 /)
  t.match(fine.out, /schema concordat is complete/)
  t.match(fine.out, /nothing is wrong/)
  t.notMatch(fine.out + fine.err, /中国银行|geheim/, 'no values, no password')
  await sql('alter table tax.yearly_return rename staff to employees')
  const broken = await concordat('check', '--config', config, '--json')
  t.equal(broken.status, 1)
  const { fine: good, faults } = JSON.parse(broken.out)
  const text =
    'column staff does not exist in table tax.yearly_return; columns are party_id, year, employees, paid_in_capital, filed_at'
  t.same([good, faults], [false, [{ at: 'attributes.employees', text }]])
  await sql(`drop owned by ${role}`)
})
