/** `concordat token`, and what commands show to a node that wants a token and has a certificate of its own. */
import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import t from 'tap'
import { tokenFromFile } from '../../src/agent/rpcToken.js'
import { rpcOf } from '../../src/cli/rpcAccess.js'
import { rpcTokenKeysMax } from '../../src/core/limits.js'
import { startRpcServer } from '../../src/rpc/server.js'
import { parsePublicKeys, parseSecrets } from '../../src/rpc/tokenKeys.js'
import { TokenVerifier } from '../../src/rpc/tokens.js'
import { LiveChain } from '../rpc/liveChain.js'
import { runHere } from './inProcess.js'

const rulesOf = (keys: Awaited<ReturnType<typeof parsePublicKeys>>) => ({ keys, skewSeconds: 30, ageDaysMax: 400 })

t.test('secret, new, show: a node with the secret takes the token', async (t) => {
  const dir = t.testdir()
  const token = (...args: string[]) => runHere(dir, 'token', ...args)
  const made = await token('secret', 'rpc.secret', '--json')
  t.equal(made.status, 0)
  const { kid } = JSON.parse(made.stdout)
  t.equal(statSync(join(dir, 'rpc.secret')).mode & 0o777, 0o600)
  t.match(await token('secret', 'rpc.secret'), { status: 1, stderr: /exists already/ })
  const secret = () => readFileSync(join(dir, 'rpc.secret'), 'utf8')
  t.notOk(made.stdout.includes(secret().slice(0, 64)), 'never printed')
  const signed = ['new', '--secret', 'rpc.secret', '--valid', '30d', '--for', 'registry']
  t.equal((await token(...signed, '--role', 'submit', '--out', 'registry.token')).status, 0)
  t.equal(statSync(join(dir, 'registry.token')).mode & 0o777, 0o600)
  const shown = JSON.parse((await token('show', 'registry.token', '--json')).stdout)
  t.match(shown, { algorithm: 'HS256', kid, role: 'submit', subject: 'registry', audience: null })
  t.equal(Date.parse(shown.endsAt) - Date.parse(shown.issuedAt), 30 * 86_400_000)
  const verifier = new TokenVerifier(rulesOf(parseSecrets(secret(), 'f')))
  const text = readFileSync(join(dir, 'registry.token'), 'utf8').trim()
  t.match(await verifier.verify(text), { role: 'submit', subject: 'registry' })

  for (let secrets = 2; secrets <= rpcTokenKeysMax; secrets++) {
    t.equal((await token('secret', 'rpc.secret', '--add')).status, 0)
  }
  t.equal(parseSecrets(secret(), 'f').at(-1)!.kid, kid, 'the old one stays, last')
  t.match(await token('secret', 'rpc.secret', '--add'), { status: 1 }, 'one more than a node takes')
  t.equal(parseSecrets(secret(), 'f').length, rpcTokenKeysMax)
  const later = JSON.parse((await token(...signed, '--role', 'read', '--json')).stdout)
  t.equal(later.kid, parseSecrets(secret(), 'f')[0]!.kid, 'the newest signs')
})

t.test('keys: the public half is for the node, the private one signs', async (t) => {
  const dir = t.testdir()
  const token = (...args: string[]) => runHere(dir, 'token', ...args)
  for (const name of ['first.key', 'second.key']) {
    t.equal((await token('keys', name, '--public', 'rpc.keys.json')).status, 0)
    t.equal(statSync(join(dir, name)).mode & 0o777, 0o600)
  }
  const set = readFileSync(join(dir, 'rpc.keys.json'), 'utf8')
  t.notMatch(set, /"d"/)
  const verifier = new TokenVerifier(rulesOf(await parsePublicKeys(set, 'f')))
  for (const name of ['first.key', 'second.key']) {
    const made = await token('new', '--role', 'read', '--signing-key', name, '--valid', '12h', '--json')
    t.match(await verifier.verify(JSON.parse(made.stdout).token), { role: 'read' })
  }
})

t.test('wrong usage', async (t) => {
  const dir = t.testdir({ 'no.token': 'abc', 'no.json': '{}' })
  chmodSync(join(dir, 'no.token'), 0o600)
  const token = (...args: string[]) => runHere(dir, 'token', ...args)
  t.match(await token('new', '--role', 'read', '--valid', '1d'), {
    status: 2,
    stderr: /one of: --secret FILE, --signing-key/,
  })
  t.match(await token('new', '--role', 'root', '--valid', '1d'), { status: 2, stderr: /Allowed choices are read/ })
  for (const valid of ['0d', '1', '1y', '-1d', '1000000m']) {
    const made = await token('new', '--role', 'read', '--secret', 'absent', `--valid=${valid}`)
    t.match(made, { status: 2, stderr: /want a number and m, h, d or w/ }, valid)
  }
  t.match(await token('show', 'no.token'), { status: 1, stderr: /no JSON Web Token/ })
  t.match(await token('keys', 'a.key', '--public', 'no.json'), { status: 1, stderr: /holds no JWK set/ })
})

t.test('a token file is read again when it has been replaced', async (t) => {
  const dir = t.testdir()
  const file = join(dir, 'a.token')
  const write = (text: string, mode = 0o600) => {
    writeFileSync(`${file}.tmp`, text, { mode })
    renameSync(`${file}.tmp`, file)
  }
  t.throws(() => tokenFromFile(file), { code: 'UNREADABLE' })
  write('open', 0o644)
  t.throws(() => tokenFromFile(file), { code: 'TOO_OPEN' })
  write('first\n')
  let nowMs = 0
  const token = tokenFromFile(file, () => nowMs)
  t.equal(token(), 'first')
  write('second\n')
  nowMs = 4_999
  t.equal(token(), 'first')
  nowMs = 5_000
  t.equal(token(), 'second')
  rmSync(file)
  nowMs = 10_000
  t.equal(token(), 'second', 'goes on while there is none')
})

t.test('what is no URL of a node', async (t) => {
  for (const url of ['localhost:8545', 'http://user:geheim-7@h:x', 'ws://127.0.0.1:8545', '']) {
    const ended = await runHere(t.testdir(), 'member', 'list', '--rpc', url)
    t.match(ended, { status: 2, stderr: /is no URL of a node: want http:\/\/host:port/ }, url)
    t.notMatch(ended.stderr, /geheim-7/)
  }
})

t.test('flags come before variables, and these before what network.json has', async (t) => {
  const dir = t.testdir({ ca: 'CA', 'other.ca': 'OTHER' })
  for (const name of ['flag', 'variable']) writeFileSync(join(dir, name), name, { mode: 0o600 })
  const at = (name: string) => join(dir, name)
  const shown = (...args: Parameters<typeof rpcOf> extends [string, ...infer R] ? R : never) => {
    const { token, ca } = rpcOf('https://node', ...args)
    return [typeof token === 'function' ? token() : token, ca]
  }
  const env = { CONCORDAT_RPC_TOKEN_FILE: at('variable'), CONCORDAT_RPC_TOKEN: 'text', CONCORDAT_RPC_CA_FILE: at('ca') }
  t.same(shown({ tokenFile: at('flag'), caFile: at('other.ca') }, 'own', env), ['flag', 'OTHER'])
  t.same(shown({}, 'own', env), ['variable', 'CA'])
  t.same(shown({}, 'own', { CONCORDAT_RPC_TOKEN: 'text' }), ['text', undefined])
  t.same(shown({}, 'own', {}), ['own', undefined])
  t.same(shown({}, undefined, {}), [undefined, undefined])
  t.throws(() => shown({ caFile: at('absent') }), { code: 'USAGE', message: /cannot read the authority's certificate/ })
})

t.test('a command against a node with https and tokens', async (t) => {
  const dir = t.testdir()
  const token = (...args: string[]) => runHere(dir, 'token', ...args)
  await token('secret', 'rpc.secret')
  await token('new', '--role', 'read', '--secret', 'rpc.secret', '--valid', '1h', '--out', 'reader.token')
  const altNames = [{ type: 7, ip: '127.0.0.1' }] as const
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'node' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [...altNames] }],
  })
  writeFileSync(join(dir, 'ca.pem'), cert)
  const keys = parseSecrets(readFileSync(join(dir, 'rpc.secret'), 'utf8'), 'f')
  const { view } = await LiveChain.open()
  const auth = { loopback: 'none', anonymous: 'none', tokens: rulesOf(keys) } as const
  const options = { host: '127.0.0.1', port: 0, tls: { cert, key }, auth }
  const server = await startRpcServer(options, { api: view, onDefect: (error) => t.fail(String(error)) })
  t.teardown(() => server.close())
  const list = (...flags: string[]) => runHere(dir, 'member', 'list', '--rpc', server.url, '--json', ...flags)
  const listed = await list('--token-file', 'reader.token', '--ca-file', 'ca.pem')
  t.equal(listed.status, 0, listed.stderr)
  t.ok(JSON.parse(listed.stdout).some(({ id }: { id: string }) => id === 'finance'))
  t.match(await list('--token-file', 'reader.token'), { status: 1, stderr: /name the authority of its certificate/ })
  t.match(await list('--ca-file', 'ca.pem'), { status: 1, stderr: /this node wants a token/ })
})
