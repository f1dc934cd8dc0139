/** Storage of objections: what an enterprise says against an entry of its user portrait. */
import type { Address, Hash } from '../core/bytes.js'
import type { ContractHost } from '../vm/contract.js'
import {
  bigintWord,
  mappingSlot,
  newMappingSlot,
  type Packed,
  packed,
  slotAfter,
  slotAt,
  wordNumber,
} from '../vm/storage.js'
import { OBJECTION_STATUS } from './codes.js'

/** uint256; ids begin at 1. */
export const OBJECTION_COUNT_SLOT = slotAt(11)
/** mapping(uint256 => Objection); the words of an objection are OBJECTION. */
const OBJECTIONS_SLOT = slotAt(12)
/** mapping(bytes32 => mapping(bytes32 => mapping(bytes32 => uint256))): the latest against an entry, by enterprise, attribute, digest. */
const LATEST_SLOT = slotAt(13)

/** Objection { bytes32 enterpriseId; head; bytes32 attribute, digest, reasonHash; address[] attesters; mapping(address => uint8) votes }. */
export const OBJECTION = { head: 1, attribute: 2, digest: 3, reasonHash: 4, attesters: 5, votes: 6 } as const
/** deadline: last second of block time. existence, confirmed, attesters: what the entry said, and who said it. */
const OBJECTION_HEAD = {
  height: 'uint64',
  deadline: 'uint64',
  status: 'uint8',
  existence: 'uint8',
  confirmed: 'bool',
} as const
export const objectionHead = packed(OBJECTION_HEAD)
export type ObjectionHead = Packed<typeof OBJECTION_HEAD>

export const VOTE = { upheld: 1, rejected: 2 } as const

export const objectionSlot = (host: ContractHost, objectionId: bigint): Hash =>
  newMappingSlot(host, OBJECTIONS_SLOT, bigintWord(objectionId))

export const voteSlot = (host: ContractHost, objection: Hash, supervisor: Address): Hash =>
  newMappingSlot(host, slotAfter(objection, OBJECTION.votes), supervisor)

export const latestSlot = (host: ContractHost, enterpriseId: Hash, attribute: Hash, digest: Hash): Hash =>
  newMappingSlot(host, mappingSlot(host, mappingSlot(host, LATEST_SLOT, enterpriseId), attribute), digest)

/** Of an objection that exists; an open one lapses with its deadline by itself. */
export function readObjectionHead(host: ContractHost, slot: Hash): ObjectionHead {
  const head = objectionHead.read(host.load(slotAfter(slot, OBJECTION.head)))
  const over = head.status === OBJECTION_STATUS.open && BigInt(host.block.timestamp) > head.deadline
  return over ? { ...head, status: OBJECTION_STATUS.lapsed } : head
}

export const isOpenObjection = (host: ContractHost, objectionId: bigint): boolean =>
  readObjectionHead(host, objectionSlot(host, objectionId)).status === OBJECTION_STATUS.open

export const objectionCount = (host: ContractHost): number => wordNumber(host.load(OBJECTION_COUNT_SLOT))
