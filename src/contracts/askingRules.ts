/** Whether the rules let a question be asked at all (paper 4.2), and how a refusal gets on record. */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { type ContractHost, emit } from '../vm/contract.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { BASIS, REFUSAL } from './codes.js'
import { consentsInterface, firstOutside, readConsent } from './consentsStorage.js'
import { dataSharingInterface as abi } from './dataSharingStorage.js'
import type { Rule } from './genesisTypes.js'
import type { Terms } from './sharingTerms.js'

/** Who asks about which enterprise, for what, on which basis. */
export interface Asking {
  readonly requester: Address
  readonly role: number
  readonly enterpriseId: Hash
  readonly purpose: Hash
  readonly basis: Hash
}

/** One attribute that is asked for. */
export interface AskedRule {
  readonly attribute: Hash
  readonly rule: Rule
  readonly terms: Terms
}

export interface Refusal {
  readonly attribute: Hash
  /** REFUSAL of codes.ts. */
  readonly reason: number
}

/** Role, account and purpose against the rule and its terms: a REFUSAL; 0: it may be asked. */
export function askingFault({ rule, terms }: AskedRule, { requester, role, purpose }: Asking): number {
  if ((rule.askerRoles & (1 << role)) === 0) return REFUSAL.role
  if (terms.askers.length > 0 && !terms.askers.includes(requester)) return REFUSAL.asker
  return terms.purposes.length > 0 && !terms.purposes.includes(purpose) ? REFUSAL.purpose : 0
}

/** The basis on which a question rests; consent: it is one, and one use of it has been counted. */
export interface Ground {
  readonly needed: boolean
  readonly consent: boolean
}

/**
 * One basis has to do for all attributes that need one: a consent, of which a use is counted, or a statute. To be called last, when
 * nothing else can refuse the question.
 */
export function takeBasis(host: ContractHost, asked: readonly AskedRule[], asking: Asking): Ground | Refusal {
  const needing = asked.filter(({ rule }) => rule.basis !== BASIS.none)
  const [first] = needing
  if (first === undefined) return { needed: false, consent: false }
  if (asking.basis === ZERO_HASH) return { attribute: first.attribute, reason: REFUSAL.basisMissing }
  const resting = needing.filter((item) => !statuteDoes(item, asking))
  if (resting.length === 0) return { needed: true, consent: false }
  return takeConsent(host, resting, asking) ?? { needed: true, consent: true }
}

function statuteDoes({ rule, terms }: AskedRule, { basis, purpose }: Asking): boolean {
  if (!terms.statutes.includes(basis)) return false
  return rule.basis !== BASIS.consent || terms.exceptions.includes(purpose)
}

function takeConsent(host: ContractHost, resting: readonly AskedRule[], asking: Asking): Refusal | undefined {
  const { basis: id, requester, enterpriseId, purpose } = asking
  const [first] = resting
  const consent = readConsent(host, id)
  if (consent === undefined) {
    const listed = first!.terms.statutes.includes(id)
    return { attribute: first!.attribute, reason: listed ? REFUSAL.consentNeeded : REFUSAL.basisUnknown }
  }
  const bound = resting.find(({ rule }) => rule.basis === BASIS.statute)
  if (bound !== undefined) return { attribute: bound.attribute, reason: REFUSAL.statuteNeeded }
  const attributes = resting.map(({ attribute }) => attribute)
  const call = consentsInterface.encodeCall('consume', { id, requester, enterpriseId, attributes, purpose })
  const reason = consentsInterface.decodeResult('consume', host.call(CONTRACT_ADDRESSES.consents, call))
  if (reason === 0) return undefined
  const outside = reason === REFUSAL.consentAttribute ? firstOutside(consent, attributes) : undefined
  return { attribute: outside ?? first!.attribute, reason }
}

/** A refused question is on record as one that was asked: its transaction succeeds, and has no other effect. */
export function recordRefusal(host: ContractHost, { attribute, reason }: Refusal, asking: Asking): void {
  const { enterpriseId, requester, purpose, basis } = asking
  emit(host, abi, 'VerificationRefused', { enterpriseId, requester, attribute, purpose, basis, reason })
}
