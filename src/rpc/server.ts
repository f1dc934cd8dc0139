/** A node's RPC endpoint: HTTP and WebSocket on one port, and the same health routes on a port of their own if wanted. */
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { CodedError } from '../core/codedError.js'
import { Access } from './access.js'
import type { AuditApi } from './auditApi.js'
import type { ChainApi } from './chainApi.js'
import type { DeliveryApi } from './deliveryApi.js'
import { type CallObserver, Dispatcher } from './dispatcher.js'
import { Filters } from './filters.js'
import { addHealthRoutes, addRpcRoutes, createHttpApp, type HealthNeeds, type MetricsText } from './httpServer.js'
import { LogScanner } from './logScan.js'
import { buildMethodTable } from './methods/table.js'
import type { ReadObserver } from './reads.js'
import { RPC_LIMITS, type RpcLimits } from './rpcLimits.js'
import { attachSocketServer } from './socketServer.js'
import { Subscriptions } from './subscriptions.js'

export type { CallObserver } from './dispatcher.js'
export type { HealthNeeds, MetricsText } from './httpServer.js'
export { RPC_LIMITS, type RpcLimits } from './rpcLimits.js'

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** Names in the Host header besides IP addresses and localhost. */
  readonly allowedHosts?: readonly string[]
}

export interface RpcServerOptions extends ListenOptions {
  /** Exact origins of pages that may call; default none. */
  readonly corsOrigins?: readonly string[]
  readonly limits?: Partial<RpcLimits>
}

export interface RpcServerNeeds {
  readonly api: ChainApi
  /** Envelopes that travel from node to node. */
  readonly delivery?: DeliveryApi
  metrics?(): Promise<MetricsText>
  readonly observe?: CallObserver
  /** Answers concordat_auditTrail. */
  readonly audit?: AuditApi
  /** Records reads of the user portrait. */
  readonly reads?: ReadObserver
  /** An exception that no method expects: a defect, to be logged. */
  onDefect(error: unknown, method: string): void
  /** Further routes of the same port, such as the console at GET /. */
  addRoutes?(app: FastifyInstance): void
}

export interface RunningServer {
  /** `http://host:port`. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** A server that cannot listen where it should. */
export class ListenError extends CodedError<'PORT_TAKEN' | 'LISTEN_FAILED'> {}

/** Rejects with ListenError. */
export async function startRpcServer(options: RpcServerOptions, needs: RpcServerNeeds): Promise<RunningServer> {
  const limits: RpcLimits = { ...RPC_LIMITS, ...options.limits }
  const access = new Access({ allowedHosts: options.allowedHosts ?? [], corsOrigins: options.corsOrigins ?? [] })
  const { api, onDefect, observe, reads, audit } = needs
  const logs = new LogScanner(api, limits.responseBytesMax)
  const filters = new Filters(api, logs, limits)
  const subscriptions = new Subscriptions(api, limits.subscriptionsMax)
  const { logRangeBlocksMax } = limits
  const known = { ...(reads && { reads }), ...(audit && { audit }), delivery: needs.delivery }
  const methods = buildMethodTable({ api, logs, filters, subscriptions, logRangeBlocksMax, ...known })
  const dispatcher = new Dispatcher(limits, { methods, onDefect, observe })
  const app = createHttpApp(access, limits)
  addRpcRoutes(app, access, dispatcher)
  addHealthRoutes(app, { readiness: () => api.readiness(), metrics: needs.metrics?.bind(needs) })
  needs.addRoutes?.(app)
  const sockets = attachSocketServer(limits, { server: app.server, access, dispatcher, subscriptions })
  return listen(app, options, 'rpc', () => {
    sockets.close()
    subscriptions.close()
    filters.close()
  })
}

/** /liveness, /readiness and /metrics alone: what a monitoring network may reach. Rejects with ListenError. */
export async function startHealthServer(options: ListenOptions, needs: HealthNeeds): Promise<RunningServer> {
  const app = createHttpApp(new Access({ allowedHosts: options.allowedHosts ?? [], corsOrigins: [] }), RPC_LIMITS)
  addHealthRoutes(app, needs)
  return listen(app, options, 'metrics', () => {})
}

/** `section`: where a node's configuration has the port. */
async function listen(
  app: FastifyInstance,
  options: ListenOptions,
  section: 'rpc' | 'metrics',
  stop: () => void,
): Promise<RunningServer> {
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  try {
    await app.listen({ host: options.host, port: options.port })
  } catch (error) {
    stop()
    await app.close()
    throw listenError(`${host}:${options.port}`, section, error)
  }
  const { port } = app.server.address() as AddressInfo
  return {
    url: `http://${host}:${port}`,
    port,
    async close() {
      stop()
      await app.close()
    },
  }
}

function listenError(where: string, section: string, cause: unknown): ListenError {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') {
    const advice = `stop the process that uses it, or set ${section}.port to another one`
    return new ListenError('PORT_TAKEN', `cannot listen on ${where}: the port is taken; ${advice}`, { cause })
  }
  const advice = `set ${section}.host to an address of this machine and ${section}.port to a port that you may use`
  return new ListenError('LISTEN_FAILED', `cannot listen on ${where} (${code ?? message}): ${advice}`, { cause })
}
