/** Storage of `members`, read by the other contracts too. */
import type { Address, Hash } from '../core/bytes.js'
import type { ContractHost } from '../vm/contract.js'
import { mappingSlot, type Packed, packed, slotAfter, slotAt, wordNumber } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { ROLE, STATUS } from './codes.js'

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

/** role 0: not registered. keyEpoch 0: no key yet. */
export const memberHead = packed({ role: 'uint8', status: 'uint8', keyEpoch: 'uint64', since: 'uint64' })
export type MemberHead = Packed<{ role: 'uint8'; status: 'uint8'; keyEpoch: 'uint64'; since: 'uint64' }>

export const memberSlot = (host: ContractHost, account: Address): Hash => mappingSlot(host, MEMBERS_SLOT, account)

/** The member for whom the caller acts: itself, by its own account. */
export const actingMember = (host: ContractHost): Address => host.caller

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
