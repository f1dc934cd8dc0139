/** Storage of `delivery`, of which `dataSharing` reads whether an envelope is known. */
import type { Address, Hash } from '../core/bytes.js'
import { ZERO_HASH } from '../core/bytes.js'
import { ContractAbi } from '../vm/abi.js'
import type { ContractHost } from '../vm/contract.js'
import {
  bigintWord,
  mappingSlot,
  newMappingSlot,
  numberWord,
  type Packed,
  packed,
  slotAfter,
  slotAt,
} from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { deliveryAbi } from './delivery.abi.js'

export const deliveryInterface = new ContractAbi(deliveryAbi)

/**
 * mapping(address => mapping(bytes32 => Envelope)), by sender and hash: nobody can take another one's hash. Envelope { head;
 * place; erasure }.
 */
const ENVELOPES_SLOT = slotAt(0)
/** mapping(uint8 => mapping(uint256 => Subject)), by kind and id; Subject { address sender; bytes32[32] hashes }. */
const SUBJECTS_SLOT = slotAt(1)

/** Words of an envelope after its first. */
export const ENVELOPE = { place: 1, erasure: 2 } as const
/** Words of a subject after its first. */
export const SUBJECT = { hashes: 1 } as const

const HEAD = { recipient: 'address', expiresAt: 'uint64', lengthBytes: 'uint32' } as const
export const envelopeHead = packed(HEAD)
export type EnvelopeHead = Packed<typeof HEAD>
/** subject: id of the submission or the request. */
export const envelopePlace = packed({ carrier: 'address', kind: 'uint8', part: 'uint16', subject: 'uint64' })
const ERASURE = { askedAt: 'uint64', deadline: 'uint64', recipientAt: 'uint64', carrierAt: 'uint64' } as const
/** Heights; 0: not yet. */
export const erasureWord = packed(ERASURE)
export type ErasureState = Packed<typeof ERASURE>

export const envelopeSlot = (host: ContractHost, sender: Address, hash: Hash): Hash =>
  newMappingSlot(host, mappingSlot(host, ENVELOPES_SLOT, sender), hash)

export const subjectSlot = (host: ContractHost, kind: number, subject: bigint): Hash =>
  newMappingSlot(host, mappingSlot(host, SUBJECTS_SLOT, numberWord(kind)), bigintWord(subject))

/** Whether this sender has referred to an envelope with this hash before. */
export const isAnnounced = (host: ContractHost, sender: Address, hash: Hash): boolean =>
  host.loadFrom(CONTRACT_ADDRESSES.delivery, envelopeSlot(host, sender, hash)) !== ZERO_HASH

export const hashSlot = (subject: Hash, part: number): Hash => slotAfter(subject, SUBJECT.hashes + part)
