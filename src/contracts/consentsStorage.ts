/** Storage of `consents`, read by `dataSharing` too; and whether a consent covers a question. */
import { type Address, type Hash, ZERO_ADDRESS } from '../core/bytes.js'
import { ContractAbi } from '../vm/abi.js'
import type { ContractHost } from '../vm/contract.js'
import { arraySlot, mappingSlot, newMappingSlot, packed, slotAfter, slotAt, wordNumber } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { REFUSAL } from './codes.js'
import { consentsAbi } from './consents.abi.js'

export const consentsInterface = new ContractAbi(consentsAbi)

/** mapping(bytes32 => Consent); Consent { head; state; bytes32 enterpriseId; bytes32 purpose; bytes32[] attributes }. */
const CONSENTS_SLOT = slotAt(0)
/** mapping(bytes32 => bytes32[]): ids by enterprise, in the order of their grants. */
const LISTS_SLOT = slotAt(1)
/** mapping(bytes32 => mapping(bytes32 => uint64)): by id and enterprise, block in which it was revoked before it was granted. */
const FOREGONE_SLOT = slotAt(2)

export const CONSENT = { state: 1, enterpriseId: 2, purpose: 3, attributes: 4 } as const
export const consentHead = packed({ requester: 'address', notAfter: 'uint64', uses: 'uint32' })
/** grantedAt 0: not known. revokedAt 0: it was not. Both are heights. */
export const consentState = packed({ grantedAt: 'uint64', revokedAt: 'uint64', used: 'uint32' })

const CONSENTS = CONTRACT_ADDRESSES.consents

export const consentSlot = (host: ContractHost, id: Hash): Hash => newMappingSlot(host, CONSENTS_SLOT, id)
export const consentListSlot = (host: ContractHost, enterpriseId: Hash): Hash =>
  mappingSlot(host, LISTS_SLOT, enterpriseId)
export const foregoneSlot = (host: ContractHost, id: Hash, enterpriseId: Hash): Hash =>
  newMappingSlot(host, newMappingSlot(host, FOREGONE_SLOT, id), enterpriseId)

/** A consent and how it stands; undefined when the chain does not know it. */
export function readConsent(host: ContractHost, id: Hash) {
  const slot = consentSlot(host, id)
  const word = (offset: number): Hash => host.loadFrom(CONSENTS, slotAfter(slot, offset))
  const state = consentState.read(word(CONSENT.state))
  if (state.grantedAt === 0n) return undefined
  const head = consentHead.read(word(0))
  return {
    id,
    ...head,
    ...state,
    enterpriseId: word(CONSENT.enterpriseId),
    purpose: word(CONSENT.purpose),
    attributes: readList(host, slotAfter(slot, CONSENT.attributes)),
  }
}
export type GrantedConsent = NonNullable<ReturnType<typeof readConsent>>

function readList(host: ContractHost, slot: Hash): Hash[] {
  const first = arraySlot(host, slot)
  const length = wordNumber(host.loadFrom(CONSENTS, slot))
  return Array.from({ length }, (_, i) => host.loadFrom(CONSENTS, slotAfter(first, i)))
}

/** A revocation binds from the block after it, whatever the order of transactions within its own. */
export const isRevoked = (host: ContractHost, { revokedAt }: Pick<GrantedConsent, 'revokedAt'>): boolean =>
  revokedAt !== 0n && BigInt(host.block.number) > revokedAt

export const isExpired = (host: ContractHost, { notAfter }: Pick<GrantedConsent, 'notAfter'>): boolean =>
  BigInt(host.block.timestamp) > notAfter

/** Whether answers may still be given on this consent; that its uses are spent does not matter to them. */
export function consentStands(host: ContractHost, id: Hash): boolean {
  const slot = consentSlot(host, id)
  const state = consentState.read(host.loadFrom(CONSENTS, slotAfter(slot, CONSENT.state)))
  return !isRevoked(host, state) && !isExpired(host, consentHead.read(host.loadFrom(CONSENTS, slot)))
}

/** A question for which a consent is to be the basis. */
export interface ConsentUse {
  readonly requester: Address
  readonly enterpriseId: Hash
  readonly attributes: readonly Hash[]
  readonly purpose: Hash
}

/** Why the consent does not cover the question: a REFUSAL; 0 when it does. */
export function consentFault(host: ContractHost, consent: GrantedConsent | undefined, use: ConsentUse): number {
  if (consent === undefined) return REFUSAL.basisUnknown
  if (isRevoked(host, consent)) return REFUSAL.consentRevoked
  if (isExpired(host, consent)) return REFUSAL.consentExpired
  if (consent.enterpriseId !== use.enterpriseId) return REFUSAL.consentEnterprise
  if (consent.requester !== ZERO_ADDRESS && consent.requester !== use.requester) return REFUSAL.consentRequester
  if (consent.purpose !== use.purpose) return REFUSAL.consentPurpose
  if (firstOutside(consent, use.attributes) !== undefined) return REFUSAL.consentAttribute
  return consent.uses !== 0 && consent.used >= consent.uses ? REFUSAL.consentUsedUp : 0
}

/** First attribute that the consent does not name. */
export const firstOutside = ({ attributes }: GrantedConsent, asked: readonly Hash[]): Hash | undefined =>
  asked.find((attribute) => !attributes.includes(attribute))
