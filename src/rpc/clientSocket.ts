/** Subscriptions over one WebSocket which reconnects with backoff and subscribes anew. */
import { WebSocket } from 'ws'
import type { Hash } from '../core/bytes.js'
import { bearer } from './clientHttp.js'
import { RpcError } from './errors.js'
import type { LogFilter, RpcHeader, RpcLog } from './wire.js'

export interface SubscriptionKinds {
  newHeads: { params: []; value: RpcHeader }
  logs: { params: [LogFilter]; value: RpcLog }
  newPendingTransactions: { params: []; value: Hash }
}

export interface SubscriptionHandlers<T> {
  onValue(value: T): void
  /** Subscribed, for the first time or again: values between the two connections are lost, read them now. */
  onConnected?(): void
  /** The connection is gone; it is tried again. */
  onDisconnected?(reason: string): void
  /** The node refuses this subscription: it is dropped. */
  onRefused?(error: RpcError): void
}

export interface SocketClientOptions {
  readonly url: string
  readonly messageBytesMax: number
  readonly retryMsMin?: number
  readonly retryMsMax?: number
  /** A connection without a sign of life for one to two of these is cut: a silent TCP peer looks open for ever. */
  readonly pingMs?: number
  /** Asked before each connection. */
  readonly token?: () => string | undefined
  /** PEM of the authorities that may vouch for the node. */
  readonly ca?: string | undefined
}

interface Entry {
  readonly kind: string
  readonly params: readonly unknown[]
  readonly handlers: SubscriptionHandlers<unknown>
  /** Id which the node gave on this connection; undefined until it has answered. */
  serverId: string | undefined
}

export interface SocketClient {
  subscribe<K extends keyof SubscriptionKinds>(
    kind: K,
    params: SubscriptionKinds[K]['params'],
    handlers: SubscriptionHandlers<SubscriptionKinds[K]['value']>,
  ): { close(): void }
  close(): void
}

export function createSocketClient(options: SocketClientOptions): SocketClient {
  const connection = new Connection(options)
  return {
    subscribe: (kind, params, handlers) =>
      connection.add({ kind, params, handlers: handlers as SubscriptionHandlers<unknown>, serverId: undefined }),
    close: () => connection.close(),
  }
}

/** Opens with the first subscription, closes with the last. */
class Connection {
  readonly #options: SocketClientOptions & Required<Pick<SocketClientOptions, 'retryMsMin' | 'retryMsMax' | 'pingMs'>>
  readonly #entries = new Set<Entry>()
  readonly #byServerId = new Map<string, Entry>()
  /** Requests of this connection that wait for their answer. */
  readonly #waiting = new Map<number, Entry>()
  #socket: WebSocket | undefined
  #retry: NodeJS.Timeout | undefined
  #failures = 0
  #lastId = 0

  constructor(options: SocketClientOptions) {
    this.#options = { retryMsMin: 100, retryMsMax: 5_000, pingMs: 10_000, ...options }
  }

  add(entry: Entry): { close(): void } {
    this.#entries.add(entry)
    if (this.#socket?.readyState === WebSocket.OPEN) this.#ask(entry)
    else if (!this.#socket && !this.#retry) this.#open()
    return { close: () => this.#remove(entry) }
  }

  close(): void {
    this.#entries.clear()
    this.#stop()
  }

  #remove(entry: Entry): void {
    if (!this.#entries.delete(entry)) return
    if (this.#entries.size === 0) this.#stop()
    else if (entry.serverId !== undefined) {
      this.#byServerId.delete(entry.serverId)
      this.#send(++this.#lastId, 'eth_unsubscribe', [entry.serverId])
    }
  }

  #stop(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#socket?.terminate()
  }

  #open(): void {
    this.#retry = undefined
    const { url, messageBytesMax, pingMs, token, ca } = this.#options
    const socket = new WebSocket(url, {
      maxPayload: messageBytesMax,
      handshakeTimeout: pingMs,
      perMessageDeflate: false,
      headers: bearer(token?.()),
      ...(ca !== undefined && { ca }),
    })
    this.#socket = socket
    let alive = true
    let reason = 'connection closed'
    const heartbeat = setInterval(() => {
      if (!alive) socket.terminate()
      else if (socket.readyState === WebSocket.OPEN) socket.ping()
      alive = false
    }, pingMs)
    socket.on('open', () => {
      this.#failures = 0
      for (const entry of this.#entries) this.#ask(entry)
    })
    socket.on('pong', () => {
      alive = true
    })
    socket.on('message', (data) => {
      alive = true
      this.#receive(String(data))
    })
    socket.on('error', (error) => {
      reason = error.message
    })
    socket.on('close', (_code, text) => {
      clearInterval(heartbeat)
      this.#lost(text.length > 0 ? String(text) : reason)
    })
  }

  #lost(reason: string): void {
    this.#socket = undefined
    this.#waiting.clear()
    this.#byServerId.clear()
    if (this.#entries.size === 0) return
    const { retryMsMin, retryMsMax } = this.#options
    const wait = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(this.#failures++, 16))
    this.#retry = setTimeout(() => this.#open(), wait)
    for (const entry of [...this.#entries]) {
      entry.serverId = undefined
      entry.handlers.onDisconnected?.(reason)
    }
  }

  #ask(entry: Entry): void {
    const id = ++this.#lastId
    this.#waiting.set(id, entry)
    this.#send(id, 'eth_subscribe', [entry.kind, ...entry.params])
  }

  #send(id: number, method: string, params: readonly unknown[]): void {
    this.#socket?.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
  }

  #receive(text: string): void {
    const message = parseMessage(text)
    if (!message) {
      this.#socket?.terminate()
      return
    }
    if (message.params) {
      this.#byServerId.get(message.params.subscription)?.handlers.onValue(message.params.result)
      return
    }
    const entry = this.#waiting.get(message.id ?? 0)
    if (!entry) return
    this.#waiting.delete(message.id ?? 0)
    this.#settle(entry, message)
  }

  #settle(entry: Entry, { result, error }: Message): void {
    if (error) {
      this.#remove(entry)
      entry.handlers.onRefused?.(new RpcError(error.code, error.message, error.data))
    } else if (typeof result === 'string') {
      this.#subscribed(entry, result)
    }
  }

  #subscribed(entry: Entry, serverId: string): void {
    if (!this.#entries.has(entry)) {
      this.#send(++this.#lastId, 'eth_unsubscribe', [serverId])
      return
    }
    entry.serverId = serverId
    this.#byServerId.set(serverId, entry)
    entry.handlers.onConnected?.()
  }
}

interface Message {
  readonly id?: number
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
  readonly params?: { readonly subscription: string; readonly result: unknown }
}

function parseMessage(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Message) : undefined
  } catch {
    return undefined
  }
}
