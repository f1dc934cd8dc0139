/** Section `rpc` of a node's configuration: where it listens, who is let in, how much each may ask. */
import { z } from 'zod'
import { isLoopbackHost } from '../rpc/gate.js'
import { ROLES } from '../rpc/roles.js'
import { RPC_LIMITS, type RpcLimits } from '../rpc/rpcLimits.js'

const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB

const ms = (value: number) => z.int().min(1).max(600_000).default(value)
const count = (max: number, value: number) => z.int().min(1).max(max).default(value)
const bytes = (max: number, value: number) => z.int().min(KIB).max(max).default(value)
const path = z.string().min(1).max(4_096)
const methodNames = z.array(z.string().min(1).max(128)).max(512)

/** Keys of one limit each; `logBlockRangeMax` is called so since the first version. */
const limits = {
  bodyBytesMax: bytes(64 * MIB, RPC_LIMITS.bodyBytesMax),
  batchMax: count(10_000, RPC_LIMITS.batchMax),
  logBlockRangeMax: count(10_000_000, RPC_LIMITS.logRangeBlocksMax),
  responseBytesMax: bytes(256 * MIB, RPC_LIMITS.responseBytesMax),
  requestTimeoutMs: ms(RPC_LIMITS.requestTimeoutMs),
  receiveTimeoutMs: ms(RPC_LIMITS.receiveTimeoutMs),
  sendTimeoutMs: ms(RPC_LIMITS.sendTimeoutMs),
  callGasMax: z.int().min(21_000).max(1_000_000_000_000).default(RPC_LIMITS.callGasMax),
  filtersMax: count(100_000, RPC_LIMITS.filtersMax),
  filterHashesMax: count(1_000_000, RPC_LIMITS.filterHashesMax),
  filterIdleMs: z.int().min(1_000).max(86_400_000).default(RPC_LIMITS.filterIdleMs),
  connectionsMax: count(65_536, RPC_LIMITS.connectionsMax),
  connectionPendingMax: count(10_000, RPC_LIMITS.connectionPendingMax),
  requestsMax: count(1_000_000, RPC_LIMITS.requestsMax),
  pendingBytesMax: bytes(16 * GIB, RPC_LIMITS.pendingBytesMax),
  unreadBytesMax: bytes(64 * GIB, RPC_LIMITS.unreadBytesMax),
  socketsMax: count(65_536, RPC_LIMITS.socketsMax),
  subscriptionsMax: count(10_000, RPC_LIMITS.subscriptionsMax),
  socketPendingMax: count(10_000, RPC_LIMITS.socketPendingMax),
  socketQueueBytesMax: bytes(GIB, RPC_LIMITS.socketQueueBytesMax),
  socketPingMs: ms(RPC_LIMITS.socketPingMs),
}

/** Who is let in (docs/access.md). */
const authSchema = z.strictObject({
  /** Shared secrets of which tokens are taken (HS256), a line each; mode 0600. */
  secretFile: path.optional(),
  /** JWK set with the public keys of which tokens are taken (ES256). */
  publicKeysFile: path.optional(),
  /** Tokens have to name it in `aud`. */
  audience: z.string().min(1).max(256).optional(),
  /** Role of programs on this machine that show no token. */
  loopback: z.enum([...ROLES, 'none']).default('admin'),
  /** Role of others that show none. */
  anonymous: z.enum(['read', 'none']).default('none'),
  /** In place of the default list of a role; `submit` and `auditor` have those of `read` besides. */
  methods: z
    .strictObject({
      read: methodNames.optional(),
      submit: methodNames.optional(),
      auditor: methodNames.optional(),
    })
    .prefault({}),
  skewSeconds: z.int().min(0).max(600).default(30),
  /** Tokens that were issued longer ago are refused, whatever they say themselves. */
  tokenDaysMax: z.int().min(1).max(3_650).default(400),
})

const tlsSchema = z.strictObject({
  /** PEM: the node's certificate, then those between it and the root. */
  certFile: path,
  /** PEM, mode 0600. */
  keyFile: path,
})

export const rpcSchema = z
  .strictObject({
    host: z.string().default('127.0.0.1'),
    port: z.int().min(0).max(65535).default(8545),
    /** Host headers that are answered besides `host`, IP addresses and localhost. */
    allowedHosts: z.array(z.string().max(255)).max(64).default([]),
    allowedOrigins: z.array(z.string().max(255)).max(64).default([]),
    auth: authSchema.prefault({}),
    tls: tlsSchema.optional(),
    ...limits,
  })
  .superRefine((rpc, context) => {
    if (rpc.responseBytesMax >= rpc.socketQueueBytesMax) {
      refuse(context, 'socketQueueBytesMax', `must be above responseBytesMax (${rpc.responseBytesMax})`)
    }
    if (rpc.socketQueueBytesMax >= rpc.unreadBytesMax) {
      refuse(context, 'unreadBytesMax', `must be above socketQueueBytesMax (${rpc.socketQueueBytesMax})`)
    }
    const { secretFile, publicKeysFile, anonymous } = rpc.auth
    const isClosed = secretFile !== undefined || publicKeysFile !== undefined || anonymous === 'read'
    if (!isLoopbackHost(rpc.host) && !isClosed) refuse(context, 'host', openText(rpc.host))
  })
  .prefault({})

export type RpcConfig = z.infer<typeof rpcSchema>

function refuse(context: z.RefinementCtx, key: string, message: string): void {
  context.addIssue({ code: 'custom', path: [key], message })
}

const openText = (host: string): string =>
  [
    `${host} can be reached from other machines, and nothing says who may ask:`,
    'set rpc.auth.secretFile (make one with: concordat token secret rpc.secret) or rpc.auth.publicKeysFile;',
    'or rpc.auth.anonymous: read to let everyone read; or rpc.host: 127.0.0.1 (docs/access.md)',
  ].join(' ')

/** Paths made absolute. */
export function atRpcPaths(rpc: RpcConfig, at: (path: string) => string): RpcConfig {
  const { auth, tls } = rpc
  return {
    ...rpc,
    auth: {
      ...auth,
      ...(auth.secretFile !== undefined && { secretFile: at(auth.secretFile) }),
      ...(auth.publicKeysFile !== undefined && { publicKeysFile: at(auth.publicKeysFile) }),
    },
    ...(tls && { tls: { certFile: at(tls.certFile), keyFile: at(tls.keyFile) } }),
  }
}

/** The limits as the server takes them. */
export function rpcLimitsOf(rpc: RpcConfig): Partial<RpcLimits> {
  const { logBlockRangeMax, ...others } = rpc
  return { ...pick(others, Object.keys(RPC_LIMITS) as (keyof RpcLimits)[]), logRangeBlocksMax: logBlockRangeMax }
}

function pick(from: Partial<Record<keyof RpcLimits, number>>, keys: readonly (keyof RpcLimits)[]): Partial<RpcLimits> {
  return Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]])))
}
