/** Consents as enterprises sign them: hash, sign, put on chain. */
import {
  CONSENT_TYPES,
  type Consent,
  consentDigest,
  consentDomain,
  revocationDigest,
} from '../contracts/consentHash.js'
import { type Address, fromHex, type Hash } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { consentPageMax } from '../core/limits.js'
import { keccak256 } from '../crypto/keccak.js'
import { recoverAddress, secp256k1 } from '../crypto/secp256k1.js'
import type { RpcClient } from '../rpc/client.js'
import type { Connection } from './connection.js'
import { ContractRevert, consents, view } from './contractClient.js'
import type { TypedSigner } from './signer.js'

export type { Consent } from '../contracts/consentHash.js'

/** A consent with its signature: what the enterprise hands to a department. It holds no secret. */
export interface SignedConsent {
  readonly chainId: number
  readonly consent: Consent
  /** 65 bytes. */
  readonly signature: Uint8Array
}

/** UNREADABLE, MALFORMED: of the file. WRONG_CHAIN: signed for another chain. FOREIGN_SIGNATURE: it fits no key. */
export class ConsentFileError extends CodedError<'UNREADABLE' | 'MALFORMED' | 'WRONG_CHAIN' | 'FOREIGN_SIGNATURE'> {}

/** Id of a consent: what it is called on chain, and what is signed. */
export const consentIdOf = (chainId: number, consent: Consent): Hash =>
  consentDigest(keccak256, BigInt(chainId), consent)

export function signConsent(consent: Consent, chainId: number, privateKey: Uint8Array): SignedConsent {
  return { chainId, consent, signature: secp256k1.sign(fromHex(consentIdOf(chainId, consent)), privateKey) }
}

/** The same by any signer; wallets show what they sign. */
export async function signConsentWith(signer: TypedSigner, consent: Consent, chainId: number): Promise<SignedConsent> {
  const data = { domain: consentDomain(chainId), types: CONSENT_TYPES, primaryType: 'Consent', message: { ...consent } }
  return { chainId, consent, signature: await signer.signTypedData(data, fromHex(consentIdOf(chainId, consent))) }
}

/** Takes a consent back; whoever holds it can put it on chain. */
export const signRevocation = (id: Hash, chainId: number, privateKey: Uint8Array): Uint8Array =>
  secp256k1.sign(fromHex(revocationDigest(keccak256, BigInt(chainId), id)), privateKey)

/** Whose key signed it; whether that is the enterprise's the chain knows. Throws ConsentFileError FOREIGN_SIGNATURE. */
export function consentSigner({ chainId, consent, signature }: SignedConsent): Address {
  const plain = signature.slice()
  if (plain[64]! >= 27) plain[64]! -= 27
  const signer = recoverAddress(fromHex(consentIdOf(chainId, consent)), plain)
  if (signer !== null) return signer
  throw new ConsentFileError(
    'FOREIGN_SIGNATURE',
    'the signature of the consent fits no key: let the enterprise sign again',
  )
}

/** Puts it on chain where it is not yet; resolves with its id once that is final. Throws ConsentFileError, ContractRevert. */
export async function grantConsent({ sender, chainId }: Connection, signed: SignedConsent): Promise<Hash> {
  const { consent, signature } = signed
  if (signed.chainId !== chainId) {
    throw new ConsentFileError('WRONG_CHAIN', `the consent is for chain ${signed.chainId}, this is chain ${chainId}`)
  }
  const id = consentIdOf(chainId, consent)
  try {
    await sender.final(await sender.send(consents, 'grant', { consent, signature }))
  } catch (error) {
    if (!(error instanceof ContractRevert && error.error === 'AlreadyGranted')) throw error
  }
  return id
}

/** All consents of an enterprise, in the order of their grants. Throws RpcError or RpcClientError. */
export async function readConsentsOf(client: RpcClient, enterpriseId: Hash) {
  const total = await view(client, consents, 'consentCount', { enterpriseId })
  const count = BigInt(consentPageMax)
  const found = []
  for (let from = 0n; from < total; from += count) {
    found.push(...(await view(client, consents, 'consentsOf', { enterpriseId, from, count })))
  }
  return found
}

/** Seconds since 1970 as `2027-03-31T23:59:59Z`. */
export const timeText = (seconds: bigint): string =>
  new Date(Number(seconds) * 1_000).toISOString().replace('.000Z', 'Z')
