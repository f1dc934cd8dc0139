/**
 * A node process at its most talkative is shown tokens in every way, good and refused ones, in requests right and wrong. None of
 * them, nor the password of its key, stands in its log, its metrics, its answers, its files, or what `doctor` says.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse, stringify } from 'yaml'
import { createNetwork } from '../../src/cli/network/create.js'
import { startNode } from '../../src/cli/network/lifecycle.js'
import {
  type StartedProcess,
  startProcess,
  stopProcesses,
  waitReady,
  waitSaysReady,
} from '../../src/cli/network/processes.js'
import { fromHex } from '../../src/core/bytes.js'
import { rpcTokenCharsMax } from '../../src/core/limits.js'
import { encryptKeystore } from '../../src/crypto/keystore.js'
import { issueToken } from '../../src/rpc/tokenIssuer.js'
import { secretKey } from '../../src/rpc/tokenKeys.js'
import { runHere } from '../cli/inProcess.js'
import { findValues } from '../support/canary.js'
import { eventually, freeBasePort, startLocalNetwork } from '../support/localNetwork.js'
import { exchangeRaw, rawRequest } from '../support/rawHttp.js'

const SECRET = new Uint8Array(randomBytes(32))
const KEY = secretKey(SECRET)
const AUDIENCE = 'node1'
const PASSWORD = 'Kanarienvogel-Passwort-1f7c'

const now = Math.floor(Date.now() / 1_000)
const CLAIMS = { role: 'read', iat: now - 10, exp: now + 600, aud: AUDIENCE }

/** Signed as any other program signs; every one differs, so that each is found by itself. */
function forge(claims: object, secret: Uint8Array = SECRET, header: object = { alg: 'HS256', kid: KEY.kid }): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${encode(header)}.${encode({ ...claims, jti: randomBytes(12).toString('hex') })}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

/** By what the node says of it. */
const FORGED: Readonly<Record<string, () => string>> = {
  good: () => forge(CLAIMS),
  OVERSIZED: () => forge({ ...CLAIMS, note: 'x'.repeat(rpcTokenCharsMax) }),
  MALFORMED: () => `nottoken${randomBytes(24).toString('hex')}`,
  'MALFORMED header': () => forge(CLAIMS, SECRET, { alg: 'HS256', crit: ['what'], what: 1 }),
  NOT_SIGNED_FOR_THIS_NODE: () => forge(CLAIMS, new Uint8Array(randomBytes(32))),
  'NOT_SIGNED_FOR_THIS_NODE none': () => forge(CLAIMS, SECRET, { alg: 'none' }),
  EXPIRED: () => forge({ ...CLAIMS, exp: now - 600, iat: now - 1_200 }),
  NOT_VALID_YET: () => forge({ ...CLAIMS, nbf: now + 3_600 }),
  'WRONG_CLAIM audience': () => forge({ ...CLAIMS, aud: 'node2' }),
  'WRONG_CLAIM role': () => forge({ ...CLAIMS, role: 'root' }),
}

const CALL = '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'
const JSON_BODY = 'Content-Type: application/json'
const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** Ways in which a token reaches a node, on purpose or by mistake. */
const WAYS: Readonly<Record<string, (token: string) => string>> = {
  'the header': (token) => rawRequest('POST / HTTP/1.1', [`Authorization: Bearer ${token}`, JSON_BODY], CALL),
  'the header in odd case': (token) =>
    rawRequest('POST / HTTP/1.1', [`aUTHORIZATION: bEARER   ${token}`, JSON_BODY], CALL),
  'another scheme': (token) => rawRequest('POST / HTTP/1.1', [`Authorization: Token ${token}`, JSON_BODY], CALL),
  'another header': (token) => rawRequest('POST / HTTP/1.1', [`X-Api-Key: ${token}`, JSON_BODY], CALL),
  'a header twice': (token) =>
    rawRequest(
      'POST / HTTP/1.1',
      [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`, JSON_BODY],
      CALL,
    ),
  'the query of a call': (token) => rawRequest(`POST /?token=${token} HTTP/1.1`, [JSON_BODY], CALL),
  'the query of a page': (token) => rawRequest(`GET /?token=${token} HTTP/1.1`, []),
  'a path': (token) => rawRequest(`GET /${token} HTTP/1.1`, []),
  'a path that is none': (token) => rawRequest(`GET /%zz?token=${token} HTTP/1.1`, []),
  'the figures': (token) => rawRequest('GET /metrics HTTP/1.1', [`Authorization: Bearer ${token}`]),
  'the query of the figures': (token) => rawRequest(`GET /metrics?token=${token} HTTP/1.1`, []),
  'a wrong Host': (token) =>
    rawRequest('POST / HTTP/1.1', [JSON_BODY], CALL).replace('Host: 127.0.0.1', `Host: ${token.slice(0, 60)}.example`),
  'a WebSocket, the header': (token) => rawRequest('GET / HTTP/1.1', [...UPGRADE, `Authorization: Bearer ${token}`]),
  'a WebSocket, a subprotocol': (token) =>
    rawRequest('GET / HTTP/1.1', [...UPGRADE, `Sec-WebSocket-Protocol: concordat.rpc, bearer.${token}`]),
  'a WebSocket, the only subprotocol': (token) =>
    rawRequest('GET / HTTP/1.1', [...UPGRADE, `Sec-WebSocket-Protocol: bearer.${token}`]),
  'a WebSocket, the query': (token) => rawRequest(`GET /ws?token=${token} HTTP/1.1`, UPGRADE),
  'a WebSocket with a wrong key': (token) =>
    rawRequest('GET / HTTP/1.1', [...UPGRADE.slice(0, 3), 'Sec-WebSocket-Key: x', `Authorization: Bearer ${token}`]),
  'a body that is no JSON': (token) =>
    rawRequest('POST / HTTP/1.1', [`Authorization: Bearer ${token}`, JSON_BODY], token),
  'a body of another type': (token) =>
    rawRequest('POST / HTTP/1.1', [`Authorization: Bearer ${token}`, `Content-Type: text/${token.slice(0, 80)}`], CALL),
  'a body cut off': (token) =>
    `${rawRequest('POST / HTTP/1.1', [`Authorization: Bearer ${token}`, JSON_BODY, 'Content-Length: 9000'])}{"a":"${token}`,
  'a header that is none': (token) => rawRequest('POST / HTTP/1.1', [`Authorization Bearer ${token}`], CALL),
  'a header with a NUL': (token) => rawRequest('POST / HTTP/1.1', [`Authorization: Bearer \0${token}`], CALL),
  'a method that is none': (token) => rawRequest(`${token} / HTTP/1.1`, []),
  'a version that is none': (token) => rawRequest(`GET / ${token}`, []),
  'headers too large': (token) =>
    rawRequest('POST / HTTP/1.1', [
      `Authorization: Bearer ${token}`,
      `X-Fill: ${token.repeat(Math.ceil(40_000 / token.length))}`,
    ]),
  'a second request that is none': (token) =>
    `${rawRequest('POST / HTTP/1.1', [`Authorization: Bearer ${token}`, JSON_BODY], CALL)}${token}\r\n\r\n`,
  'no HTTP': (token) => `\x16\x03\x01${token}`,
  'a call that fails': (token) =>
    rawRequest(
      'POST / HTTP/1.1',
      [`Authorization: Bearer ${token}`, JSON_BODY],
      CALL.replace('eth_blockNumber', 'debug_getRawBlock'),
    ),
}

interface TalkativeNode {
  readonly folder: string
  readonly rpcPort: number
  readonly metricsUrl: string
  log(): string
  /** Ends it; resolves when it is gone. */
  stop(): Promise<void>
}

/** Tokens are wanted of everybody; its key is sealed. */
async function startTalkative(t: Test): Promise<TalkativeNode> {
  const out = join(t.testdir(), 'net')
  const basePort = await freeBasePort(1)
  const ports = { basePort, baseP2pPort: basePort + 2_000 }
  const plan = { out, nodes: 1, hosts: [], chainId: 7, ...ports, timestamp: 1_790_000_000, password: PASSWORD }
  const [node] = (await createNetwork(plan)).nodes
  const folder = join(out, node!.name)
  const configFile = join(folder, 'config.yaml')
  const config = parse(readFileSync(configFile, 'utf8'))
  const auth = { secretFile: 'rpc.secret', loopback: 'none', audience: AUDIENCE }
  writeFileSync(
    configFile,
    stringify({ ...config, logLevel: 'trace', passwordFile: 'password', rpc: { ...config.rpc, auth } }),
  )
  writeFileSync(join(folder, 'password'), PASSWORD, { mode: 0o600 })
  writeFileSync(join(folder, 'rpc.secret'), Buffer.from(SECRET).toString('hex'), { mode: 0o600 })
  const started = startNode(out, node!, false)
  const stop = () => stopProcesses([started.pid])
  t.teardown(stop)
  await waitReady(`${node!.rpc}/readiness`, started, 120_000)
  return {
    folder,
    rpcPort: basePort,
    metricsUrl: node!.metrics!,
    log: () => readFileSync(started.logFile, 'utf8'),
    stop,
  }
}

t.test('tokens and passwords stay out of what a node says', async (t) => {
  const node = await startTalkative(t)
  t.match(node.log(), /"level":(10|20|30)/, 'it talks')
  const shown = new Map<string, string>()
  const answers: string[] = []
  const statuses = new Map<string, string>()
  for (const [kind, make] of Object.entries(FORGED)) {
    const ways = Object.entries(WAYS).map(async ([way, request]) => {
      const token = make()
      shown.set(`${kind}, ${way}`, token)
      const answer = await exchangeRaw(node.rpcPort, request(token))
      answers.push(answer)
      statuses.set(`${kind}, ${way}`, answer.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
    })
    await Promise.all(ways)
  }
  t.equal(statuses.get('good, the header'), '200', 'tokens are as they should be')
  t.equal(statuses.get('good, the header in odd case'), '200')
  t.equal(statuses.get('good, a WebSocket, a subprotocol'), '101')
  t.equal(statuses.get('good, headers too large'), '431')
  t.equal(statuses.get('good, a method that is none'), '400')
  const token = await issueToken(KEY, { role: 'read', validSeconds: 600, audience: AUDIENCE })
  shown.set('good, asked for the figures', token)
  const figures = await exchangeRaw(
    node.rpcPort,
    rawRequest('GET /metrics HTTP/1.1', [`Authorization: Bearer ${token}`]),
  )
  for (const kind of Object.keys(FORGED)) {
    const [reason] = kind.split(' ')
    if (reason !== 'good')
      t.match(figures, `concordat_rpc_refused_total{reason="${reason}"`, `${kind}: refused for that`)
  }
  const metrics = await (await fetch(node.metricsUrl)).text()
  const doctor = await runHere(node.folder, 'doctor', '--config', 'config.yaml')
  const json = await runHere(node.folder, 'doctor', '--config', 'config.yaml', '--json')
  await node.stop()

  const said = Object.entries({
    'the log': node.log(),
    'the answers': answers.join('\n'),
    'the figures': `${figures}\n${metrics}`,
    doctor: [doctor, json].map(({ stdout, stderr }) => `${stdout}\n${stderr}`).join('\n'),
  })
  const secrets = new Map([...shown].map(([name, token]) => [name, token.split('.').at(-1)!]))
  secrets.set('the password', PASSWORD)
  secrets.set('the secret', Buffer.from(SECRET).toString('hex'))
  for (const [where, text] of said) {
    const found = [...secrets].filter(([, secret]) => text.includes(secret)).map(([name]) => name)
    t.same(found, [], `nothing in ${where}`)
  }
  for (const kept of ['data', 'journal', 'logs', 'reads', 'envelopes']) {
    t.same([...(await findValues(join(node.folder, kept), secrets))], [], `nothing in the folder ${kept}`)
  }
})

t.test('passwords stay out of what a department agent says', async (t) => {
  const net = await startLocalNetwork({ nodes: 1 })
  t.teardown(() => net.stop())
  const [node] = net.network.nodes
  const folder = join(net.dir, node!.name)
  const configFile = join(folder, 'department.yaml')
  const config = parse(readFileSync(configFile, 'utf8'))
  const secrets = ['key', 'rpc', 'query', 'database'].map((name) => `geheim-${name}-${randomBytes(6).toString('hex')}`)
  const [ofKey, ofRpc, inQuery, ofDatabase] = secrets
  const key = fromHex(readFileSync(join(folder, 'node.key'), 'utf8').trim())
  writePrivate(join(folder, 'sealed.key'), JSON.stringify(await encryptKeystore(key, ofKey!, { scryptN: 4_096 })))
  writePrivate(join(folder, 'right'), ofKey!)
  writePrivate(join(folder, 'wrong'), ofRpc!)
  const rpc = `${node!.rpc.replace('//', `//agent:${ofRpc}@`)}/?token=${inQuery}`
  const sealed = { ...config, logLevel: 'trace', rpc, keyFile: 'sealed.key', passwordFile: 'right' }
  const serve = (name: string, change: object): StartedProcess => {
    writeFileSync(join(folder, `${name}.yaml`), stringify({ ...sealed, ...change }))
    return startProcess(['department', 'serve', '--config', join(folder, `${name}.yaml`)], join(folder, 'logs', name), {
      detached: false,
    })
  }
  const said = ({ logFile }: StartedProcess) => readFileSync(logFile, 'utf8')
  const silentOf = (started: StartedProcess, what: string) =>
    t.same(
      secrets.filter((secret) => said(started).includes(secret)),
      [],
      what,
    )

  const postgres = (url: string) => ({ database: { kind: 'postgres', url, connectTimeoutMs: 1_000 } })
  const ending = {
    'a wrong password of its key': [{ passwordFile: 'wrong' }, /wrong password/],
    'a database that is away': [postgres(`postgres://u:${ofDatabase}@127.0.0.1:1/d`), /PostgreSQL u@127\.0\.0\.1:1\/d/],
    'a database URL that is none': [postgres(`postgres://u:${ofDatabase}@h:port/d`), /url/],
    'an option that is none': [{ database: { kind: `postgres://u:${ofDatabase}@h/d` } }, /database/],
    'a node that is away': [
      { rpc: `http://agent:${ofRpc}@127.0.0.1:1/?token=${inQuery}` },
      /cannot reach http:\/\/127/,
    ],
    'a node URL that is none': [{ rpc: `http://agent:${ofRpc}@h:x` }, /no URL of a node/],
  } as const
  for (const [name, [change, words]] of Object.entries(ending)) {
    const started = serve(name.replaceAll(' ', '-'), change)
    t.not(await started.exited, 0, name)
    t.match(said(started), words)
    silentOf(started, name)
  }

  const up = serve('up', {})
  t.teardown(() => stopProcesses([up.pid]))
  await waitSaysReady(up, 120_000)
  // Its log is written beside what it says to this process.
  t.ok(await eventually(() => said(up).includes(`"rpc":"${node!.rpc}"`), 'its first line'))
  await net.kill(0)
  await stopProcesses([up.pid])
  silentOf(up, 'one that was up')
})

const writePrivate = (file: string, text: string): void => writeFileSync(file, text, { mode: 0o600 })
