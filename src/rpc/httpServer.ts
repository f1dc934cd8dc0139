/** JSON-RPC over HTTP POST /, and the routes that operators probe. */
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Access } from './access.js'
import type { Readiness } from './chainApi.js'
import { type Dispatcher, errorText } from './dispatcher.js'
import { invalidRequest } from './errors.js'
import type { RpcLimits } from './rpcLimits.js'

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
const JSON_TYPE = 'application/json; charset=utf-8'

/** A fastify instance with the limits of this server, Host checked on every route; not listening yet. */
export function createHttpApp(access: Access, limits: RpcLimits): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: limits.receiveTimeoutMs,
    // Node looks for late requests only this often (30 s unless told).
    http: { connectionsCheckingInterval: Math.min(RECEIVE_CHECK_MS, limits.receiveTimeoutMs) },
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: true },
  })
  app.server.headersTimeout = limits.receiveTimeoutMs
  app.server.maxConnections = limits.connectionsMax
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

/** HTTP-level refusals carry a JSON-RPC error, so that clients show its text. */
function refuse(reply: FastifyReply, status: number, message: string): void {
  void reply
    .code(status)
    .type(JSON_TYPE)
    .send(errorText(null, invalidRequest(message)))
}

function bodyFault(error: FastifyError, { bodyBytesMax }: RpcLimits): string {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return `request body over ${bodyBytesMax} bytes`
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return 'content type must be application/json'
    default:
      return (error.statusCode ?? 500) < 500 ? error.message : 'internal error'
  }
}

export function addRpcRoutes(app: FastifyInstance, access: Access, dispatcher: Dispatcher): void {
  app.post('/', (request, reply) => {
    addCorsHeaders(access, request, reply)
    const answer = dispatcher.handle(typeof request.body === 'string' ? request.body : '', undefined, request.ip)
    if (answer instanceof Promise) {
      answer.then((text) => sendAnswer(reply, text)).catch((error: unknown) => reply.send(error))
    } else sendAnswer(reply, answer)
  })
  app.options('/', (request, reply) => {
    addCorsHeaders(access, request, reply)
    void reply.code(reply.hasHeader('access-control-allow-origin') ? 204 : 403).send()
  })
}

function sendAnswer(reply: FastifyReply, text: string | undefined): void {
  if (text === undefined) void reply.code(204).send()
  else void reply.header('content-type', JSON_TYPE).send(text)
}

function addCorsHeaders(access: Access, { headers }: FastifyRequest, reply: FastifyReply): void {
  const { origin } = headers
  if (origin === undefined) return
  void reply.header('vary', 'origin')
  if (!access.allowsOrigin(origin)) return
  void reply.headers({
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'content-type',
    'access-control-max-age': '600',
  })
}

/** GET /liveness (the process answers), /readiness (503 with reasons until it can serve), /metrics. */
export function addHealthRoutes(app: FastifyInstance, needs: HealthNeeds): void {
  app.get('/liveness', () => ({ alive: true }))
  app.get('/readiness', (_request, reply) => {
    const readiness = needs.readiness()
    void reply.code(readiness.ready ? 200 : 503).send(readiness)
  })
  if (!needs.metrics) return
  app.get('/metrics', async (_request, reply) => {
    const text = await needs.metrics?.()
    return reply.type(text?.contentType ?? 'text/plain').send(text?.body ?? '')
  })
}
