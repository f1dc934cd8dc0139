/** What a token says of itself, for people: nothing of it is checked. */
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { TokenError } from './tokens.js'

export interface TokenText {
  readonly algorithm: string
  readonly kid: string | null
  readonly role: string | null
  readonly subject: string | null
  readonly audience: string | null
  readonly issuedAt: string | null
  readonly endsAt: string | null
}

/** Throws TokenError MALFORMED. */
export function readTokenText(token: string): TokenText {
  try {
    const { alg, kid } = decodeProtectedHeader(token)
    const { role, sub, aud, iat, exp } = decodeJwt(token)
    return {
      algorithm: String(alg),
      kid: kid ?? null,
      role: typeof role === 'string' ? role : null,
      subject: sub ?? null,
      audience: aud === undefined ? null : [aud].flat().join(', '),
      issuedAt: instant(iat),
      endsAt: instant(exp),
    }
  } catch (cause) {
    throw new TokenError('MALFORMED', 'this is no JSON Web Token', { cause })
  }
}

/** Seconds since 1970. */
const instant = (seconds: number | undefined): string | null =>
  seconds === undefined ? null : new Date(seconds * 1_000).toISOString()
