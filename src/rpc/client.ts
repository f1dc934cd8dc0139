/**
 * JSON-RPC client of agents and commands: typed calls and batches over HTTP keep-alive, subscriptions over one WebSocket
 * that reconnects. A node's own faults come as RpcError (code, message, data), trouble on the way as RpcClientError.
 */
import { rpcResponseBytesMax } from '../core/limits.js'
import { RpcClientError } from './clientError.js'
import { createHttpTransport } from './clientHttp.js'
import { createSocketClient, type SubscriptionHandlers, type SubscriptionKinds } from './clientSocket.js'
import { RpcError } from './errors.js'
import { urlText } from './urlText.js'
import type { ParamsOf, ResultOf, RpcMethod } from './wire.js'

export { type RpcClientCode, RpcClientError } from './clientError.js'
export type { SubscriptionHandlers, SubscriptionKinds } from './clientSocket.js'

export interface RpcClientOptions {
  /** http:// or https:// endpoint of a node. */
  readonly url: string
  /** Default: `url` with ws:// or wss://. */
  readonly wsUrl?: string
  /** Deadline of one request. Default 10,000. */
  readonly timeoutMs?: number
  /** Default: what a node sends at most, and room for framing. */
  readonly responseBytesMax?: number
  /** Token that the node wants (docs/access.md), or where to get it: asked with every request and connection. */
  readonly token?: string | (() => string | undefined)
  /** PEM of the authorities that may vouch for a node with https:// or wss://; default: those of the system. */
  readonly ca?: string
}

export interface RpcCall {
  readonly method: string
  readonly params: readonly unknown[]
}

/** Members of a batch succeed and fail one by one. */
export type BatchResult =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: RpcError }

export interface Subscription {
  close(): void
}

export interface RpcClient {
  /** For messages: without user, password and query. */
  readonly url: string
  /** A method of wire.ts's table. Throws RpcError or RpcClientError. */
  call<M extends RpcMethod>(method: M, ...params: ParamsOf<M>): Promise<ResultOf<M>>
  /** Any method. Throws RpcError or RpcClientError. */
  request(method: string, params?: readonly unknown[]): Promise<unknown>
  /** Results in the order of `calls` (at most 100 by a node's default). Throws RpcClientError, or RpcError for the whole. */
  batch(calls: readonly RpcCall[]): Promise<readonly BatchResult[]>
  /**
   * Lives across reconnects. `onConnected` runs after each (re)subscription: what happened in between was missed, so read
   * it there (eth_getLogs from the own cursor).
   */
  subscribe<K extends keyof SubscriptionKinds>(
    kind: K,
    params: SubscriptionKinds[K]['params'],
    handlers: SubscriptionHandlers<SubscriptionKinds[K]['value']>,
  ): Subscription
  close(): void
}

export function createRpcClient(options: RpcClientOptions): RpcClient {
  const { timeoutMs = 10_000, responseBytesMax = rpcResponseBytesMax + 64 * 1024 } = options
  const { token, ca } = options
  const url = urlText(options.url)
  const shown = { token: typeof token === 'function' ? token : () => token, ca }
  const transport = createHttpTransport({ url: options.url, timeoutMs, responseBytesMax, ...shown })
  const socket = createSocketClient({
    url: options.wsUrl ?? options.url.replace(/^http/, 'ws'),
    messageBytesMax: responseBytesMax,
    ...shown,
  })
  let lastId = 0

  async function request(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const id = ++lastId
    const answer = parseAnswer(await transport.post(JSON.stringify({ jsonrpc: '2.0', id, method, params })), url)
    const { result, error } = asResponse(answer, url)
    if (error) throw error
    return result
  }

  return {
    url,
    call: (method, ...params) => request(method, params) as Promise<ResultOf<typeof method>>,
    request,
    async batch(calls) {
      if (calls.length === 0) return []
      const first = lastId + 1
      lastId += calls.length
      const members = calls.map(({ method, params }, i) => ({ jsonrpc: '2.0', id: first + i, method, params }))
      const answer = parseAnswer(await transport.post(JSON.stringify(members)), url)
      return orderBatch(answer, first, calls.length, url)
    },
    subscribe: (kind, params, handlers) => socket.subscribe(kind, params, handlers),
    close() {
      transport.close()
      socket.close()
    },
  }
}

function parseAnswer(text: string, url: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RpcClientError('MALFORMED_ANSWER', `the answer of ${url} is not JSON: ${text.slice(0, 200)}`, { cause })
  }
}

interface Response {
  readonly id: unknown
  readonly result: unknown
  readonly error: RpcError | undefined
}

function asResponse(answer: unknown, url: string): Response {
  if (typeof answer === 'object' && answer !== null) {
    const { id, result, error } = answer as { id?: unknown; result?: unknown; error?: unknown }
    if (error === undefined && result !== undefined) return { id, result, error: undefined }
    const fault = asRpcError(error)
    if (fault) return { id, result: undefined, error: fault }
  }
  throw new RpcClientError('MALFORMED_ANSWER', `the answer of ${url} is no JSON-RPC response`)
}

function asRpcError(error: unknown): RpcError | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown }
  return typeof code === 'number' && typeof message === 'string' ? new RpcError(code, message, data) : undefined
}

/** A node may answer the members in any order, or the whole batch with one error. */
function orderBatch(answer: unknown, first: number, count: number, url: string): BatchResult[] {
  if (!Array.isArray(answer)) {
    const { error } = asResponse(answer, url)
    throw error ?? new RpcClientError('MALFORMED_ANSWER', `${url} answered a batch with a single result`)
  }
  const byId = new Map(answer.map((member) => asResponse(member, url)).map((response) => [response.id, response]))
  return Array.from({ length: count }, (_, i) => {
    const response = byId.get(first + i)
    if (!response) throw new RpcClientError('MALFORMED_ANSWER', `${url} left out a member of the batch`)
    return response.error ? { ok: false, error: response.error } : { ok: true, result: response.result }
  })
}
