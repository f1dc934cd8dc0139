/** Framing, limits (at the limit and one beyond), access, WebSocket. */
import { once } from 'node:events'
import net from 'node:net'
import t from 'tap'
import { encodeFunctionData } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { WebSocket } from 'ws'
import { asHeight } from '../../src/core/bytes.js'
import { startHealthServer, startRpcServer } from '../../src/rpc/server.js'
import { CHAIN_ID, COUNTER, counterAbi, createFakeChain } from './fakeChain.js'
import { type Answer, post, type Running, request, startServer, until } from './harness.js'

const JSON_HEADERS = { 'content-type': 'application/json' }
const call = (id: unknown, method = 'eth_chainId', params: unknown[] = []) => ({ jsonrpc: '2.0', id, method, params })

const account = privateKeyToAccount(generatePrivateKey())

/** A block whose one transaction emits `logs` logs of `bytes` bytes each. */
async function spam({ rpc, chain }: Running, nonce: number, logs: number, bytes: number): Promise<void> {
  const data = encodeFunctionData({ abi: counterAbi, functionName: 'spam', args: [BigInt(logs), BigInt(bytes)] })
  await rpc('eth_sendRawTransaction', [
    await account.signTransaction({
      to: COUNTER,
      data,
      nonce,
      gas: 100_000n,
      gasPrice: 0n,
      type: 'legacy',
      chainId: CHAIN_ID,
    }),
  ])
  chain.seal()
}

t.test('framing', async (t) => {
  const { url } = await startServer(t)
  const answer = async (body: unknown) => {
    const { status, body: text } = await post(url, typeof body === 'string' ? body : JSON.stringify(body))
    return { status, json: text === '' ? undefined : (JSON.parse(text) as Answer & Answer[]) }
  }
  const error = async (body: unknown) => (await answer(body)).json?.error?.code
  t.equal(await error('{'), -32700)
  t.equal(await error(''), -32700)
  t.equal(await error('[]'), -32600)
  t.equal(await error('1'), -32600)
  t.equal(await error('null'), -32600)
  t.equal(await error({ id: 1, method: 'eth_chainId' }), -32600, 'no version')
  t.equal(await error({ jsonrpc: '2.0', id: {}, method: 'eth_chainId' }), -32600, 'id of a wrong type')
  t.equal(await error({ jsonrpc: '2.0', id: 1, method: 5 }), -32600)
  t.same((await answer(call('a"b'))).json?.id, 'a"b')
  t.same((await answer(call(null))).json?.id, null)
  const notification = await answer({ jsonrpc: '2.0', method: 'eth_chainId' })
  t.same([notification.status, notification.json], [204, undefined])
  const batch = (await answer([call(1), 7, call(2, 'nope'), { jsonrpc: '2.0', method: 'eth_chainId' }, call(3)])).json!
  t.same(
    batch.map((member) => member.id),
    [1, null, 2, 3],
  )
  t.same(
    batch.map((member) => member.error?.code),
    [undefined, -32600, -32601, undefined],
  )
  t.equal((await answer([{ jsonrpc: '2.0', method: 'eth_chainId' }])).status, 204)
})

t.test('batch: 100 members, not 101', async (t) => {
  const { url } = await startServer(t)
  const batch = (size: number) => JSON.stringify(Array.from({ length: size }, (_, i) => call(i)))
  t.equal((JSON.parse((await post(url, batch(100))).body) as unknown[]).length, 100)
  t.match(JSON.parse((await post(url, batch(101))).body), { error: { code: -32600, message: /batch too large/ } })
})

t.test('body: 1 MiB, not a byte more', async (t) => {
  const { url, wsUrl } = await startServer(t)
  const limit = 1024 * 1024
  const padded = (bytes: number) => JSON.stringify(call(1)).padEnd(bytes, ' ')
  t.equal((await post(url, padded(limit))).status, 200)
  const refused = await post(url, padded(limit + 1))
  t.equal(refused.status, 413)
  t.match(JSON.parse(refused.body), { error: { message: 'request body over 1048576 bytes' } })
  const socket = new WebSocket(wsUrl)
  await once(socket, 'open')
  socket.send(padded(limit))
  t.match(String((await once(socket, 'message'))[0]), /"id":1/)
  socket.send(padded(limit + 1))
  t.equal((await once(socket, 'close'))[0], 1009)
})

t.test('answer: refused beyond the limit, alone, in a batch and while searching logs', async (t) => {
  const server = await startServer(t, { limits: { responseBytesMax: 20_000 } })
  await spam(server, 0, 10, 500)
  await spam(server, 1, 10, 100)
  const { rpc, url } = server
  t.match((await rpc('eth_getLogs', [{ fromBlock: '0x2' }])).result, { length: 10 })
  t.match((await rpc('eth_getLogs', [{ fromBlock: '0x1' }])).error, { code: -32003, message: 'response too large' })
  const receipts = call(1, 'eth_getBlockReceipts', ['0x2'])
  const batch = JSON.parse((await post(url, JSON.stringify([receipts, receipts, receipts, receipts]))).body) as Answer[]
  t.equal(batch.length, 4)
  t.equal(batch[0]!.error, undefined)
  t.equal(batch[3]!.error?.code, -32003)
})

t.test('log range: 10,000 blocks, not 10,001', async (t) => {
  const { rpc, chain } = await startServer(t)
  chain.sealMany(10_000)
  t.same((await rpc('eth_getLogs', [{ fromBlock: '0x1', toBlock: 'latest' }])).result, [])
  t.match((await rpc('eth_getLogs', [{ fromBlock: '0x0', toBlock: 'latest' }])).error, {
    code: -32602,
    message: 'block range of 10001 exceeds the limit of 10000: ask in parts',
  })
})

t.test('log filters: alternatives, filters, slots at the limit and beyond', async (t) => {
  const { rpc } = await startServer(t, { limits: { filtersMax: 2 } })
  const addresses = (count: number) => Array.from({ length: count }, (_, i) => `0x${i.toString(16).padStart(40, '0')}`)
  t.same((await rpc('eth_getLogs', [{ address: addresses(1_000) }])).result, [])
  t.equal((await rpc('eth_getLogs', [{ address: addresses(1_001) }])).error?.code, -32602)
  await rpc('eth_newBlockFilter')
  t.equal((await rpc('eth_newFilter', [{}])).error, undefined)
  t.match((await rpc('eth_newPendingTransactionFilter')).error, { code: -32000, message: /too many filters/ })
  const slots = (count: number) => Array.from({ length: count }, () => '0x0')
  t.equal((await rpc('eth_getProof', [COUNTER, slots(1_024), 'latest'])).error, undefined)
  t.match((await rpc('eth_getProof', [COUNTER, slots(1_025), 'latest'])).error, {
    code: -32602,
    message: /too many slots/,
  })
})

t.test('time: slow work stops at the deadline, single and in a batch', async (t) => {
  const { rpc, url, chain } = await startServer(t, { limits: { requestTimeoutMs: 0 } })
  chain.sealMany(5)
  const slow = ['eth_getLogs', [{ fromBlock: '0x0' }]] as const
  t.match((await rpc(...slow)).error, { code: -32002, message: 'request timed out' })
  const batch = JSON.parse((await post(url, JSON.stringify([call(1), call(2)]))).body) as Answer[]
  t.equal(batch[1]!.error?.code, -32002)
})

t.test('access: content types, methods, hosts, origins', async (t) => {
  const { url, server } = await startServer(t, {
    allowedHosts: ['Node1.example'],
    corsOrigins: ['https://console.example'],
  })
  const body = JSON.stringify(call(1))
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
  ]) {
    t.equal((await post(url, body, { 'content-type': type })).status, 415, type)
  }
  t.equal((await request(url, { body })).status, 415, 'no content type')
  t.equal((await post(url, body, { 'content-type': 'application/json; charset=utf-8' })).status, 200)
  t.equal((await request(url, { method: 'GET' })).status, 404)
  const hosts: [string, number][] = [
    [`127.0.0.1:${server.port}`, 200],
    [`localhost:${server.port}`, 200],
    ['[::1]:8545', 200],
    ['10.1.2.3', 200],
    ['node1.example:8545', 200],
    ['evil.example', 403],
    ['evil.example:8545', 403],
    ['127.0.0.1.evil.example', 403],
  ]
  for (const [host, status] of hosts) t.equal((await post(url, body, { host })).status, status, `host ${host}`)
  t.equal((await request(url, { method: 'GET', path: '/readiness', headers: { host: 'evil.example' } })).status, 403)
  const preflight = (origin: string) =>
    request(url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })
  const listed = await preflight('https://console.example')
  t.equal(listed.status, 204)
  t.equal(listed.headers['access-control-allow-origin'], 'https://console.example')
  const foreign = await preflight('https://evil.example')
  t.equal(foreign.status, 403)
  t.equal(foreign.headers['access-control-allow-origin'], undefined)
  t.equal((await post(url, body, { origin: 'https://evil.example' })).headers['access-control-allow-origin'], undefined)
  const api = createFakeChain()
  await t.rejects(
    startRpcServer({ host: '127.0.0.1', port: 0, corsOrigins: ['*'] }, { api, onDefect: () => {} }),
    /name each host/,
  )
})

t.test('WebSocket upgrades: own or listed origins, allowed hosts, bounded number', async (t) => {
  const options = { corsOrigins: ['https://console.example'], limits: { socketsMax: 2 } }
  const { wsUrl, url } = await startServer(t, options)
  const upgrade = async (headers: Record<string, string>, path = '/') => {
    const socket = new WebSocket(wsUrl + path, { headers })
    const [first] = await Promise.race([
      once(socket, 'open').then(() => [101]),
      once(socket, 'unexpected-response').then((args) => [(args[1] as { statusCode: number }).statusCode]),
    ])
    socket.on('error', () => {})
    if (first === 101) {
      socket.close()
      await once(socket, 'close')
    } else socket.terminate()
    return first
  }
  t.equal(await upgrade({}), 101)
  t.equal(await upgrade({ origin: url }), 101)
  t.equal(await upgrade({ origin: 'https://console.example' }), 101)
  t.equal(await upgrade({ origin: 'https://evil.example' }), 403)
  t.equal(await upgrade({ origin: 'null' }), 403)
  t.equal(await upgrade({ host: 'evil.example' }), 403)
  t.equal(await upgrade({}, '/other'), 404)
  const open = [new WebSocket(wsUrl), new WebSocket(wsUrl)]
  await Promise.all(open.map((socket) => once(socket, 'open')))
  t.equal(await upgrade({}), 503)
  open[0]!.close()
  await once(open[0]!, 'close')
  await until(async () => (await upgrade({})) === 101, 'a free place')
})

t.test('subscriptions: answer first, heads after state, limit, unsubscribe, cleanup', async (t) => {
  const server = await startServer(t, { limits: { subscriptionsMax: 3 } })
  const { wsUrl, chain } = server
  const idle = chain.listeners()
  const socket = new WebSocket(wsUrl)
  await once(socket, 'open')
  const seen: {
    id?: number
    result?: unknown
    error?: { code: number }
    params?: { subscription: string; result: Record<string, unknown> }
  }[] = []
  socket.on('message', (data) => seen.push(JSON.parse(String(data))))
  const send = (id: number, method: string, params: unknown[]) => socket.send(JSON.stringify(call(id, method, params)))
  send(1, 'eth_subscribe', ['newHeads'])
  send(2, 'eth_subscribe', ['logs', { address: COUNTER }])
  send(3, 'eth_subscribe', ['newPendingTransactions'])
  send(4, 'eth_subscribe', ['newHeads'])
  send(5, 'eth_subscribe', ['mirrors'])
  await until(() => seen.length === 5, 'five answers')
  t.same(
    seen.map((message) => message.error?.code),
    [undefined, undefined, undefined, -32000, -32602],
  )
  await spam(server, 0, 2, 1)
  await until(() => seen.length === 9, 'a hash, a head, two logs')
  const results = seen.slice(5).map((message) => [message.params?.subscription, message.params?.result])
  const [heads, logs, pending] = seen.slice(0, 3).map((message) => message.result)
  t.same(
    results.map(([id]) => id),
    [pending, heads, logs, logs],
  )
  t.equal((results[1]![1] as { number: string }).number, '0x1')
  t.equal((results[3]![1] as { logIndex: string }).logIndex, '0x1')
  send(6, 'eth_unsubscribe', [heads])
  send(7, 'eth_unsubscribe', [heads])
  await until(() => seen.length === 11, 'two answers')
  t.same(
    seen.slice(9).map((message) => message.result ?? message.error?.code),
    [true, -32000],
  )
  socket.close()
  await once(socket, 'close')
  chain.seal()
  await server.server.close()
  t.equal(idle, 2, 'one listener of each kind for all sockets')
  t.equal(chain.listeners(), 0, 'none after close')
})

t.test('a subscriber of syncing hears where the node stands, what changes it, and how far it is', async (t) => {
  const { wsUrl, chain } = await startServer(t)
  const follow = async () => {
    const socket = new WebSocket(wsUrl)
    await once(socket, 'open')
    t.teardown(() => socket.close())
    const seen: { result?: unknown; params?: { subscription: string; result: unknown } }[] = []
    socket.on('message', (data) => seen.push(JSON.parse(String(data))))
    socket.send(JSON.stringify(call(1, 'eth_subscribe', ['syncing'])))
    await until(() => seen.length > 1, 'the answer and what to begin with')
    t.equal(seen[1]!.params?.subscription, seen[0]!.result)
    return () => seen.slice(1).map(({ params }) => params?.result)
  }
  const lag = (current: number) => {
    const [startingBlock, currentBlock, highestBlock] = [asHeight(1), asHeight(current), asHeight(9)]
    chain.lag = { startingBlock, currentBlock, highestBlock }
  }
  const at = (current: number) => ({
    syncing: true,
    status: { startingBlock: '0x1', currentBlock: `0x${current}`, highestBlock: '0x9' },
  })
  const first = await follow()
  t.same(first(), [false])
  chain.seal()
  lag(2)
  chain.seal()
  lag(3)
  chain.seal()
  await until(() => first().length > 2, 'the beginning with its block, and how far it is without one')
  t.same(first(), [false, at(2), at(3)])
  const second = await follow()
  t.same(second(), [at(3)])
  chain.lag = false
  chain.seal()
  await until(() => first().length === 4 && second().length === 2, 'the end')
  t.same([first().at(-1), second().at(-1)], [false, false])
})

t.test('no notification overtakes the id it bears', async (t) => {
  const { wsUrl } = await startServer(t)
  const raw = await account.signTransaction({
    to: COUNTER,
    nonce: 0,
    gas: 50_000n,
    gasPrice: 0n,
    type: 'legacy',
    chainId: CHAIN_ID,
  })
  const socket = new WebSocket(wsUrl)
  await once(socket, 'open')
  socket.send(JSON.stringify(call(1, 'eth_subscribe', ['newHeads'])))
  await once(socket, 'message')
  const batch = [call(2, 'eth_subscribe', ['newPendingTransactions']), call(3, 'eth_sendRawTransaction', [raw])]
  socket.send(JSON.stringify(batch))
  const [first] = await once(socket, 'message')
  t.match(JSON.parse(String(first)), [{ id: 2 }, { id: 3 }], 'the announced transaction belongs to the time before')
  socket.terminate()
})

t.test('a request that never arrives whole is cut', async (t) => {
  const { server, rpc } = await startServer(t, { limits: { receiveTimeoutMs: 50 } })
  for (const part of [
    'POST / HTTP/1.1\r\nHost:',
    'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{',
  ]) {
    const socket = net.connect(server.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    socket.write(part)
    await once(socket, 'close')
  }
  t.equal((await rpc('eth_chainId')).error, undefined)
})

t.test('a WebSocket that does not read is cut', async (t) => {
  const server = await startServer(t, { limits: { socketQueueBytesMax: 100_000 } })
  await spam(server, 0, 100, 2_000)
  const { port } = server.server
  const socket = net.connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  const upgrade = `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n`
  socket.write(upgrade)
  await once(socket, 'data')
  socket.pause()
  const text = Buffer.from(JSON.stringify(call(1, 'eth_getBlockReceipts', ['0x1'])))
  const frame = Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text])
  let closed = false
  socket.on('close', () => {
    closed = true
  })
  socket.on('error', () => {})
  await until(() => {
    if (!socket.destroyed) socket.write(frame)
    return closed
  }, 'the server to cut the connection')
  t.ok(closed)
  t.equal((await server.rpc('eth_chainId')).error, undefined, 'others are served')
})

t.test('health and metrics', async (t) => {
  const { url, chain } = await startServer(t)
  const get = (path: string, base = url) => request(base, { method: 'GET', path, headers: JSON_HEADERS })
  t.equal((await get('/liveness')).status, 200)
  t.equal((await get('/readiness')).status, 200)
  chain.ready = false
  const readiness = await get('/readiness')
  t.same([readiness.status, JSON.parse(readiness.body)], [503, { ready: false, reasons: ['2 of 3 peers are missing'] }])
  t.equal((await get('/metrics')).body, 'up 1\n')
  const health = await startHealthServer({ host: '127.0.0.1', port: 0 }, { readiness: () => chain.readiness() })
  t.teardown(() => health.close())
  t.equal((await get('/liveness', health.url)).status, 200)
  t.equal((await post(health.url, JSON.stringify(call(1)))).status, 404, 'no RPC on the health port')
  await t.rejects(startHealthServer({ host: '127.0.0.1', port: health.port }, { readiness: () => chain.readiness() }), {
    code: 'PORT_TAKEN',
    message: `cannot listen on 127.0.0.1:${health.port}: the port is taken; stop the process that uses it, or set metrics.port to another one`,
  })
})
