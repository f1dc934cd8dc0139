/**
 * JSON-RPC faults. Codes and texts are those of geth and of the execution-apis error groups, since client libraries match
 * on them. -32603 and -32005 are for passing trouble only: clients retry these, so no deterministic fault may use them.
 */
import type { SubmitFault } from './chainApi.js'

export const RPC_CODES = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** Geth's default: the node understood and will not do it. */
  server: -32000,
  timeout: -32002,
  responseTooLarge: -32003,
  limitExceeded: -32005,
  /** A node's records are not for this caller; `data.reason` says why (audit/authorization.ts). */
  auditRefused: -32010,
  /** The caller's role does not call this method, or there is no valid token. */
  forbidden: -32011,
  revert: 3,
  /** EIP-7966; `data` is the hash. */
  notFinalInTime: 4,
  /** EIP-4444: the node no longer has, or does not have yet, blocks of that time. */
  prunedHistory: 4444,
} as const

/** An answer with `error`: thrown by methods, sent as it is. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  readonly data: unknown

  constructor(code: number, message: string, data?: unknown) {
    super(message)
    this.code = code
    this.data = data
  }
}

export const methodNotFound = (method: string): RpcError =>
  new RpcError(RPC_CODES.methodNotFound, `the method ${method} does not exist/is not available`)

export const invalidRequest = (message: string): RpcError => new RpcError(RPC_CODES.invalidRequest, message)

/** Geth's form: `invalid argument 0: ...`. */
export const invalidArgument = (index: number, reason: string): RpcError =>
  new RpcError(RPC_CODES.invalidParams, `invalid argument ${index}: ${reason}`)

export const missingArgument = (index: number): RpcError =>
  new RpcError(RPC_CODES.invalidParams, `missing value for required argument ${index}`)

export const invalidParams = (message: string): RpcError => new RpcError(RPC_CODES.invalidParams, message)

export const serverError = (message: string): RpcError => new RpcError(RPC_CODES.server, message)

export const prunedHistory = (height: number, oldest: number): RpcError =>
  new RpcError(
    RPC_CODES.prunedHistory,
    `pruned history unavailable: block ${height} is not kept here, blocks from ${oldest} on are; ask another node`,
  )

export const responseTooLarge = (bytesMax: number): RpcError =>
  new RpcError(RPC_CODES.responseTooLarge, `response too large: over ${bytesMax} bytes; ask for less at once`)

/** A Map, so that no key of a prototype is ever a code. */
const SUBMIT_TEXTS: ReadonlyMap<SubmitFault, string> = new Map<SubmitFault, string>([
  ['MALFORMED', 'rlp: malformed transaction'],
  ['UNSUPPORTED_TYPE', 'transaction type not supported'],
  ['NOT_REPLAY_PROTECTED', 'only replay-protected (EIP-155) transactions allowed over RPC'],
  ['WRONG_CHAIN_ID', 'invalid chain id for signer'],
  ['INVALID_SIGNATURE', 'invalid sender'],
  ['OVERSIZED', 'oversized data'],
  ['NONCE_TOO_LOW', 'nonce too low'],
  ['NONCE_TOO_HIGH', 'nonce too high'],
  ['ALREADY_KNOWN', 'already known'],
  ['REPLACEMENT_UNDERPRICED', 'replacement transaction underpriced'],
  ['INTRINSIC_GAS_TOO_LOW', 'intrinsic gas too low'],
  ['GAS_LIMIT_TOO_HIGH', 'exceeds block gas limit'],
  ['TIP_ABOVE_FEE_CAP', 'max priority fee per gas higher than max fee per gas'],
  ['INSUFFICIENT_FUNDS', 'insufficient funds for gas * price + value'],
  ['CONTRACT_CREATION', 'contract creation is not supported: contracts of this chain are native'],
  ['SENDER_NOT_PERMITTED', 'sender not permitted: register the account as a member first'],
  ['SENDER_LIMIT', 'account limit exceeded'],
  ['POOL_FULL', 'txpool is full'],
])

/** Geth's text, then the figures: `nonce too low: next nonce 5, tx nonce 3`. */
export function submitError(code: SubmitFault, detail?: string): RpcError {
  const text = SUBMIT_TEXTS.get(code) ?? 'transaction rejected'
  return serverError(detail ? `${text}: ${detail}` : text)
}
