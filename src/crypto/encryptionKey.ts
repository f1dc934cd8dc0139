/** X25519 key pairs (RFC 7748), with which members receive envelopes. Keys are 32 raw bytes. */
import { CodedError } from '../core/codedError.js'
import { primitives } from './primitives.js'
import { randomBytes } from './random.js'

export const encryptionKeyBytes = 32

export interface EncryptionKeyPair {
  readonly publicKey: Uint8Array
  readonly privateKey: Uint8Array
}

export type EncryptionKeyErrorCode = 'BAD_LENGTH' | 'LOW_ORDER'

export class EncryptionKeyError extends CodedError<EncryptionKeyErrorCode> {}

export function generateEncryptionKey(): EncryptionKeyPair {
  return encryptionKeyFromPrivate(randomBytes(encryptionKeyBytes))
}

/** Key pair of a private key of 32 bytes. Throws EncryptionKeyError BAD_LENGTH. */
export function encryptionKeyFromPrivate(privateKey: Uint8Array): EncryptionKeyPair {
  assertLength(privateKey, 'private')
  return { publicKey: primitives.x25519PublicKey(privateKey), privateKey }
}

/** True for 32 bytes that are not a point of low order: what a member may register. */
export function isEncryptionPublicKey(publicKey: Uint8Array): boolean {
  return publicKey.length === encryptionKeyBytes && sharedSecret(PROBE, publicKey) !== null
}

/** X25519(privateKey, publicKey), 32 bytes; null when it is all zero (a point of low order: RFC 9180, 7.1.4). */
export function sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | null {
  assertLength(privateKey, 'private')
  assertLength(publicKey, 'public')
  return primitives.x25519(privateKey, publicKey)
}

// Any private key tells points of low order from the others: clamped scalars are multiples of the cofactor.
const PROBE = new Uint8Array(encryptionKeyBytes).fill(1)

function assertLength(key: Uint8Array, kind: 'private' | 'public'): void {
  if (key.length !== encryptionKeyBytes) {
    throw new EncryptionKeyError('BAD_LENGTH', `an X25519 ${kind} key has 32 bytes, got ${key.length}`)
  }
}
