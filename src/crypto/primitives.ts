/** What digests and envelopes are made of, behind a port with two implementations. */
import { nodeCrypto } from './builtin.js'
import { noblePrimitives } from './noblePrimitives.js'
import { nodePrimitivesOver } from './nodePrimitives.js'

export type AeadName = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305'

/** A key of the cipher's size and a nonce of 12 bytes. */
export interface AeadInput {
  readonly aead: AeadName
  readonly key: Uint8Array
  readonly nonce: Uint8Array
  readonly aad: Uint8Array
}

export interface Primitives {
  readonly name: 'node' | 'noble'
  /** Digest of 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array
  /** RFC 2104; tag of 32 bytes over the parts, taken one after the other. */
  hmacSha256(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array
  /** Ciphertext and tag of 16 bytes. */
  aeadSeal(input: AeadInput, plaintext: Uint8Array): Uint8Array
  /** Plaintext of at least a tag; null when anything was changed or the key is another one. */
  aeadOpen(input: AeadInput, sealed: Uint8Array): Uint8Array | null
  /** RFC 7748; keys have 32 bytes. */
  x25519PublicKey(privateKey: Uint8Array): Uint8Array
  /** null when the shared secret is all zero. */
  x25519(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | null
}

/** null where this is not Node. */
export const nodePrimitives: Primitives | null = nodePrimitivesOver(nodeCrypto())

/** The implementation in use; `primitives.name` says which. */
export const primitives: Primitives = nodePrimitives ?? noblePrimitives
