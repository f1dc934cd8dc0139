/**
 * How each event of the contracts reads in a trail: one line an event, from which filters, entries and statistics follow. A
 * test fails when an event has no line here, or a line names what the event does not have.
 */
import type { ContractName } from '../contracts/addresses.js'
import {
  ACK_CODE,
  CHANGE_KIND,
  CHANGE_STATUS,
  CONDITION_RESULT,
  CREDENTIAL_STATE,
  CREDIT_REASON,
  DECISION_OUTCOME,
  EXISTENCE,
  MEMBER_DECISION_OUTCOME,
  nameOf,
  REFUSAL,
  ROLE,
  SIGNER_KIND,
  STATUS,
} from '../contracts/codes.js'
import type { Hash } from '../core/bytes.js'
import type { TraceKind } from './entry.js'
import { wordText } from './words.js'

/** Decoded arguments of an event or a call. */
export type Args = Readonly<Record<string, unknown>>

/** Steps that belong together, and by what they are counted. */
export type ExchangeKind =
  | 'request'
  | 'submission'
  | 'change'
  | 'rule change'
  | 'mandate'
  | 'objection'
  | 'decision'
  | 'service'
  | 'key agreement'
  | 'batch'

export interface EventReading {
  readonly kind: TraceKind
  readonly says: string
  /** Names of arguments. Without `who` it is the sender of the transaction. */
  readonly who?: string
  readonly parties?: string
  readonly enterprise?: string
  readonly attributes?: string
  readonly purpose?: string
  readonly basis?: string
  /** What it is a step of, and the argument that counts it. */
  readonly exchange?: readonly [kind: ExchangeKind, argument: string]
  /** It begins the exchange. */
  readonly opens?: true
  readonly outcome?: (args: Args) => string | null
  /** What only the transaction says, from the name and arguments of its call. */
  readonly call?: (call: { readonly name: string; readonly args: Args }, event: Args) => CallDetail
}

export interface CallDetail {
  readonly attributes?: readonly Hash[]
  readonly basis?: Hash
}

const named = (names: Readonly<Record<string, number>>, code: unknown): string =>
  nameOf(names, Number(code)) ?? String(code)
const finding = ({ existence, confirmed }: Args): string =>
  Number(existence) === EXISTENCE.exists
    ? `exists, ${confirmed ? 'confirmed' : 'not confirmed'}`
    : named(EXISTENCE, existence)
const acknowledged = ({ accepted, code }: Args): string =>
  accepted ? 'accepted' : `rejected: ${named(ACK_CODE, code)}`
const allowed = ({ allowed }: Args): string => (allowed ? 'allowed' : 'withdrawn')
const upheld = ({ upheld }: Args): string => (upheld ? 'upheld' : 'rejected')
const epoch = ({ keyEpoch }: Args): string => `key epoch ${keyEpoch}`
const quoted = (argument: string) => (args: Args) => (args[argument] === '' ? null : String(args[argument]))
const statusBecause = ({ status, reason }: Args): string =>
  `${named(STATUS, status)}${reason === '' ? '' : `: ${reason}`}`
const text = (argument: string) => (args: Args) => wordText(args[argument] as Hash)
const score = ({ reason, delta, score }: Args): string =>
  `${named(CREDIT_REASON, reason)}: ${Number(delta) > 0 ? '+' : ''}${delta}, now ${score}`

/** Terms of the question stand in its transaction. */
const questionCall: EventReading['call'] = ({ name, args }) => {
  if (name !== 'requestVerification' || args.items === undefined) return {}
  const items = args.items as readonly { readonly attribute: Hash }[]
  return { attributes: items.map((item) => item.attribute), basis: args.basis as Hash }
}
const partCall: EventReading['call'] = ({ name, args }, { part }) => {
  if (name !== 'StoreData' || args.parts === undefined) return {}
  const parts = args.parts as readonly { readonly attributes: readonly Hash[] }[]
  return { attributes: parts[Number(part)]?.attributes ?? [] }
}

const request = ['request', 'requestId'] as const
const submission = ['submission', 'submissionId'] as const
const objection = ['objection', 'objectionId'] as const
const mandate = ['mandate', 'mandateId'] as const
const change = ['change', 'id'] as const
const ruleChange = ['rule change', 'id'] as const
const agreement = ['key agreement', 'group'] as const
const policy = ['service', 'policyId'] as const
const decision = ['decision', 'decisionId'] as const
const batch = ['batch', 'batchId'] as const

// biome-ignore format: one line an event
export const EVENT_TABLE: Readonly<Partial<Record<ContractName, Readonly<Record<string, EventReading>>>>> = {
  members: {
    MemberRegistered: { kind: 'member', says: 'registers', parties: 'account', enterprise: 'id', outcome: (a) => `as ${named(ROLE, a.role)}` },
    MemberStatusChanged: { kind: 'member', says: 'sets the status of', parties: 'account', outcome: (a) => named(STATUS, a.status) },
    MemberStatusReason: { kind: 'member', says: 'gives its reason for the status of', who: 'by', parties: 'account', outcome: quoted('reason') },
    DecisionProposed: { kind: 'member', says: 'proposes a status of', who: 'by', parties: 'account', outcome: statusBecause },
    DecisionApproved: { kind: 'member', says: 'approves the proposed status of', who: 'by', parties: 'account', outcome: (a) => `${named(STATUS, a.status)}: ${a.approvals} of ${a.needed}` },
    DecisionDeclined: { kind: 'member', says: 'declines the proposed status of', who: 'by', parties: 'account', outcome: statusBecause },
    ApprovalWithdrawn: { kind: 'member', says: 'withdraws its approval of the status of', who: 'by', parties: 'account', outcome: (a) => named(STATUS, a.status) },
    DecisionClosed: { kind: 'member', says: 'ends the decision on the status of', parties: 'account', outcome: (a) => `${named(STATUS, a.status)}: ${named(MEMBER_DECISION_OUTCOME, a.outcome)}` },
    GuardiansSet: { kind: 'member', says: 'names who may help it to a new key', who: 'account', parties: 'guardians', outcome: (a) => `${a.threshold} together` },
    RecoveryStarted: { kind: 'member', says: 'starts the recovery of', who: 'guardian', parties: 'account' },
    RecoveryApproved: { kind: 'member', says: 'approves the recovery of', who: 'guardian', parties: 'account', outcome: (a) => `${a.approvals} of ${a.needed}` },
    RecoveryReady: { kind: 'member', says: 'completes the approvals for the recovery of', parties: 'account', outcome: (a) => `from block ${a.readyAt}` },
    RecoveryStopped: { kind: 'member', says: 'stops the recovery of', who: 'by', parties: 'account', outcome: () => 'stopped' },
    RecoveryFinished: { kind: 'member', says: 'finishes the recovery of', parties: 'account', outcome: () => 'recovered' },
    SignerAdded: { kind: 'member', says: 'lets a key act for it', who: 'account', parties: 'signer', outcome: (a) => named(SIGNER_KIND, a.kind) },
    SignerRemoved: { kind: 'member', says: 'withdraws a key that acts for', who: 'by', parties: 'account' },
    AccountKeyRotated: { kind: 'key', says: 'changes its signing key', who: 'account', parties: 'signer' },
    EncryptionKeyRotated: { kind: 'key', says: 'changes its encryption key', who: 'account', outcome: epoch },
  },
  dataPortrait: {
    ChangeProposed: { kind: 'rule', says: 'proposes a change of', who: 'by', attributes: 'attribute', exchange: ruleChange, opens: true, outcome: quoted('reason') },
    ChangeApproved: { kind: 'rule', says: 'approves the change of', who: 'by', attributes: 'attribute', exchange: ruleChange },
    ChangeRefused: { kind: 'rule', says: 'refuses the change of', who: 'by', attributes: 'attribute', exchange: ruleChange, outcome: quoted('reason') },
    ChangeScheduled: { kind: 'rule', says: 'puts in force the change of', attributes: 'attribute', exchange: ruleChange, outcome: (a) => `from block ${a.from}` },
    ChangeClosed: { kind: 'rule', says: 'ends the change of', attributes: 'attribute', exchange: ruleChange, outcome: (a) => named(CHANGE_STATUS, a.status) },
    DataProfileSet: { kind: 'rule', says: 'sets the rule of', who: 'by', attributes: 'attribute', outcome: (a) => `schema version ${a.schemaVersion}` },
  },
  dataSharing: {
    VerificationRequested: { kind: 'question', says: 'asks', who: 'requester', enterprise: 'enterpriseId', purpose: 'purpose', exchange: request, opens: true, call: questionCall },
    VerificationRefused: { kind: 'refusal', says: 'is refused', who: 'requester', enterprise: 'enterpriseId', attributes: 'attribute', purpose: 'purpose', basis: 'basis', outcome: (a) => named(REFUSAL, a.reason) },
    BasisUsed: { kind: 'consent', says: 'names its legal basis', enterprise: 'enterpriseId', basis: 'basis', exchange: request, outcome: (a) => (a.consent ? 'consent' : 'statute') },
    PortraitUsed: { kind: 'question', says: 'takes from the portrait, on record', who: 'requester', enterprise: 'enterpriseId', attributes: 'items', purpose: 'purpose', basis: 'basis' },
    AnswerWanted: { kind: 'question', says: 'is to answer', who: 'supervisor', attributes: 'attributes', exchange: request },
    Attested: { kind: 'answer', says: 'answers', who: 'supervisor', attributes: 'attribute', exchange: request, outcome: finding },
    AnswerLate: { kind: 'answer', says: 'answers too late', who: 'supervisor', attributes: 'attribute', exchange: request, outcome: () => 'late' },
    AnswerVoid: { kind: 'answer', says: 'answers, but does not supervise it any more', who: 'supervisor', attributes: 'attribute', exchange: request, outcome: () => 'void' },
    AnswersMissing: { kind: 'answer', says: 'notes who owes an answer', parties: 'supervisors', exchange: request, outcome: () => 'missing' },
    VerificationCompleted: { kind: 'result', says: 'completes', exchange: request, outcome: () => 'complete' },
    UserProfileSet: { kind: 'portrait', says: 'writes the user portrait', enterprise: 'enterpriseId', attributes: 'attribute', outcome: finding },
    UserProfileDropped: { kind: 'portrait', says: 'drops the user portrait', enterprise: 'enterpriseId', attributes: 'attribute' },
    ObjectionRaised: { kind: 'objection', says: 'objects', enterprise: 'enterpriseId', attributes: 'attribute', exchange: objection, opens: true, outcome: (a) => `by block ${a.deadline}` },
    ObjectionVoted: { kind: 'objection', says: 'votes on an objection', who: 'supervisor', exchange: objection, outcome: upheld },
    ObjectionDecided: { kind: 'objection', says: 'decides an objection', enterprise: 'enterpriseId', attributes: 'attribute', exchange: objection, outcome: upheld },
    DataStored: { kind: 'submission', says: 'submits to', parties: 'recipient', enterprise: 'enterpriseId', exchange: submission, opens: true, call: partCall },
    DataAcknowledged: { kind: 'acknowledgement', says: 'acknowledges', who: 'recipient', exchange: submission, outcome: acknowledged },
    PortraitKeyShared: { kind: 'key', says: 'shares its portrait key with', parties: 'recipient', enterprise: 'enterpriseId', outcome: (a) => `version ${a.portraitVersion}` },
  },
  consents: {
    ConsentGranted: { kind: 'consent', says: 'consents', parties: 'requester', enterprise: 'enterpriseId', purpose: 'purpose', basis: 'id', outcome: (a) => `${a.uses} uses` },
    ConsentUsed: { kind: 'consent', says: 'uses a consent', who: 'requester', enterprise: 'enterpriseId', basis: 'id', outcome: (a) => `use ${a.used}` },
    ConsentRevoked: { kind: 'consent', says: 'withdraws a consent', enterprise: 'enterpriseId', basis: 'id' },
  },
  keyAgreement: {
    AgreementRound: { kind: 'key', says: 'is to contribute to a group key', who: 'member', parties: 'group', exchange: agreement, outcome: (a) => `round ${a.phase}, by block ${a.deadline}` },
    ContributionPosted: { kind: 'key', says: 'contributes to a group key', who: 'member', parties: 'group', exchange: agreement, outcome: (a) => `round ${a.phase}` },
    ContributionRefused: { kind: 'key', says: 'contributes wrongly to a group key', who: 'member', parties: 'group', exchange: agreement, outcome: (a) => `refused in round ${a.phase}` },
    AgreementEnded: { kind: 'key', says: 'is done with a group key', who: 'member', parties: 'group', exchange: agreement, outcome: (a) => (a.agreed ? 'agreed' : 'not agreed') },
    AgreementAborted: { kind: 'key', says: 'gives a group key up', parties: 'silent', exchange: agreement, outcome: () => 'aborted' },
    GroupKeyAgreed: { kind: 'key', says: 'has a group key', who: 'group', parties: 'roster', exchange: agreement, outcome: epoch },
  },
  eligibility: {
    PredicateDeclared: { kind: 'rule', says: 'declares a predicate', attributes: 'attribute' },
    PolicyDefined: { kind: 'rule', says: 'defines a service', who: 'owner', exchange: policy, opens: true, outcome: quoted('title') },
    PolicyClosed: { kind: 'rule', says: 'closes a service', exchange: policy, outcome: () => 'closed' },
    Decided: { kind: 'decision', says: 'decides on a service', enterprise: 'enterpriseId', exchange: decision, opens: true, outcome: (a) => named(DECISION_OUTCOME, a.outcome) },
    ConditionJudged: { kind: 'decision', says: 'judges a condition', attributes: 'attribute', exchange: decision, outcome: (a) => named(CONDITION_RESULT, a.result) },
  },
  credit: {
    ScoreChanged: { kind: 'credit', says: 'changes the score of', parties: 'member', outcome: score },
  },
  sealers: {
    Volunteered: { kind: 'sealer', says: 'comes forward to seal', who: 'account' },
    ChangeProposed: { kind: 'sealer', says: 'proposes', who: 'by', parties: 'sealer', exchange: change, opens: true, outcome: (a) => named(CHANGE_KIND, a.kind) },
    ChangeApproved: { kind: 'sealer', says: 'approves', who: 'by', exchange: change, outcome: (a) => `${a.approvals} of ${a.needed}` },
    ApprovalWithdrawn: { kind: 'sealer', says: 'withdraws its approval', who: 'by', exchange: change },
    ChangeDue: { kind: 'sealer', says: 'decides', exchange: change, outcome: () => 'due' },
    SeatOffered: { kind: 'sealer', says: 'offers its seat to', who: 'sealer', parties: 'successor' },
  },
  audit: {
    MandateGranted: { kind: 'mandate', says: 'gives a mandate to', who: 'by', parties: 'grantee', exchange: mandate, opens: true, outcome: quoted('reason') },
    MandateRevoked: { kind: 'mandate', says: 'revokes the mandate of', who: 'by', parties: 'grantee', exchange: mandate, outcome: () => 'revoked' },
    ReadLogAnchored: { kind: 'anchor', says: 'anchors its read log', who: 'node', outcome: (a) => `entry ${a.sequence}` },
  },
  evidence: {
    Anchored: { kind: 'document', says: 'vouches for a document', who: 'signer', outcome: text('kind') },
    AnchorWithdrawn: { kind: 'document', says: 'withdraws a document', who: 'signer' },
  },
  credentials: {
    TypeDefined: { kind: 'document', says: 'defines a credential', who: 'owner', outcome: quoted('name') },
    IssuerSet: { kind: 'document', says: 'names an issuer', parties: 'issuer', outcome: allowed },
    CredentialIssued: { kind: 'document', says: 'issues a credential to', who: 'issuer', parties: 'holder', enterprise: 'subject', outcome: text('typeId') },
    CredentialStateChanged: { kind: 'document', says: 'changes a credential', who: 'by', outcome: (a) => named(CREDENTIAL_STATE, a.state) },
    CredentialTransferred: { kind: 'document', says: 'transfers a credential to', who: 'from', parties: 'to' },
  },
  provenance: {
    BatchOpened: { kind: 'document', says: 'opens a batch', who: 'origin', exchange: batch, opens: true, outcome: quoted('product') },
    ParticipantSet: { kind: 'document', says: 'names a participant', parties: 'participant', exchange: batch, outcome: allowed },
    StepAdded: { kind: 'document', says: 'adds a step', who: 'by', exchange: batch, outcome: text('kind') },
    HandedOver: { kind: 'document', says: 'hands a batch over to', who: 'from', parties: 'to', exchange: batch },
    TakenOver: { kind: 'document', says: 'takes a batch over', who: 'custodian', exchange: batch },
    BatchClosed: { kind: 'document', says: 'closes a batch', who: 'by', exchange: batch, outcome: quoted('reason') },
    BatchRecalled: { kind: 'document', says: 'recalls a batch', who: 'by', exchange: batch, outcome: quoted('reason') },
  },
  delivery: {
    EnvelopeAnnounced: { kind: 'delivery', says: 'sends an envelope to', who: 'sender', parties: 'recipient' },
    ErasureRequested: { kind: 'delivery', says: 'wants an envelope erased', who: 'sender', outcome: (a) => `by block ${a.deadline}` },
    ErasureConfirmed: { kind: 'delivery', says: 'has erased an envelope', who: 'holder', parties: 'sender', outcome: (a) => (a.late ? 'late' : 'in time') },
  },
}
