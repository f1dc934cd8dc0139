/** StoreData and what follows it (paper 4.3, Fig. 6): what can be checked without the values is checked here. */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { envelopeBytesMax, keySharesMax, partAttributesMax, submissionPartsMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { mappingSlot, numberWord, slotAfter, wordBigint } from '../vm/storage.js'
import { DELIVERY, ENVELOPE_KIND } from './codes.js'
import { readEntryHead, supervises } from './dataPortraitStorage.js'
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
  requireActiveDepartment,
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
    const word = { recipient, attributeSet: attributeSetId(host, attributes), state: PART_STATE.waiting, code: 0 }
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
  requireCurrentKey(host, requireActiveDepartment(host, recipient), recipient, part.keyEpoch)
  requireCount('attributes', attributes.length, partAttributesMax)
  requireCount('envelope bytes', part.envelope.length, envelopeBytesMax)
  if (attributes.length !== digests.length) {
    throw revert(abi, 'LengthMismatch', { attributes: BigInt(attributes.length), digests: BigInt(digests.length) })
  }
  let delivery: number | undefined
  for (let i = 0; i < attributes.length; i++) {
    const attribute = attributes[i]!
    const own = checkAttribute(host, attribute, recipient)
    checkDigest(attribute, digests[i]!, index, seen)
    if (delivery !== undefined && own !== delivery) throw revert(abi, 'MixedDelivery', { recipient })
    delivery = own
  }
  checkEnvelope(host, part.envelope, delivery ?? DELIVERY.ledger, recipient)
}

/** How its values travel. */
function checkAttribute(host: ContractHost, attribute: Hash, recipient: Address): number {
  host.charge(GAS_STEP)
  const entry = readEntryHead(host, attribute)
  if (entry === undefined) throw revert(abi, 'UnknownAttribute', { attribute })
  if (!supervises(host, attribute, entry, recipient)) {
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
  if (word.recipient !== recipient) throw revert(abi, 'NotRecipient', { account: recipient, submissionId, part })
  if (word.state !== PART_STATE.waiting) throw revert(abi, 'AlreadyAcknowledged', { submissionId, part })
  const state = accepted ? PART_STATE.accepted : PART_STATE.rejected
  host.store(place, partWord.write({ ...word, state, code }))
  const ackedCount = head.ackedCount + 1
  const acceptedCount = head.acceptedCount + Number(accepted)
  host.store(slotAfter(slot, SUBMISSION.head), submissionHead.write({ ...head, ackedCount, acceptedCount }))
  emit(host, abi, 'DataAcknowledged', { submissionId, recipient, part, accepted, code })
  if (!accepted) return undefined
  const enterpriseId = host.load(slot)
  for (const attribute of attributeSet(host, word.attributeSet)) dropPortrait(host, enterpriseId, attribute)
  return undefined
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

function openPart(host: ContractHost, submissionId: bigint, part: number) {
  const { slot, head } = openSubmission(host, submissionId)
  if (part >= head.partCount) throw revert(abi, 'UnknownPart', { submissionId, part })
  const place = partSlot(slot, part)
  return { place, word: partWord.read(host.load(place)) }
}
