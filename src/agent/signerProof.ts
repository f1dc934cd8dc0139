/** What a new key signs to become one of a member's keys (see contracts/signerConsent.ts). */
import { SIGNER_KIND, type SignerKindName } from '../contracts/codes.js'
import { signerConsentDigest } from '../contracts/signerConsent.js'
import type { Address } from '../core/bytes.js'
import { privateKeyToAddress, secp256k1 } from '../crypto/secp256k1.js'

export interface SignerProof {
  readonly signer: Address
  readonly proof: Uint8Array
}

/** Made where the key is: it does not leave that machine. */
export function signerProof(key: Uint8Array, chainId: number, member: Address, kind: SignerKindName): SignerProof {
  const signer = privateKeyToAddress(key)
  const consent = { chainId: BigInt(chainId), member, signer, kind: SIGNER_KIND[kind] }
  return { signer, proof: secp256k1.sign(signerConsentDigest(consent), key) }
}
