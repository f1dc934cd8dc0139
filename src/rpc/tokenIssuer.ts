/** Makes tokens for clients of a node, and the keys to sign them with. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import type { Role } from './roles.js'
import { type TokenKey, TokenKeyError } from './tokenKeys.js'

export interface TokenRequest {
  readonly role: Role
  readonly validSeconds: number
  /** Who gets it (`sub`), for the node's logs. */
  readonly subject?: string
  readonly audience?: string
}

/** A signed token, valid from now on. `key`: a secret, or the private half of a public key. */
export function issueToken(key: TokenKey, request: TokenRequest, nowMs: number = Date.now()): Promise<string> {
  const { role, validSeconds, subject, audience } = request
  const now = Math.floor(nowMs / 1_000)
  const token = new SignJWT({ role })
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'JWT' })
    .setIssuedAt(now)
    .setExpirationTime(now + validSeconds)
  if (subject !== undefined) token.setSubject(subject)
  if (audience !== undefined) token.setAudience(audience)
  return token.sign(key.key)
}

/** A new P-256 key: the private half as JWK for who issues tokens, the public one for nodes. */
export async function newSigningKey(): Promise<{ readonly privateKey: JWK; readonly publicKey: JWK }> {
  const pair = await generateKeyPair('ES256', { extractable: true })
  const publicKey = await exportJWK(pair.publicKey)
  const named = { kid: await calculateJwkThumbprint(publicKey), alg: 'ES256', use: 'sig' }
  return { privateKey: { ...(await exportJWK(pair.privateKey)), ...named }, publicKey: { ...publicKey, ...named } }
}

/** A private JWK as `newSigningKey` makes it. Rejects with TokenKeyError. */
export async function parseSigningKey(text: string, file: string): Promise<TokenKey> {
  try {
    const jwk = JSON.parse(text) as JWK
    if (jwk.kty === 'EC' && jwk.crv === 'P-256' && typeof jwk.d === 'string' && typeof jwk.kid === 'string') {
      return { algorithm: 'ES256', kid: jwk.kid, key: (await importJWK(jwk, 'ES256')) as TokenKey['key'] }
    }
  } catch {
    // Said below.
  }
  throw new TokenKeyError(
    'MALFORMED',
    `${file} holds no private key (JWK) with a kid; make one: concordat token keys FILE`,
  )
}
