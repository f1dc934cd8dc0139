/** Who is let in and what each may do: tokens, roles, TLS, over real HTTP and WebSockets. */
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { once } from 'node:events'
import { generate } from 'selfsigned'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { rpcTokenCharsMax, rpcTokenKeysMax } from '../../src/core/limits.js'
import { createRpcClient } from '../../src/rpc/client.js'
import { Filters } from '../../src/rpc/filters.js'
import { GATE_DEFAULTS, Gate, isLoopback } from '../../src/rpc/gate.js'
import { LogScanner } from '../../src/rpc/logScan.js'
import { buildMethodTable } from '../../src/rpc/methods/table.js'
import { ROLES, type Role, rightsOf } from '../../src/rpc/roles.js'
import { RPC_LIMITS } from '../../src/rpc/rpcLimits.js'
import { type RpcAuth, startRpcServer } from '../../src/rpc/server.js'
import { Subscriptions } from '../../src/rpc/subscriptions.js'
import { issueToken, newSigningKey, parseSigningKey } from '../../src/rpc/tokenIssuer.js'
import { parsePublicKeys, parseSecrets, secretKey, type TokenKey } from '../../src/rpc/tokenKeys.js'
import { type TokenRules, TokenVerifier } from '../../src/rpc/tokens.js'
import { createFakeChain } from './fakeChain.js'
import { type Answer, post, request, startServer, until } from './harness.js'

const SECRET = new Uint8Array(randomBytes(32))
const KEY = secretKey(SECRET)
const NOW_MS = 1_800_000_000_000
const NOW = NOW_MS / 1_000
const rulesOf = (...keys: TokenKey[]): TokenRules => ({ keys, skewSeconds: 30, ageDaysMax: 400 })

const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token by hand, without the library: what a stranger may send. */
function forge(header: object, claims: object, secret: Uint8Array = SECRET): string {
  const text = `${b64(header)}.${b64(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

const HEADER = { alg: 'HS256', kid: KEY.kid }
const CLAIMS = { role: 'read', iat: NOW, exp: NOW + 60 }

t.test('tokens: claims and clocks, with the skew and a second beyond', async (t) => {
  const verdict = (claims: object, header: object = HEADER) =>
    (async () => new TokenVerifier(rulesOf(KEY), () => NOW_MS).verify(forge(header, claims)))().then(
      () => 'taken',
      (error: { code: string }) => error.code,
    )
  t.equal(await verdict(CLAIMS), 'taken')
  t.equal(await verdict(CLAIMS, { alg: 'HS256' }), 'taken', 'without a key id every secret is tried')
  t.equal(await verdict({ ...CLAIMS, exp: NOW - 29 }), 'taken')
  t.equal(await verdict({ ...CLAIMS, exp: NOW - 30 }), 'EXPIRED')
  t.equal(await verdict({ ...CLAIMS, nbf: NOW + 30 }), 'taken')
  t.equal(await verdict({ ...CLAIMS, nbf: NOW + 31 }), 'NOT_VALID_YET')
  t.equal(await verdict({ ...CLAIMS, iat: NOW + 30 }), 'taken')
  t.equal(await verdict({ ...CLAIMS, iat: NOW + 31 }), 'NOT_VALID_YET')
  t.equal(await verdict({ ...CLAIMS, iat: NOW - 400 * 86_400 - 30 }), 'taken')
  t.equal(await verdict({ ...CLAIMS, iat: NOW - 400 * 86_400 - 31 }), 'EXPIRED', 'too old, whatever it says')
  for (const claim of ['role', 'iat', 'exp'] as const) {
    const { [claim]: _, ...rest } = CLAIMS
    t.equal(await verdict(rest), 'WRONG_CLAIM', `without ${claim}`)
  }
  for (const role of ['root', '', 'Admin', '__proto__', ['admin'], null]) {
    t.equal(await verdict({ ...CLAIMS, role }), 'WRONG_CLAIM')
  }
  t.equal(await verdict({ ...CLAIMS, exp: '9999999999' }), 'WRONG_CLAIM')
  const aimed = new TokenVerifier({ ...rulesOf(KEY), audience: 'node1' }, () => NOW_MS)
  await t.rejects(async () => aimed.verify(forge(HEADER, CLAIMS)), { code: 'WRONG_CLAIM' })
  await t.rejects(async () => aimed.verify(forge(HEADER, { ...CLAIMS, aud: 'node2' })), { code: 'WRONG_CLAIM' })
  t.match(await aimed.verify(forge(HEADER, { ...CLAIMS, aud: 'node1' })), { role: 'read', endsMs: NOW_MS + 90_000 })
})

t.test('tokens: forged algorithms, keys and sizes', async (t) => {
  const { privateKey, publicKey } = await newSigningKey()
  const [point] = await parsePublicKeys(JSON.stringify({ keys: [publicKey] }), 'keys')
  const verifier = new TokenVerifier(rulesOf(KEY, point!), () => NOW_MS)
  const code = (token: string) =>
    (async () => verifier.verify(token))().then(
      () => 'taken',
      (error: { code: string }) => error.code,
    )
  t.equal(
    await code(await issueToken(await parseSigningKey(JSON.stringify(privateKey), 'key'), request0('admin'), NOW_MS)),
    'taken',
  )
  t.equal(await code(await issueToken(KEY, request0('submit'), NOW_MS)), 'taken')
  const unsigned = `${b64({ alg: 'none' })}.${b64(CLAIMS)}.`
  t.equal(await code(unsigned), 'NOT_SIGNED_FOR_THIS_NODE')
  for (const alg of ['NONE', 'HS512', 'RS256', 'ES384', 'hs256', '']) {
    t.equal(await code(forge({ alg, kid: KEY.kid }, CLAIMS)), 'NOT_SIGNED_FOR_THIS_NODE', alg)
  }
  const published = Buffer.from(JSON.stringify(publicKey))
  for (const secret of [published, Buffer.from(publicKey.x!, 'base64url'), Buffer.alloc(32)]) {
    t.equal(
      await code(forge({ alg: 'HS256', kid: publicKey.kid }, CLAIMS, secret)),
      'NOT_SIGNED_FOR_THIS_NODE',
      'HMAC with a public key',
    )
    t.equal(await code(forge({ alg: 'HS256' }, CLAIMS, secret)), 'NOT_SIGNED_FOR_THIS_NODE')
  }
  t.equal(await code(forge({ alg: 'ES256', kid: KEY.kid }, CLAIMS)), 'NOT_SIGNED_FOR_THIS_NODE')
  t.equal(await code(forge({ ...HEADER, kid: 'other' }, CLAIMS)), 'NOT_SIGNED_FOR_THIS_NODE', 'kid of nobody')
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const embedded = { alg: 'ES256', jwk: own.publicKey.export({ format: 'jwk' }), jku: 'http://127.0.0.1:1/keys' }
  const text = `${b64(embedded)}.${b64(CLAIMS)}`
  const signature = sign('sha256', Buffer.from(text), { key: own.privateKey, dsaEncoding: 'ieee-p1363' })
  t.equal(await code(`${text}.${signature.toString('base64url')}`), 'NOT_SIGNED_FOR_THIS_NODE', 'its own key')
  t.equal(
    await code(forge({ ...HEADER, crit: ['exp2'], exp2: 1 }, CLAIMS)),
    'MALFORMED',
    'an extension that must be known',
  )
  const good = forge(HEADER, CLAIMS)
  for (const [i, wrong] of [...good].map(
    (c, i) => [i, good.slice(0, i) + (c === 'A' ? 'B' : 'A') + good.slice(i + 1)] as const,
  )) {
    if (wrong === good || i % 7 !== 0 || i === good.length - 1) continue
    t.not(await code(wrong), 'taken', `character ${i}`)
  }
  t.equal(await code(`${good}.x`), 'MALFORMED')
  for (const garbage of ['', 'x', '..', 'a.b.c', `${b64(5)}.${b64(CLAIMS)}.x`]) t.not(await code(garbage), 'taken')
  // Base64 has no text of every length: a longer header moves what the claims cannot reach.
  const sized = (chars: number) => {
    for (const typ of ['JWT', 'JWT+']) {
      const fill = (length: number) => forge({ ...HEADER, typ }, { ...CLAIMS, sub: 'x'.repeat(length) })
      for (let length = 2_900; fill(length).length <= chars; length++)
        if (fill(length).length === chars) return fill(length)
    }
    return ''
  }
  const longest = sized(rpcTokenCharsMax)
  t.equal(longest.length, rpcTokenCharsMax)
  t.equal(await code(longest), 'taken')
  t.equal(await code(`${longest}x`), 'OVERSIZED')
})

const request0 = (role: Role) => ({ role, validSeconds: 60 })

t.test('tokens: remembered until they end, and no longer', async (t) => {
  let now = NOW_MS
  const verifier = new TokenVerifier(rulesOf(KEY), () => now)
  const token = forge(HEADER, CLAIMS)
  const first = verifier.verify(token)
  t.ok(first instanceof Promise)
  await Promise.all([first, verifier.verify(token)])
  t.notOk(verifier.verify(token) instanceof Promise, 'known')
  now += 90_000 - 1
  t.match(verifier.verify(token), { role: 'read' })
  now += 1
  t.throws(() => verifier.verify(token), { code: 'EXPIRED' })
  const many = Array.from({ length: 258 + 1 }, (_, i) => forge(HEADER, { ...CLAIMS, sub: String(i) }))
  const codes = await Promise.all(
    many.map((one) =>
      (verifier.verify(one) as Promise<unknown>).then(
        () => 'taken',
        (error: { code: string }) => error.code,
      ),
    ),
  )
  t.equal(codes.filter((code) => code === 'BUSY').length, 1, '2 checked at a time and 256 waiting, not one more')
})

t.test('files of keys', async (t) => {
  const hex = (n: number) => n.toString(16).padStart(64, '0')
  const two = parseSecrets(`# mine\n${hex(1)}  # new\n\n0x${hex(2)}\n`, 'f')
  t.same(two, [secretKey(Buffer.from(hex(1), 'hex')), secretKey(Buffer.from(hex(2), 'hex'))])
  const lines = (count: number) => Array.from({ length: count }, (_, i) => hex(i)).join('\n')
  t.equal(parseSecrets(lines(rpcTokenKeysMax), 'f').length, rpcTokenKeysMax)
  t.throws(() => parseSecrets(lines(rpcTokenKeysMax + 1), 'f'), { code: 'TOO_MANY' })
  for (const text of ['', '# nothing', 'password', hex(1).slice(1), `${hex(1)}0`]) {
    t.throws(() => parseSecrets(text, 'f'), { code: 'MALFORMED' })
  }
  t.throws(
    () => parseSecrets('password', 'f'),
    { message: /^f, line 1: (?!.*password)/ },
    'never says what stands there',
  )
  const { publicKey, privateKey } = await newSigningKey()
  const parse = (...keys: unknown[]) => parsePublicKeys(JSON.stringify({ keys }), 'f')
  t.match(await parse(publicKey), [{ algorithm: 'ES256', kid: publicKey.kid }])
  await t.rejects(parse(privateKey), { code: 'PRIVATE_KEY' })
  await t.rejects(parse(publicKey, publicKey), { code: 'MALFORMED' })
  const { kid: _, ...nameless } = publicKey
  for (const key of [
    nameless,
    { ...publicKey, x: publicKey.y },
    { ...publicKey, kty: 'oct', k: 'AA' },
    { ...publicKey, crv: 'P-384' },
    5,
    null,
  ]) {
    await t.rejects(parse(key), { code: 'MALFORMED' })
  }
  for (const text of ['', '[]', '{}', '{"keys":{}}', 'null'])
    await t.rejects(parsePublicKeys(text, 'f'), { code: 'MALFORMED' })
})

t.test('roles: every method of a node has one, and each role what it should', async (t) => {
  const api = createFakeChain()
  const logs = new LogScanner(api, 1)
  const needs = {
    api,
    logs,
    filters: new Filters(api, logs, RPC_LIMITS),
    subscriptions: new Subscriptions(api, 1),
    ...RPC_LIMITS,
  }
  const port = { trail: async () => [] }
  const delivery = {} as never
  const names = [...buildMethodTable({ ...needs, audit: port, delivery }).keys()]
  const rights = rightsOf(names)
  const may = (role: Role) => names.filter((name) => rights.get(role)!.has(name))
  const only = (role: Role) => may(role).filter((name) => !rights.get('read')!.has(name))
  t.same(only('submit').sort(), [
    'concordat_deliverEnvelope',
    'concordat_getEnvelope',
    'eth_sendRawTransaction',
    'eth_sendRawTransactionSync',
  ])
  t.same(only('auditor'), ['concordat_auditTrail'])
  t.same(may('admin'), names)
  const adminOnly = names.filter((name) => !['submit', 'auditor'].some((role) => rights.get(role as Role)!.has(name)))
  t.same(
    adminOnly.filter((name) => !/^(txpool|debug)_/.test(name)),
    [],
    'a new method has to be named in src/rpc/roles.ts, or it is for administrators alone',
  )
  const changed = rightsOf(names, { read: ['net_*', 'eth_call'], submit: ['debug_*'] })
  t.same([...changed.get('read')!].sort(), ['eth_call', 'net_listening', 'net_peerCount', 'net_version'])
  t.equal(changed.get('submit')!.has('debug_getRawBlock') && changed.get('submit')!.has('eth_call'), true)
  t.equal(changed.get('submit')!.has('eth_sendRawTransaction'), false)
  t.throws(() => rightsOf(names, { read: ['eth_cal'] }), { code: 'UNKNOWN_METHOD', message: /'eth_cal' is no method/ })
  t.throws(() => rightsOf(names, { read: ['*'] }), { code: 'UNKNOWN_METHOD' }, 'no list is everything')
})

t.test('places: this machine, proxies on it, others', async (t) => {
  for (const ip of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) t.ok(isLoopback(ip), ip)
  for (const ip of ['10.0.0.1', '::ffff:10.0.0.1', '0.0.0.0', '::', '127.evil', '', '1127.0.0.1'])
    t.notOk(isLoopback(ip), ip)
  const rights = rightsOf(['eth_call', 'eth_sendRawTransaction'])
  const role = (gate: Gate, remote: string, headers = {}) => {
    try {
      return (gate.admit({ remote, headers }) as { role: Role }).role
    } catch (error) {
      return (error as { reason: string }).reason
    }
  }
  const closed = new Gate(GATE_DEFAULTS, rights)
  t.equal(role(closed, '127.0.0.1'), 'admin')
  t.equal(role(closed, '10.0.0.1'), 'MISSING')
  for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
    t.equal(role(closed, '127.0.0.1', { [header]: '127.0.0.1' }), 'MISSING', header)
  }
  t.equal(
    role(closed, '127.0.0.1', { authorization: 'Bearer x' }),
    'admin',
    'a node that takes no tokens looks at none',
  )
  const open = new Gate({ loopback: 'none', anonymous: 'read' }, rights, rulesOf(KEY))
  t.equal(role(open, '127.0.0.1'), 'MISSING')
  t.equal(role(open, '10.0.0.1'), 'read')
})

/** A server that asks everybody for a token, on loopback as well. */
async function guarded(t: Test, auth: Partial<RpcAuth> = {}) {
  const running = await startServer(t, {
    auth: { loopback: 'none', anonymous: 'none', tokens: rulesOf(KEY), ...auth },
  })
  const token = (role: Role, validSeconds = 60) => issueToken(KEY, { role, validSeconds, subject: 'test' })
  const call = async (method: string, bearer?: string, params: unknown[] = []) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const answer = await post(running.url, body, bearer === undefined ? {} : { authorization: `Bearer ${bearer}` })
    return { ...answer, json: JSON.parse(answer.body) as Answer }
  }
  return { ...running, token, call }
}

t.test('HTTP: 401 without a good token, -32011 for what a role may not', async (t) => {
  const { url, call, token } = await guarded(t)
  const none = await call('eth_chainId')
  t.equal(none.status, 401)
  t.equal(none.headers['www-authenticate'], 'Bearer')
  t.match(none.json, {
    id: null,
    error: { code: -32011, message: /wants a token: send "Authorization: Bearer TOKEN"/ },
  })
  const bad = await call('eth_chainId', forge(HEADER, CLAIMS, randomBytes(32)))
  t.match(
    [bad.status, bad.json.error],
    [401, { code: -32011, message: /token refused: .* not signed with a key of this node/ }],
  )
  const old = await issueToken(KEY, { role: 'admin', validSeconds: 60 }, Date.now() - 91_000)
  t.match((await call('eth_chainId', old)).json.error, {
    message: /token refused: the token has expired: ask the operator/,
  })
  const expected: Record<Role, readonly [string, boolean][]> = {
    read: [
      ['eth_chainId', true],
      ['eth_sendRawTransaction', false],
      ['txpool_status', false],
    ],
    submit: [
      ['eth_chainId', true],
      ['eth_sendRawTransaction', true],
      ['debug_getRawBlock', false],
    ],
    auditor: [
      ['eth_chainId', true],
      ['eth_sendRawTransaction', false],
      ['txpool_status', false],
    ],
    admin: [
      ['eth_chainId', true],
      ['eth_sendRawTransaction', true],
      ['txpool_status', true],
    ],
  }
  for (const role of ROLES) {
    const bearer = await token(role)
    for (const [method, allowed] of expected[role]) {
      const { status, json } = await call(method, bearer)
      t.equal(status, 200)
      t.equal(json.error?.code === -32011, !allowed, `${role} ${method}`)
    }
  }
  const reader = await token('read')
  t.match(
    (await call('txpool_status', reader)).json.error?.message,
    'txpool_status is not for the role read but for admin: ask the operator of this node for a token of that role',
  )
  t.match((await call('nope', reader)).json.error, { code: -32601 })
  const batch = JSON.stringify(
    ['eth_chainId', 'debug_getRawBlock'].map((method, id) => ({ jsonrpc: '2.0', id, method })),
  )
  const members = JSON.parse((await post(url, batch, { authorization: `Bearer ${reader}` })).body) as Answer[]
  t.same(
    members.map(({ error }) => error?.code),
    [undefined, -32011],
    'members of a batch one by one',
  )
  t.equal((await request(url, { method: 'GET', path: '/metrics' })).status, 401, 'figures are not for everybody')
  const headers = { authorization: `bearer  ${reader}` }
  t.equal((await request(url, { method: 'GET', path: '/metrics', headers })).status, 200)
  t.equal((await request(url, { method: 'GET', path: '/readiness' })).status, 200, 'probes need no token')
  const huge = await request(url, { headers: { 'content-type': 'application/json' }, body: 'x'.repeat(2 ** 20 + 1) })
  t.equal(huge.status, 401, 'refused before the body is looked at')
})

t.test('WebSocket: header or subprotocol, roles, the end of a token, changed keys', async (t) => {
  const { url, wsUrl, token, server } = await guarded(t)
  const opened = async (socket: WebSocket) => {
    socket.on('error', () => {})
    return Promise.race([
      once(socket, 'open').then(() => 101),
      once(socket, 'unexpected-response').then(([, response]) => (response as { statusCode: number }).statusCode),
    ])
  }
  const ask = async (socket: WebSocket, method: string) => {
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] }))
    return JSON.parse(String((await once(socket, 'message'))[0])) as Answer
  }
  t.equal(await opened(new WebSocket(wsUrl)), 401)
  t.equal(await opened(new WebSocket(wsUrl, { headers: { authorization: 'Bearer x.y.z' } })), 401)
  t.equal(await opened(new WebSocket(wsUrl, ['concordat.rpc', 'bearer.x.y.z'])), 401)
  const reader = await token('read')
  const plain = new WebSocket(wsUrl, { headers: { authorization: `Bearer ${reader}` } })
  t.equal(await opened(plain), 101)
  t.equal((await ask(plain, 'eth_chainId')).error, undefined)
  t.equal((await ask(plain, 'eth_sendRawTransaction')).error?.code, -32011)
  const page = new WebSocket(wsUrl, ['concordat.rpc', `bearer.${reader}`], { origin: url })
  t.equal(await opened(page), 101)
  t.equal(page.protocol, 'concordat.rpc', 'never the token')
  t.equal((await ask(page, 'eth_chainId')).error, undefined)
  const brief = await issueToken(KEY, { role: 'admin', validSeconds: 1 }, Date.now() - 30_000)
  const ending = new WebSocket(wsUrl, { headers: { authorization: `Bearer ${brief}` } })
  t.equal(await opened(ending), 101)
  const [code, reason] = await once(ending, 'close')
  t.same([code, String(reason)], [1008, 'the token has expired'])
  const other = secretKey(new Uint8Array(randomBytes(32)))
  const closed = Promise.all([plain, page].map((socket) => once(socket, 'close')))
  server.replaceSecrets({ tokens: rulesOf(other), tls: undefined })
  t.same(
    (await closed).map(([code]) => code),
    [1012, 1012],
  )
  t.equal(await opened(new WebSocket(wsUrl, { headers: { authorization: `Bearer ${reader}` } })), 401, 'the old key')
  const renewed = await issueToken(other, { role: 'read', validSeconds: 60 })
  const again = new WebSocket(wsUrl, { headers: { authorization: `Bearer ${renewed}` } })
  t.equal(await opened(again), 101)
  again.terminate()
})

t.test('client: shows its token with each request and connection', async (t) => {
  const { url, chain, token } = await guarded(t)
  let shown: string | undefined = await token('submit')
  const client = createRpcClient({ url, token: () => shown })
  t.teardown(() => client.close())
  t.equal(Number(await client.call('eth_chainId')), chain.chainId)
  const heads: string[] = []
  let connected = false
  client.subscribe('newHeads', [], {
    onValue: ({ number }) => heads.push(number),
    onConnected: () => {
      connected = true
    },
  })
  await until(() => connected, 'the subscription')
  chain.seal()
  await until(() => heads.length === 1, 'a head')
  shown = undefined
  await t.rejects(client.call('eth_chainId'), { name: 'RpcError', code: -32011, message: /wants a token/ })
})

t.test('TLS: not below 1.2, by an authority the client names, certificate replaced while it runs', async (t) => {
  const make = () =>
    generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      extensions: [
        {
          name: 'subjectAltName',
          altNames: [
            { type: 2, value: 'localhost' },
            { type: 7, ip: '127.0.0.1' },
          ],
        },
      ],
    })
  const [first, second] = [await make(), await make()]
  const chain = createFakeChain()
  const tls = { cert: first.cert, key: first.private }
  const server = await startRpcServer({ host: '127.0.0.1', port: 0, tls }, { api: chain, onDefect: () => {} })
  t.teardown(() => server.close())
  t.match(server.url, /^https:/)
  const clientOf = (ca?: string) => {
    const client = createRpcClient({ url: server.url, ...(ca !== undefined && { ca }) })
    t.teardown(() => client.close())
    return client
  }
  const client = clientOf(first.cert)
  t.equal(Number(await client.call('eth_chainId')), chain.chainId)
  let connected = false
  client.subscribe('newHeads', [], {
    onValue: () => {},
    onConnected: () => {
      connected = true
    },
  })
  await until(() => connected, 'a subscription over wss')
  await t.rejects(clientOf().call('eth_chainId'), {
    code: 'UNREACHABLE',
    message: /name the authority of its certificate/,
  })
  const { connect } = await import('node:tls')
  const handshake = (version: 'TLSv1.1' | 'TLSv1.2') =>
    new Promise<string>((resolve) => {
      const options = {
        port: server.port,
        ca: first.cert,
        servername: 'localhost',
        minVersion: version,
        maxVersion: version,
      }
      // Level 0 lets OpenSSL offer what it would not by itself.
      const socket = connect({ ...options, ciphers: 'DEFAULT@SECLEVEL=0' }, () => {
        resolve(socket.getProtocol() ?? '')
        socket.destroy()
      })
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    })
  t.equal(await handshake('TLSv1.2'), 'TLSv1.2')
  t.match(await handshake('TLSv1.1'), /PROTOCOL_VERSION|ECONNRESET|UNSUPPORTED_PROTOCOL/)
  server.replaceSecrets({ tokens: undefined, tls: { cert: second.cert, key: second.private } })
  t.equal(Number(await clientOf(second.cert).call('eth_chainId')), chain.chainId)
  await t.rejects(clientOf(first.cert).call('eth_chainId'), { code: 'UNREACHABLE' })
})
