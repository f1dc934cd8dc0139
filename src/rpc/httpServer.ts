/** JSON-RPC over HTTP POST /, and the routes that operators probe. */
import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Access } from './access.js'
import type { Readiness } from './chainApi.js'
import { type Dispatcher, errorText } from './dispatcher.js'
import { invalidRequest, RPC_CODES, RpcError } from './errors.js'
import { type Client, type Gate, NotAdmitted } from './gate.js'
import { Line } from './line.js'
import type { RpcLimits } from './rpcLimits.js'
import { type TlsFiles, tlsOptions } from './tls.js'
import type { Unread } from './unread.js'

export interface MetricsText {
  readonly contentType: string
  readonly body: string
}

export interface HealthNeeds {
  readiness(): Readiness
  /** Prometheus text; absent: no /metrics. */
  metrics?(): Promise<MetricsText>
}

const RECEIVE_CHECK_MS = 1_000
const KEEP_ALIVE_MS = 72_000
/** Smaller answers fit into the buffers of a connection. */
const UNREAD_BYTES_MIN = 16 * 1024
const JSON_TYPE = 'application/json; charset=utf-8'

/** A fastify instance with the limits of this server, Host checked on every route; not listening yet. */
export function createHttpApp(access: Access, limits: RpcLimits, tls?: TlsFiles): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytesMax,
    serverFactory: (handler) => createServer(handler, limits, tls),
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: true },
    // fastify would repeat the path, and with it a token that stands there by mistake.
    frameworkErrors: (_error, _request, reply) =>
      refuse(reply, 400, 'the path is not encoded as URLs are: JSON-RPC is POST /'),
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', (request, reply, done) => {
    if (access.allowsHost(request.headers.host)) return done()
    refuse(reply, 403, 'this node does not answer to that Host: add its name to allowedHosts')
  })
  app.setErrorHandler((error: FastifyError, _request, reply) =>
    refuse(reply, error.statusCode ?? 500, bodyFault(error, limits)),
  )
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'not found: JSON-RPC is POST /'))
  return app
}

/** Everything that a client can do slowly has an end: to send a request, to read an answer, to send the next one. */
function createServer(handler: http.RequestListener, limits: RpcLimits, tls: TlsFiles | undefined): http.Server {
  const { receiveTimeoutMs, sendTimeoutMs, requestTimeoutMs, connectionsMax } = limits
  const options: http.ServerOptions = {
    requestTimeout: receiveTimeoutMs,
    headersTimeout: receiveTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Node looks for late requests only this often (30 s unless told).
    connectionsCheckingInterval: Math.min(RECEIVE_CHECK_MS, receiveTimeoutMs),
  }
  const server = tls
    ? https.createServer({ ...options, ...tlsOptions(tls) }, handler)
    : http.createServer(options, handler)
  server.maxConnections = connectionsMax
  // Nothing moves on a connection while its answer is made, either.
  server.timeout = sendTimeoutMs + requestTimeoutMs
  return server
}

/** HTTP-level refusals carry a JSON-RPC error, so that clients show its text. */
function refuse(reply: FastifyReply, status: number, fault: string | RpcError): void {
  const error = typeof fault === 'string' ? invalidRequest(fault) : fault
  void reply.code(status).type(JSON_TYPE).send(errorText(null, error))
}

function bodyFault(error: FastifyError, { bodyBytesMax }: RpcLimits): string {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return `request body over ${bodyBytesMax} bytes: send less at once`
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return 'content type must be application/json'
    default:
      return (error.statusCode ?? 500) < 500 ? error.message : 'internal error'
  }
}

export interface RpcRouteNeeds {
  readonly access: Access
  readonly gate: Gate
  readonly dispatcher: Dispatcher
  readonly unread: Unread
  /** A client that was not let in, with the reason. */
  onRefused?(reason: string): void
}

const CLIENT = 'client'

export function addRpcRoutes(app: FastifyInstance, limits: RpcLimits, needs: RpcRouteNeeds): void {
  const { access, dispatcher } = needs
  const connections = new WeakMap<Socket, Connection>()
  app.decorateRequest(CLIENT)
  // Before the body is read.
  const onRequest = admission(needs)
  app.post('/', { onRequest }, (request, reply) => {
    addCorsHeaders(access, request, reply)
    const connection = connectionOf(connections, request.raw.socket)
    const { line } = connection
    const send = (answer: string | undefined) => sendAnswer(reply, answer, line, needs.unread)
    if (connection.pending >= limits.connectionPendingMax) {
      send(errorText(null, tooManyAtOnce(limits)))
      return
    }
    const text = typeof request.body === 'string' ? request.body : ''
    const answer = dispatcher.handle(text, { remote: request.ip, line, caller: request.getDecorator<Client>(CLIENT) })
    if (!(answer instanceof Promise)) {
      send(answer)
      return
    }
    connection.pending++
    answer
      .finally(() => connection.pending--)
      .then(send)
      .catch((error: unknown) => reply.send(error))
  })
  app.options('/', (request, reply) => {
    addCorsHeaders(access, request, reply)
    void reply.code(reply.hasHeader('access-control-allow-origin') ? 204 : 403).send()
  })
}

interface Connection {
  readonly line: Line
  /** Requests that are not answered yet. */
  pending: number
}

function connectionOf(connections: WeakMap<Socket, Connection>, socket: Socket): Connection {
  const known = connections.get(socket)
  if (known) return known
  const connection = { line: new Line(), pending: 0 }
  connections.set(socket, connection)
  socket.once('close', () => connection.line.close())
  return connection
}

const tooManyAtOnce = ({ connectionPendingMax }: RpcLimits) => {
  const advice = 'wait for answers before you send more, or send batches'
  return new RpcError(
    RPC_CODES.limitExceeded,
    `over ${connectionPendingMax} requests of one connection are unanswered: ${advice}`,
  )
}

type Done = (error?: Error) => void

/** Lets in whom the gate lets in; all others get 401. At once where the gate knows at once. */
function admission({ access, gate, onRefused }: Pick<RpcRouteNeeds, 'access' | 'gate' | 'onRefused'>) {
  return (request: FastifyRequest, reply: FastifyReply, done: Done): void => {
    const refused = (error: unknown): void => {
      if (!(error instanceof NotAdmitted)) {
        done(error as Error)
        return
      }
      onRefused?.(error.reason)
      // The page may read why.
      addCorsHeaders(access, request, reply)
      void reply.header('www-authenticate', 'Bearer')
      refuse(reply, error.reason === 'BUSY' ? 503 : 401, error)
    }
    const admitted = (client: Client): void => {
      request.setDecorator(CLIENT, client)
      done()
    }
    try {
      const client = gate.admit({ headers: request.headers, remote: request.ip })
      if (client instanceof Promise) client.then(admitted, refused)
      else admitted(client)
    } catch (error) {
      refused(error)
    }
  }
}

function sendAnswer(reply: FastifyReply, text: string | undefined, line: Line, unread: Unread): void {
  if (text === undefined) {
    void reply.code(204).send()
    return
  }
  if (text.length >= UNREAD_BYTES_MIN)
    reply.raw.once(
      'close',
      unread.add(line, text.length, () => reply.raw.destroy()),
    )
  void reply.header('content-type', JSON_TYPE).send(text)
}

function addCorsHeaders(access: Access, { headers }: FastifyRequest, reply: FastifyReply): void {
  const { origin } = headers
  if (origin === undefined) return
  void reply.header('vary', 'origin')
  if (!access.allowsOrigin(origin)) return
  void reply.headers({
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'content-type, authorization',
    'access-control-max-age': '600',
  })
}

/**
 * GET /liveness (the process answers), /readiness (503 with reasons until it can serve), /metrics. `gate`: the figures are
 * for those whom it lets in.
 */
export function addHealthRoutes(
  app: FastifyInstance,
  needs: HealthNeeds,
  gate?: Pick<RpcRouteNeeds, 'access' | 'gate' | 'onRefused'>,
): void {
  app.get('/liveness', () => ({ alive: true }))
  app.get('/readiness', (_request, reply) => {
    const readiness = needs.readiness()
    void reply.code(readiness.ready ? 200 : 503).send(readiness)
  })
  if (!needs.metrics) return
  app.get('/metrics', gate ? { onRequest: admission(gate) } : {}, async (_request, reply) => {
    const text = await needs.metrics?.()
    return reply.type(text?.contentType ?? 'text/plain').send(text?.body ?? '')
  })
}
