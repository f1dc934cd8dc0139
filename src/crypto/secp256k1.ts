/** ECDSA over secp256k1 with public key recovery, behind a port with two implementations. */
import { secp256k1 as curve } from '@noble/curves/secp256k1.js'
import { assert } from '../core/assert.js'
import { type Address, toAddress } from '../core/bytes.js'
import { SECP256K1_N } from '../core/transaction.js'
import { nodeRequire } from './builtin.js'
import { keccak256 } from './keccak.js'

/** Signatures are 65 bytes: r 32 | s 32 | yParity 1 (0 or 1). Digests and private keys have 32 bytes. */
export interface Secp256k1 {
  readonly name: 'native' | 'noble'
  /** Uncompressed public key, 65 bytes. Throws RangeError unless the private key is in 1 .. n-1. */
  publicKey(privateKey: Uint8Array): Uint8Array
  /** Deterministic (RFC 6979), low s. Throws RangeError unless the private key is in 1 .. n-1. */
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array
  /** Uncompressed public key of the signer, 65 bytes; null when the signature fits no key. High s is accepted here. */
  recover(digest: Uint8Array, signature: Uint8Array): Uint8Array | null
  /** `publicKey` has 33 or 65 bytes. False for high s and for anything malformed. */
  verify(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean
}

type NativeModule = typeof import('secp256k1')

/** Fallback where the native module does not load, and oracle in the tests. */
export const nobleSecp256k1: Secp256k1 = {
  name: 'noble',
  publicKey(privateKey) {
    assertPrivateKey(privateKey, curve.utils.isValidSecretKey(privateKey))
    return curve.getPublicKey(privateKey, false)
  },
  sign(digest, privateKey) {
    assertDigest(digest)
    assertPrivateKey(privateKey, curve.utils.isValidSecretKey(privateKey))
    const recovered = curve.sign(digest, privateKey, { prehash: false, lowS: true, format: 'recovered' })
    const signature = new Uint8Array(65)
    signature.set(recovered.subarray(1))
    signature[64] = recovered[0]!
    return signature
  },
  recover(digest, signature) {
    assertDigest(digest)
    if (!hasSignatureShape(signature)) return null
    const recovered = new Uint8Array(65)
    recovered[0] = signature[64]!
    recovered.set(signature.subarray(0, 64), 1)
    try {
      const point = curve.Signature.fromBytes(recovered, 'recovered').recoverPublicKey(digest)
      return point.toBytes(false)
    } catch {
      return null
    }
  },
  verify(digest, signature, publicKey) {
    assertDigest(digest)
    if (signature.length !== 65 || !hasPublicKeyShape(publicKey)) return false
    try {
      return curve.verify(signature.subarray(0, 64), digest, publicKey, { prehash: false, lowS: true })
    } catch {
      return false
    }
  },
}

/** libsecp256k1; null where its binary does not load. */
export const nativeSecp256k1: Secp256k1 | null = loadNative()

/** The implementation in use; `secp256k1.name` says which. */
export const secp256k1: Secp256k1 = nativeSecp256k1 ?? nobleSecp256k1

/** Address of an uncompressed public key of 65 bytes: the last 20 bytes of the keccak256 of its coordinates. */
export function addressOf(publicKey: Uint8Array): Address {
  assert(publicKey.length === 65, 'an uncompressed public key has 65 bytes')
  return toAddress(keccak256(publicKey.subarray(1)).subarray(12))
}

/** Throws RangeError unless the private key is in 1 .. n-1. */
export function privateKeyToAddress(privateKey: Uint8Array): Address {
  return addressOf(secp256k1.publicKey(privateKey))
}

/** Signer of a digest; null when the signature fits no key or has a high s (EIP-2). */
export function recoverAddress(digest: Uint8Array, signature: Uint8Array): Address | null {
  if (!hasSignatureShape(signature) || !isLowS(signature)) return null
  const publicKey = secp256k1.recover(digest, signature)
  return publicKey === null ? null : addressOf(publicKey)
}

const HALF_N_HEX = (SECP256K1_N / 2n).toString(16).padStart(64, '0')
const HALF_N = Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(HALF_N_HEX.slice(2 * i, 2 * i + 2), 16))

/** True when s, in bytes 32 to 63, is at most n/2. */
export function isLowS(signature: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) {
    const difference = signature[32 + i]! - HALF_N[i]!
    if (difference !== 0) return difference < 0
  }
  return true
}

function loadNative(): Secp256k1 | null {
  const native = nativeModule()
  if (native === null) return null
  return {
    name: 'native',
    publicKey(privateKey) {
      assertPrivateKey(privateKey, privateKey.length === 32 && native.privateKeyVerify(privateKey))
      return native.publicKeyCreate(privateKey, false)
    },
    sign(digest, privateKey) {
      assertDigest(digest)
      assertPrivateKey(privateKey, privateKey.length === 32 && native.privateKeyVerify(privateKey))
      const { signature, recid } = native.ecdsaSign(digest, privateKey)
      const out = new Uint8Array(65)
      out.set(signature)
      out[64] = recid
      return out
    },
    recover(digest, signature) {
      assertDigest(digest)
      if (!hasSignatureShape(signature)) return null
      try {
        return native.ecdsaRecover(signature.subarray(0, 64), signature[64]!, digest, false)
      } catch {
        return null
      }
    },
    verify(digest, signature, publicKey) {
      assertDigest(digest)
      if (signature.length !== 65 || !hasPublicKeyShape(publicKey)) return false
      try {
        return native.ecdsaVerify(signature.subarray(0, 64), digest, publicKey)
      } catch {
        return false
      }
    },
  }
}

function nativeModule(): NativeModule | null {
  try {
    // The package's own entry would fall back to a slow JavaScript curve without saying so.
    return (nodeRequire(import.meta.url)?.('secp256k1/bindings.js') as NativeModule | undefined) ?? null
  } catch {
    return null
  }
}

function hasSignatureShape(signature: Uint8Array): boolean {
  return signature.length === 65 && signature[64]! <= 1
}

/** Compressed or uncompressed; libsecp256k1 alone would take the hybrid forms 6 and 7 too. */
function hasPublicKeyShape(publicKey: Uint8Array): boolean {
  const form = publicKey[0]
  return publicKey.length === 33 ? form === 2 || form === 3 : publicKey.length === 65 && form === 4
}

function assertDigest(digest: Uint8Array): void {
  assert(digest.length === 32, 'a digest has 32 bytes')
}

function assertPrivateKey(privateKey: Uint8Array, valid: boolean): void {
  if (!valid) {
    throw new RangeError(
      `a private key must have 32 bytes and lie in 1 .. n-1, got ${privateKey.length} bytes; make a new one`,
    )
  }
}
