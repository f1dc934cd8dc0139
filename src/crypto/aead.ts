/** AES-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439): 12-byte nonces, 16-byte tags behind the ciphertext. */
import { assert } from '../core/assert.js'
import { type AeadInput, type AeadName, primitives } from './primitives.js'

export type { AeadInput, AeadName } from './primitives.js'

export const aeadNonceBytes = 12
export const aeadTagBytes = 16

export function aeadKeyBytes(aead: AeadName): number {
  return aead === 'aes-128-gcm' ? 16 : 32
}

/** Ciphertext and tag. */
export function aeadSeal(input: AeadInput, plaintext: Uint8Array): Uint8Array {
  assertSizes(input)
  return primitives.aeadSeal(input, plaintext)
}

/** Plaintext; null when ciphertext, tag or associated data were changed or the key is another one. */
export function aeadOpen(input: AeadInput, sealed: Uint8Array): Uint8Array | null {
  assertSizes(input)
  return sealed.length < aeadTagBytes ? null : primitives.aeadOpen(input, sealed)
}

function assertSizes({ aead, key, nonce }: AeadInput): void {
  assert(key.length === aeadKeyBytes(aead), `${aead} takes a key of ${aeadKeyBytes(aead)} bytes`)
  assert(nonce.length === aeadNonceBytes, `${aead} takes a nonce of ${aeadNonceBytes} bytes`)
}
