/** JSON-RPC over WebSocket on the HTTP port. A slow reader costs itself the connection, never the node its memory. */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Hex } from '../core/bytes.js'
import type { Access } from './access.js'
import type { Dispatcher } from './dispatcher.js'
import type { RpcLimits } from './rpcLimits.js'
import type { SocketSubscription, SubscriptionSink, Subscriptions } from './subscriptions.js'

export interface SocketServer {
  /** Open WebSockets. */
  count(): number
  close(): void
}

export interface SocketServerNeeds {
  readonly server: Server
  readonly access: Access
  readonly dispatcher: Dispatcher
  readonly subscriptions: Subscriptions
}

export function attachSocketServer(limits: RpcLimits, needs: SocketServerNeeds): SocketServer {
  const { server, access, dispatcher, subscriptions } = needs
  const sockets = new WebSocketServer({ noServer: true, maxPayload: limits.bodyBytesMax, perMessageDeflate: false })
  const alive = new WeakSet<WebSocket>()

  function onUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const refusal = refuseUpgrade(request, access, sockets.clients.size >= limits.socketsMax)
    if (refusal) {
      stream.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      alive.add(socket)
      socket.on('pong', () => alive.add(socket))
      serveSocket(socket, request.socket.remoteAddress ?? '', limits, dispatcher, subscriptions)
    })
  }

  const heartbeat = setInterval(() => {
    for (const socket of sockets.clients) {
      if (!alive.delete(socket)) socket.terminate()
      else socket.ping()
    }
  }, limits.socketPingMs)
  heartbeat.unref()
  server.on('upgrade', onUpgrade)
  return {
    count: () => sockets.clients.size,
    close() {
      clearInterval(heartbeat)
      server.off('upgrade', onUpgrade)
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
    },
  }
}

function refuseUpgrade({ url, headers }: IncomingMessage, access: Access, isFull: boolean): string | undefined {
  if (!access.allowsHost(headers.host)) return '403 Forbidden'
  if (!access.allowsSocket(headers.origin, headers.host)) return '403 Forbidden'
  if (url !== '/' && url !== '/ws') return '404 Not Found'
  return isFull ? '503 Service Unavailable' : undefined
}

function serveSocket(
  socket: WebSocket,
  remote: string,
  limits: RpcLimits,
  dispatcher: Dispatcher,
  subscriptions: Subscriptions,
): void {
  const connection = new SocketConnection(socket, remote, limits, dispatcher)
  socket.on('message', (data) => connection.receive(String(data)))
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    connection.isClosed = true
    subscriptions.drop(connection)
  })
}

class SocketConnection implements SubscriptionSink {
  readonly subscriptions = new Map<Hex, SocketSubscription>()
  isClosed = false
  #pending = 0

  constructor(
    readonly socket: WebSocket,
    readonly remote: string,
    readonly limits: Pick<RpcLimits, 'socketPendingMax' | 'socketQueueBytesMax'>,
    readonly dispatcher: Dispatcher,
  ) {}

  receive(text: string): void {
    const tasks: (() => void)[] = []
    const request = { sink: this, afterAnswer: (task: () => void) => tasks.push(task) }
    const answer = this.dispatcher.handle(text, request, this.remote)
    if (!(answer instanceof Promise)) {
      this.#answer(answer, tasks)
      return
    }
    if (++this.#pending >= this.limits.socketPendingMax) this.socket.pause()
    answer
      .then((value) => this.#answer(value, tasks))
      .catch(() => this.socket.terminate())
      .finally(() => {
        if (--this.#pending < this.limits.socketPendingMax && this.socket.isPaused) this.socket.resume()
      })
  }

  send(text: string): void {
    if (this.isClosed) return
    this.socket.send(text)
    if (this.socket.bufferedAmount > this.limits.socketQueueBytesMax) this.socket.terminate()
  }

  #answer(text: string | undefined, tasks: readonly (() => void)[]): void {
    if (text !== undefined) this.send(text)
    if (this.isClosed) return
    for (const task of tasks) task()
  }
}
