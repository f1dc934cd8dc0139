/** Storage of `members`, read by the other contracts too. */
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import { ContractAbi } from '../vm/abi.js'
import type { ContractHost } from '../vm/contract.js'
import {
  arraySlot,
  mappingSlot,
  type Packed,
  packed,
  slotAfter,
  slotAt,
  wordAddress,
  wordNumber,
} from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { ROLE, SIGNER_KIND, STATUS } from './codes.js'
import { membersAbi } from './members.abi.js'

export const membersInterface = new ContractAbi(membersAbi)

/** mapping(address => Member); Member { head; bytes32 id; bytes32 encryptionKey; string name }. */
export const MEMBERS_SLOT = slotAt(0)
/** mapping(bytes32 => address). */
export const BY_ID_SLOT = slotAt(1)
/** address[]. */
export const ACCOUNTS_SLOT = slotAt(2)
/** mapping(address => mapping(uint64 => bytes32)): all keys so far. */
export const KEYS_SLOT = slotAt(3)
/** uint256: active operators. */
export const OPERATORS_SLOT = slotAt(4)
/** uint256: active departments. */
export const DEPARTMENTS_SLOT = slotAt(5)

/** mapping(address => Signer); Signer { head; uint64 until }: keys that act, or once acted, for a member beside its account's own. */
export const SIGNERS_SLOT = slotAt(6)
/** Parameters of the register. */
const PARAMETERS_SLOT = slotAt(7)
/** mapping(address => address[]): the keys that act for a member beside its account's own, in the order in which they were added. */
export const SIGNER_LISTS_SLOT = slotAt(8)
/** mapping(address => uint256[]): the keys that have replaced an account's own, each with the block since which it is the account's. */
export const ACCOUNT_KEYS_SLOT = slotAt(9)
/** mapping(address => uint256[]): changes of status; see memberStatus.ts. */
export const STATUS_LOG_SLOT = slotAt(10)
/** mapping(address => mapping(uint256 => string)): why, where it was said. */
export const STATUS_REASONS_SLOT = slotAt(11)
/** mapping(uint256 => Admission): by role; see memberAdmission.ts. */
export const ADMISSION_SLOT = slotAt(12)
/** mapping(bytes32 => Decision): by account and status; see memberDecisions.ts. */
export const DECISIONS_SLOT = slotAt(13)
/** bytes32[]: keys of the decisions that may still be open. */
export const OPEN_DECISIONS_SLOT = slotAt(14)
/** mapping(address => Guardianship); see memberRecovery.ts. */
export const GUARDIANS_SLOT = slotAt(15)
/** mapping(address => Recovery). */
export const RECOVERIES_SLOT = slotAt(16)
/** mapping(address => mapping(address => Vote)): account, guardian. */
export const RECOVERY_VOTES_SLOT = slotAt(17)

/**
 * role 0: not registered. keyEpoch 0: no key yet. keyUntil: block in which the account's own key ceased to act; 0: it acts.
 * graceUntil: last block in which envelopes to the encryption key of the epoch before are taken; 0: none is.
 */
const MEMBER_HEAD = {
  role: 'uint8',
  status: 'uint8',
  keyEpoch: 'uint64',
  since: 'uint64',
  keyUntil: 'uint48',
  graceUntil: 'uint48',
} as const
export const memberHead = packed(MEMBER_HEAD)
export type MemberHead = Packed<typeof MEMBER_HEAD>

/** kind: see SIGNER_KIND; 0: unknown. from: block since which it acts. retired: it acts no more, and never will again. */
const SIGNER_HEAD = { member: 'address', kind: 'uint8', retired: 'bool', from: 'uint48' } as const
export const signerHead = packed(SIGNER_HEAD)
export type SignerHead = Packed<typeof SIGNER_HEAD>

/** See MembersConfig. */
const PARAMETERS = {
  encryptionGraceBlocks: 'uint32',
  recoveryDelayBlocks: 'uint32',
  decisionBlocksMax: 'uint32',
} as const
const parametersWord = packed(PARAMETERS)
export type MembersParameters = Packed<typeof PARAMETERS>

export const memberSlot = (host: ContractHost, account: Address): Hash => mappingSlot(host, MEMBERS_SLOT, account)
export const signerSlot = (host: ContractHost, signer: Address): Hash => mappingSlot(host, SIGNERS_SLOT, signer)

/** A member, by its account, and its head; role 0 when there is none. */
export interface Actor {
  readonly account: Address
  readonly head: MemberHead
}

const NOBODY = memberHead.read(ZERO_HASH)

/**
 * For whom a key acts: the member whose account it is, unless that key was replaced, or the member that has added it. For
 * anybody else the key's own address with role 0. A member's own key costs one read, its head.
 */
export function actorOf(host: ContractHost, signer: Address): Actor {
  const head = readMemberHead(host, signer)
  if (head.role !== 0) return { account: signer, head: head.keyUntil === 0 ? head : NOBODY }
  const { member, retired } = readSigner(host, signer)
  if (member === ZERO_ADDRESS || retired) return { account: signer, head }
  return { account: member, head: readMemberHead(host, member) }
}

/** For whom the caller acts. */
export const acting = (host: ContractHost): Actor => actorOf(host, host.caller)

/** Account of the member for which the caller acts; a stranger's own address; ZERO_ADDRESS for a replaced key. */
export function actingMember(host: ContractHost): Address {
  const { account, head } = acting(host)
  return head === NOBODY ? ZERO_ADDRESS : account
}

/**
 * Whose address it is: as `actorOf`, but an account stays its member's when its key was replaced: by it a member is known, and
 * by it a node holds its seat.
 */
export function memberOf(host: ContractHost, address: Address): Actor {
  const head = readMemberHead(host, address)
  if (head.role !== 0) return { account: address, head }
  const { member, retired } = readSigner(host, address)
  if (member === ZERO_ADDRESS || retired) return { account: address, head }
  return { account: member, head: readMemberHead(host, member) }
}

/** kind 0 when nobody ever added this key. */
export const readSigner = (host: ContractHost, signer: Address): SignerHead =>
  signerHead.read(host.loadFrom(CONTRACT_ADDRESSES.members, signerSlot(host, signer)))

/** Keys that act for a member beside its account's own. */
export function readSigners(host: ContractHost, account: Address): Address[] {
  const slot = mappingSlot(host, SIGNER_LISTS_SLOT, account)
  const count = wordNumber(host.loadFrom(CONTRACT_ADDRESSES.members, slot))
  if (count === 0) return []
  const first = arraySlot(host, slot)
  return Array.from({ length: count }, (_, i) =>
    wordAddress(host.loadFrom(CONTRACT_ADDRESSES.members, slotAfter(first, i))),
  )
}

/** Once acted and never will again: the own key of an account that has another now, or a key that was removed. */
export function isReplaced(host: ContractHost, signer: Address): boolean {
  const head = readMemberHead(host, signer)
  return head.role === 0 ? readSigner(host, signer).retired : head.keyUntil !== 0
}

/** Has full power over its member: the account's own key, or the one that has replaced it. Others work for the member only. */
export function isAccountKey(host: ContractHost, signer: Address): boolean {
  const head = readMemberHead(host, signer)
  if (head.role !== 0) return head.keyUntil === 0
  const { kind, retired } = readSigner(host, signer)
  return kind === SIGNER_KIND.account && !retired
}

export const readMembersParameters = (host: ContractHost): MembersParameters =>
  parametersWord.read(host.loadFrom(CONTRACT_ADDRESSES.members, PARAMETERS_SLOT))

export function storeMembersParameters(host: ContractHost, parameters: MembersParameters): void {
  host.store(PARAMETERS_SLOT, parametersWord.write(parameters))
}

/** Head of a member; role 0 when the account is not registered. */
export function readMemberHead(host: ContractHost, account: Address): MemberHead {
  return memberHead.read(host.loadFrom(CONTRACT_ADDRESSES.members, memberSlot(host, account)))
}

export function readMemberId(host: ContractHost, account: Address): Hash {
  return host.loadFrom(CONTRACT_ADDRESSES.members, slotAfter(memberSlot(host, account), 1))
}

/** ZERO_HASH when the member has none. */
export function readEncryptionKey(host: ContractHost, account: Address): Hash {
  return host.loadFrom(CONTRACT_ADDRESSES.members, slotAfter(memberSlot(host, account), 2))
}

/** Active departments. */
export const readDepartmentCount = (host: ContractHost): number =>
  wordNumber(host.loadFrom(CONTRACT_ADDRESSES.members, DEPARTMENTS_SLOT))

export const isActive = (head: MemberHead): boolean => head.status === STATUS.active && head.role !== 0

export const isActiveDepartment = (head: MemberHead): boolean => isActive(head) && head.role === ROLE.department

export const isActiveOperator = (head: MemberHead): boolean => isActive(head) && head.role === ROLE.operator
