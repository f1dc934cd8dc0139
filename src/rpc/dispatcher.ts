/**
 * Text in, text out: JSON-RPC 2.0 framing, batches, limits, method look-up. Knows no transport.
 *
 * A single request whose method answers at once runs without a promise: that is the portrait hit.
 */
import { invalidParams, invalidRequest, methodNotFound, RPC_CODES, RpcError } from './errors.js'
import type { CallContext, MethodTable } from './method.js'
import type { Params } from './params.js'
import type { RpcLimits } from './rpcLimits.js'
import { requestTimedOut, Slices } from './slices.js'
import type { SocketRequest } from './subscriptions.js'

/** Outcome of one call, for metrics. `method` is a known name or 'unknown': no label comes from outside. */
export type CallObserver = (method: string, ok: boolean, durationMs: number) => void

export interface DispatcherNeeds {
  readonly methods: MethodTable
  /** An unexpected exception: a defect, logged by the node; the client sees -32603 only. */
  onDefect(error: unknown, method: string): void
  readonly observe?: CallObserver
}

type DispatcherLimits = Pick<RpcLimits, 'batchMax' | 'responseBytesMax' | 'requestTimeoutMs'>

/** Answer text; undefined when there is nothing to answer (notifications only). */
type Answer = string | undefined

type JsonId = string | number | null

export class Dispatcher {
  constructor(
    readonly limits: DispatcherLimits,
    readonly needs: DispatcherNeeds,
  ) {}

  /** `remote`: IP address of the client. */
  handle(text: string, socket?: SocketRequest, remote = ''): Answer | Promise<Answer> {
    const context: CallContext = { deadlineMs: performance.now() + this.limits.requestTimeoutMs, socket, remote }
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch {
      return errorText(null, new RpcError(RPC_CODES.parse, 'parse error'))
    }
    return Array.isArray(message) ? this.#batch(message, context) : this.#single(message, context)
  }

  async #batch(messages: readonly unknown[], context: CallContext): Promise<Answer> {
    const { batchMax, responseBytesMax } = this.limits
    if (messages.length === 0) return errorText(null, invalidRequest('empty batch'))
    if (messages.length > batchMax) {
      return errorText(null, invalidRequest(`batch too large: ${messages.length} members, at most ${batchMax}`))
    }
    const slices = new Slices(Number.POSITIVE_INFINITY)
    const answers: string[] = []
    let chars = 2
    for (const message of messages) {
      const pause = slices.pause()
      if (pause) await pause
      const refusal = refuse(chars > responseBytesMax, context)
      const answer = refusal ? errorText(idOf(message), refusal) : await this.#single(message, context)
      if (answer === undefined) continue
      const fits = refusal !== undefined || chars + answer.length < responseBytesMax
      answers.push(fits ? answer : errorText(idOf(message), responseTooLarge()))
      chars += answer.length + 1
    }
    return answers.length === 0 ? undefined : `[${answers.join(',')}]`
  }

  #single(message: unknown, context: CallContext): Answer | Promise<Answer> {
    const request = asRequest(message)
    if (request instanceof RpcError) return errorText(idOf(message), request)
    const { id, method, params } = request
    const entry = this.needs.methods.get(method)
    const startMs = performance.now()
    const finish = (outcome: unknown, ok: boolean): Answer => {
      this.needs.observe?.(entry ? method : 'unknown', ok, performance.now() - startMs)
      if (id === undefined) return undefined
      return ok ? this.#resultText(id, outcome) : errorText(id, this.#asRpcError(outcome, method))
    }
    try {
      if (!entry) throw methodNotFound(method.slice(0, METHOD_NAME_SHOWN))
      if (params.length > entry.paramsMax) {
        throw invalidParams(`too many arguments, want at most ${entry.paramsMax}`)
      }
      const result = entry.run(params, context)
      if (!(result instanceof Promise)) return finish(result, true)
      return result.then((value: unknown) => finish(value, true)).catch((error: unknown) => finish(error, false))
    } catch (error) {
      return finish(error, false)
    }
  }

  #resultText(id: JsonId, result: unknown): string {
    const json = JSON.stringify(result)
    if (json.length > this.limits.responseBytesMax) return errorText(id, responseTooLarge())
    return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${json}}`
  }

  #asRpcError(error: unknown, method: string): RpcError {
    if (error instanceof RpcError) return error
    this.needs.onDefect(error, method)
    return new RpcError(RPC_CODES.internal, 'internal error')
  }
}

const METHOD_NAME_SHOWN = 128

const responseTooLarge = () => new RpcError(RPC_CODES.responseTooLarge, 'response too large')

/** Why the rest of a batch is not run any more. */
function refuse(isFull: boolean, { deadlineMs }: CallContext): RpcError | undefined {
  if (isFull) return responseTooLarge()
  return performance.now() > deadlineMs ? requestTimedOut() : undefined
}

interface Request {
  /** undefined: a notification, which gets no answer. */
  readonly id: JsonId | undefined
  readonly method: string
  readonly params: Params
}

const NO_PARAMS: Params = []

function asRequest(message: unknown): Request | RpcError {
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    return invalidRequest('invalid request')
  const { jsonrpc, id, method, params } = message as Record<string, unknown>
  if (jsonrpc !== '2.0' || typeof method !== 'string') return invalidRequest('invalid request')
  if (id !== undefined && !isId(id)) return invalidRequest('invalid request: id must be a string, a number or null')
  if (params === undefined || params === null) return { id, method, params: NO_PARAMS }
  return Array.isArray(params) ? { id, method, params } : invalidParams('non-array args')
}

const isId = (id: unknown): id is JsonId => typeof id === 'string' || typeof id === 'number' || id === null

function idOf(message: unknown): JsonId {
  if (typeof message !== 'object' || message === null) return null
  const { id } = message as { id?: unknown }
  return isId(id) ? id : null
}

export function errorText(id: JsonId, { code, message, data }: RpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: data === undefined ? { code, message } : { code, message, data } })
}
