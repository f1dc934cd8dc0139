/** X25519 key pairs (RFC 7748), with which members receive envelopes. Keys are 32 raw bytes. */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject, randomBytes } from 'node:crypto'
import { concatBytes } from '../core/bytes.js'
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
  const spki = createPublicKey(privateKeyObject(privateKey)).export({ format: 'der', type: 'spki' })
  return { publicKey: new Uint8Array(spki.subarray(SPKI_PREFIX.length)), privateKey }
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

/** DER in front of the raw key (RFC 8410). */
const PKCS8_PREFIX = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20])
const SPKI_PREFIX = Uint8Array.from([0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 3, 0x21, 0])

function privateKeyObject(privateKey: Uint8Array): KeyObject {
  assertLength(privateKey, 'private')
  const key = Buffer.from(concatBytes(PKCS8_PREFIX, privateKey))
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  assertLength(publicKey, 'public')
  const key = Buffer.from(concatBytes(SPKI_PREFIX, publicKey))
  return createPublicKey({ key, format: 'der', type: 'spki' })
}

function assertLength(key: Uint8Array, kind: 'private' | 'public'): void {
  if (key.length !== encryptionKeyBytes) {
    throw new EncryptionKeyError('BAD_LENGTH', `an X25519 ${kind} key has 32 bytes, got ${key.length}`)
  }
}
