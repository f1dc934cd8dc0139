/**
 * Contract `consents`: an enterprise lets a department ask about it, for one purpose and a time. It signs off line; whoever
 * holds the signed consent puts it on chain. Each use is counted here, and a revocation binds from the next block.
 */
import { type Address, fromHex, type Hash, ZERO_HASH } from '../core/bytes.js'
import { consentAttributesMax, consentPageMax } from '../core/limits.js'
import { type ContractHost, defineContract, emit, revert } from '../vm/contract.js'
import { arrayLength, arraySlot, bigintWord, pushWord, slotAfter, storeWords } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { ROLE } from './codes.js'
import { type Consent, consentDigest, type Hashing, revocationDigest } from './consentHash.js'
import {
  CONSENT,
  type ConsentUse,
  consentFault,
  consentHead,
  consentListSlot,
  consentSlot,
  consentState,
  consentsInterface,
  foregoneSlot,
  type GrantedConsent,
  readConsent,
} from './consentsStorage.js'
import { actorOf, isActive, readMemberId } from './membersStorage.js'

const abi = consentsInterface

export const consents = defineContract({
  name: 'consents',
  version: 1,
  address: CONTRACT_ADDRESSES.consents,
  abi,
  functions: {
    grant(host, { consent, signature }) {
      const id = idOf(host, consent)
      const signer = signerOf(host, id, signature)
      if (enterpriseOf(host, signer) !== consent.enterpriseId) {
        throw revert(abi, 'NotActiveEnterprise', { account: signer, enterpriseId: consent.enterpriseId })
      }
      checkConsent(host, id, consent)
      storeConsent(host, id, consent)
      return id
    },

    revoke(host, { id, signature }) {
      const signer = signerOf(host, revocationDigest(hashing(host), host.block.chainId, id), signature)
      const enterpriseId = enterpriseOf(host, signer)
      const consent = readConsent(host, id)
      if (enterpriseId === undefined || (consent !== undefined && consent.enterpriseId !== enterpriseId)) {
        throw revert(abi, 'NotActiveEnterprise', {
          account: signer,
          enterpriseId: consent?.enterpriseId ?? ZERO_HASH,
        })
      }
      if (consent === undefined) forego(host, id, enterpriseId)
      else revokeGranted(host, consent)
      emit(host, abi, 'ConsentRevoked', { id, enterpriseId })
      return undefined
    },

    consume(host, { id, ...use }) {
      if (host.caller !== CONTRACT_ADDRESSES.dataSharing) throw revert(abi, 'NotDataSharing', { caller: host.caller })
      return consume(host, id, use)
    },

    mayUse: (host, { id, ...use }) => consentFault(host, readConsent(host, id), use),

    consentOf(host, { id }) {
      const consent = readConsent(host, id)
      if (consent === undefined) throw revert(abi, 'UnknownConsent', { id })
      return consent
    },

    consentsOf(host, { enterpriseId, from, count }) {
      requireCount('consents of a page', Number(count), consentPageMax)
      const list = consentListSlot(host, enterpriseId)
      const first = arraySlot(host, list)
      const length = Math.max(0, Math.min(Number(count), arrayLength(host, list) - Number(from)))
      return Array.from({ length }, (_, i) => {
        return readConsent(host, host.load(slotAfter(first, Number(from) + i)))!
      })
    },

    consentCount: (host, { enterpriseId }) => BigInt(arrayLength(host, consentListSlot(host, enterpriseId))),

    consentId: (host, { consent }) => idOf(host, consent),
  },
})

const hashing =
  (host: ContractHost): Hashing =>
  (bytes) =>
    host.keccak(bytes)

const idOf = (host: ContractHost, consent: Consent): Hash => consentDigest(hashing(host), host.block.chainId, consent)

/** Who has signed, or the caller where there is no signature. Wallets write the recovery bit as 27 or 28. */
function signerOf(host: ContractHost, digest: Hash, signature: Uint8Array): Address {
  if (signature.length === 0) return host.caller
  if (signature.length !== 65) throw revert(abi, 'InvalidSignature', {})
  const plain = signature.slice()
  if (plain[64]! >= 27) plain[64]! -= 27
  const signer = host.recover(fromHex(digest), plain)
  if (signer === null) throw revert(abi, 'InvalidSignature', {})
  return signer
}

/** Id of the active enterprise for which a key acts. */
function enterpriseOf(host: ContractHost, signer: Address): Hash | undefined {
  const { account, head } = actorOf(host, signer)
  return isActive(head) && head.role === ROLE.enterprise ? readMemberId(host, account) : undefined
}

function checkConsent(host: ContractHost, id: Hash, consent: Consent): void {
  const { enterpriseId, attributes, purpose, notAfter } = consent
  requireCount('attributes', attributes.length, consentAttributesMax)
  if (purpose === ZERO_HASH) throw revert(abi, 'PurposeMissing', {})
  const timestamp = BigInt(host.block.timestamp)
  if (timestamp > notAfter) throw revert(abi, 'ConsentExpired', { notAfter, timestamp })
  if (host.load(foregoneSlot(host, id, enterpriseId)) !== ZERO_HASH) throw revert(abi, 'AlreadyRevoked', { id })
  if (readConsent(host, id) !== undefined) throw revert(abi, 'AlreadyGranted', { id })
}

function storeConsent(host: ContractHost, id: Hash, consent: Consent): void {
  const { requester, enterpriseId, attributes, purpose, notAfter, uses } = consent
  const slot = consentSlot(host, id)
  const grantedAt = BigInt(host.block.number)
  host.store(slot, consentHead.write({ requester, notAfter, uses }))
  host.store(slotAfter(slot, CONSENT.state), consentState.write({ grantedAt, revokedAt: 0n, used: 0 }))
  host.store(slotAfter(slot, CONSENT.enterpriseId), enterpriseId)
  host.store(slotAfter(slot, CONSENT.purpose), purpose)
  storeWords(host, slotAfter(slot, CONSENT.attributes), attributes)
  pushWord(host, consentListSlot(host, enterpriseId), id)
  emit(host, abi, 'ConsentGranted', { id, enterpriseId, requester, purpose, notAfter, uses })
}

/** A signed consent that is still in somebody's hands: it can then not be granted any more. */
function forego(host: ContractHost, id: Hash, enterpriseId: Hash): void {
  const slot = foregoneSlot(host, id, enterpriseId)
  if (host.load(slot) !== ZERO_HASH) throw revert(abi, 'AlreadyRevoked', { id })
  host.store(slot, bigintWord(BigInt(host.block.number)))
}

function revokeGranted(host: ContractHost, consent: GrantedConsent): void {
  if (consent.revokedAt !== 0n) throw revert(abi, 'AlreadyRevoked', { id: consent.id })
  writeState(host, { ...consent, revokedAt: BigInt(host.block.number) })
}

/** Counts one use; a REFUSAL where the consent does not cover it. */
function consume(host: ContractHost, id: Hash, use: ConsentUse): number {
  const consent = readConsent(host, id)
  const fault = consentFault(host, consent, use)
  if (consent === undefined || fault !== 0) return fault
  // Uses without end are not counted beyond what the word holds.
  const used = Math.min(consent.used + 1, 0xffffffff)
  writeState(host, { ...consent, used })
  const { enterpriseId, requester } = use
  emit(host, abi, 'ConsentUsed', { id, enterpriseId, requester, used })
  return 0
}

function writeState(host: ContractHost, { id, grantedAt, revokedAt, used }: GrantedConsent): void {
  host.store(slotAfter(consentSlot(host, id), CONSENT.state), consentState.write({ grantedAt, revokedAt, used }))
}

function requireCount(what: string, given: number, max: number): void {
  if (given >= 1 && given <= max) return
  throw revert(abi, 'CountOutOfRange', { what, given: BigInt(given), min: 1n, max: BigInt(max) })
}
