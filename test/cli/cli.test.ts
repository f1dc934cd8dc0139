/** The command line as a script sees it: exit status, errors in plain words or JSON, help with examples. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Command, Help } from 'commander'
import t from 'tap'
import { COMMANDS } from '../../src/cli/commandList.js'
import { buildProgram, runHere } from './inProcess.js'

const MAIN = join(process.cwd(), 'dist/src/cli/main.js')
const dir = mkdtempSync(join(tmpdir(), 'concordat-cli-'))
t.teardown(() => rmSync(dir, { recursive: true }))

function run(...args: string[]) {
  return spawnSync(process.execPath, [MAIN, ...args], { cwd: dir, encoding: 'utf8', timeout: 60_000 })
}

const here = (...args: string[]) => runHere(dir, ...args)

/** Commands that do something, with the words that lead to them. */
function leaves(
  command: Command,
  words: readonly string[] = [],
): { readonly words: string; readonly command: Command }[] {
  if (command.commands.length === 0) return [{ words: words.join(' '), command }]
  return command.commands.flatMap((child) => leaves(child, [...words, child.name()]))
}

t.test('every command has help with an example', async (t) => {
  const whole = await buildProgram()
  const all = leaves(whole)
  t.ok(all.length > 60, `${all.length} commands`)
  for (const { words, command } of all) {
    const page: string[] = []
    command.configureOutput({ writeOut: (text) => void page.push(text) }).outputHelp()
    t.match(page.join(''), /Example:/, words)
  }
  const { status, stdout } = run('network', 'create', '--help')
  t.match({ status, stdout }, { status: 0, stdout: /Example:/ })
})

t.test('the list of commands says what they are, and loads none that is not called', async (t) => {
  const whole = await buildProgram()
  for (const { name, usage } of COMMANDS) {
    const command = whole.commands.find((one) => one.name() === name)!
    t.equal(new Help().subcommandTerm(command), usage)
  }
  const listed = await buildProgram(['--help'])
  t.equal(listed.helpInformation(), whole.helpInformation())
  t.ok(listed.commands.every(({ commands, options }) => commands.length === 0 && options.length === 0))
  const called = await buildProgram(['help', 'keys'])
  t.same(
    called.commands.filter(({ commands }) => commands.length > 0).map((command) => command.name()),
    ['keys'],
  )
})

t.test('an enterprise signs a consent without a node', async (t) => {
  writeFileSync(join(dir, 'enterprise.key'), `0x${'03'.repeat(32)}\n`, { mode: 0o600 })
  const asked = ['--attribute', 'employees', '--purpose', 'policy-declaration', '--until', '2099-03-31', '--uses', '3']
  const who = ['--enterprise', '91440300708461136T', '--requester', `0x${'ab'.repeat(20)}`, '--chain-id', '7']
  const grant = [...who, ...asked, '--key-file', 'enterprise.key']
  t.match(await here('consent', 'grant', ...grant), { status: 2, stderr: /--out FILE, --send, or both/ })
  const made = await here('consent', 'grant', ...grant, '--out', 'consent.json', '--json')
  t.equal(made.status, 0, made.stderr)
  const { id } = JSON.parse(made.stdout) as { id: string }
  const shown = await here('consent', 'show', 'consent.json', '--json')
  t.match(JSON.parse(shown.stdout), { id, attributes: ['employees'], notAfter: '2099-03-31T23:59:59Z', uses: '3' })
  t.match(await here('consent', 'grant', ...grant, '--out', 'consent.json'), { status: 1, stderr: /name another file/ })
  t.match(await here('consent', 'show', id), { status: 2, stderr: /--network DIR, or --rpc/ })
  t.match(await here('consent', 'show', 'nothing'), { status: 2, stderr: /neither a file nor the id/ })
  t.match(await here('objection', 'decide', '1', '--upheld', '--rejected'), {
    status: 2,
    stderr: /--upheld or --rejected/,
  })
})

t.test('wrong usage ends with 2 and says what is wrong', async (t) => {
  t.match(run('network', 'create'), { status: 2, stderr: /--out <dir>/ })
  t.match(await here('network', 'create', '--out', 'x', '--nodes', '0'), {
    status: 2,
    stderr: /whole number from 1 to 64/,
  })
  t.match(await here('sim'), { status: 2, stderr: /--print-example/ })
  t.match(await here('doctor'), { status: 2, stderr: /DIR, --config FILE, --rpc URL/ })
  t.match(await here('netwrok'), { status: 2, stderr: /unknown command 'netwrok'/ })
  t.match(await here('verify', 'd.json'), { status: 2, stderr: /--as <department>/ })
  t.match(await here('member', 'list'), { status: 2, stderr: /--network DIR, or --rpc/ })
  t.match(await here('network', 'create', '--out', 'x', '--hst', '1'), { status: 2, stderr: /unknown option '--hst'/ })
  t.match(await here('bench', 'storage', '--scale', '0'), { status: 2, stderr: /whole numbers from 1 to 100/ })
  t.match(await here('credential', 'show', '0x12', '--rpc', 'http://127.0.0.1:1'), {
    status: 2,
    stderr: /64 hex digits, got 0x12\n$/,
  })
  t.match(await here('bench', 'compare', 'a'), { status: 2, stderr: /missing required argument 'b'/ })
})

t.test('failures end with 1 and say what to do', async (t) => {
  t.match(run('network', 'status', 'nothing'), { status: 1, stderr: /holds no network.*network create/s })
  t.match(await here('bench', 'report', 'nothing'), { status: 1, stderr: /holds no results.*bench all/s })
  t.match(await here('node', '--config', 'absent.yaml'), { status: 1, stderr: /cannot read the configuration/ })
  writeFileSync(join(dir, 'bad.yaml'), 'rpc:\n  prot: 1\n')
  const failed = await here('node', '--config', 'bad.yaml', '--json')
  t.equal(failed.status, 1)
  t.match(JSON.parse(failed.stderr), { error: { code: 'UNKNOWN_KEY', message: /did you mean rpc\.port/ } })
})

t.test('network create writes what servers need, and only once', async (t) => {
  const created = await here(
    'network',
    'create',
    '--out',
    'net',
    '--nodes',
    '4',
    '--host',
    '10.0.0.1',
    '--host',
    '10.0.0.2',
    '--host',
    '10.0.0.3',
    '--host',
    '10.0.0.4',
    '--json',
  )
  t.equal(created.status, 0, created.stderr)
  const shown = JSON.parse(created.stdout)
  t.equal(shown.nodes.length, 4)
  t.notOk('accounts' in shown, 'keys are not printed')
  const network = JSON.parse(readFileSync(join(dir, 'net/network.json'), 'utf8'))
  t.same(
    network.nodes.map((node: { rpc: string }) => node.rpc),
    [1, 2, 3, 4].map((n) => `http://10.0.0.${n}:${8544 + n}`),
  )
  t.match(network.nodes[0].p2p, /^\/ip4\/10\.0\.0\.1\/tcp\/30301\/p2p\//)
  for (const file of ['net/network.json', 'net/node1/node.key', 'net/node1/encryption.key']) {
    t.equal(statSync(join(dir, file)).mode & 0o077, 0, `${file} is its owner's alone`)
  }
  t.match(await here('network', 'create', '--out', 'net'), { status: 1, stderr: /not empty/ })
  const effective = await here(
    'node',
    '--config',
    'net/node2/config.yaml',
    '--rpc-port',
    '9999',
    '--print-config',
    '--json',
  )
  t.match(JSON.parse(effective.stdout), {
    name: 'node2',
    rpc: { port: 9999, host: '10.0.0.2' },
    p2p: { peers: { length: 3 } },
  })
})

t.test('keys: keystore V3 in, address out', async (t) => {
  writeFileSync(join(dir, 'password'), 'correct horse battery\n', { mode: 0o600 })
  const made = JSON.parse((await here('keys', 'new', '--dir', 'keys', '--password-file', 'password', '--json')).stdout)
  t.match(made.address, /^0x[0-9a-f]{40}$/)
  t.equal(
    JSON.parse((await here('keys', 'address', made.file, '--password-file', 'password', '--json')).stdout).address,
    made.address,
  )
  t.equal(JSON.parse((await here('keys', 'list', '--dir', 'keys', '--json')).stdout)[0].address, made.address)
  writeFileSync(join(dir, 'wrong'), 'wrong password\n', { mode: 0o600 })
  t.match(await here('keys', 'address', made.file, '--password-file', 'wrong'), { status: 1, stderr: /password/i })
  t.match(await here('keys', 'address', made.file), { status: 1, stderr: /passwordFile|password/ })
  writeFileSync(join(dir, 'open.key'), `0x${'11'.repeat(32)}\n`, { mode: 0o644 })
  t.match(await here('keys', 'address', 'open.key'), { status: 1, stderr: /chmod 600/ })
})

t.test('declarations from the dataset', async (t) => {
  t.equal((await here('dataset', 'declaration', '--records', '200', '--out', 'd.json')).status, 0)
  t.equal((await here('dataset', 'declaration', '--records', '200', '--out', 'd.csv')).status, 0)
  const json = JSON.parse(readFileSync(join(dir, 'd.json'), 'utf8'))
  t.match(readFileSync(join(dir, 'd.csv'), 'utf8'), json.values.companyName)
  t.match(await here('dataset', 'declaration', '--kind', 'odd', '--out', 'x.json'), {
    status: 2,
    stderr: /complete, missing/,
  })
})

t.test('a network does not take the nodes of another one for its own', async (t) => {
  const basePort = String(33_000 + Math.floor(Math.random() * 9_000))
  for (const out of ['first', 'second']) {
    t.equal(run('network', 'create', '--out', out, '--nodes', '1', '--base-port', basePort).status, 0)
  }
  t.teardown(() => run('network', 'down', 'first'))
  t.match(run('network', 'up', 'first', '--detach'), { status: 0 })
  t.match(run('network', 'up', 'second', '--detach'), {
    status: 1,
    stderr: /another network|address already in use|EADDRINUSE/,
  })
  t.match(run('network', 'status', 'first', '--json'), { status: 0, stdout: /"up": true/ })
})

t.test('who reads the output may stop before its end, as `head` does', async (t) => {
  const child = spawn(process.execPath, [MAIN, 'sim', '--print-example'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (data) => (stderr += data))
  child.stdout.destroy()
  const status = await new Promise((resolve) => child.once('close', resolve))
  t.same({ status, stderr }, { status: 0, stderr: '' })
})
