/**
 * Decisions on members that take more than one approver: registration, reinstatement, revocation. Each is known by its account
 * and the status that it would give; it stays open until it is approved, declined, withdrawn or lapsed.
 */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { openDecisionsMax, openDecisionsPerApproverMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import {
  addressWord,
  loadText,
  loadWords,
  mappingSlot,
  type Packed,
  packed,
  slotAfter,
  storeText,
  storeWords,
  wordAddress,
} from '../vm/storage.js'
import { MEMBER_DECISION_OUTCOME, STATUS } from './codes.js'
import { type AdmissionRule, countApprovers, countDeciding, readAdmission, requireApprover } from './memberAdmission.js'
import { addMember, applyStatus, checkNewMember, type NewMember } from './memberRegister.js'
import { requireShortReason } from './memberStatus.js'
import type { membersAbi } from './members.abi.js'
import {
  membersInterface as abi,
  actingMember,
  DECISIONS_SLOT,
  OPEN_DECISIONS_SLOT,
  readMemberHead,
  readMembersParameters,
} from './membersStorage.js'

type Args<N> = FunctionArgs<typeof membersAbi, N>

/** Decision { head; bytes32 id; bytes32 encryptionKey; string name; string reason; address[] approvals; address[] declines }. */
const DECISION = { id: 1, encryptionKey: 2, name: 3, reason: 4, approvals: 5, declines: 6 } as const
const HEAD = { proposer: 'address', proposedAt: 'uint48', role: 'uint8' } as const
const headWord = packed(HEAD)
type Head = Packed<typeof HEAD>
const keyWord = packed({ account: 'address', status: 'uint8' })

/** One decision, open or about to be. */
interface Place {
  readonly account: Address
  readonly status: number
  readonly key: Hash
  readonly slot: Hash
}

function placeOf(host: ContractHost, account: Address, status: number): Place {
  const key = keyWord.write({ account, status })
  return { account, status, key, slot: mappingSlot(host, DECISIONS_SLOT, key) }
}

/** By one approver at once where one is enough, else an application. */
export function registerMember(host: ContractHost, { member }: Args<'registerMember'>): undefined {
  const rule = readAdmission(host, member.role)
  const by = requireApprover(host, member.role, rule)
  if (rule.threshold <= 1) {
    addMember(host, member)
    return undefined
  }
  checkNewMember(host, member)
  const place = placeOf(host, member.account, STATUS.active)
  if (readOpen(host, place) !== undefined)
    throw revert(abi, 'DecisionPending', { account: member.account, status: STATUS.active })
  const { slot } = place
  host.store(slotAfter(slot, DECISION.id), member.id)
  host.store(slotAfter(slot, DECISION.encryptionKey), member.encryptionKey)
  storeText(host, slotAfter(slot, DECISION.name), member.name)
  propose(host, place, member.role, by, '')
  approve(host, place, rule, by)
  return undefined
}

export function approveMember(host: ContractHost, { account }: Args<'approveMember'>): undefined {
  const place = placeOf(host, account, STATUS.active)
  const { role } = requireOpen(host, place)
  const rule = readAdmission(host, role)
  approve(host, place, rule, requireApprover(host, role, rule))
  return undefined
}

/** A suspension holds at once; the way back and revocation take as many approvers as a registration. */
export function changeStatus(host: ContractHost, { account, status, reason }: Args<'changeStatus'>): undefined {
  const head = readMemberHead(host, account)
  const rule = readAdmission(host, head.role)
  const by = requireApprover(host, head.role, rule)
  if (status < STATUS.active || status > STATUS.revoked) throw revert(abi, 'InvalidStatus', { status })
  if (head.role === 0) throw revert(abi, 'UnknownMember', { account })
  if (head.status === status) return undefined
  if (head.status === STATUS.revoked) throw revert(abi, 'MemberRevoked', { account })
  requireShortReason(reason)
  if (status === STATUS.suspended || rule.threshold <= 1) {
    applyStatus(host, { account, head }, status, by, reason)
    return undefined
  }
  const place = placeOf(host, account, status)
  if (readOpen(host, place) === undefined) propose(host, place, head.role, by, reason)
  approve(host, place, rule, by)
  return undefined
}

/** Takes an approval back; a decision that nobody approves any more is withdrawn. */
export function withdrawDecision(host: ContractHost, { account, status }: Args<'withdrawDecision'>): undefined {
  const place = placeOf(host, account, status)
  requireOpen(host, place)
  const by = actingMember(host)
  const approvals = accountsAt(host, place, 'approvals')
  if (!approvals.includes(by)) throw revert(abi, 'NotApproved', { account, status, by })
  const rest = approvals.filter((approver) => approver !== by)
  storeAccounts(host, place, 'approvals', rest)
  emit(host, abi, 'ApprovalWithdrawn', { account, status, by })
  if (rest.length === 0) close(host, place, MEMBER_DECISION_OUTCOME.withdrawn)
  return undefined
}

/** A decision that can no longer get the approvals that it needs is declined. */
export function declineDecision(host: ContractHost, { account, status, reason }: Args<'declineDecision'>): undefined {
  const place = placeOf(host, account, status)
  const { role } = requireOpen(host, place)
  const rule = readAdmission(host, role)
  const by = requireApprover(host, role, rule)
  requireShortReason(reason)
  const declines = accountsAt(host, place, 'declines')
  if (declines.includes(by)) throw revert(abi, 'AlreadyDeclined', { account, status, by })
  storeAccounts(host, place, 'declines', [...declines, by])
  drop(host, place, 'approvals', by)
  emit(host, abi, 'DecisionDeclined', { account, status, by, reason })
  const against = countDeciding(host, rule, [...declines, by])
  if (countApprovers(host, rule) - against < rule.threshold) close(host, place, MEMBER_DECISION_OUTCOME.declined)
  return undefined
}

export function pendingDecisions(host: ContractHost) {
  return openKeys(host).map((key) => {
    const { account, status } = keyWord.read(key)
    const place = placeOf(host, account, status)
    const { proposer, proposedAt, role } = headWord.read(host.load(place.slot))
    return {
      ...{ account, status, role, proposer, proposedAt: BigInt(proposedAt) },
      id: host.load(slotAfter(place.slot, DECISION.id)),
      name: loadText(host, slotAfter(place.slot, DECISION.name)),
      reason: loadText(host, slotAfter(place.slot, DECISION.reason)),
      approvals: accountsAt(host, place, 'approvals'),
      declines: accountsAt(host, place, 'declines'),
      needed: readAdmission(host, role).threshold,
    }
  })
}

function propose(host: ContractHost, place: Place, role: number, by: Address, reason: string): void {
  const { account, status, slot, key } = place
  const open = openKeys(host)
  requireRoom(host, open, by)
  host.store(slot, headWord.write({ proposer: by, proposedAt: host.block.number, role }))
  storeText(host, slotAfter(slot, DECISION.reason), reason)
  storeAccounts(host, place, 'approvals', [])
  storeAccounts(host, place, 'declines', [])
  storeWords(host, OPEN_DECISIONS_SLOT, [...open, key])
  emit(host, abi, 'DecisionProposed', { account, status, by, role, reason })
}

/** One approver cannot fill the list for the others. */
function requireRoom(host: ContractHost, open: readonly Hash[], by: Address): void {
  const own = open.filter((key) => headWord.read(host.load(mappingSlot(host, DECISIONS_SLOT, key))).proposer === by)
  if (open.length < openDecisionsMax && own.length < openDecisionsPerApproverMax) return
  throw revert(abi, 'TooManyDecisions', { open: BigInt(open.length), own: BigInt(own.length) })
}

/** Votes of those who were suspended since do not count. */
function approve(host: ContractHost, place: Place, rule: AdmissionRule, by: Address): void {
  const { account, status } = place
  const before = accountsAt(host, place, 'approvals')
  if (before.includes(by)) throw revert(abi, 'AlreadyApproved', { account, status, by })
  const all = [...before, by]
  storeAccounts(host, place, 'approvals', all)
  drop(host, place, 'declines', by)
  const approvals = countDeciding(host, rule, all)
  emit(host, abi, 'DecisionApproved', { account, status, by, approvals, needed: rule.threshold })
  if (approvals >= rule.threshold) settle(host, place, by)
}

function settle(host: ContractHost, place: Place, by: Address): void {
  const { account, status } = place
  const head = readMemberHead(host, account)
  const { role } = headWord.read(host.load(place.slot))
  const reason = loadText(host, slotAfter(place.slot, DECISION.reason))
  const member = { account, role, ...applicationAt(host, place) }
  close(host, place, MEMBER_DECISION_OUTCOME.done)
  if (head.role === 0) addMember(host, member)
  else if (head.status === STATUS.revoked) throw revert(abi, 'MemberRevoked', { account })
  else if (head.status !== status) applyStatus(host, { account, head }, status, by, reason)
}

function applicationAt(host: ContractHost, { slot }: Place): Pick<NewMember, 'id' | 'name' | 'encryptionKey'> {
  return {
    id: host.load(slotAfter(slot, DECISION.id)),
    encryptionKey: host.load(slotAfter(slot, DECISION.encryptionKey)),
    name: loadText(host, slotAfter(slot, DECISION.name)),
  }
}

function close(host: ContractHost, place: Place, outcome: number): void {
  const { account, status, slot, key } = place
  host.store(slot, ZERO_HASH)
  storeWords(
    host,
    OPEN_DECISIONS_SLOT,
    openKeys(host).filter((other) => other !== key),
  )
  emit(host, abi, 'DecisionClosed', { account, status, outcome })
}

function requireOpen(host: ContractHost, place: Place): Head {
  const head = readOpen(host, place)
  if (head === undefined) throw revert(abi, 'NoDecision', { account: place.account, status: place.status })
  return head
}

function readOpen(host: ContractHost, { slot }: Place): Head | undefined {
  const word = host.load(slot)
  return isOpen(host, word) ? headWord.read(word) : undefined
}

function isOpen(host: ContractHost, word: Hash): boolean {
  if (word === ZERO_HASH) return false
  return host.block.number <= headWord.read(word).proposedAt + readMembersParameters(host).decisionBlocksMax
}

/** What may still be decided; lapsed ones leave the list with the next change of it. */
function openKeys(host: ContractHost): Hash[] {
  return loadWords(host, OPEN_DECISIONS_SLOT).filter((key) => {
    host.charge(GAS_STEP)
    return isOpen(host, host.load(mappingSlot(host, DECISIONS_SLOT, key)))
  })
}

const accountsAt = (host: ContractHost, { slot }: Place, list: 'approvals' | 'declines'): Address[] =>
  loadWords(host, slotAfter(slot, DECISION[list])).map(wordAddress)

function storeAccounts(host: ContractHost, { slot }: Place, list: 'approvals' | 'declines', accounts: Address[]): void {
  storeWords(host, slotAfter(slot, DECISION[list]), accounts.map(addressWord))
}

function drop(host: ContractHost, place: Place, list: 'approvals' | 'declines', by: Address): void {
  const before = accountsAt(host, place, list)
  if (before.includes(by))
    storeAccounts(
      host,
      place,
      list,
      before.filter((account) => account !== by),
    )
}
