/** JSON-RPC over WebSocket on the HTTP port. A slow reader costs itself the connection, never the node its memory. */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Hex } from '../core/bytes.js'
import type { Access } from './access.js'
import type { Dispatcher } from './dispatcher.js'
import { type Client, type Gate, NotAdmitted } from './gate.js'
import { Line } from './line.js'
import type { RpcLimits } from './rpcLimits.js'
import type { SocketSubscription, SubscriptionSink, Subscriptions } from './subscriptions.js'
import type { Unread } from './unread.js'

export interface SocketServer {
  /** Open WebSockets. */
  count(): number
  /** Closes those that came with a token: they may come back with one that is still good. */
  closeTokens(): void
  close(): void
}

export interface SocketServerNeeds {
  readonly server: Server
  readonly access: Access
  readonly gate: Gate
  readonly dispatcher: Dispatcher
  readonly subscriptions: Subscriptions
  readonly unread: Unread
  /** A client that was not let in, with the reason. */
  onRefused?(reason: string): void
}

/**
 * Pages cannot set headers: they offer this subprotocol and `bearer.TOKEN` beside it, as in
 * `new WebSocket(url, ['concordat.rpc', 'bearer.' + token])`.
 */
const SUBPROTOCOL = 'concordat.rpc'
const TOKEN_PREFIX = 'bearer.'

export function attachSocketServer(limits: RpcLimits, needs: SocketServerNeeds): SocketServer {
  const { server, access } = needs
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.bodyBytesMax,
    perMessageDeflate: false,
    handleProtocols: chooseProtocol,
  })
  const alive = new WeakSet<WebSocket>()
  const byToken = new Set<SocketConnection>()

  async function onUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const onError = () => stream.destroy()
    stream.on('error', onError)
    const refusal = refuseUpgrade(request, access, sockets.clients.size >= limits.socketsMax)
    if (refusal) return refuse(stream, refusal)
    const remote = request.socket.remoteAddress ?? ''
    const client = await admit(needs, request, remote)
    if (client === undefined) return refuse(stream, '401 Unauthorized', 'WWW-Authenticate: Bearer\r\n')
    stream.off('error', onError)
    if (stream.destroyed) return
    sockets.handleUpgrade(request, stream, head, (socket) => {
      alive.add(socket)
      socket.on('pong', () => alive.add(socket))
      const connection = serveSocket(socket, { remote, client }, limits, needs)
      if (client.endsMs === Number.POSITIVE_INFINITY) return
      byToken.add(connection)
      socket.on('close', () => byToken.delete(connection))
    })
  }

  const listener = (request: IncomingMessage, stream: Duplex, head: Buffer) =>
    void onUpgrade(request, stream, head).catch(() => stream.destroy())

  const heartbeat = setInterval(() => {
    for (const socket of sockets.clients) {
      if (!alive.delete(socket)) socket.terminate()
      else socket.ping()
    }
  }, limits.socketPingMs)
  heartbeat.unref()
  server.on('upgrade', listener)
  return {
    count: () => sockets.clients.size,
    closeTokens() {
      for (const { socket } of byToken) socket.close(SERVICE_RESTART, 'the keys of this node have changed')
    },
    close() {
      clearInterval(heartbeat)
      server.off('upgrade', listener)
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

function refuse(stream: Duplex, status: string, headers = ''): void {
  stream.end(`HTTP/1.1 ${status}\r\n${headers}Connection: close\r\nContent-Length: 0\r\n\r\n`)
}

async function admit(
  { gate, onRefused }: Pick<SocketServerNeeds, 'gate' | 'onRefused'>,
  { headers }: IncomingMessage,
  remote: string,
): Promise<Client | undefined> {
  const offered = headers['sec-websocket-protocol']?.split(',').map((protocol) => protocol.trim()) ?? []
  const token = offered.find((protocol) => protocol.startsWith(TOKEN_PREFIX))?.slice(TOKEN_PREFIX.length)
  try {
    return await gate.admit({ headers, remote, ...(token !== undefined && { token }) })
  } catch (error) {
    if (!(error instanceof NotAdmitted)) throw error
    onRefused?.(error.reason)
    return undefined
  }
}

/** Never the token: it would stand in the answer. */
function chooseProtocol(offered: ReadonlySet<string>): string | false {
  if (offered.has(SUBPROTOCOL)) return SUBPROTOCOL
  return [...offered].find((protocol) => !protocol.startsWith(TOKEN_PREFIX)) ?? false
}

function serveSocket(
  socket: WebSocket,
  from: { readonly remote: string; readonly client: Client },
  limits: RpcLimits,
  needs: SocketServerNeeds,
): SocketConnection {
  const connection = new SocketConnection(socket, from, limits, needs)
  const stopTimer = at(from.client.endsMs, () => socket.close(POLICY_VIOLATION, 'the token has expired'))
  socket.on('message', (data) => connection.receive(String(data)))
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    stopTimer()
    connection.line.close()
    needs.subscriptions.drop(connection)
  })
  return connection
}

/** Close codes of RFC 6455. */
const POLICY_VIOLATION = 1008
const SERVICE_RESTART = 1012

/** What a timer takes: 24.8 days. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** Runs `task` at `instant` (ms since 1970), however far away it is; returns how to call it off. */
function at(instant: number, task: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const wait = () => {
    const ms = instant - Date.now()
    if (ms <= 0) return task()
    timer = setTimeout(wait, Math.min(ms, TIMER_MS_MAX))
    timer.unref()
  }
  if (instant !== Number.POSITIVE_INFINITY) wait()
  return () => clearTimeout(timer)
}

class SocketConnection implements SubscriptionSink {
  readonly subscriptions = new Map<Hex, SocketSubscription>()
  readonly line = new Line()
  #pending = 0
  /** What had arrived with the message after which the socket is not read: less than was read at once. */
  readonly #held: string[] = []

  constructor(
    readonly socket: WebSocket,
    readonly from: { readonly remote: string; readonly client: Client },
    readonly limits: Pick<RpcLimits, 'socketPendingMax' | 'socketQueueBytesMax'>,
    readonly needs: Pick<SocketServerNeeds, 'dispatcher' | 'unread'>,
  ) {}

  receive(text: string): void {
    if (this.#isFull()) this.#held.push(text)
    else this.#handle(text)
  }

  send(text: string): void {
    if (this.line.isClosed) return
    this.socket.send(
      text,
      this.needs.unread.add(this.line, text.length, () => this.socket.terminate()),
    )
    if (this.socket.bufferedAmount > this.limits.socketQueueBytesMax) this.socket.terminate()
  }

  cut(): void {
    this.socket.terminate()
  }

  #isFull(): boolean {
    return this.#pending >= this.limits.socketPendingMax
  }

  #handle(text: string): void {
    // Between closing and closed, as when the token has expired.
    if (this.socket.readyState !== this.socket.OPEN) return
    const tasks: (() => void)[] = []
    const request = { sink: this, afterAnswer: (task: () => void) => tasks.push(task) }
    const { remote, client } = this.from
    const answer = this.needs.dispatcher.handle(text, { remote, line: this.line, caller: client, socket: request })
    if (!(answer instanceof Promise)) {
      this.#answer(answer, tasks)
      return
    }
    this.#pending++
    if (this.#isFull()) this.socket.pause()
    answer
      .then((value) => this.#answer(value, tasks))
      .catch(() => this.socket.terminate())
      .finally(() => this.#answered())
  }

  #answered(): void {
    this.#pending--
    while (this.#held.length > 0 && !this.#isFull()) this.#handle(this.#held.shift()!)
    if (!this.#isFull() && this.socket.isPaused) this.socket.resume()
  }

  #answer(text: string | undefined, tasks: readonly (() => void)[]): void {
    if (text !== undefined) this.send(text)
    if (this.line.isClosed) return
    for (const task of tasks) task()
  }
}
