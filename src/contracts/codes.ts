/** The numbers that stand for roles, states and answers in the contracts' ABI. */

/** operator: the operations centre, which keeps the register. regulator: gives auditors and operators their mandates. */
export const ROLE = { enterprise: 1, department: 2, auditor: 3, operator: 4, sealer: 5, regulator: 6 } as const
export type RoleName = keyof typeof ROLE

export const STATUS = { active: 1, suspended: 2, revoked: 3 } as const
export type StatusName = keyof typeof STATUS

/**
 * What a key may do for its member. account: everything, in place of the account's own key, which it has replaced. node: a
 * further node: connects, sends. service: sends only.
 */
export const SIGNER_KIND = { account: 1, node: 2, service: 3 } as const
export type SignerKindName = keyof typeof SIGNER_KIND

/** How a decision on a member ended. */
export const MEMBER_DECISION_OUTCOME = { done: 1, declined: 2, withdrawn: 3 } as const

/** A department's answer on one attribute; 0 means unanswered. */
export const EXISTENCE = { exists: 1, missing: 2, vacant: 3, refused: 4 } as const
export type ExistenceName = keyof typeof EXISTENCE

export const VALUE_TYPE = { text: 1, integer: 2, decimal: 3, date: 4, code: 5 } as const
export type ValueTypeName = keyof typeof VALUE_TYPE

/** gb32100: unified social credit code (GB 32100-2015); gb11643: resident identity number (GB 11643-1999). */
export const CHECKSUM = { none: 0, gb32100: 1, gb11643: 2 } as const
export type ChecksumName = keyof typeof CHECKSUM

export const CASE_RULE = { keep: 0, upper: 1, lower: 2 } as const
export type CaseRuleName = keyof typeof CASE_RULE

/**
 * How many supervisors must answer; a number k >= 1 as k of n is written as `QUORUM_OF(k)`. creditWeighted: those who answer
 * hold more than half of the credit, and the answer that stands has the most credit behind it.
 */
export const QUORUM = { all: 0, any: 1, creditWeighted: 255 } as const
export const QUORUM_OF = (k: number): number => k + 1

/** Legal basis that a request must name. required: a consent of the enterprise, or a statute code that the terms list. */
export const BASIS = { none: 0, required: 1, consent: 2, statute: 3 } as const

/**
 * ledger: the envelope travels in the transaction (paper 4.3). direct: from node to node; the transaction holds a reference
 * to it (envelopeReference.ts).
 */
export const DELIVERY = { ledger: 0, direct: 1 } as const

/** What an envelope that travels directly belongs to: a part of a submission, or a question to one supervisor. */
export const ENVELOPE_KIND = { part: 1, question: 2 } as const

/**
 * Why a question was refused by the rules. consent...: it has a consent as its basis, which does not cover it: given to another
 * requester, by another enterprise, for other attributes or another purpose, past its time, used up, revoked. basisUnknown:
 * neither a granted consent nor a statute that the terms list.
 */
export const REFUSAL = {
  role: 1,
  asker: 2,
  purpose: 3,
  budgetSpent: 4,
  basisMissing: 5,
  basisUnknown: 6,
  consentNeeded: 7,
  statuteNeeded: 8,
  consentRequester: 9,
  consentEnterprise: 10,
  consentAttribute: 11,
  consentPurpose: 12,
  consentExpired: 13,
  consentUsedUp: 14,
  consentRevoked: 15,
} as const
export type RefusalName = keyof typeof REFUSAL

/** upheld: the entry is gone. rejected: it stands again. lapsed: nobody decided in time, so nobody stands by the entry. */
export const OBJECTION_STATUS = { open: 1, upheld: 2, rejected: 3, lapsed: 4 } as const
export type ObjectionStatusName = keyof typeof OBJECTION_STATUS

/** Code that a department gives with `acknowledge`. */
export const ACK_CODE = {
  ok: 0,
  cannotOpen: 1,
  digestMismatch: 2,
  invalidValue: 3,
  unknownAttribute: 4,
  refused: 5,
  /** The envelope that the part refers to did not arrive before it expired, or a later submission took its place. */
  notDelivered: 6,
} as const
export type AckCodeName = keyof typeof ACK_CODE

/** Why a member's score changes. */
export const CREDIT_REASON = {
  turnSealed: 1,
  turnMissed: 2,
  answeredOnTime: 3,
  answeredLate: 4,
  unanswered: 5,
  disputeUpheld: 6,
  equivocation: 7,
} as const
export type CreditReason = keyof typeof CREDIT_REASON

/** What a change of the sealer set does. The last two need no vote: a sealer acts for its own seat. */
export const CHANGE_KIND = { add: 1, remove: 2, replace: 3, leave: 4, handOver: 5 } as const
export type ChangeKindName = keyof typeof CHANGE_KIND

/**
 * Of the sealer set: approved takes effect with the end of its block; refused: when it was due, the sealer set could not take it
 * any more. Of the data portrait: approved takes effect at its height; refused by who was asked; superseded: the entry that it
 * was to change has changed meanwhile.
 */
export const CHANGE_STATUS = {
  open: 1,
  approved: 2,
  settled: 3,
  refused: 4,
  lapsed: 5,
  withdrawn: 6,
  superseded: 7,
} as const
export type ChangeStatusName = keyof typeof CHANGE_STATUS

/** Comparisons of a predicate. atLeast, atMost: numbers. before, after: dates. oneOf: anything. */
export const PREDICATE = { atLeast: 1, atMost: 2, oneOf: 3, before: 4, after: 5 } as const
export type PredicateName = keyof typeof PREDICATE

/** What attested answers say of one condition of a service rule. */
export const CONDITION_RESULT = { open: 0, met: 1, notMet: 2, missing: 3, vacant: 4 } as const
export type ConditionResultName = keyof typeof CONDITION_RESULT

export const DECISION_OUTCOME = { undecided: 0, eligible: 1, ineligible: 2 } as const
export type DecisionOutcomeName = keyof typeof DECISION_OUTCOME

/** A credential's life. notYetValid and expired follow from the time alone and are never stored. */
export const CREDENTIAL_STATE = {
  none: 0,
  valid: 1,
  suspended: 2,
  revoked: 3,
  redeemed: 4,
  notYetValid: 5,
  expired: 6,
} as const
export type CredentialStateName = keyof typeof CREDENTIAL_STATE

export const BATCH_STATE = { open: 1, closed: 2, recalled: 3 } as const
export type BatchStateName = keyof typeof BATCH_STATE

/** Where an attempt at a group key stands. dispute: the members have confirmed different keys, and one has to prove the right one. */
export const AGREEMENT_PHASE = { shares: 1, links: 2, confirmations: 3, dispute: 4, agreed: 5, aborted: 6 } as const
export type AgreementPhaseName = keyof typeof AGREEMENT_PHASE

/** Why a share or a link is refused. repeated: another member has given the same share. proof: it does not show what it should. */
export const CONTRIBUTION_FLAW = { encoding: 1, identity: 2, repeated: 3, proof: 4 } as const
export type ContributionFlawName = keyof typeof CONTRIBUTION_FLAW

export function nameOf<T extends Record<string, number>>(names: T, code: number): keyof T | undefined {
  for (const name in names) if (names[name] === code) return name
  return undefined
}
