/** The keys of which a node takes tokens: shared secrets (HS256) and public keys (ES256), each bound to its own algorithm. */
import { createHash } from 'node:crypto'
import { type CryptoKey, importJWK, type JWK } from 'jose'
import { CodedError } from '../core/codedError.js'
import { rpcTokenKeysMax } from '../core/limits.js'

/** A file of secrets or public keys that cannot be used; the message names the file and never holds key material. */
export class TokenKeyError extends CodedError<'MALFORMED' | 'PRIVATE_KEY' | 'TOO_MANY'> {}

export type TokenAlgorithm = 'HS256' | 'ES256'

export interface TokenKey {
  readonly algorithm: TokenAlgorithm
  /** A token that names another one is refused. */
  readonly kid: string
  readonly key: Uint8Array | CryptoKey
}

const SECRET = /^(?:0x)?([0-9a-fA-F]{64})$/

/** Lines of 64 hex digits, the newest first; `#` begins a comment. Throws TokenKeyError. */
export function parseSecrets(text: string, file: string): TokenKey[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim())
  const keys = lines.flatMap((line, i) => {
    if (line === '') return []
    const digits = SECRET.exec(line)?.[1]
    if (digits !== undefined) return [secretKey(new Uint8Array(Buffer.from(digits, 'hex')))]
    throw new TokenKeyError('MALFORMED', `${file}, line ${i + 1}: a secret is 64 hex digits; make one: ${MAKE_SECRET}`)
  })
  return counted(keys, file, MAKE_SECRET)
}

const MAKE_SECRET = 'concordat token secret FILE'
const MAKE_KEYS = 'concordat token keys FILE'

const KID_BYTES = 8

/** Its id follows from the secret, and says nothing about it: 256 random bits cannot be guessed and hashed. */
export function secretKey(secret: Uint8Array): TokenKey {
  const digest = createHash('sha256').update('concordat rpc secret').update(secret).digest()
  return { algorithm: 'HS256', kid: digest.subarray(0, KID_BYTES).toString('hex'), key: secret }
}

/** A JWK set (RFC 7517) of P-256 public keys, each with a `kid`. Rejects with TokenKeyError. */
export async function parsePublicKeys(text: string, file: string): Promise<TokenKey[]> {
  const keys = await Promise.all(readSet(text, file).map((jwk, i) => publicKey(jwk, `${file}, key ${i + 1}`)))
  if (new Set(keys.map(({ kid }) => kid)).size !== keys.length) {
    throw new TokenKeyError('MALFORMED', `${file}: two keys have the same kid; give each its own`)
  }
  return counted(keys, file, MAKE_KEYS)
}

function readSet(text: string, file: string): readonly JWK[] {
  let set: unknown
  try {
    set = JSON.parse(text)
  } catch {
    throw new TokenKeyError('MALFORMED', `${file} is not JSON; it holds a JWK set: { "keys": [ ... ] }`)
  }
  const keys = typeof set === 'object' && set !== null ? (set as { keys?: unknown }).keys : undefined
  if (Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key !== null)) return keys as JWK[]
  throw new TokenKeyError('MALFORMED', `${file} holds no JWK set: { "keys": [ ... ] }`)
}

async function publicKey(jwk: JWK, at: string): Promise<TokenKey> {
  const { kty, crv, x, y, kid, alg = 'ES256', use = 'sig', d } = jwk
  if (d !== undefined) {
    throw new TokenKeyError('PRIVATE_KEY', `${at}: is a private key; a node has the public one only (without "d")`)
  }
  if (kty !== 'EC' || crv !== 'P-256' || alg !== 'ES256' || use !== 'sig') {
    throw new TokenKeyError('MALFORMED', `${at}: want kty EC, crv P-256, alg ES256, use sig`)
  }
  if (typeof kid !== 'string' || kid === '' || kid.length > 128) {
    throw new TokenKeyError('MALFORMED', `${at}: wants a kid of 1 to 128 characters`)
  }
  try {
    return { algorithm: 'ES256', kid, key: (await importJWK({ kty, crv, x, y } as JWK, 'ES256')) as CryptoKey }
  } catch (cause) {
    throw new TokenKeyError('MALFORMED', `${at}: x and y are no point of P-256`, { cause })
  }
}

function counted(keys: TokenKey[], file: string, make: string): TokenKey[] {
  if (keys.length === 0) throw new TokenKeyError('MALFORMED', `${file} holds no key; make one: ${make}`)
  if (keys.length <= rpcTokenKeysMax) return keys
  throw new TokenKeyError('TOO_MANY', `${file} holds ${keys.length} keys, at most ${rpcTokenKeysMax}: remove old ones`)
}
