/**
 * Objections: an enterprise contests an entry of its user portrait, and the supervisors of the attribute decide by the rule's
 * quorum. Meanwhile the entry answers no question.
 */
import type { Address, Hash } from '../core/bytes.js'
import { consentPageMax, objectionSecondsMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import {
  addressWord,
  bigintWord,
  loadWords,
  numberWord,
  slotAfter,
  storeWords,
  wordAddress,
  wordNumber,
} from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { OBJECTION_STATUS, QUORUM } from './codes.js'
import { creditInterface } from './creditStorage.js'
import { readEntryHead, readRule, readSupervisors, requiredAnswers } from './dataPortraitStorage.js'
import type { dataSharingAbi } from './dataSharing.abi.js'
import {
  dataSharingInterface as abi,
  nextId,
  requireActingDepartment,
  requireCount,
  requireEnterprise,
} from './dataSharingStorage.js'
import { isActiveDepartment, readMemberHead } from './membersStorage.js'
import {
  latestSlot,
  OBJECTION,
  OBJECTION_COUNT_SLOT,
  type ObjectionHead,
  objectionCount,
  objectionHead,
  objectionSlot,
  readObjectionHead,
  VOTE,
  voteSlot,
} from './objectionsStorage.js'
import { markContested, portraitAnswer } from './userPortrait.js'
import { answerWeight } from './weightedQuorum.js'

type Args<N> = FunctionArgs<typeof dataSharingAbi, N>

/** The enterprise objects to an entry that answers questions now. Once decided, only a newer entry can be contested again. */
export function contest(host: ContractHost, args: Args<'contest'>): bigint {
  const { enterpriseId, attribute, digest, reasonHash } = args
  requireEnterprise(host, enterpriseId)
  const entry = portraitAnswer(host, enterpriseId, attribute, digest)
  if (!entry.hit) throw revert(abi, 'NotContestable', { attribute, digest })
  const latest = latestSlot(host, enterpriseId, attribute, digest)
  const before = wordNumber(host.load(latest))
  if (before !== 0 && entry.height <= readObjectionHead(host, objectionSlot(host, BigInt(before))).height) {
    throw revert(abi, 'AlreadyContested', { objectionId: BigInt(before) })
  }
  const objectionId = nextId(host, OBJECTION_COUNT_SLOT)
  const deadline = BigInt(host.block.timestamp + objectionSecondsMax)
  const { existence, confirmed } = entry
  const head = { height: BigInt(host.block.number), deadline, status: OBJECTION_STATUS.open, existence, confirmed }
  const slot = objectionSlot(host, objectionId)
  host.store(slot, enterpriseId)
  host.store(slotAfter(slot, OBJECTION.head), objectionHead.write(head))
  host.store(slotAfter(slot, OBJECTION.attribute), attribute)
  host.store(slotAfter(slot, OBJECTION.digest), digest)
  host.store(slotAfter(slot, OBJECTION.reasonHash), reasonHash)
  storeWords(host, slotAfter(slot, OBJECTION.attesters), entry.attesters.map(addressWord))
  host.store(latest, bigintWord(objectionId))
  markContested(host, args, objectionId)
  emit(host, abi, 'ObjectionRaised', { objectionId, enterpriseId, attribute, digest, reasonHash, deadline })
  return objectionId
}

/** A supervisor's say; returns the status after it (OBJECTION_STATUS). */
export function decideObjection(host: ContractHost, { objectionId, upheld }: Args<'decideObjection'>): number {
  const supervisor = requireActingDepartment(host)
  const objection = openObjection(host, objectionId)
  const { slot, head, attribute } = objection
  if (head.status !== OBJECTION_STATUS.open) throw revert(abi, 'ObjectionClosed', { objectionId, status: head.status })
  if (!supervisorsOf(host, attribute).includes(supervisor)) {
    throw revert(abi, 'NotSupervisor', { account: supervisor, attribute })
  }
  const place = voteSlot(host, slot, supervisor)
  if (wordNumber(host.load(place)) !== 0) throw revert(abi, 'AlreadyDecided', { objectionId, supervisor })
  host.store(place, numberWord(upheld ? VOTE.upheld : VOTE.rejected))
  emit(host, abi, 'ObjectionVoted', { objectionId, supervisor, upheld })
  const status = tally(host, slot, attribute)
  if (status !== OBJECTION_STATUS.open) settle(host, objection, status)
  return status
}

interface OpenObjection {
  readonly objectionId: bigint
  readonly slot: Hash
  readonly head: ObjectionHead
  readonly enterpriseId: Hash
  readonly attribute: Hash
  readonly digest: Hash
}

function openObjection(host: ContractHost, objectionId: bigint): OpenObjection {
  if (objectionId === 0n || objectionId > BigInt(objectionCount(host))) {
    throw revert(abi, 'UnknownObjection', { objectionId })
  }
  const slot = objectionSlot(host, objectionId)
  const attribute = host.load(slotAfter(slot, OBJECTION.attribute))
  const digest = host.load(slotAfter(slot, OBJECTION.digest))
  return { objectionId, slot, head: readObjectionHead(host, slot), enterpriseId: host.load(slot), attribute, digest }
}

/** Those that are active now. */
function supervisorsOf(host: ContractHost, attribute: Hash): Address[] {
  const head = readEntryHead(host, attribute)
  if (head === undefined) return []
  return readSupervisors(host, attribute, head).filter((one) => isActiveDepartment(readMemberHead(host, one)))
}

/** Upheld by the quorum of the attribute's rule; rejected once the others are too few for that. */
function tally(host: ContractHost, slot: Hash, attribute: Hash): number {
  const supervisors = supervisorsOf(host, attribute)
  const { quorum } = readRule(host, attribute)
  const weighted = quorum === QUORUM.creditWeighted
  let total = 0
  let upheld = 0
  let rejected = 0
  for (const supervisor of supervisors) {
    host.charge(GAS_STEP)
    const weight = weighted ? answerWeight(host, supervisor) : 1
    const vote = wordNumber(host.load(voteSlot(host, slot, supervisor)))
    total += weight
    if (vote === VOTE.upheld) upheld += weight
    else if (vote === VOTE.rejected) rejected += weight
  }
  const needed = weighted ? Math.floor(total / 2) + 1 : requiredAnswers(quorum, supervisors.length)
  if (upheld >= needed) return OBJECTION_STATUS.upheld
  return rejected > total - needed ? OBJECTION_STATUS.rejected : OBJECTION_STATUS.open
}

function settle(host: ContractHost, objection: OpenObjection, status: number): void {
  const { objectionId, slot, head, enterpriseId, attribute } = objection
  host.store(slotAfter(slot, OBJECTION.head), objectionHead.write({ ...head, status }))
  const upheld = status === OBJECTION_STATUS.upheld
  if (upheld) for (const attester of attestersOf(host, slot)) recordDispute(host, attester, objectionId)
  else markContested(host, objection, 0n, objectionId)
  emit(host, abi, 'ObjectionDecided', { objectionId, enterpriseId, attribute, upheld })
}

const attestersOf = (host: ContractHost, slot: Hash): Address[] =>
  loadWords(host, slotAfter(slot, OBJECTION.attesters)).map(wordAddress)

function recordDispute(host: ContractHost, member: Address, objectionId: bigint): void {
  host.call(CONTRACT_ADDRESSES.credit, creditInterface.encodeCall('recordDispute', { member, objectionId }))
}

export function objectionOf(host: ContractHost, { objectionId }: Args<'objectionOf'>) {
  const { slot, head, ...place } = openObjection(host, objectionId)
  const voters = (wanted: number) =>
    supervisorsOf(host, place.attribute).filter(
      (supervisor) => wordNumber(host.load(voteSlot(host, slot, supervisor))) === wanted,
    )
  return {
    ...place,
    ...head,
    reasonHash: host.load(slotAfter(slot, OBJECTION.reasonHash)),
    attesters: attestersOf(host, slot),
    upheldBy: voters(VOTE.upheld),
    rejectedBy: voters(VOTE.rejected),
  }
}

/** Objections from the id `from` on, at most `count`. */
export function objectionsFrom(host: ContractHost, { from, count }: Args<'objectionsFrom'>) {
  requireCount('objections of a page', Number(count), consentPageMax)
  const first = Math.max(1, Number(from))
  const length = Math.max(0, Math.min(Number(count), objectionCount(host) + 1 - first))
  return Array.from({ length }, (_, i) => objectionOf(host, { objectionId: BigInt(first + i) }))
}

/** The latest objection against an entry; 0: none. */
export const objectionAgainst = (host: ContractHost, args: Args<'objectionAgainst'>): bigint =>
  BigInt(host.load(latestSlot(host, args.enterpriseId, args.attribute, args.digest)))
