/** Storage of `keyAgreement`, read by `dataPortrait` and `dataSharing` too: groups of departments and the keys they share. */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { groupMembersMax } from '../core/limits.js'
import { ContractAbi } from '../vm/abi.js'
import type { ContractHost } from '../vm/contract.js'
import {
  arraySlot,
  bigintWord,
  hashWords,
  mappingSlot,
  numberWord,
  type Packed,
  packed,
  slotAfter,
  slotAt,
  wordAddress,
} from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { groupWords } from './groupId.js'
import { keyAgreementAbi } from './keyAgreement.abi.js'
import { isActiveDepartment, type MemberHead, readMemberHead } from './membersStorage.js'

export const keyAgreementInterface = new ContractAbi(keyAgreementAbi)

/** mapping(address => Group); Group { head; bytes32 publicKey; bytes32 memberKeys; address[] roster }. */
const GROUPS_SLOT = slotAt(0)
/** mapping(address => mapping(uint64 => bytes32)): all keys so far. */
const KEYS_SLOT = slotAt(1)
/** mapping(address => mapping(uint32 => Attempt)); Attempt { head; bytes32[16] shares; bytes32[16] links; bytes32[16] confirmations }. */
const ATTEMPTS_SLOT = slotAt(2)
/** mapping(address => address[]): the groups of a department. */
const MEMBER_GROUPS_SLOT = slotAt(3)
/** address[]. */
export const GROUP_LIST_SLOT = slotAt(4)

/** Words of a group after its first. memberKeys: the members' own key epochs when the key was agreed. */
export const GROUP = { publicKey: 1, memberKeys: 2, roster: 3 } as const

/** keyEpoch 0: nothing agreed yet. attempt: the latest. failures: since the last agreement. notBefore: block of the next start. */
const GROUP_HEAD = {
  memberCount: 'uint8',
  keyEpoch: 'uint64',
  attempt: 'uint32',
  failures: 'uint16',
  notBefore: 'uint64',
  agreedAt: 'uint64',
} as const
export const groupHead = packed(GROUP_HEAD)
export type GroupHead = Packed<typeof GROUP_HEAD>

/** The last three hold a bit for each member, the first of the roster in the lowest. */
const ATTEMPT_HEAD = {
  phase: 'uint8',
  keyEpoch: 'uint64',
  deadline: 'uint64',
  roundBlocks: 'uint32',
  silent: 'uint16',
  refused: 'uint16',
  deviating: 'uint16',
} as const
export const attemptHead = packed(ATTEMPT_HEAD)
export type AttemptHead = Packed<typeof ATTEMPT_HEAD>

/** Where the members' words of each round begin, after the head. */
export const ROUND_WORDS = {
  shares: 1,
  links: 1 + groupMembersMax,
  confirmations: 1 + 2 * groupMembersMax,
} as const
export type RoundName = keyof typeof ROUND_WORDS

export const groupSlot = (host: ContractHost, group: Address): Hash => mappingSlot(host, GROUPS_SLOT, group)

export const groupKeySlot = (host: ContractHost, group: Address, keyEpoch: bigint): Hash =>
  mappingSlot(host, mappingSlot(host, KEYS_SLOT, group), bigintWord(keyEpoch))

export const attemptSlot = (host: ContractHost, group: Address, attempt: number): Hash =>
  mappingSlot(host, mappingSlot(host, ATTEMPTS_SLOT, group), numberWord(attempt))

export const memberGroupsSlot = (host: ContractHost, member: Address): Hash =>
  mappingSlot(host, MEMBER_GROUPS_SLOT, member)

/** As groupIdOf in groupId.ts, with its gas. */
export const groupIdFor = (host: ContractHost, departments: readonly Address[]): Address =>
  wordAddress(hashWords(host, groupWords(departments)))

const read = (host: ContractHost, slot: Hash): Hash => host.loadFrom(CONTRACT_ADDRESSES.keyAgreement, slot)

/** Undefined when no such group has ever begun an agreement. */
export function readGroupHead(host: ContractHost, group: Address): GroupHead | undefined {
  const word = read(host, groupSlot(host, group))
  return word === ZERO_HASH ? undefined : groupHead.read(word)
}

export function readRoster(host: ContractHost, group: Address, { memberCount }: GroupHead): Address[] {
  const first = arraySlot(host, slotAfter(groupSlot(host, group), GROUP.roster))
  return Array.from({ length: memberCount }, (_, i) => wordAddress(read(host, slotAfter(first, i))))
}

export const readGroupKey = (host: ContractHost, group: Address): Hash =>
  read(host, slotAfter(groupSlot(host, group), GROUP.publicKey))

/** One word for the key epochs of all members. */
export const memberKeysWord = (host: ContractHost, heads: readonly MemberHead[]): Hash =>
  hashWords(
    host,
    heads.map(({ keyEpoch }) => bigintWord(keyEpoch)),
  )

/**
 * Whether the agreed key may be used: every member is active, and none has a new key of its own since. Whoever changes its
 * key may have lost the old one, and what stood beside it.
 */
export function isGroupKeyCurrent(host: ContractHost, group: Address, head: GroupHead): boolean {
  if (head.keyEpoch === 0n) return false
  const heads = readRoster(host, group, head).map((member) => readMemberHead(host, member))
  if (!heads.every(isActiveDepartment)) return false
  return memberKeysWord(host, heads) === read(host, slotAfter(groupSlot(host, group), GROUP.memberKeys))
}
