/** Primitives over node:crypto. */
import { concatBytes } from '../core/bytes.js'
import type { AeadInput, Primitives } from './primitives.js'

type NodeCrypto = typeof import('node:crypto')

const tagBytes = 16
const TAG = { authTagLength: tagBytes } as const

// Keys go in as JWK (RFC 8037): raw bytes for OpenSSL, ten times faster than its DER decoders.
const JWK = { kty: 'OKP', crv: 'X25519' } as const
/** The public part of a private JWK has to be there, but does not enter the exchange. */
const ANY_POINT = 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE'

export function nodePrimitivesOver(crypto: NodeCrypto | null): Primitives | null {
  if (crypto === null) return null
  const { createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey } = crypto

  // node:crypto types each cipher's options by its literal name.
  const cipherOf = ({ aead, key, nonce }: AeadInput) =>
    aead === 'chacha20-poly1305' ? createCipheriv(aead, key, nonce, TAG) : createCipheriv(aead, key, nonce, TAG)
  const decipherOf = ({ aead, key, nonce }: AeadInput) =>
    aead === 'chacha20-poly1305' ? createDecipheriv(aead, key, nonce, TAG) : createDecipheriv(aead, key, nonce, TAG)
  const privateKeyObject = (key: Uint8Array) =>
    createPrivateKey({ key: { ...JWK, d: base64url(key), x: ANY_POINT }, format: 'jwk' })
  const publicKeyObject = (key: Uint8Array) => createPublicKey({ key: { ...JWK, x: base64url(key) }, format: 'jwk' })

  return {
    name: 'node',
    sha256: (bytes) => plain(createHash('sha256').update(bytes).digest()),
    hmacSha256(key, parts) {
      const hmac = createHmac('sha256', key)
      for (const part of parts) hmac.update(part)
      return plain(hmac.digest())
    },
    aeadSeal(input, plaintext) {
      const cipher = cipherOf(input)
      cipher.setAAD(input.aad, { plaintextLength: plaintext.length })
      return concatBytes(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
    },
    aeadOpen(input, sealed) {
      const length = sealed.length - tagBytes
      const decipher = decipherOf(input)
      decipher.setAAD(input.aad, { plaintextLength: length })
      decipher.setAuthTag(sealed.subarray(length))
      const plaintext = decipher.update(sealed.subarray(0, length))
      try {
        return concatBytes(plaintext, decipher.final())
      } catch {
        return null
      }
    },
    x25519PublicKey(privateKey) {
      const { x } = createPublicKey(privateKeyObject(privateKey)).export({ format: 'jwk' })
      return new Uint8Array(Buffer.from(x ?? '', 'base64url'))
    },
    x25519(privateKey, publicKey) {
      const keys = { privateKey: privateKeyObject(privateKey), publicKey: publicKeyObject(publicKey) }
      try {
        const secret = plain(crypto.diffieHellman(keys))
        return secret.every((byte) => byte === 0) ? null : secret
      } catch {
        // OpenSSL refuses the all-zero result itself.
        return null
      }
    },
  }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
