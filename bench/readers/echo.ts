/**
 * A bare server in the place of a node: it parses what the readers ask and sends what a node has answered before, without reading
 * anything of a chain. Forked by processes.ts.
 */
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { WebSocketServer } from 'ws'
import { rpcSocketQueueBytesMax } from '../../src/core/limits.js'
import { cpuSeconds, type EchoTask, type Used } from './asks.js'

interface Call {
  readonly id: number
  readonly method: string
}

async function start(results: EchoTask): Promise<void> {
  const answer = (calls: readonly Call[]): string =>
    JSON.stringify(calls.map(({ id, method }) => ({ jsonrpc: '2.0', id, result: results[method] })))
  const app = Fastify({ logger: false })
  app.post('/', ({ body }, reply) => reply.type('application/json').send(answer(body as Call[])))
  const sockets = new WebSocketServer({ server: app.server, perMessageDeflate: false })
  sockets.on('connection', (socket) => {
    socket.on('error', () => {})
    socket.on('message', (data) => {
      socket.send(answer(JSON.parse(String(data)) as Call[]))
      if (socket.bufferedAmount > rpcSocketQueueBytesMax) socket.terminate()
    })
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  process.on('message', () => process.send!({ cpuSeconds: cpuSeconds() } satisfies Used))
  process.send!(`http://127.0.0.1:${port}`)
}

process.once('message', (task) => void start(task as EchoTask))
process.on('disconnect', () => process.exit(0))
