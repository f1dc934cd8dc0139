/**
 * Contract `delivery`: envelopes that never enter a block. It keeps of each its hash, who holds a copy and until when, and
 * who has said that the copy is gone. `dataSharing` announces them; nodes act on the events.
 */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { erasureBlocksMax, submissionPartsMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, defineContract, emit, revert } from '../vm/contract.js'
import { addressWord, slotAfter, wordAddress } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { ENVELOPE_KIND, ROLE } from './codes.js'
import { submissionSlot } from './dataSharingStorage.js'
import type { deliveryAbi } from './delivery.abi.js'
import {
  deliveryInterface as abi,
  ENVELOPE,
  type ErasureState,
  envelopeHead,
  envelopePlace,
  envelopeSlot,
  erasureWord,
  hashSlot,
  subjectSlot,
} from './deliveryStorage.js'
import { decodeReference } from './envelopeReference.js'
import { actingMember, readMemberHead, readMemberId } from './membersStorage.js'
import { requestSlot } from './verificationStorage.js'

export { deliveryInterface } from './deliveryStorage.js'

type Args<N> = FunctionArgs<typeof deliveryAbi, N>

export const delivery = defineContract({
  name: 'delivery',
  version: 1,
  address: CONTRACT_ADDRESSES.delivery,
  abi,
  functions: {
    announce,
    envelopeOf,
    envelopesOf,
    requestErasure,
    requestErasureOf,
    confirmErasure,
    erasureOf: (host, { sender, hash }) => {
      const { head, place, erasure } = openEnvelope(host, sender, hash)
      const complete = erasure.recipientAt !== 0n && erasure.carrierAt !== 0n
      return { ...erasure, recipient: head.recipient, carrier: place.carrier, complete }
    },
  },
})

/** `dataSharing` has checked the reference and that it is new. */
function announce(host: ContractHost, args: Args<'announce'>): undefined {
  if (host.caller !== CONTRACT_ADDRESSES.dataSharing) throw revert(abi, 'NotDataSharing', { caller: host.caller })
  const { sender, kind, subject, part, recipient } = args
  const { hash, lengthBytes, expiresAt, carrier } = decodeReference(args.envelopeReference)
  const slot = envelopeSlot(host, sender, hash)
  host.store(slot, envelopeHead.write({ recipient, expiresAt, lengthBytes }))
  host.store(slotAfter(slot, ENVELOPE.place), envelopePlace.write({ carrier, kind, part, subject }))
  const list = subjectSlot(host, kind, subject)
  host.store(list, addressWord(sender))
  host.store(hashSlot(list, part), hash)
  emit(host, abi, 'EnvelopeAnnounced', { sender, hash, recipient, carrier, expiresAt })
  return undefined
}

function envelopeOf(host: ContractHost, { sender, hash }: Args<'envelopeOf'>) {
  const { head, place } = openEnvelope(host, sender, hash)
  return { ...head, ...place }
}

/** Hashes of a submission's or request's envelopes in the order of its parts; those that stand in the transaction are left out. */
function envelopesOf(host: ContractHost, { kind, subject }: Args<'envelopesOf'>) {
  const list = subjectSlot(host, kind, subject)
  const first = host.load(list)
  if (first === ZERO_HASH) return { sender: wordAddress(first), hashes: [] as Hash[] }
  return { sender: wordAddress(first), hashes: hashesAt(host, list) }
}

function hashesAt(host: ContractHost, list: Hash): Hash[] {
  const words = Array.from({ length: submissionPartsMax }, (_, part) => host.load(hashSlot(list, part)))
  return words.filter((hash) => hash !== ZERO_HASH)
}

function requestErasure(host: ContractHost, { sender, hash, deadline }: Args<'requestErasure'>): undefined {
  const envelope = openEnvelope(host, sender, hash)
  if (!isOwner(host, sender, envelope.place)) {
    throw revert(abi, 'NotOwner', { account: actingMember(host), hash })
  }
  if (envelope.erasure.askedAt !== 0n) {
    throw revert(abi, 'ErasureAsked', { hash, askedAt: envelope.erasure.askedAt })
  }
  askFor(host, sender, hash, envelope, checkedDeadline(host, deadline))
  return undefined
}

/** All envelopes of a submission that are not to be erased yet. */
function requestErasureOf(host: ContractHost, { submissionId, deadline }: Args<'requestErasureOf'>): number {
  const { sender, hashes } = envelopesOf(host, { kind: ENVELOPE_KIND.part, subject: submissionId })
  const checked = checkedDeadline(host, deadline)
  let asked = 0
  for (const hash of hashes) {
    const envelope = openEnvelope(host, sender, hash)
    if (!isOwner(host, sender, envelope.place)) throw revert(abi, 'NotOwner', { account: actingMember(host), hash })
    if (envelope.erasure.askedAt !== 0n) continue
    askFor(host, sender, hash, envelope, checked)
    asked++
  }
  if (asked === 0) throw revert(abi, 'NothingToErase', { submissionId })
  return asked
}

/** A holder says that its copy is gone, or that it never had one; late ones too. */
function confirmErasure(host: ContractHost, { sender, hash }: Args<'confirmErasure'>): undefined {
  const { slot, head, place, erasure } = openEnvelope(host, sender, hash)
  const holder = actingMember(host)
  if (holder !== head.recipient && holder !== place.carrier) throw revert(abi, 'NotHolder', { account: holder, hash })
  if (erasure.askedAt === 0n) throw revert(abi, 'ErasureNotAsked', { hash })
  const height = BigInt(host.block.number)
  const after = { ...erasure }
  if (holder === head.recipient && erasure.recipientAt === 0n) after.recipientAt = height
  if (holder === place.carrier && erasure.carrierAt === 0n) after.carrierAt = height
  if (after.recipientAt === erasure.recipientAt && after.carrierAt === erasure.carrierAt) {
    throw revert(abi, 'AlreadyConfirmed', { holder, hash })
  }
  host.store(slotAfter(slot, ENVELOPE.erasure), erasureWord.write(after))
  emit(host, abi, 'ErasureConfirmed', { sender, hash, holder, late: height > erasure.deadline })
  return undefined
}

interface OpenEnvelope {
  readonly slot: Hash
  readonly head: ReturnType<typeof envelopeHead.read>
  readonly place: ReturnType<typeof envelopePlace.read>
  readonly erasure: ErasureState
}

function openEnvelope(host: ContractHost, sender: Address, hash: Hash): OpenEnvelope {
  const slot = envelopeSlot(host, sender, hash)
  const word = host.load(slot)
  if (word === ZERO_HASH) throw revert(abi, 'UnknownEnvelope', { sender, hash })
  return {
    slot,
    head: envelopeHead.read(word),
    place: envelopePlace.read(host.load(slotAfter(slot, ENVELOPE.place))),
    erasure: erasureWord.read(host.load(slotAfter(slot, ENVELOPE.erasure))),
  }
}

/** Who sent it, and the enterprise that it is about: a question carries that enterprise's values too. */
function isOwner(host: ContractHost, sender: Address, { kind, subject }: OpenEnvelope['place']): boolean {
  const account = actingMember(host)
  if (account === sender) return true
  if (readMemberHead(host, account).role !== ROLE.enterprise) return false
  const slot = kind === ENVELOPE_KIND.part ? submissionSlot(host, subject) : requestSlot(host, subject)
  return host.loadFrom(CONTRACT_ADDRESSES.dataSharing, slot) === readMemberId(host, account)
}

function checkedDeadline(host: ContractHost, given: bigint): bigint {
  const min = BigInt(host.block.number) + 1n
  const max = BigInt(host.block.number) + BigInt(erasureBlocksMax)
  if (given < min || given > max) throw revert(abi, 'DeadlineOutOfRange', { given, min, max })
  return given
}

function askFor(
  host: ContractHost,
  sender: Address,
  hash: Hash,
  { slot, erasure }: OpenEnvelope,
  deadline: bigint,
): void {
  const askedAt = BigInt(host.block.number)
  host.store(slotAfter(slot, ENVELOPE.erasure), erasureWord.write({ ...erasure, askedAt, deadline }))
  emit(host, abi, 'ErasureRequested', { sender, hash, deadline })
}
