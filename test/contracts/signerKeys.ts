/** Keys made of a number, and what they sign to act for a member. */
import { signerConsentDigest } from '../../src/contracts/signerConsent.js'
import type { Address } from '../../src/core/bytes.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { privateKeyToAddress, secp256k1 } from '../../src/crypto/secp256k1.js'
import { CHAIN_ID } from './world.js'

export const keyOf = (n: number): Uint8Array => keccak256(Uint8Array.of(n & 255, n >> 8, 77))
export const addressOf = (n: number): Address => privateKeyToAddress(keyOf(n))

/** What key n signs to act for a member. */
export function proofOf(n: number, member: Address, kind: number, chainId = CHAIN_ID): Uint8Array {
  return secp256k1.sign(signerConsentDigest({ chainId, member, signer: addressOf(n), kind }), keyOf(n))
}
