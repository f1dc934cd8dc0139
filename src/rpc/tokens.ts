/**
 * Checks JSON Web Tokens (RFC 7519) of clients. Signatures are checked by the library `jose`, in constant time; each key takes
 * its own algorithm only. Tokens of today are remembered by hash, so that each is checked once and not with every request.
 */
import { createHash } from 'node:crypto'
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { CodedError } from '../core/codedError.js'
import { rpcTokenCharsMax, rpcTokensKnownMax, rpcTokensWaitingMax } from '../core/limits.js'
import { ROLES, type Role } from './roles.js'
import type { TokenKey } from './tokenKeys.js'

export type TokenCode =
  | 'OVERSIZED'
  | 'MALFORMED'
  | 'NOT_SIGNED_FOR_THIS_NODE'
  | 'EXPIRED'
  | 'NOT_VALID_YET'
  | 'WRONG_CLAIM'
  | 'BUSY'

/** A token that is not taken; the message is for the client and never holds the token. */
export class TokenError extends CodedError<TokenCode> {}

export interface TokenRules {
  /** Newest first. */
  readonly keys: readonly TokenKey[]
  /** When given, tokens have to name it (`aud`). */
  readonly audience?: string
  /** By how much the clocks of issuer and node may differ, in seconds. */
  readonly skewSeconds: number
  /** Older tokens are refused whatever they say of their end, in days since `iat`. */
  readonly ageDaysMax: number
}

export interface Token {
  readonly role: Role
  /** `sub`: who has it, for logs; '' where the token does not say. */
  readonly subject: string
  /** Milliseconds since 1970 from which on it is refused, skew included. */
  readonly endsMs: number
}

const DAY_SECONDS = 86_400
const SUBJECT_CHARS_MAX = 128
/** Signatures are checked on the threads that also write the journal: not more of them at a time. */
const CHECKS_MAX = 2

export class TokenVerifier {
  readonly #known = new Map<string, Token>()
  readonly #waiting: (() => void)[] = []
  #checking = 0

  constructor(
    readonly rules: TokenRules,
    readonly now: () => number = Date.now,
  ) {}

  /** At once for a token seen before. Throws, or rejects with, TokenError. */
  verify(text: string): Token | Promise<Token> {
    if (text.length > rpcTokenCharsMax) {
      throw new TokenError('OVERSIZED', `the token has over ${rpcTokenCharsMax} characters`)
    }
    const id = createHash('sha256').update(text).digest('base64')
    const known = this.#known.get(id)
    if (known === undefined) return this.#check(text, id)
    if (this.now() < known.endsMs) return known
    this.#known.delete(id)
    throw expired()
  }

  async #check(text: string, id: string): Promise<Token> {
    await this.#turn()
    try {
      const token = this.#tokenOf(await this.#payload(text))
      if (this.#known.size >= rpcTokensKnownMax) this.#known.delete(this.#known.keys().next().value!)
      this.#known.set(id, token)
      return token
    } finally {
      // Who waits takes the place over.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#checking--
    }
  }

  async #turn(): Promise<void> {
    if (this.#checking < CHECKS_MAX) {
      this.#checking++
      return
    }
    if (this.#waiting.length >= rpcTokensWaitingMax) {
      throw new TokenError('BUSY', 'too many tokens wait to be checked: try again')
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async #payload(text: string): Promise<JWTPayload> {
    for (const key of candidates(this.rules.keys, text)) {
      try {
        return (await jwtVerify(text, key.key, this.#options(key))).payload
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw asTokenError(error)
      }
    }
    throw new TokenError('NOT_SIGNED_FOR_THIS_NODE', 'the token is not signed with a key of this node')
  }

  #options({ algorithm }: TokenKey) {
    const { audience, skewSeconds, ageDaysMax } = this.rules
    return {
      algorithms: [algorithm],
      requiredClaims: ['exp', 'iat', 'role'],
      clockTolerance: skewSeconds,
      maxTokenAge: ageDaysMax * DAY_SECONDS,
      currentDate: new Date(this.now()),
      ...(audience !== undefined && { audience }),
    }
  }

  #tokenOf({ role, sub, exp, iat }: JWTPayload): Token {
    if (!ROLES.includes(role as Role)) {
      throw new TokenError('WRONG_CLAIM', `the claim "role" of the token must be one of ${ROLES.join(', ')}`)
    }
    const { skewSeconds, ageDaysMax } = this.rules
    const end = Math.min(exp!, iat! + ageDaysMax * DAY_SECONDS) + skewSeconds
    return { role: role as Role, subject: (sub ?? '').slice(0, SUBJECT_CHARS_MAX), endsMs: end * 1_000 }
  }
}

/** Keys that the token may be signed with, by its own word: its algorithm, and its key id where it names one. */
function candidates(keys: readonly TokenKey[], text: string): TokenKey[] {
  let header: { alg?: string; kid?: unknown }
  try {
    header = decodeProtectedHeader(text)
  } catch (cause) {
    throw new TokenError('MALFORMED', 'the token is no JSON Web Token', { cause })
  }
  return keys.filter(
    ({ algorithm, kid }) => algorithm === header.alg && (header.kid === undefined || kid === header.kid),
  )
}

const expired = () => new TokenError('EXPIRED', 'the token has expired: ask the operator of this node for a new one')

function asTokenError(error: unknown): TokenError {
  if (error instanceof errors.JWTExpired) return expired()
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error
    const isEarly = (claim === 'nbf' || claim === 'iat') && reason === 'check_failed'
    if (isEarly) return new TokenError('NOT_VALID_YET', `the token is not valid yet (${claim}): compare the clocks`)
    const fault = reason === 'missing' ? 'is missing' : 'is not what this node takes'
    return new TokenError('WRONG_CLAIM', `the claim "${claim}" of the token ${fault}`)
  }
  return new TokenError('MALFORMED', 'the token is no JSON Web Token', { cause: error })
}
