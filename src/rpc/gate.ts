/**
 * Who a client is: the role of its token; without a token, that of its place. Programs of the same machine need none unless
 * the node says so, others get nothing unless the node is open for reads.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { RPC_CODES, RpcError } from './errors.js'
import type { Caller, Rights, Role } from './roles.js'
import { type Token, TokenError, type TokenRules, TokenVerifier } from './tokens.js'

export interface GateOptions {
  /** Role of clients on this machine that show no token. */
  readonly loopback: Role | 'none'
  /** Role of all others that show none. */
  readonly anonymous: 'read' | 'none'
}

/** Everything is open to the same machine, nothing to others: a node as `npm start` has it. */
export const GATE_DEFAULTS: GateOptions = { loopback: 'admin', anonymous: 'none' }

/** A client as far as it was let in. */
export interface Client extends Caller {
  /** Milliseconds since 1970; Infinity without a token. */
  readonly endsMs: number
  readonly subject: string
}

/** HTTP 401: no token where one is wanted, or one that is not taken. */
export class NotAdmitted extends RpcError {
  constructor(
    message: string,
    /** For counting: a token's fault, or MISSING. */
    readonly reason: string,
  ) {
    super(reason === 'BUSY' ? RPC_CODES.limitExceeded : RPC_CODES.forbidden, message)
  }
}

interface Asking {
  readonly headers: IncomingHttpHeaders
  readonly remote: string
  /** From elsewhere than the header Authorization. */
  readonly token?: string | undefined
}

export class Gate {
  #verifier: TokenVerifier | undefined

  constructor(
    readonly options: GateOptions,
    readonly rights: Rights,
    rules?: TokenRules,
  ) {
    this.replaceRules(rules)
  }

  /** Tokens of keys that are not in `rules` any more are refused from now on. */
  replaceRules(rules: TokenRules | undefined): void {
    this.#verifier = rules && new TokenVerifier(rules)
  }

  /** Throws, or rejects with, NotAdmitted. */
  admit({ headers, remote, token = bearerOf(headers.authorization) }: Asking): Client | Promise<Client> {
    // A token of another node does no harm where this one asks for none.
    if (token === undefined || this.#verifier === undefined) return this.#withoutToken(headers, remote)
    try {
      const found = this.#verifier.verify(token)
      if (found instanceof Promise) return found.then((known) => this.#clientOf(known)).catch(refuse)
      return this.#clientOf(found)
    } catch (error) {
      return refuse(error)
    }
  }

  #withoutToken(headers: IncomingHttpHeaders, remote: string): Client {
    const isLocal = isLoopback(remote) && !isForwarded(headers)
    const role = isLocal ? this.options.loopback : this.options.anonymous
    if (role !== 'none') return this.#clientOf({ role, subject: '', endsMs: Number.POSITIVE_INFINITY })
    throw new NotAdmitted('this node wants a token: send "Authorization: Bearer TOKEN" (docs/access.md)', 'MISSING')
  }

  #clientOf({ role, subject, endsMs }: Token): Client {
    const methods = this.rights.get(role)!
    return { role, subject, endsMs, may: (method) => methods.has(method) }
  }
}

function refuse(error: unknown): never {
  if (error instanceof TokenError) throw new NotAdmitted(`token refused: ${error.message}`, error.code)
  throw error
}

const bearerOf = (header: string | undefined): string | undefined => /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1]

/** An IP address of this machine alone. */
export const isLoopback = (ip: string): boolean => /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(ip) || ip === '::1'

/** A host to listen on, or to name in a URL, that no other machine reaches. */
export const isLoopbackHost = (host: string): boolean => isLoopback(host) || host === 'localhost'

/** A proxy on this machine speaks for somebody else. */
const isForwarded = (headers: IncomingHttpHeaders): boolean =>
  ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'].some((name) => headers[name] !== undefined)
