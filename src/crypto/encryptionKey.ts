/** X25519 key pairs (RFC 7748), with which members receive envelopes. Keys are 32 raw bytes. */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject, randomBytes } from 'node:crypto'
import { CodedError } from '../core/codedError.js'

export const encryptionKeyBytes = 32

export interface EncryptionKeyPair {
  readonly publicKey: Uint8Array
  readonly privateKey: Uint8Array
}

export type EncryptionKeyErrorCode = 'BAD_LENGTH' | 'LOW_ORDER'

export class EncryptionKeyError extends CodedError<EncryptionKeyErrorCode> {}

export function generateEncryptionKey(): EncryptionKeyPair {
  return encryptionKeyFromPrivate(new Uint8Array(randomBytes(encryptionKeyBytes)))
}

/** Key pair of a private key of 32 bytes. Throws EncryptionKeyError BAD_LENGTH. */
export function encryptionKeyFromPrivate(privateKey: Uint8Array): EncryptionKeyPair {
  const { x } = createPublicKey(privateKeyObject(privateKey)).export({ format: 'jwk' })
  return { publicKey: new Uint8Array(Buffer.from(x ?? '', 'base64url')), privateKey }
}

/** True for 32 bytes that are not a point of low order: what a member may register. */
export function isEncryptionPublicKey(publicKey: Uint8Array): boolean {
  return publicKey.length === encryptionKeyBytes && sharedSecret(PROBE, publicKey) !== null
}

/** X25519(privateKey, publicKey), 32 bytes; null when it is all zero (a point of low order: RFC 9180, 7.1.4). */
export function sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | null {
  const keys = { privateKey: privateKeyObject(privateKey), publicKey: publicKeyObject(publicKey) }
  try {
    const secret = new Uint8Array(diffieHellman(keys))
    return secret.every((byte) => byte === 0) ? null : secret
  } catch {
    // OpenSSL refuses the all-zero result itself.
    return null
  }
}

// Any private key tells points of low order from the others: clamped scalars are multiples of the cofactor.
const PROBE = new Uint8Array(encryptionKeyBytes).fill(1)

// Keys go in as JWK (RFC 8037): raw bytes for OpenSSL, ten times faster than its DER decoders.
const JWK = { kty: 'OKP', crv: 'X25519' } as const
/** The public part of a private JWK has to be there, but does not enter the exchange. */
const ANY_POINT = base64url(PROBE)

function privateKeyObject(privateKey: Uint8Array): KeyObject {
  assertLength(privateKey, 'private')
  return createPrivateKey({ key: { ...JWK, d: base64url(privateKey), x: ANY_POINT }, format: 'jwk' })
}

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  assertLength(publicKey, 'public')
  return createPublicKey({ key: { ...JWK, x: base64url(publicKey) }, format: 'jwk' })
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

function assertLength(key: Uint8Array, kind: 'private' | 'public'): void {
  if (key.length !== encryptionKeyBytes) {
    throw new EncryptionKeyError('BAD_LENGTH', `an X25519 ${kind} key has 32 bytes, got ${key.length}`)
  }
}
