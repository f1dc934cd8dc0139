/** Primitives in JavaScript, for browsers; oracle in the tests. */
import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { AeadInput, Primitives } from './primitives.js'

export const noblePrimitives: Primitives = {
  name: 'noble',
  sha256: (bytes) => sha256(bytes),
  hmacSha256(key, parts) {
    const state = hmac.create(sha256, key)
    for (const part of parts) state.update(part)
    return state.digest()
  },
  aeadSeal: (input, plaintext) => cipherOf(input).encrypt(plaintext),
  aeadOpen(input, sealed) {
    try {
      return cipherOf(input).decrypt(sealed)
    } catch {
      return null
    }
  },
  x25519PublicKey: (privateKey) => x25519.getPublicKey(privateKey),
  x25519(privateKey, publicKey) {
    try {
      return x25519.getSharedSecret(privateKey, publicKey)
    } catch {
      // The all-zero result is refused by the library.
      return null
    }
  },
}

function cipherOf({ aead, key, nonce, aad }: AeadInput) {
  return aead === 'chacha20-poly1305' ? chacha20poly1305(key, nonce, aad) : gcm(key, nonce, aad)
}
