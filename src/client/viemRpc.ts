/** The JSON-RPC client of agents over any transport of viem: HTTP, WebSocket, EIP-1193 providers of browsers. */
import {
  BaseError,
  type Client,
  HttpRequestError,
  TimeoutError,
  type Transport,
  UnknownRpcError,
  WebSocketRequestError,
} from 'viem'
import type { BatchResult, RpcCall, RpcClient } from '../rpc/client.js'
import { RpcClientError } from '../rpc/clientError.js'
import { RpcError } from '../rpc/errors.js'
import type { ResultOf } from '../rpc/wire.js'
import { HeadWatch } from './headWatch.js'
import { socketRenewal } from './socketRenewal.js'

/** Members of a batch that are under way at a time: a transport may put them into one request, or may not. */
const AT_ONCE = 16

export interface ViemRpcOptions {
  /** Milliseconds between two looks at the newest block, while something is done. */
  readonly pollMs: number
}

/** Closing it ends its subscriptions; the transport stays the caller's. */
export function rpcOverViem(client: Client<Transport>, options: ViemRpcOptions): RpcClient {
  const url = urlOf(client)
  const heads = new HeadWatch(options, { ask, pushed: pushOf(client) })

  const socket = socketRenewal(client, () => heads.pushLost())

  async function ask(method: string, params: readonly unknown[] = []): Promise<unknown> {
    try {
      const result = await client.request({ method, params: [...params] } as never)
      socket?.works()
      return result
    } catch (error) {
      const fault = asRpcFault(error, url)
      if (fault instanceof RpcClientError && fault.code === 'UNREACHABLE') socket?.failed()
      throw fault
    }
  }
  function request(method: string, params?: readonly unknown[]): Promise<unknown> {
    heads.touch()
    return ask(method, params)
  }

  return {
    url,
    call: (method, ...params) => request(method, params) as Promise<ResultOf<typeof method>>,
    request,
    batch: (calls) => inParallel(calls, ({ method, params }) => request(method, params)),
    subscribe: (kind, params, handlers) => heads.subscribe(kind, params, handlers as never),
    close: () => heads.close(),
  }
}

function urlOf({ transport }: Client<Transport>): string {
  const { url } = transport as { url?: unknown }
  return typeof url === 'string' ? url : `the ${transport.name} transport`
}

/** Transports that push say so by a `subscribe` of their own. A lost connection is worth a look as well. */
type Push = (look: () => void) => Promise<{ unsubscribe(): Promise<unknown> }>

function pushOf({ transport }: Client<Transport>): Push | undefined {
  const { subscribe } = transport as {
    subscribe?(o: { params: ['newHeads']; onData(): void; onError(): void }): ReturnType<Push>
  }
  return subscribe && ((look) => subscribe({ params: ['newHeads'], onData: look, onError: look }))
}

async function inParallel(calls: readonly RpcCall[], act: (call: RpcCall) => Promise<unknown>): Promise<BatchResult[]> {
  const results: BatchResult[] = new Array(calls.length)
  let next = 0
  const work = async () => {
    for (let i = next++; i < calls.length; i = next++) results[i] = await settled(act(calls[i]!))
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, calls.length) }, work))
  return results
}

function settled(answer: Promise<unknown>): Promise<BatchResult> {
  return answer.then(
    (result) => ({ ok: true, result }),
    (error: unknown) => {
      if (error instanceof RpcError) return { ok: false, error }
      throw error
    },
  )
}

/** The node's own fault where there is one below viem's errors; else what went wrong on the way. */
export function asRpcFault(error: unknown, url: string): unknown {
  let fault: RpcError | undefined
  for (let at = error; typeof at === 'object' && at !== null; at = (at as { cause?: unknown }).cause) {
    if (isClosedSocket(at)) break
    fault = nodeFault(at) ?? fault
  }
  if (fault) return fault
  if (!(error instanceof BaseError)) return error
  if (error.walk((e) => e instanceof TimeoutError) !== null) {
    return new RpcClientError('TIMEOUT', `${url} did not answer in time`, { cause: error })
  }
  const cut = error.walk(
    (e) => e instanceof HttpRequestError || e instanceof WebSocketRequestError || isClosedSocket(e),
  )
  if (cut === null) return error
  const why = error.details || 'the connection was refused or cut'
  return new RpcClientError('UNREACHABLE', `cannot reach ${url} (${why}): is the node running?`, { cause: error })
}

/** A WebSocket that does not open gives viem an event, which says nothing; viem knows no name for it, and code -1. */
const isClosedSocket = (error: unknown): boolean =>
  error instanceof UnknownRpcError && (error.cause as { type?: unknown } | undefined)?.type === 'error'

interface FaultLike {
  readonly code?: unknown
  readonly message?: unknown
  readonly details?: unknown
  readonly data?: unknown
}

function nodeFault(error: FaultLike): RpcError | undefined {
  const { code, message, details, data } = error
  if (typeof code !== 'number' || typeof message !== 'string') return undefined
  // Wallets wrap what the node said once more.
  if (typeof data === 'object' && data !== null && typeof (data as FaultLike).code === 'number') {
    const inner = nodeFault(data as FaultLike)
    if (inner) return inner
  }
  return new RpcError(code, typeof details === 'string' ? details : message, data)
}
