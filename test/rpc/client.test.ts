/** The project's own client against the server, and against servers that misbehave. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocketServer } from 'ws'
import { createRpcClient, RpcClientError } from '../../src/rpc/client.js'
import { createSocketClient } from '../../src/rpc/clientSocket.js'
import { RpcError } from '../../src/rpc/errors.js'
import { startRpcServer } from '../../src/rpc/server.js'
import { CHAIN_ID, COUNTER, createFakeChain } from './fakeChain.js'
import { startServer, until } from './harness.js'

t.test('calls and batches', async (t) => {
  const { url } = await startServer(t)
  const client = createRpcClient({ url })
  t.teardown(() => client.close())
  t.equal(Number(await client.call('eth_chainId')), CHAIN_ID)
  t.equal((await client.call('eth_getBlockByNumber', 'latest', false))?.number, '0x0')
  t.equal(await client.call('eth_getTransactionReceipt', `0x${'00'.repeat(32)}` as never), null)
  const refused = await client.request('eth_nope').catch((error: unknown) => error)
  t.ok(refused instanceof RpcError)
  t.match(refused, { code: -32601 })
  const batch = await client.batch([
    { method: 'eth_blockNumber', params: [] },
    { method: 'eth_nope', params: [] },
  ])
  t.match(batch, [
    { ok: true, result: '0x0' },
    { ok: false, error: { code: -32601 } },
  ])
  t.same(await client.batch([]), [])
  const tooMany = Array.from({ length: 101 }, () => ({ method: 'eth_chainId', params: [] }))
  await t.rejects(client.batch(tooMany), { code: -32600 })
  client.close()
  await t.rejects(client.call('eth_chainId'), { code: 'CLOSED' })
})

/** A server that answers every request with what `respond` writes. */
async function odd(t: Test, respond: (response: http.ServerResponse) => void): Promise<string> {
  const server = http.createServer((request, response) => {
    request.resume()
    respond(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('trouble on the way is typed', async (t) => {
  const json = (body: string) => (response: http.ServerResponse) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  const cases: [string, (response: http.ServerResponse) => void, string][] = [
    ['silence', () => {}, 'TIMEOUT'],
    [
      'a body that never ends',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).write('{'),
      'TIMEOUT',
    ],
    ['reset', (response) => response.destroy(), 'UNREACHABLE'],
    ['HTML', (response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<p>'), 'REFUSED'],
    ['broken JSON', json('{'), 'MALFORMED_ANSWER'],
    ['no response', json('[]'), 'MALFORMED_ANSWER'],
    ['no result', json('{"jsonrpc":"2.0","id":1}'), 'MALFORMED_ANSWER'],
    ['oversized', json(`"${'x'.repeat(3_000)}"`), 'OVERSIZED'],
  ]
  for (const [what, respond, code] of cases) {
    const client = createRpcClient({ url: await odd(t, respond), timeoutMs: 100, responseBytesMax: 2_000 })
    const error = await client.call('eth_chainId').catch((e: unknown) => e)
    t.ok(error instanceof RpcClientError, what)
    t.match(error, { code }, what)
    client.close()
  }
  const nobody = createRpcClient({ url: 'http://127.0.0.1:1' })
  await t.rejects(nobody.call('eth_chainId'), { code: 'UNREACHABLE', message: /is the node running/ })
})

t.test('no password in what is said', async (t) => {
  const { url } = await startServer(t)
  const secret = url.replace('//', '//user:geheim-9@')
  const client = createRpcClient({ url: `${secret}/?token=geheim-9` })
  t.teardown(() => client.close())
  t.equal(client.url, url)
  t.equal(Number(await client.call('eth_chainId')), CHAIN_ID, 'it is used all the same')
  for (const wrong of [
    `${secret}/nowhere?token=geheim-9`,
    'http://user:geheim-9@127.0.0.1:1',
    'http://u:geheim-9@h:x',
  ]) {
    const error = await (async () => createRpcClient({ url: wrong }).call('eth_chainId'))().catch((error) => error)
    t.ok(error instanceof Error)
    t.notMatch(`${error.stack} ${JSON.stringify(error)}`, /geheim-9/, wrong)
  }
})

t.test('a connection that the node closed while idle is opened anew', async (t) => {
  const { server, port } = await closingServer(t)
  const client = createRpcClient({ url: `http://127.0.0.1:${port}` })
  t.teardown(() => client.close())
  t.equal(await client.call('eth_chainId'), '0x1')
  server.closeOnNext = true
  t.equal(await client.call('eth_chainId'), '0x1', 'the reset request went again on a fresh connection')
  t.equal(server.connections, 2)
})

/** Serves `0x1`; with `closeOnNext` it resets the connection at the next request instead, once. */
async function closingServer(t: Test) {
  const state = { closeOnNext: false, connections: 0 }
  const server = http.createServer((request, response) => {
    if (state.closeOnNext) {
      state.closeOnNext = false
      request.socket.resetAndDestroy()
      return
    }
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":"0x1"}')
  })
  server.on('connection', () => state.connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server: state, port: (server.address() as AddressInfo).port }
}

t.test('subscriptions survive a restart of the node', async (t) => {
  const chain = createFakeChain()
  const options = (port: number) => ({ host: '127.0.0.1', port })
  const needs = { api: chain, onDefect: () => {} }
  const first = await startRpcServer(options(0), needs)
  const client = createRpcClient({ url: first.url })
  t.teardown(() => client.close())
  const heads: string[] = []
  const state = { connected: 0, disconnected: 0, refused: 0 }
  client.subscribe('newHeads', [], {
    onValue: (head) => heads.push(head.number),
    onConnected: () => state.connected++,
    onDisconnected: () => state.disconnected++,
  })
  const logs = client.subscribe('logs', [{ address: COUNTER }], {
    onValue: () => {},
    onConnected: () => state.connected++,
  })
  client.subscribe('logs', [{ address: '0x12' as never }], { onValue: () => {}, onRefused: () => state.refused++ })
  await until(() => state.connected === 2 && state.refused === 1, 'both subscriptions and a refusal')
  chain.seal()
  await until(() => heads.length === 1, 'a head')
  await first.close()
  await until(() => state.disconnected > 0, 'the loss')
  logs.close()
  const second = await startRpcServer(options(first.port), needs)
  t.teardown(() => second.close())
  await until(() => state.connected === 3, 'the subscription again, without the one that was closed')
  chain.seal()
  await until(() => heads.length === 2, 'a head of the new connection')
  t.same(heads, ['0x1', '0x2'])
})

t.test('a silent WebSocket is cut and tried again', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false })
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  let connections = 0
  server.on('connection', () => connections++)
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = createSocketClient({ url, messageBytesMax: 1_000, pingMs: 20, retryMsMin: 1 })
  client.subscribe('newHeads', [], { onValue: () => {} })
  await until(() => connections >= 2, 'a second connection')
  client.close()
  t.pass('cut')
})
