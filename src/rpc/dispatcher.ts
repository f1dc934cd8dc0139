/**
 * Text in, text out: JSON-RPC 2.0 framing, batches, limits, rights, method look-up. Knows no transport.
 *
 * A single request whose method answers at once runs without a promise while the loop has room: that is the portrait hit.
 */
import { invalidParams, invalidRequest, methodNotFound, RPC_CODES, RpcError, responseTooLarge } from './errors.js'
import { isLong, jsonInSlices } from './jsonInSlices.js'
import { Line } from './line.js'
import type { CallContext, MethodTable, RequestSource } from './method.js'
import type { Params } from './params.js'
import { forbidden, type Rights, rightsOf, UNRESTRICTED } from './roles.js'
import type { RpcLimits } from './rpcLimits.js'
import { requestTimedOut, Slices } from './slices.js'
import { turns } from './turns.js'

/** Outcome of one call, for metrics. `method` is a known name or 'unknown': no label comes from outside. */
export type CallObserver = (method: string, ok: boolean, durationMs: number) => void

export interface DispatcherNeeds {
  readonly methods: MethodTable
  /** An unexpected exception: a defect, logged by the node; the client sees -32603 only. */
  onDefect(error: unknown, method: string): void
  readonly observe?: CallObserver
  /** Absent: by the default lists. */
  readonly rights?: Rights
}

type DispatcherLimits = Pick<
  RpcLimits,
  'batchMax' | 'responseBytesMax' | 'requestTimeoutMs' | 'requestsMax' | 'pendingBytesMax'
>

/** Answer text; undefined when there is nothing to answer (notifications only). */
type Answer = string | undefined

type Context = CallContext & RequestSource

type JsonId = string | number | null

export class Dispatcher {
  readonly #rights: Rights
  /** Requests that are not answered yet, and their size. */
  #pending = 0
  #pendingBytes = 0

  constructor(
    readonly limits: DispatcherLimits,
    readonly needs: DispatcherNeeds,
  ) {
    this.#rights = needs.rights ?? rightsOf(needs.methods.keys())
  }

  /** Rejects when the connection has ended. */
  handle(text: string, source: RequestSource = LOCAL): Answer | Promise<Answer> {
    const { requestsMax, pendingBytesMax, requestTimeoutMs } = this.limits
    if (this.#pending >= requestsMax || this.#pendingBytes > pendingBytesMax) return errorText(null, busy())
    const context: Context = { ...source, deadlineMs: performance.now() + requestTimeoutMs }
    const wait = turns.enter(source.line)
    const answer = wait ? wait.then(() => this.#run(text, context)) : this.#runNow(text, context)
    if (!(answer instanceof Promise)) return answer
    this.#pending++
    this.#pendingBytes += text.length
    return answer.finally(() => {
      this.#pending--
      this.#pendingBytes -= text.length
    })
  }

  #runNow(text: string, context: Context): Answer | Promise<Answer> {
    const answer = this.#run(text, context)
    turns.leave(!(answer instanceof Promise))
    return answer
  }

  #run(text: string, context: Context): Answer | Promise<Answer> {
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch {
      return errorText(null, new RpcError(RPC_CODES.parse, 'parse error'))
    }
    return Array.isArray(message) ? this.#batch(message, context) : this.#single(message, context)
  }

  async #batch(messages: readonly unknown[], context: Context): Promise<Answer> {
    const { batchMax, responseBytesMax } = this.limits
    if (messages.length === 0) return errorText(null, invalidRequest('empty batch'))
    if (messages.length > batchMax) {
      const excess = `batch too large: ${messages.length} members, at most ${batchMax}`
      return errorText(null, invalidRequest(`${excess}; send several batches`))
    }
    // The members are refused one by one after the deadline.
    const slices = new Slices(context.line, Number.POSITIVE_INFINITY)
    const answers: string[] = []
    let chars = 2
    for (const message of messages) {
      const pause = slices.pause()
      if (pause) await pause
      const tooLarge = () => errorText(idOf(message), responseTooLarge(responseBytesMax))
      const answer = chars > responseBytesMax ? tooLarge() : await this.#single(message, context)
      if (answer === undefined) continue
      answers.push(chars + answer.length < responseBytesMax ? answer : tooLarge())
      chars += answer.length + 1
    }
    return answers.length === 0 ? undefined : `[${answers.join(',')}]`
  }

  #single(message: unknown, context: Context): Answer | Promise<Answer> {
    const request = asRequest(message)
    if (request instanceof RpcError) return errorText(idOf(message), request)
    const { id, method, params } = request
    const entry = this.needs.methods.get(method)
    const startMs = performance.now()
    const finish = (outcome: unknown, ok: boolean): Answer | Promise<Answer> => {
      this.needs.observe?.(entry ? method : 'unknown', ok, performance.now() - startMs)
      if (id === undefined) return undefined
      if (!ok) return errorText(id, this.#asRpcError(outcome, method))
      return isLong(outcome) ? this.#longResultText(id, outcome, context) : this.#resultText(id, outcome)
    }
    try {
      if (!entry) throw methodNotFound(method.slice(0, METHOD_NAME_SHOWN))
      if (!context.caller.may(method)) throw forbidden(method, context.caller.role, this.#rights)
      // It may have waited for its turn, or be a late member of a batch.
      if (startMs > context.deadlineMs) throw requestTimedOut()
      if (params.length > entry.paramsMax) {
        throw invalidParams(`too many arguments, want at most ${entry.paramsMax}`)
      }
      const result = entry.run(params, context)
      if (entry.submits) turns.excuse(performance.now() - startMs)
      if (!(result instanceof Promise)) return finish(result, true)
      return result.then((value: unknown) => finish(value, true)).catch((error: unknown) => finish(error, false))
    } catch (error) {
      return finish(error, false)
    }
  }

  #resultText(id: JsonId, result: unknown): string {
    const { responseBytesMax } = this.limits
    const json = JSON.stringify(result)
    return json.length > responseBytesMax ? errorText(id, responseTooLarge(responseBytesMax)) : success(id, json)
  }

  async #longResultText(id: JsonId, result: readonly unknown[], { line, deadlineMs }: Context): Promise<string> {
    const { responseBytesMax } = this.limits
    const json = await jsonInSlices(result, new Slices(line, deadlineMs), responseBytesMax)
    return json === undefined ? errorText(id, responseTooLarge(responseBytesMax)) : success(id, json)
  }

  #asRpcError(error: unknown, method: string): RpcError {
    if (error instanceof RpcError) return error
    this.needs.onDefect(error, method)
    return new RpcError(RPC_CODES.internal, 'internal error')
  }
}

const METHOD_NAME_SHOWN = 128

/** Without a token or a limit that names it: code of this process. */
const LOCAL: RequestSource = { remote: '', line: new Line(), caller: UNRESTRICTED }

const busy = () => new RpcError(RPC_CODES.limitExceeded, 'too many requests wait for their answers: try again')

const success = (id: JsonId, json: string): string => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${json}}`

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
