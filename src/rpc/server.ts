/** A node's RPC endpoint: HTTP and WebSocket on one port, and the same health routes on a port of their own if wanted. */
import type { AddressInfo } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { CodedError } from '../core/codedError.js'
import { Access } from './access.js'
import type { AuditApi } from './auditApi.js'
import type { ChainApi } from './chainApi.js'
import type { DeliveryApi } from './deliveryApi.js'
import { type CallObserver, Dispatcher } from './dispatcher.js'
import { Filters } from './filters.js'
import { GATE_DEFAULTS, Gate, type GateOptions } from './gate.js'
import { addHealthRoutes, addRpcRoutes, createHttpApp, type HealthNeeds, type MetricsText } from './httpServer.js'
import { LogScanner } from './logScan.js'
import { buildMethodTable } from './methods/table.js'
import type { ReadObserver } from './reads.js'
import { type RoleMethods, rightsOf } from './roles.js'
import { RPC_LIMITS, type RpcLimits } from './rpcLimits.js'
import { attachSocketServer } from './socketServer.js'
import { Subscriptions } from './subscriptions.js'
import { type TlsFiles, tlsOptions } from './tls.js'
import type { TokenRules } from './tokens.js'
import { turns } from './turns.js'
import { Unread } from './unread.js'

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

/** Who is let in, and what each may do. */
export interface RpcAuth extends GateOptions {
  /** Absent: no tokens are taken. */
  readonly tokens?: TokenRules
  /** In place of the default lists. */
  readonly methods?: Partial<RoleMethods>
}

/** What can be replaced while the server runs. */
export interface RpcSecrets {
  readonly tokens: TokenRules | undefined
  readonly tls: TlsFiles | undefined
}

export interface RpcServerOptions extends ListenOptions {
  /** Default: everything for this machine, nothing for others. */
  readonly auth?: RpcAuth
  /** Absent: no TLS. */
  readonly tls?: TlsFiles
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
  /** Somebody was not let in: MISSING, or what was wrong with the token. */
  onRefused?(reason: string): void
  /** An exception that no method expects: a defect, to be logged. */
  onDefect(error: unknown, method: string): void
  /** Further routes of the same port, such as the console at GET /. */
  addRoutes?(app: FastifyInstance): void
}

export interface RunningServer {
  /** `http://host:port`, or `https://host:port`. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

export interface RunningRpcServer extends RunningServer {
  /**
   * New connections see the new certificate; tokens count by the new keys, and WebSockets that came with one are closed, so
   * that none outlives its key. TLS cannot be turned on or off.
   */
  replaceSecrets(secrets: RpcSecrets): void
}

/** A server that cannot listen where it should. */
export class ListenError extends CodedError<'PORT_TAKEN' | 'LISTEN_FAILED'> {}

/** Rejects with ListenError, or RoleError for a list of methods that names none. */
export async function startRpcServer(options: RpcServerOptions, needs: RpcServerNeeds): Promise<RunningRpcServer> {
  const limits: RpcLimits = { ...RPC_LIMITS, ...options.limits }
  const { tls, corsOrigins = [] } = options
  const auth: RpcAuth = options.auth ?? GATE_DEFAULTS
  const access = new Access({ allowedHosts: options.allowedHosts ?? [], corsOrigins })
  const { api, onDefect, observe, reads, audit } = needs
  const logs = new LogScanner(api, limits.responseBytesMax)
  const filters = new Filters(api, logs, limits)
  const subscriptions = new Subscriptions(api, limits.subscriptionsMax)
  const { logRangeBlocksMax, callGasMax } = limits
  const known = { ...(reads && { reads }), ...(audit && { audit }), delivery: needs.delivery }
  const methods = buildMethodTable({ api, logs, filters, subscriptions, logRangeBlocksMax, callGasMax, ...known })
  const rights = rightsOf(methods.keys(), auth.methods)
  const dispatcher = new Dispatcher(limits, { methods, rights, onDefect, observe })
  const gate = new Gate(auth, rights, auth.tokens)
  const unread = new Unread(limits.unreadBytesMax)
  const shared = { access, gate, dispatcher, unread, onRefused: (reason: string) => needs.onRefused?.(reason) }
  const app = createHttpApp(access, limits, tls)
  addRpcRoutes(app, limits, shared)
  addHealthRoutes(app, { readiness: () => api.readiness(), metrics: needs.metrics?.bind(needs) }, shared)
  needs.addRoutes?.(app)
  const sockets = attachSocketServer(limits, { ...shared, server: app.server, subscriptions })
  const unwatch = turns.watch(() => api.poolCounts().pending > 0)
  const running = await listen(app, options, 'rpc', () => {
    unwatch()
    sockets.close()
    subscriptions.close()
    filters.close()
  })
  return {
    ...running,
    replaceSecrets(secrets) {
      gate.replaceRules(secrets.tokens)
      sockets.closeTokens()
      if (secrets.tls && app.server instanceof TlsServer) app.server.setSecureContext(tlsOptions(secrets.tls))
    },
  }
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
    url: `${app.server instanceof TlsServer ? 'https' : 'http'}://${host}:${port}`,
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
