/** Storage of `dataSharing`, and the guards that its parts share. */
import type { Address, Hash } from '../core/bytes.js'
import { ZERO_HASH } from '../core/bytes.js'
import { ContractAbi } from '../vm/abi.js'
import { type ContractHost, revert } from '../vm/contract.js'
import {
  bigintWord,
  hashWords,
  loadWords,
  mappingSlot,
  newMappingSlot,
  numberWord,
  packed,
  slotAfter,
  slotAt,
  storeWords,
  wordBigint,
  wordNumber,
} from '../vm/storage.js'
import { ROLE } from './codes.js'
import { dataSharingAbi } from './dataSharing.abi.js'
import {
  type Actor,
  acting,
  isActive,
  isActiveDepartment,
  type MemberHead,
  readMemberHead,
  readMemberId,
} from './membersStorage.js'

export const dataSharingInterface = new ContractAbi(dataSharingAbi)
const abi = dataSharingInterface

/** uint256 counters; ids begin at 1. */
export const SUBMISSION_COUNT_SLOT = slotAt(0)
export const REQUEST_COUNT_SLOT = slotAt(1)
const SET_COUNT_SLOT = slotAt(2)
/** mapping(uint256 => Submission); Submission { bytes32 enterpriseId; bytes32 documentHash; head; Part[32] parts }. */
export const SUBMISSIONS_SLOT = slotAt(3)
/** mapping(bytes32 => uint32): attribute sets by the keccak of their attributes. */
const SET_IDS_SLOT = slotAt(4)
/** mapping(uint256 => bytes32[]). */
const SETS_SLOT = slotAt(5)
/** mapping(bytes32 => uint32): the enterprise's current portrait version. */
const VERSIONS_SLOT = slotAt(6)
/** mapping(uint256 => Request); see verificationStorage.ts. */
export const REQUESTS_SLOT = slotAt(7)
/** mapping(address => mapping(bytes32 => mapping(bytes32 => Budget))): requester, enterprise, attribute; see digestBudget.ts. */
export const BUDGETS_SLOT = slotAt(8)
/** mapping(bytes32 => mapping(bytes32 => AttributePortrait)): enterprise, attribute; see userPortrait.ts. */
export const PORTRAITS_SLOT = slotAt(9)

/** mapping(bytes32 => mapping(address => uint64)): block in which an enterprise last shared its portrait key with a recipient. */
export const KEY_SHARES_SLOT = slotAt(10)

/** Words of a submission after its first. */
export const SUBMISSION = { documentHash: 1, head: 2, parts: 3 } as const
export const submissionHead = packed({
  portraitVersion: 'uint32',
  height: 'uint64',
  partCount: 'uint32',
  ackedCount: 'uint32',
  acceptedCount: 'uint32',
})
/** state: see PART_STATE. answered: of a part for a group, a bit for each member that has acknowledged it. */
const PART_WORD = {
  recipient: 'address',
  attributeSet: 'uint32',
  state: 'uint8',
  code: 'uint16',
  answered: 'uint16',
} as const
export const partWord = packed(PART_WORD)
export const PART_STATE = { waiting: 0, accepted: 1, rejected: 2 } as const

/** Next id of a counter, from 1. */
export function nextId(host: ContractHost, counter: Hash): bigint {
  const id = wordNumber(host.load(counter)) + 1
  host.store(counter, numberWord(id))
  return BigInt(id)
}

export const countOf = (host: ContractHost, counter: Hash): bigint => wordBigint(host.load(counter))

/**
 * Id of a list of attributes, stored on its first use: submissions and requests repeat a few lists, and then cost one word
 * instead of one for each attribute.
 */
export function attributeSetId(host: ContractHost, attributes: readonly Hash[]): number {
  const slot = mappingSlot(host, SET_IDS_SLOT, hashWords(host, attributes))
  const known = host.load(slot)
  if (known !== ZERO_HASH) return wordNumber(known)
  const id = Number(nextId(host, SET_COUNT_SLOT))
  host.store(slot, numberWord(id))
  storeWords(host, mappingSlot(host, SETS_SLOT, numberWord(id)), attributes)
  return id
}

export const attributeSet = (host: ContractHost, id: number): Hash[] =>
  loadWords(host, mappingSlot(host, SETS_SLOT, numberWord(id)))

/** 0 until the enterprise has named one. */
export function portraitVersionOf(host: ContractHost, enterpriseId: Hash): number {
  return wordNumber(host.load(mappingSlot(host, VERSIONS_SLOT, enterpriseId)))
}

/** The enterprise names its portrait version (which portrait key its digests use); it never goes back. */
export function advancePortraitVersion(host: ContractHost, enterpriseId: Hash, given: number): void {
  const slot = mappingSlot(host, VERSIONS_SLOT, enterpriseId)
  const current = wordNumber(host.load(slot))
  if (given < Math.max(current, 1)) {
    throw revert(abi, 'PortraitVersionMismatch', { enterpriseId, given, current })
  }
  if (given !== current) host.store(slot, numberWord(given))
}

export function requireActiveMember(host: ContractHost, account: Address): MemberHead {
  const head = readMemberHead(host, account)
  if (!isActive(head)) throw revert(abi, 'NotActiveMember', { account })
  return head
}

export function requireActiveDepartment(host: ContractHost, account: Address): MemberHead {
  const head = readMemberHead(host, account)
  if (!isActiveDepartment(head)) throw revert(abi, 'NotActiveDepartment', { account })
  return head
}

/** The active member for which the caller acts. */
export function requireActing(host: ContractHost): Actor {
  const actor = acting(host)
  if (!isActive(actor.head)) throw revert(abi, 'NotActiveMember', { account: actor.account })
  return actor
}

/** Account of the active department for which the caller acts. */
export function requireActingDepartment(host: ContractHost): Address {
  const { account, head } = acting(host)
  if (!isActiveDepartment(head)) throw revert(abi, 'NotActiveDepartment', { account })
  return account
}

/** The caller must act for the active enterprise with this id. */
export function requireEnterprise(host: ContractHost, enterpriseId: Hash): void {
  const { account, head } = acting(host)
  const own = isActive(head) && head.role === ROLE.enterprise && readMemberId(host, account) === enterpriseId
  if (!own) throw revert(abi, 'NotActiveEnterprise', { account, enterpriseId })
}

/**
 * The epoch that an envelope was sealed under must be the recipient's current one, or the one before it while its grace lasts: else it
 * could not be opened.
 */
export function requireCurrentKey(host: ContractHost, head: MemberHead, recipient: Address, given: bigint): void {
  if (given !== 0n && given === head.keyEpoch) return
  const former = given !== 0n && given === head.keyEpoch - 1n
  if (former && host.block.number <= head.graceUntil) return
  throw revert(abi, 'StaleKeyEpoch', { recipient, given, current: head.keyEpoch })
}

export function requireCount(what: string, given: number, max: number, min = 1): void {
  if (given >= min && given <= max) return
  throw revert(abi, 'CountOutOfRange', { what, given: BigInt(given), min: BigInt(min), max: BigInt(max) })
}

export const submissionSlot = (host: ContractHost, submissionId: bigint): Hash =>
  newMappingSlot(host, SUBMISSIONS_SLOT, bigintWord(submissionId))

export const partSlot = (submission: Hash, part: number): Hash => slotAfter(submission, SUBMISSION.parts + part)
