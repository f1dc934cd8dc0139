/** StoreData and what follows it (paper 4.3, Fig. 6): what can be checked without the values is checked here. */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { envelopeBytesMax, keySharesMax, partAttributesMax, submissionPartsMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { mappingSlot, numberWord, slotAfter, wordBigint } from '../vm/storage.js'
import { DELIVERY, ENVELOPE_KIND } from './codes.js'
import { readEntryHead } from './dataPortraitStorage.js'
import type { dataSharingAbi } from './dataSharing.abi.js'
import {
  dataSharingInterface as abi,
  advancePortraitVersion,
  attributeSet,
  attributeSetId,
  KEY_SHARES_SLOT,
  nextId,
  PART_STATE,
  partSlot,
  partWord,
  requireActingDepartment,
  requireActiveMember,
  requireCount,
  requireCurrentKey,
  requireEnterprise,
  SUBMISSION,
  SUBMISSION_COUNT_SLOT,
  submissionHead,
  submissionSlot,
} from './dataSharingStorage.js'
import { announce, checkEnvelope } from './directDelivery.js'
import { isReference } from './envelopeReference.js'
import { mayReceive, membersOf, type RecipientKind, requireRecipient } from './groupRecipients.js'
import { dropPortrait } from './userPortrait.js'

type Args<N> = FunctionArgs<typeof dataSharingAbi, N>
type Part = Args<'StoreData'>['parts'][number]
/** Digest of each attribute so far, and the part that named it last. */
type Seen = Map<Hash, { digest: Hash; part: number }>

export function storeData(host: ContractHost, args: Args<'StoreData'>): bigint {
  const { enterpriseId, documentHash, portraitVersion, parts } = args
  requireEnterprise(host, enterpriseId)
  requireCount('parts', parts.length, submissionPartsMax)
  advancePortraitVersion(host, enterpriseId, portraitVersion)
  checkParts(host, parts)
  const submissionId = nextId(host, SUBMISSION_COUNT_SLOT)
  const slot = submissionSlot(host, submissionId)
  const height = BigInt(host.block.number)
  const head = { portraitVersion, height, partCount: parts.length, ackedCount: 0, acceptedCount: 0 }
  host.store(slot, enterpriseId)
  host.store(slotAfter(slot, SUBMISSION.documentHash), documentHash)
  host.store(slotAfter(slot, SUBMISSION.head), submissionHead.write(head))
  parts.forEach(({ recipient, attributes, envelope }, part) => {
    const word = {
      recipient,
      attributeSet: attributeSetId(host, attributes),
      state: PART_STATE.waiting,
      code: 0,
      answered: 0,
    }
    host.store(partSlot(slot, part), partWord.write(word))
    emit(host, abi, 'DataStored', { submissionId, enterpriseId, recipient, part })
    announce(host, { kind: ENVELOPE_KIND.part, subject: submissionId, part, recipient, envelope })
  })
  return submissionId
}

function checkParts(host: ContractHost, parts: readonly Part[]): void {
  const recipients = { inClear: new Set<Address>(), byReference: new Set<Address>() }
  const seen: Seen = new Map()
  parts.forEach((part, index) => {
    const { recipient } = part
    // One part for each way to travel: checkPart holds the envelope to the rules of its attributes.
    const alike = isReference(part.envelope) ? recipients.byReference : recipients.inClear
    if (alike.has(recipient)) throw revert(abi, 'DuplicateRecipient', { recipient })
    alike.add(recipient)
    checkPart(host, part, index, seen)
  })
}

function checkPart(host: ContractHost, part: Part, index: number, seen: Seen): void {
  const { recipient, attributes, digests } = part
  const kind = requireRecipient(host, recipient, part.keyEpoch)
  requireCount('attributes', attributes.length, partAttributesMax)
  requireCount('envelope bytes', part.envelope.length, envelopeBytesMax)
  if (attributes.length !== digests.length) {
    throw revert(abi, 'LengthMismatch', { attributes: BigInt(attributes.length), digests: BigInt(digests.length) })
  }
  let delivery: number | undefined
  for (let i = 0; i < attributes.length; i++) {
    const attribute = attributes[i]!
    const own = checkAttribute(host, attribute, recipient, kind)
    checkDigest(attribute, digests[i]!, index, seen)
    if (delivery !== undefined && own !== delivery) throw revert(abi, 'MixedDelivery', { recipient })
    delivery = own
  }
  checkEnvelope(host, part.envelope, delivery ?? DELIVERY.ledger, recipient)
}

/** How its values travel. */
function checkAttribute(host: ContractHost, attribute: Hash, recipient: Address, kind: RecipientKind): number {
  host.charge(GAS_STEP)
  const entry = readEntryHead(host, attribute)
  if (entry === undefined) throw revert(abi, 'UnknownAttribute', { attribute })
  if (!mayReceive(host, attribute, entry, recipient, kind)) {
    throw revert(abi, 'NotSupervisor', { account: recipient, attribute })
  }
  return entry.delivery
}

/** Supervisors of the same attribute must be given the same value. */
function checkDigest(attribute: Hash, digest: Hash, part: number, seen: Seen): void {
  if (digest === ZERO_HASH) throw revert(abi, 'ZeroDigest', { attribute })
  const before = seen.get(attribute)
  if (before?.part === part) throw revert(abi, 'DuplicateAttribute', { attribute })
  if (before !== undefined && before.digest !== digest) throw revert(abi, 'ConflictingDigest', { attribute })
  seen.set(attribute, { digest, part })
}

export function acknowledge(host: ContractHost, args: Args<'acknowledge'>): undefined {
  const { submissionId, part, accepted, code } = args
  const recipient = requireActingDepartment(host)
  const { slot, head } = openSubmission(host, submissionId)
  const { place, word } = openPart(host, submissionId, part)
  if (word.recipient !== recipient) return acknowledgeJointly(host, args, recipient, { slot, head, place, word })
  if (word.state !== PART_STATE.waiting) throw revert(abi, 'AlreadyAcknowledged', { submissionId, part })
  const state = accepted ? PART_STATE.accepted : PART_STATE.rejected
  host.store(place, partWord.write({ ...word, state, code }))
  const ackedCount = head.ackedCount + 1
  const acceptedCount = head.acceptedCount + Number(accepted)
  host.store(slotAfter(slot, SUBMISSION.head), submissionHead.write({ ...head, ackedCount, acceptedCount }))
  emit(host, abi, 'DataAcknowledged', { submissionId, recipient, part, accepted, code })
  if (accepted) dropAll(host, slot, word.attributeSet)
  return undefined
}

/**
 * One of a group acknowledges a part that all of them opened. The part is accepted when all have accepted, rejected as soon as
 * one rejects; what one has written is news to the portrait whatever the others do.
 */
function acknowledgeJointly(
  host: ContractHost,
  { submissionId, part, accepted, code }: Args<'acknowledge'>,
  recipient: Address,
  { slot, head, place, word }: OpenPart,
): undefined {
  const members = membersOf(host, word.recipient)
  const index = members.indexOf(recipient)
  if (index < 0) throw revert(abi, 'NotRecipient', { account: recipient, submissionId, part })
  if (((word.answered >> index) & 1) === 1) throw revert(abi, 'AlreadyAcknowledged', { submissionId, part })
  const answered = word.answered | (1 << index)
  const all = answered === 2 ** members.length - 1
  const open = word.state === PART_STATE.waiting
  const decided = open && (all || !accepted)
  const state = decided ? (accepted ? PART_STATE.accepted : PART_STATE.rejected) : word.state
  host.store(place, partWord.write({ ...word, state, code: decided ? code : word.code, answered }))
  if (decided) {
    const counts = { ackedCount: head.ackedCount + 1, acceptedCount: head.acceptedCount + Number(accepted) }
    host.store(slotAfter(slot, SUBMISSION.head), submissionHead.write({ ...head, ...counts }))
  }
  emit(host, abi, 'DataAcknowledged', { submissionId, recipient, part, accepted, code })
  if (accepted) dropAll(host, slot, word.attributeSet)
  return undefined
}

function dropAll(host: ContractHost, submission: Hash, set: number): void {
  const enterpriseId = host.load(submission)
  for (const attribute of attributeSet(host, set)) dropPortrait(host, enterpriseId, attribute)
}

/** Who has acknowledged a part so far: its recipient, or those of a group. */
export function acknowledgedBy(host: ContractHost, { submissionId, part }: Args<'acknowledgedBy'>): readonly Address[] {
  const { word } = openPart(host, submissionId, part)
  const members = membersOf(host, word.recipient)
  if (members.length > 0) return members.filter((_, i) => ((word.answered >> i) & 1) === 1)
  return word.state === PART_STATE.waiting ? [] : [word.recipient]
}

export function submissionOf(host: ContractHost, { submissionId }: Args<'submissionOf'>) {
  const { slot, head } = openSubmission(host, submissionId)
  const documentHash = host.load(slotAfter(slot, SUBMISSION.documentHash))
  return { enterpriseId: host.load(slot), documentHash, ...head }
}

export function partOf(host: ContractHost, { submissionId, part }: Args<'partOf'>) {
  const { recipient, attributeSet: set, state, code } = openPart(host, submissionId, part).word
  const acknowledged = state !== PART_STATE.waiting
  const accepted = state === PART_STATE.accepted
  return { recipient, attributes: attributeSet(host, set), acknowledged, accepted, code }
}

/** The enterprise hands its portrait key, sealed, to those who may ask about it. */
export function sharePortraitKey(host: ContractHost, args: Args<'sharePortraitKey'>): undefined {
  const { enterpriseId, portraitVersion, shares } = args
  requireEnterprise(host, enterpriseId)
  requireCount('shares', shares.length, keySharesMax)
  advancePortraitVersion(host, enterpriseId, portraitVersion)
  const recipients = new Set<Address>()
  for (const { recipient, keyEpoch, envelope } of shares) {
    if (recipients.has(recipient)) throw revert(abi, 'DuplicateRecipient', { recipient })
    recipients.add(recipient)
    requireCurrentKey(host, requireActiveMember(host, recipient), recipient, keyEpoch)
    requireCount('envelope bytes', envelope.length, envelopeBytesMax)
    host.store(keyShareSlot(host, enterpriseId, recipient), numberWord(host.block.number))
    emit(host, abi, 'PortraitKeyShared', { enterpriseId, recipient, portraitVersion })
  }
  return undefined
}

/** Block of the latest share to this recipient, so that it need not be searched; 0 when there is none. */
export function portraitKeySharedAt(
  host: ContractHost,
  { enterpriseId, recipient }: Args<'portraitKeySharedAt'>,
): bigint {
  return wordBigint(host.load(keyShareSlot(host, enterpriseId, recipient)))
}

function keyShareSlot(host: ContractHost, enterpriseId: Hash, recipient: Address): Hash {
  return mappingSlot(host, mappingSlot(host, KEY_SHARES_SLOT, enterpriseId), recipient)
}

function openSubmission(host: ContractHost, submissionId: bigint) {
  const slot = submissionSlot(host, submissionId)
  const head = submissionHead.read(host.load(slotAfter(slot, SUBMISSION.head)))
  if (head.partCount === 0) throw revert(abi, 'UnknownSubmission', { submissionId })
  return { slot, head }
}

type OpenPart = ReturnType<typeof openPart>

function openPart(host: ContractHost, submissionId: bigint, part: number) {
  const { slot, head } = openSubmission(host, submissionId)
  if (part >= head.partCount) throw revert(abi, 'UnknownPart', { submissionId, part })
  const place = partSlot(slot, part)
  return { slot, head, place, word: partWord.read(host.load(place)) }
}
