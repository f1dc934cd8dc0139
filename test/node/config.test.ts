/** Configuration and genesis files: merging, suggestions, and errors that name the key. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { loadDepartmentConfig } from '../../src/cli/commands/department.js'
import { ROLE } from '../../src/contracts/codes.js'
import { loadNodeConfig } from '../../src/node/config.js'
import { ConfigError } from '../../src/node/configSchema.js'
import { loadExtensions } from '../../src/node/extensionFiles.js'
import { genesisHash } from '../../src/node/genesis.js'
import { loadGenesis, parseGenesis } from '../../src/node/genesisFile.js'

const dir = mkdtempSync(join(tmpdir(), 'concordat-config-'))
t.teardown(() => rmSync(dir, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

function failure(act: () => unknown): ConfigError {
  try {
    act()
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('no ConfigError was thrown')
}

t.test('file, then environment, then flags; defaults for the rest', async (t) => {
  const path = file(
    'a.yaml',
    'name: a\nrpc:\n  port: 1111\n  host: 10.0.0.1\n  auth: { anonymous: read }\nlogLevel: warn\n',
  )
  const config = loadNodeConfig(
    path,
    { CONCORDAT_RPC_PORT: '2222', CONCORDAT_LOG_LEVEL: 'error' },
    { logLevel: 'debug' },
  )
  t.match(config, { name: 'a', rpc: { port: 2222, host: '10.0.0.1', batchMax: 100 }, logLevel: 'debug' })
  t.equal(config.dataDir, join(dir, 'data'), 'paths are relative to the file')
})

t.test('unknown keys are errors with a suggestion', async (t) => {
  t.match(
    failure(() => loadNodeConfig(file('b.yaml', 'rpc:\n  prot: 1\n'), {})),
    { code: 'UNKNOWN_KEY', message: /unknown key 'rpc\.prot'; did you mean rpc\.port\?/ },
  )
  t.match(
    failure(() => loadNodeConfig(file('c.yaml', '{}'), { CONCORDAT_RPC_PROT: '1' })),
    { code: 'UNKNOWN_KEY', message: /CONCORDAT_RPC_PROT.*CONCORDAT_RPC_PORT/ },
  )
  t.match(
    failure(() => loadNodeConfig(file('c2.yaml', '{}'), {}, { 'rpc.prot': '1' })),
    { code: 'UNKNOWN_KEY' },
  )
})

t.test('wrong values name the key', async (t) => {
  t.match(
    failure(() => loadNodeConfig(file('d.yaml', 'rpc:\n  port: 99999\n'), {})),
    { code: 'INVALID', message: /'rpc\.port'/ },
  )
  t.match(
    failure(() => loadNodeConfig(file('e.yaml', 'a: [1\n'), {})),
    { code: 'SYNTAX' },
  )
  t.match(
    failure(() => loadNodeConfig(file('f.yaml', '- 1\n'), {})),
    { code: 'INVALID', message: /mapping/ },
  )
  t.match(
    failure(() => loadNodeConfig(join(dir, 'absent.yaml'), {})),
    { code: 'UNREADABLE' },
  )
  t.match(
    failure(() => loadNodeConfig(file('g.yaml', '__proto__:\n  polluted: 1\n'), {})),
    { code: 'UNKNOWN_KEY' },
  )
  t.equal(({} as { polluted?: number }).polluted, undefined)
  t.match(
    failure(() => loadNodeConfig(file('h.yaml', `name: ${'x'.repeat(1024 * 1024 + 1)}`), {})),
    { code: 'TOO_LARGE' },
  )
})

t.test('a node that other machines can reach does not start before it is said who may ask', async (t) => {
  let files = 0
  const load = (rpc: object) => loadNodeConfig(file(`open${files++}.yaml`, JSON.stringify({ rpc })), {})
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'node1.example']) {
    const refused = failure(() => load({ host }))
    t.match(refused, { code: 'INVALID', message: /'rpc\.host'/ })
    t.ok(refused.message.includes(`${host} can be reached from other machines, and nothing says who may ask:`))
    t.match(refused.message, /rpc\.auth\.secretFile \(make one with: concordat token secret rpc\.secret\)/)
    t.match(refused.message, /or rpc\.auth\.anonymous: read .* or rpc\.host: 127\.0\.0\.1 \(docs\/access\.md\)/)
    t.equal(failure(() => load({ host, auth: { loopback: 'none' } })).code, 'INVALID', 'that is about this machine')
    for (const auth of [{ secretFile: 's' }, { publicKeysFile: 'k' }, { anonymous: 'read' }]) {
      t.match(load({ host, auth }).rpc, { host })
    }
  }
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) t.match(load({ host }).rpc, { host })
  t.match(
    failure(() => loadNodeConfig(file('open.yaml', '{}'), { CONCORDAT_RPC_HOST: '0.0.0.0' })),
    { code: 'INVALID', message: /'rpc\.host'/ },
    'from the environment too',
  )
})

t.test("a department's configuration is read by the same rules", async (t) => {
  const text = 'department: d\nrpc: http://a\nkeyFile: k\nencryptionKeyFile: e\ndatabase:\n  dir: db\n'
  const path = file('department.yaml', text)
  const env = { CONCORDAT_RPC: 'http://b', CONCORDAT_DATABASE_DIR: 'other', CONCORDAT_LOG_LEVEL: 'debug' }
  const config = loadDepartmentConfig(path, {
    ...env,
    CONCORDAT_TEST_POSTGRES_URL: 'x',
    CONCORDAT_P2P_PORT: '1',
    CONCORDAT_CONSENSUS_HEARTBEAT_MS: '1',
  })
  t.match(config, { department: 'd', rpc: 'http://b', logLevel: 'debug', database: { dir: join(dir, 'other') } })
  t.match(
    failure(() => loadDepartmentConfig(path, { CONCORDAT_DATABSE_DIR: 'x' })),
    { code: 'UNKNOWN_KEY', message: /did you mean CONCORDAT_DATABASE_DIR/ },
  )
  t.match(
    failure(() => loadDepartmentConfig(file('large.yaml', `${text}# ${'x'.repeat(1024 * 1024)}`), {})),
    { code: 'TOO_LARGE' },
  )
  t.match(
    failure(() => loadDepartmentConfig(file('torn.yaml', 'department: d\nrpc: [1\n'), {})),
    { code: 'SYNTAX', message: /line/ },
  )
  const url = 'postgres://u:geheim-8@h/d'
  for (const text of [
    `!secret ${url}`,
    `'${url}\nx: 1`,
    `${url}: x`,
    `\n  ${url}\n   ${url}\n  : 1`,
    `[${url}`,
    `*${url}`,
  ]) {
    const error = failure(() => loadDepartmentConfig(file('secret.yaml', `database:\n  url: ${text}\n`), {}))
    t.match(error, { name: 'ConfigError' }, text)
    t.notMatch(String(error), /geheim-8/, 'no password in what is said')
  }
  t.match(
    failure(() => loadDepartmentConfig(join(dir, 'absent.yaml'), {})),
    { code: 'UNREADABLE' },
  )
})

const sealer = `0x${'11'.repeat(20)}`
const department = {
  address: sealer,
  role: 'department',
  name: 'D',
  id: 'd',
  encryptionKey: `0x${'09'.padEnd(64, '0')}`,
}
const operator = { address: `0x${'22'.repeat(20)}`, role: 'operator', name: 'O', id: 'o' }
const genesis = {
  chainId: 7,
  timestamp: 1,
  gasLimit: 100_000_000,
  sealers: [{ address: sealer, weight: 1 }],
  members: [department, operator],
  attributes: [{ attribute: 'employees', schema: { valueType: 'integer' }, supervisors: [sealer] }],
}

t.test('equal genesis files give equal hashes, any difference another', async (t) => {
  const hash = genesisHash(parseGenesis(genesis))
  t.equal(genesisHash(parseGenesis(structuredClone(genesis))), hash)
  for (const other of [
    { ...genesis, timestamp: 2 },
    { ...genesis, sealers: [{ address: sealer, weight: 2 }] },
    { ...genesis, members: [{ ...department, name: 'E' }, operator] },
    { ...genesis, attributes: [] },
  ]) {
    t.not(genesisHash(parseGenesis(other)), hash)
  }
})

t.test('what no single field shows', async (t) => {
  const weights = (...all: number[]) => all.map((weight, i) => ({ address: `0x${String(i + 1).repeat(40)}`, weight }))
  const refused = (change: object) => failure(() => parseGenesis({ ...genesis, ...change })).message
  t.match(refused({ members: [department] }), /'members'.*operator/)
  t.match(refused({ sealers: [...genesis.sealers, ...genesis.sealers] }), /'sealers'.*twice/)
  t.match(refused({ sealers: weights(1, 1, 1, 2) }), /'sealers'.*third/)
  t.match(refused({ alloc: [{ address: sealer, balance: -1 }] }), /'alloc\.0\.balance'.*negative/)
  t.equal(parseGenesis({ ...genesis, sealers: weights(1, 1, 1, 1) }).sealers.length, 4)
})

t.test('how sealers change: whatever could not work, or takes less than two thirds, is refused', async (t) => {
  const refused = (consensus: object) => failure(() => parseGenesis({ ...genesis, consensus })).message
  t.match(refused({ changeThreshold: { numerator: 3, denominator: 5 } }), /'consensus\.changeThreshold'.*two thirds/)
  t.match(refused({ changeThreshold: { numerator: 4, denominator: 3 } }), /'consensus\.changeThreshold'.*at most 1\/1/)
  t.match(refused({ sealersMin: 2 }), /'consensus\.sealersMin'.*there are 1 sealers/)
  t.match(refused({ weightPolicy: 'No name' }), /'consensus\.weightPolicy'/)
  t.match(refused({ epochBlocks: -1 }), /'consensus\.epochBlocks'/)
  t.match(refused({ epochBloks: 1 }), /epochBloks/)
  t.match(failure(() => parseGenesis({ ...genesis, credit: { points: { turnMissed: -1_001 } } })).message, /turnMissed/)
  const consensus = { weightPolicy: 'credit', epochBlocks: 100, changeThreshold: { numerator: 3, denominator: 4 } }
  const credit = { start: 400, points: { turnMissed: -20 } }
  const parsed = parseGenesis({ ...genesis, consensus, credit })
  t.same([parsed.consensus, parsed.credit], [consensus, credit])
  t.not(genesisHash(parsed), genesisHash(parseGenesis(genesis)))
  t.equal(
    genesisHash(parseGenesis({ ...genesis, consensus: { weightPolicy: 'equal' } })),
    genesisHash(parseGenesis(genesis)),
  )
})

t.test('genesis says who decides on members, and for how long former keys count', async (t) => {
  const refused = (membership: object) => failure(() => parseGenesis({ ...genesis, membership })).message
  const enterprise = (by: string[], threshold = 1) => ({ admission: { enterprise: { by, threshold } } })
  t.match(refused(enterprise(['nobody'])), /'membership\.admission\.enterprise\.by'.*'nobody' is neither operator/)
  t.match(refused({ admission: { enterprize: { by: ['operator'] } } }), /enterprize/)
  t.match(refused(enterprise(['operator'], 0)), /threshold/)
  t.match(refused(enterprise([])), /by/)
  t.match(refused({ recoveryDelayBlocks: 0 }), /recoveryDelayBlocks/)
  t.match(refused({ recoveryDelay: 1 }), /recoveryDelay/)
  const membership = { encryptionGraceBlocks: 50, ...enterprise(['operator', department.id], 2) }
  const parsed = parseGenesis({ ...genesis, membership })
  const rule = { role: ROLE.enterprise, threshold: 2, roles: 1 << ROLE.operator, approvers: [department.address] }
  t.same(parsed.membership, { encryptionGraceBlocks: 50, admission: [rule] })
  t.not(genesisHash(parsed), genesisHash(parseGenesis(genesis)))
  t.throws(() => genesisHash(parseGenesis({ ...genesis, membership: enterprise(['operator'], 2) })), /InvalidAdmission/)
})

t.test('extensions are loaded, and what is wrong with one is said', async (t) => {
  const load = (name: string, text: string) => loadExtensions([file(name, text)])
  const good = "export default { policies: [{ name: 'mine', weights: ({ sealers }) => sealers.map(() => 1) }] }"
  const { policies, schedules } = await load('good.mjs', good)
  t.same([...policies.keys()], ['equal', 'credit', 'mine'])
  t.same([...schedules.keys()], ['round-robin', 'weighted-round-robin'])
  const cases: [string, string, string, RegExp][] = [
    ['bad1.mjs', 'export const policies = []', 'INVALID', /bad1\.mjs: it must have a default export/],
    ['bad2.mjs', 'export default { polices: [] }', 'INVALID', /'polices'; known are policies and schedules/],
    ['bad3.mjs', 'export default { policies: {} }', 'INVALID', /'policies' .* must be a list/],
    ['bad4.mjs', "export default { policies: [{ name: 'equal', weights() {} }] }", 'INVALID', /equal exists already/],
    ['bad5.mjs', "export default { schedules: [{ name: 'x' }] }", 'INVALID', /schedule x must be a function/],
    ['bad6.mjs', 'export default {', 'UNREADABLE', /cannot load the extension/],
  ]
  for (const [name, text, code, message] of cases) await t.rejects(load(name, text), { code, message }, name)
  await t.rejects(loadExtensions([join(dir, 'absent.mjs')]), { code: 'UNREADABLE' })
  const config = loadNodeConfig(file('i.yaml', 'consensus:\n  extensions: [mine.mjs]\n'), {})
  t.same(config.consensus.extensions, [join(dir, 'mine.mjs')], 'relative to the file')
})

t.test('genesis faults name the field', async (t) => {
  t.match(
    failure(() => parseGenesis({ ...genesis, chainId: 0 })),
    { code: 'INVALID', message: /'chainId'/ },
  )
  t.match(
    failure(() => parseGenesis({ ...genesis, sealers: [] })),
    { code: 'INVALID', message: /'sealers'/ },
  )
  t.match(
    failure(() => parseGenesis({ ...genesis, sealers: [{ address: '0x1', weight: 1 }] })),
    { message: /'sealers\.0\.address': must be 0x followed by 40 hex digits/ },
  )
  t.match(
    failure(() => parseGenesis({ ...genesis, extra: 1 })),
    { code: 'INVALID', message: /extra/ },
  )
  const attribute = { attribute: 'a', schema: { valueType: 'text' }, supervisors: ['nobody'] }
  t.match(
    failure(() => parseGenesis({ ...genesis, attributes: [attribute] })),
    { message: /'attributes\.0\.supervisors\.0': 'nobody' is no address, and no member has this id/ },
  )
  const share = (numerator: number, denominator: number) =>
    failure(() => parseGenesis({ ...genesis, portrait: { changeThreshold: { numerator, denominator } } }))
  t.match(share(1, 3), { message: /'portrait\.changeThreshold'.*at least 1\/2/ })
  t.match(share(2, 2), { message: /'portrait\.changeThreshold'.*below 1/ })
  t.match(
    failure(() => loadGenesis(file('genesis.json', '{'))),
    { code: 'SYNTAX' },
  )
})
