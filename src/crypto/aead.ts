/** AES-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439) over node:crypto: 12-byte nonces, 16-byte tags behind the ciphertext. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { assert } from '../core/assert.js'
import { concatBytes } from '../core/bytes.js'

export type AeadName = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305'

export const aeadNonceBytes = 12
export const aeadTagBytes = 16

export function aeadKeyBytes(aead: AeadName): number {
  return aead === 'aes-128-gcm' ? 16 : 32
}

export interface AeadInput {
  readonly aead: AeadName
  readonly key: Uint8Array
  readonly nonce: Uint8Array
  readonly aad: Uint8Array
}

/** Ciphertext and tag. */
export function aeadSeal(input: AeadInput, plaintext: Uint8Array): Uint8Array {
  assertSizes(input)
  const cipher = cipherOf(input)
  cipher.setAAD(input.aad, { plaintextLength: plaintext.length })
  return concatBytes(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

/** Plaintext; null when ciphertext, tag or associated data were changed or the key is another one. */
export function aeadOpen(input: AeadInput, sealed: Uint8Array): Uint8Array | null {
  assertSizes(input)
  if (sealed.length < aeadTagBytes) return null
  const length = sealed.length - aeadTagBytes
  const decipher = decipherOf(input)
  decipher.setAAD(input.aad, { plaintextLength: length })
  decipher.setAuthTag(sealed.subarray(length))
  const plaintext = decipher.update(sealed.subarray(0, length))
  try {
    return concatBytes(plaintext, decipher.final())
  } catch {
    return null
  }
}

const TAG = { authTagLength: aeadTagBytes } as const

// node:crypto types each cipher's options by its literal name.
function cipherOf({ aead, key, nonce }: AeadInput) {
  if (aead === 'chacha20-poly1305') return createCipheriv(aead, key, nonce, TAG)
  return createCipheriv(aead, key, nonce, TAG)
}

function decipherOf({ aead, key, nonce }: AeadInput) {
  if (aead === 'chacha20-poly1305') return createDecipheriv(aead, key, nonce, TAG)
  return createDecipheriv(aead, key, nonce, TAG)
}

function assertSizes({ aead, key, nonce }: AeadInput): void {
  assert(key.length === aeadKeyBytes(aead), `${aead} takes a key of ${aeadKeyBytes(aead)} bytes`)
  assert(nonce.length === aeadNonceBytes, `${aead} takes a nonce of ${aeadNonceBytes} bytes`)
}
