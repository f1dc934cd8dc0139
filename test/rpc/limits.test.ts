/** Limits over all clients, each at its figure and one beyond; and that the event loop stays free whatever is asked. */
import { once } from 'node:events'
import net from 'node:net'
import t from 'tap'
import { encodeFunctionData, numberToHex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { WebSocket } from 'ws'
import { fromHex } from '../../src/core/bytes.js'
import type { CallRequest } from '../../src/rpc/chainApi.js'
import { Dispatcher } from '../../src/rpc/dispatcher.js'
import { Filters } from '../../src/rpc/filters.js'
import { Line } from '../../src/rpc/line.js'
import { LogScanner } from '../../src/rpc/logScan.js'
import { RPC_LIMITS } from '../../src/rpc/rpcLimits.js'
import { Slices } from '../../src/rpc/slices.js'
import { turns } from '../../src/rpc/turns.js'
import { Unread } from '../../src/rpc/unread.js'
import { CHAIN_ID, COUNTER, counterAbi, createFakeChain, type FakeChain } from './fakeChain.js'
import { type Answer, post, startServer, until } from './harness.js'

const call = (id: unknown, method = 'eth_chainId', params: unknown[] = []) => ({ jsonrpc: '2.0', id, method, params })
const LOGS = call(1, 'eth_getLogs', [{ fromBlock: '0x0', toBlock: 'latest' }])

t.test('unread bytes: at the bound nobody is cut, beyond it those who are longest behind', async (t) => {
  const unread = new Unread(100)
  const line = new Line()
  const cut: string[] = []
  const read = unread.add(line, 40, () => cut.push('a'))
  unread.add(line, 30, () => cut.push('b'))
  const c = unread.add(line, 30, () => cut.push('c'))
  t.same([cut, unread.bytes], [[], 100])
  unread.add(line, 1, () => cut.push('d'))
  t.same([cut, unread.bytes], [['a'], 61])
  read()
  t.equal(unread.bytes, 61, 'what was cut counts once')
  c()
  c()
  t.equal(unread.bytes, 31)
  t.equal(line.unreadBytes, 31)
})

t.test('requests of one connection and of all: as many as said, then "try again"', async (t) => {
  const { server, chain, rpc } = await startServer(t, { limits: { connectionPendingMax: 2 } })
  chain.sealMany(10_000)
  const pipelined = async (count: number) => {
    const body = JSON.stringify([LOGS, LOGS].map((one) => ({ ...one, params: [{ fromBlock: '0x1' }] })))
    const head = `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
    const socket = net.connect(server.port, '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    socket.write((head + body).repeat(count))
    await until(() => text.split('HTTP/1.1 200').length === count + 1, 'all answers')
    socket.destroy()
    return text.split('-32005').length - 1
  }
  t.equal(await pipelined(2), 0)
  t.equal(await pipelined(3), 1, 'the third of one connection')
  t.match(await rpc('eth_chainId'), { result: /0x/ }, 'nothing is held back afterwards')
  let answer = (_value: number) => {}
  const promised = new Promise((resolve) => {
    answer = resolve
  })
  const methods = new Map([['wait', { paramsMax: 0, run: () => promised }]])
  const dispatcher = new Dispatcher({ ...RPC_LIMITS, requestsMax: 3 }, { methods, onDefect: () => {} })
  const ask = () => dispatcher.handle(JSON.stringify(call(1, 'wait')))
  const three = [ask(), ask(), ask()]
  t.match(ask(), /-32005.*try again/, 'the fourth of all')
  answer(5)
  t.match(await Promise.all(three), [/"result":5/, /"result":5/, /"result":5/])
  t.match(await ask(), /"result":5/)
  const size = JSON.stringify(call(1, 'wait')).length
  let second = (_value: number) => {}
  const later = new Promise((resolve) => {
    second = resolve
  })
  const waits = new Map([['wait', { paramsMax: 0, run: () => later }]])
  const small = new Dispatcher({ ...RPC_LIMITS, pendingBytesMax: 2 * size }, { methods: waits, onDefect: () => {} })
  const askSmall = () => small.handle(JSON.stringify(call(1, 'wait')))
  const some = [askSmall(), askSmall(), askSmall()]
  t.match(askSmall(), /-32005.*try again/, 'more bytes than all may have')
  second(6)
  t.match(await Promise.all(some), [/"result":6/, /"result":6/, /"result":6/])
})

t.test('filters and subscriptions say what to do instead', async (t) => {
  const { rpc, wsUrl } = await startServer(t, { limits: { filtersMax: 1, subscriptionsMax: 1 } })
  t.equal((await rpc('eth_newBlockFilter')).error, undefined)
  t.match((await rpc('eth_newBlockFilter')).error, { message: /too many filters: 1 are open, use eth_subscribe/ })
  const socket = new WebSocket(wsUrl)
  await once(socket, 'open')
  const answers: Answer[] = []
  socket.on('message', (data) => answers.push(JSON.parse(String(data)) as Answer))
  socket.send(JSON.stringify([call(1, 'eth_subscribe', ['newHeads']), call(2, 'eth_subscribe', ['newHeads'])]))
  await until(() => answers.length === 1, 'an answer')
  t.match(answers, [
    [{ result: /0x/ }, { error: { message: /1 are open on this connection; end some with eth_unsubscribe/ } }],
  ])
  socket.terminate()
})

t.test('an HTTP client that reads nothing is cut', async (t) => {
  const size = { responseBytesMax: 2 ** 25, bodyBytesMax: 2 ** 24, batchMax: 20_000 }
  const time = { requestTimeoutMs: 1_000, sendTimeoutMs: 200 }
  const { server, chain, rpc } = await startServer(t, { limits: { ...size, ...time, connectionsMax: 1 } })
  chain.sealMany(1)
  // More than the buffers of a connection take.
  const members = Array.from({ length: 20_000 }, (_, id) => call(id, 'eth_getBlockByNumber', ['latest', false]))
  const body = JSON.stringify(members)
  const head = `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  const socket = net.connect(server.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  socket.pause()
  await once(socket, 'connect')
  socket.write(head + body)
  const isServed = () =>
    rpc('eth_chainId').then(
      () => true,
      () => false,
    )
  t.equal(await isServed(), false, 'it has the only connection')
  await until(isServed, 'the connection to be free again')
})

t.test('many subscriptions are told in slices: everything, once, in order', async (t) => {
  const { wsUrl, chain } = await startServer(t)
  const socket = new WebSocket(wsUrl)
  await once(socket, 'open')
  const seen: { params?: { subscription: string; result: { number: string } } }[] = []
  socket.on('message', (data) => seen.push(JSON.parse(String(data))))
  const many = Array.from({ length: 100 }, (_, id) => call(id, 'eth_subscribe', ['newHeads']))
  socket.send(JSON.stringify(many))
  await until(() => seen.length === 1, 'the ids')
  for (let i = 0; i < 5; i++) chain.seal()
  await until(() => seen.length === 1 + 500, 'each head for each subscription')
  const bySubscription = new Map<string, string[]>()
  for (const { params } of seen.slice(1)) {
    const { subscription, result } = params!
    bySubscription.set(subscription, [...(bySubscription.get(subscription) ?? []), result.number])
  }
  t.equal(bySubscription.size, 100)
  for (const numbers of bySubscription.values()) t.same(numbers, ['0x1', '0x2', '0x3', '0x4', '0x5'])
  socket.terminate()
})

t.test('a short request is answered before the searches that came first', async (t) => {
  const { url, chain, rpc } = await startServer(t)
  chain.sealMany(10_000)
  const order: string[] = []
  const batch = JSON.stringify([LOGS, LOGS, LOGS].map((one) => ({ ...one, params: [{ fromBlock: '0x1' }] })))
  const searches = Array.from({ length: 8 }, () => post(url, batch).then(() => order.push('search')))
  await until(() => turns.waiting > 0, 'searches that wait for their turn')
  await rpc('eth_chainId').then(() => order.push('short'))
  await Promise.all(searches)
  t.equal(order.length, 9)
  t.not(order.at(-1), 'short')
  await until(() => turns.waiting === 0, 'the end of all waiting')
})

const account = privateKeyToAccount(generatePrivateKey())

async function submit(chain: FakeChain, nonce: number, data: `0x${string}` = '0x'): Promise<void> {
  const tx = { to: COUNTER, data, nonce, gas: 100_000n, gasPrice: 0n, type: 'legacy', chainId: CHAIN_ID } as const
  chain.submitTransaction(fromHex(await account.signTransaction(tx)))
}

t.test('a polled filter holds as many hashes, and lives as long without a poll, as said', async (t) => {
  const chain = createFakeChain()
  let nowMs = 0
  const limits = { ...RPC_LIMITS, filterHashesMax: 2, filterIdleMs: 1_000 }
  const filters = new Filters(chain, new LogScanner(chain, 1_000_000), limits, () => nowMs)
  const listeners = chain.listeners()
  const id = filters.addPending()
  const poll = () => filters.changes(id, new Slices(new Line(), Number.POSITIVE_INFINITY)) as readonly unknown[]
  for (const nonce of [0, 1]) await submit(chain, nonce)
  t.equal(poll().length, 2, 'as many hashes')
  nowMs += 1_000
  t.same(poll(), [], 'as long')
  nowMs += 1_000
  t.same(poll(), [], 'each poll counts anew')
  nowMs += 1_001
  t.throws(poll, { code: -32000, message: 'filter not found' }, 'a millisecond more')
  t.equal(chain.listeners(), listeners)
  const flooded = filters.addPending()
  for (const nonce of [2, 3, 4]) await submit(chain, nonce)
  t.throws(
    () => filters.changes(flooded, new Slices(new Line(), Number.POSITIVE_INFINITY)),
    { code: -32000, message: 'filter not found' },
    'a hash more',
  )
  t.equal(chain.listeners(), listeners, 'and listens no more')
})

t.test('connections: as many as said, then none until one ends', async (t) => {
  const { server, rpc } = await startServer(t, { limits: { connectionsMax: 2 } })
  const body = JSON.stringify(call(1))
  const request = `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const open = async () => {
    const socket = net.connect(server.port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    socket.write(request)
    const said = await Promise.race([
      once(socket, 'data').then(([data]) => String(data)),
      once(socket, 'close').then(() => ''),
    ])
    return { socket, said }
  }
  const first = await open()
  t.match(first.said, /200 OK/)
  t.match((await open()).said, /200 OK/)
  t.equal((await open()).said, '', 'the third is closed unanswered')
  first.socket.destroy()
  await until(
    () =>
      rpc('eth_chainId').then(
        () => true,
        () => false,
      ),
    'the free place',
  )
})

t.test('messages of one WebSocket: what came beyond those that are unanswered waits', async (t) => {
  const orderOf = async (socketPendingMax: number) => {
    const { wsUrl, chain } = await startServer(t, { limits: { socketPendingMax } })
    chain.sealMany(10_000)
    const socket = new WebSocket(wsUrl)
    await once(socket, 'open')
    const order: unknown[] = []
    socket.on('message', (data) => order.push((JSON.parse(String(data)) as Answer[])[0]?.id))
    const search = (id: number) => [LOGS, LOGS, LOGS].map((one) => ({ ...one, id, params: [{ fromBlock: '0x1' }] }))
    // One segment: the node reads all of them at once.
    const stream = (socket as unknown as { _socket: net.Socket })._socket
    stream.cork()
    for (const message of [search(1), search(2), [call(3)]]) socket.send(JSON.stringify(message))
    stream.uncork()
    await until(() => order.length === 3, 'three answers')
    socket.terminate()
    return order
  }
  t.equal((await orderOf(3))[0], 3, 'two are unanswered: the third is done between their slices')
  t.not((await orderOf(2))[0], 3, 'the third waits for one of the first two')
})

t.test('gas of a call: as much as said, and no more for who asks for more or does not say', async (t) => {
  const { rpc, chain } = await startServer(t, { limits: { callGasMax: 50_000 } })
  const seen: (bigint | undefined)[] = []
  const state = chain.state.bind(chain)
  chain.state = (number) => {
    const found = state(number)!
    const noted = (request: CallRequest) => seen.push(request.gas)
    return {
      ...found,
      call: (request) => noted(request) && found.call(request),
      estimateGas: (request) => noted(request) && found.estimateGas(request),
    } as typeof found
  }
  const to = { to: COUNTER }
  const asked = [49_999n, 50_000n, 50_001n].map((gas) => ({ ...to, gas: numberToHex(gas) }))
  for (const request of [...asked, to]) {
    for (const method of ['eth_call', 'eth_estimateGas']) {
      t.equal((await rpc(method, [request, 'latest'])).error, undefined)
    }
  }
  t.same(seen, [49_999n, 49_999n, 50_000n, 50_000n, 50_000n, 50_000n, 50_000n, 50_000n])
})

t.test('what a WebSocket has not read: up to the bound it stays, a byte more and it is closed', async (t) => {
  const data = encodeFunctionData({ abi: counterAbi, functionName: 'spam', args: [100n, 20_000n] })
  // More than the system takes at once, so that all of it counts as unread when it is sent.
  const RECEIPTS = Array.from({ length: 10 }, (_, id) => call(id, 'eth_getBlockReceipts', ['0x1']))
  const size = { responseBytesMax: 2 ** 27, unreadBytesMax: 2 ** 29 }
  const ask = async (socketQueueBytesMax: number) => {
    const { wsUrl, chain } = await startServer(t, { limits: { ...size, socketQueueBytesMax } })
    await submit(chain, 0, data)
    chain.seal()
    const socket = new WebSocket(wsUrl, { maxPayload: 2 ** 28 })
    await once(socket, 'open')
    socket.on('error', () => {})
    socket.send(JSON.stringify(RECEIPTS))
    const answer = once(socket, 'message').then(([text]) => (text as Buffer).length)
    const bytes = await Promise.race([answer, once(socket, 'close').then(() => 0)])
    socket.terminate()
    return bytes
  }
  const bytes = await ask(2 ** 28)
  t.ok(bytes > 2 ** 24)
  // RFC 6455: a frame of this size begins with 10 bytes.
  t.equal(await ask(bytes + 10), bytes)
  t.equal(await ask(bytes + 9), 0)
})

t.test('a WebSocket that reads nothing is not worked for; what it asked is answered when it reads', async (t) => {
  const size = { responseBytesMax: 2 ** 27, unreadBytesMax: 2 ** 29, socketQueueBytesMax: 2 ** 28 }
  const { url, wsUrl, chain } = await startServer(t, { limits: size })
  await submit(chain, 0, encodeFunctionData({ abi: counterAbi, functionName: 'spam', args: [100n, 20_000n] }))
  chain.seal()
  let worked = 0
  const receipts = chain.receipts.bind(chain)
  chain.receipts = (height) => {
    worked++
    return receipts(height)
  }
  // More than the system takes at once.
  const asked = Array.from({ length: 10 }, (_, id) => call(id, 'eth_getBlockReceipts', ['0x1']))
  const socket = new WebSocket(wsUrl, { maxPayload: 2 ** 28 })
  t.teardown(() => socket.terminate())
  await once(socket, 'open')
  let answers = 0
  socket.on('message', () => answers++)
  const stream = (socket as unknown as { _socket: net.Socket })._socket
  socket.pause()
  stream.cork()
  for (let i = 0; i < 5; i++) socket.send(JSON.stringify(asked))
  stream.uncork()
  await until(() => worked >= asked.length, 'its first message')
  // Another that asks the same is served meanwhile, again and again.
  for (let i = 0; i < 3; i++) t.match(await post(url, JSON.stringify(asked.slice(0, 1))), { status: 200 })
  t.ok(worked < 3 * asked.length, 'no more for its other messages than what they began with')
  socket.resume()
  await until(() => answers === 5, 'all of them')
  t.equal(worked, 5 * asked.length + 3)
})
