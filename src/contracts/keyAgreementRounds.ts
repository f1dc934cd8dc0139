/**
 * Rounds of a key agreement among the supervisors of an attribute: shares, links, confirmations, and where these differ a
 * dispute. The contract checks every contribution, so that a bad one is refused at once, on record and under its sender's
 * name; who is silent beyond a deadline is named by whoever ends the attempt. Nothing posted before a deadline's end by
 * others can make an honest member look at fault.
 */
import { type Address, fromHex, type Hash, ZERO_HASH } from '../core/bytes.js'
import {
  groupFailuresFreeMax,
  groupRoundBlocksMax,
  groupRoundBlocksMin,
  groupWaitDoublingsMax,
} from '../core/limits.js'
import {
  type Contribution,
  type ContributionFlaw,
  type GroupContext,
  GroupKeyError,
  groupSecret,
  linkFlaw,
  shareFlaw,
} from '../crypto/groupKey.js'
import { groupPublicKey } from '../crypto/groupKeyCheck.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_ELEMENT, GAS_ELEMENT_MULTIPLY } from '../vm/gas.js'
import { addressWord, pushWord, slotAfter, storeWords } from '../vm/storage.js'
import { AGREEMENT_PHASE, CONTRIBUTION_FLAW } from './codes.js'
import { readEntryHead, readSupervisors } from './dataPortraitStorage.js'
import { rosterOf } from './groupId.js'
import type { keyAgreementAbi } from './keyAgreement.abi.js'
import {
  type AttemptHead,
  keyAgreementInterface as abi,
  attemptHead,
  attemptSlot,
  GROUP,
  GROUP_LIST_SLOT,
  type GroupHead,
  groupHead,
  groupIdFor,
  groupKeySlot,
  groupSlot,
  isGroupKeyCurrent,
  memberGroupsSlot,
  memberKeysWord,
  ROUND_WORDS,
  type RoundName,
  readGroupHead,
  readGroupKey,
  readRoster,
} from './keyAgreementStorage.js'
import { actingMember, isActiveDepartment, readMemberHead } from './membersStorage.js'

type Args<N> = FunctionArgs<typeof keyAgreementAbi, N>

/** A group with its latest attempt. */
interface Session {
  readonly group: Address
  readonly roster: readonly Address[]
  readonly head: GroupHead
  readonly slot: Hash
  readonly attempt: AttemptHead
}

const PHASE = AGREEMENT_PHASE
const NEW_GROUP: GroupHead = groupHead.read(ZERO_HASH)
const isRunning = ({ phase }: AttemptHead): boolean => phase >= PHASE.shares && phase <= PHASE.dispute

/** Any of the supervisors of the attribute may begin; a key that is agreed already stays in use until the new one is. */
export function startAgreement(host: ContractHost, { attribute, roundBlocks }: Args<'startAgreement'>): Address {
  const roster = supervisorsOf(host, attribute)
  const group = groupIdFor(host, roster)
  requireMember(host, group, roster)
  for (const account of roster) {
    if (!isActiveDepartment(readMemberHead(host, account))) throw revert(abi, 'NotActiveDepartment', { account })
  }
  if (roundBlocks < groupRoundBlocksMin || roundBlocks > groupRoundBlocksMax) {
    const bounds = { min: groupRoundBlocksMin, max: groupRoundBlocksMax }
    throw revert(abi, 'RoundBlocksOutOfRange', { given: roundBlocks, ...bounds })
  }
  const before = readGroupHead(host, group)
  if (before === undefined) enter(host, group, roster)
  else requireIdle(host, group, before)
  const head = { ...(before ?? { ...NEW_GROUP, memberCount: roster.length }) }
  const next = { ...head, attempt: head.attempt + 1 }
  host.store(groupSlot(host, group), groupHead.write(next))
  const slot = attemptSlot(host, group, next.attempt)
  const attempt = { ...attemptHead.read(ZERO_HASH), keyEpoch: head.keyEpoch + 1n, roundBlocks }
  openRound(host, { group, roster, head: next, slot, attempt }, PHASE.shares)
  return group
}

/** Round 1. A flawed share ends the attempt; the transaction stands, so that it is on record. */
export function postShare(host: ContractHost, { group, attempt, share }: Args<'postShare'>): undefined {
  const session = openSession(host, group, attempt, PHASE.shares)
  const { member, place } = requireSlot(host, session, 'shares')
  const others = wordsOf(host, session, 'shares').filter((word) => word !== ZERO_HASH)
  host.charge(2 * GAS_ELEMENT_MULTIPLY + 4 * GAS_ELEMENT)
  const flaw = shareFlaw(contextOf(host, session), member, share, others)
  if (flaw !== undefined) return refuse(host, session, member, share, flaw)
  host.store(place, share.element)
  posted(host, session, member)
  if (others.length + 1 === session.roster.length) openRound(host, session, PHASE.links)
  return undefined
}

/** Round 2. */
export function postLink(host: ContractHost, { group, attempt, link }: Args<'postLink'>): undefined {
  const session = openSession(host, group, attempt, PHASE.links)
  const { member, place } = requireSlot(host, session, 'links')
  const given = countOf(host, session, 'links')
  host.charge(4 * GAS_ELEMENT_MULTIPLY + (6 + session.roster.length) * GAS_ELEMENT)
  const flaw = linkFlaw(contextOf(host, session), member, wordsOf(host, session, 'shares'), link)
  if (flaw !== undefined) return refuse(host, session, member, link, flaw)
  host.store(place, linkWord(link.element))
  posted(host, session, member)
  if (given + 1 === session.roster.length) openRound(host, session, PHASE.confirmations)
  return undefined
}

/** Round 3: each member says which public key it has derived. The epoch stands when all say the same. */
export function confirmKey(host: ContractHost, { group, attempt, publicKey }: Args<'confirmKey'>): undefined {
  const session = openSession(host, group, attempt, PHASE.confirmations)
  const { member, place } = requireSlot(host, session, 'confirmations')
  host.store(place, keyWord(publicKey))
  posted(host, session, member)
  const said = wordsOf(host, session, 'confirmations')
  if (said.includes(ZERO_HASH)) return undefined
  if (said.every((word) => word === publicKey)) accept(host, session, publicKey)
  else openRound(host, session, PHASE.dispute)
  return undefined
}

/**
 * Settles a dispute: with the exponent of one member anyone computes the key. Exponents serve one attempt alone, and this
 * one's key is never used. Members whose confirmation is another key are at fault.
 */
export function proveKey(host: ContractHost, { group, attempt, exponent }: Args<'proveKey'>): undefined {
  const session = openSession(host, group, attempt, PHASE.dispute)
  const member = requireMember(host, group, session.roster)
  const publicKey = keyOf(host, session, member, exponent)
  const said = wordsOf(host, session, 'confirmations')
  const deviating = maskOf(said.map((word) => word !== publicKey))
  abort(host, session, { deviating })
  return undefined
}

/** Anyone may end an attempt whose round has outlived its deadline: whose word is missing is silent. */
export function abortAgreement(host: ContractHost, { group, attempt }: Args<'abortAgreement'>): undefined {
  const session = openSession(host, group, attempt)
  const { phase, deadline } = session.attempt
  if (BigInt(host.block.number) <= deadline) throw revert(abi, 'DeadlineNotPassed', { group, attempt, deadline })
  // In a dispute each member could have proved the key, and none has.
  const missing =
    phase === PHASE.dispute
      ? session.roster.map(() => true)
      : wordsOf(host, session, ROUND_OF[phase]!).map((word) => word === ZERO_HASH)
  abort(host, session, { silent: maskOf(missing) })
  return undefined
}

export function groupOf(host: ContractHost, { group }: Args<'groupOf'>) {
  const head = requireGroup(host, group)
  const { keyEpoch, attempt, failures, notBefore } = head
  const current = isGroupKeyCurrent(host, group, head)
  const roster = readRoster(host, group, head)
  return { roster, keyEpoch, publicKey: readGroupKey(host, group), current, attempt, failures, notBefore }
}

export function attemptOf(host: ContractHost, { group, attempt: number }: Args<'attemptOf'>) {
  const session = sessionOf(host, group, number)
  const { roster, attempt } = session
  const { phase, keyEpoch, deadline, roundBlocks } = attempt
  const named = (mask: number) => roster.filter((_, i) => ((mask >> i) & 1) === 1)
  return {
    phase,
    keyEpoch,
    deadline,
    roundBlocks,
    shares: wordsOf(host, session, 'shares'),
    links: linksOf(host, session),
    confirmations: wordsOf(host, session, 'confirmations'),
    silent: named(attempt.silent),
    refused: named(attempt.refused),
    deviating: named(attempt.deviating),
  }
}

function supervisorsOf(host: ContractHost, attribute: Hash): Address[] {
  const entry = readEntryHead(host, attribute)
  if (entry === undefined) throw revert(abi, 'UnknownAttribute', { attribute })
  if (entry.supervisorCount < 2) throw revert(abi, 'NotJoint', { attribute })
  return rosterOf(readSupervisors(host, attribute, entry))
}

/** The first attempt of a group puts it into the lists. */
function enter(host: ContractHost, group: Address, roster: readonly Address[]): void {
  storeWords(host, slotAfter(groupSlot(host, group), GROUP.roster), roster.map(addressWord))
  pushWord(host, GROUP_LIST_SLOT, addressWord(group))
  for (const member of roster) pushWord(host, memberGroupsSlot(host, member), addressWord(group))
}

function requireIdle(host: ContractHost, group: Address, { attempt, notBefore }: GroupHead): void {
  const latest = attemptHead.read(host.load(attemptSlot(host, group, attempt)))
  if (isRunning(latest)) throw revert(abi, 'AgreementRunning', { group, attempt, deadline: latest.deadline })
  if (BigInt(host.block.number) < notBefore) throw revert(abi, 'TooEarly', { group, notBefore })
}

function requireGroup(host: ContractHost, group: Address): GroupHead {
  const head = readGroupHead(host, group)
  if (head === undefined) throw revert(abi, 'UnknownGroup', { group })
  return head
}

function requireMember(host: ContractHost, group: Address, roster: readonly Address[]): Address {
  const account = actingMember(host)
  if (!roster.includes(account)) throw revert(abi, 'NotGroupMember', { account, group })
  if (!isActiveDepartment(readMemberHead(host, account))) throw revert(abi, 'NotActiveDepartment', { account })
  return account
}

function sessionOf(host: ContractHost, group: Address, number: number): Session {
  const head = requireGroup(host, group)
  const slot = attemptSlot(host, group, number)
  return { group, roster: readRoster(host, group, head), head, slot, attempt: attemptHead.read(host.load(slot)) }
}

/** The running attempt `number`, in `phase` where one is given. */
function openSession(host: ContractHost, group: Address, number: number, phase?: number): Session {
  const session = sessionOf(host, group, number)
  const { attempt } = session
  if (!isRunning(attempt) || (phase !== undefined && attempt.phase !== phase)) {
    throw revert(abi, 'NotInPhase', { group, attempt: number, phase: attempt.phase })
  }
  return session
}

/** The acting member, and where its word of this round goes. */
function requireSlot(host: ContractHost, session: Session, round: RoundName): { member: Address; place: Hash } {
  const { group, roster, head, slot } = session
  const member = requireMember(host, group, roster)
  const place = slotAfter(slot, ROUND_WORDS[round] + roster.indexOf(member))
  if (host.load(place) !== ZERO_HASH) throw revert(abi, 'AlreadyPosted', { group, attempt: head.attempt, member })
  return { member, place }
}

const ROUND_OF: Readonly<Record<number, RoundName>> = {
  [PHASE.shares]: 'shares',
  [PHASE.links]: 'links',
  [PHASE.confirmations]: 'confirmations',
}

function wordsOf(host: ContractHost, { slot, roster }: Session, round: RoundName): Hash[] {
  return roster.map((_, i) => host.load(slotAfter(slot, ROUND_WORDS[round] + i)))
}

function countOf(host: ContractHost, session: Session, round: RoundName): number {
  return wordsOf(host, session, round).filter((word) => word !== ZERO_HASH).length
}

/** The identity, which links of two members are, is all zeros: it is kept as a word that encodes no element. */
const IDENTITY_MARK: Hash = `0x${'ff'.repeat(32)}` as Hash
const linkWord = (element: Hash): Hash => (element === ZERO_HASH ? IDENTITY_MARK : element)

function linksOf(host: ContractHost, session: Session): Hash[] {
  return wordsOf(host, session, 'links').map((word) => (word === IDENTITY_MARK ? ZERO_HASH : word))
}

/** A confirmation of no key counts as one of a key that is surely wrong. */
const keyWord = (publicKey: Hash): Hash => (publicKey === ZERO_HASH ? IDENTITY_MARK : publicKey)

function contextOf(host: ContractHost, { roster, head, attempt }: Session): GroupContext {
  const { keyEpoch: epoch } = attempt
  return { chainId: host.block.chainId, contract: host.self, roster, epoch, attempt: head.attempt }
}

function keyOf(host: ContractHost, session: Session, member: Address, exponent: Hash): Hash {
  const { group, roster, head } = session
  const context = contextOf(host, session)
  const shares = wordsOf(host, session, 'shares')
  const links = linksOf(host, session)
  host.charge((4 + roster.length) * GAS_ELEMENT_MULTIPLY + 2 * roster.length * GAS_ELEMENT)
  try {
    return groupPublicKey(context, shares, links, groupSecret(context, member, fromHex(exponent), shares, links))
  } catch (error) {
    if (!(error instanceof GroupKeyError)) throw error
    throw revert(abi, 'NotTheExponent', { group, attempt: head.attempt, member })
  }
}

function openRound(host: ContractHost, session: Session, phase: number): void {
  const { group, roster, head, slot, attempt } = session
  const deadline = BigInt(host.block.number + attempt.roundBlocks)
  host.store(slot, attemptHead.write({ ...attempt, phase, deadline }))
  for (const member of roster)
    emit(host, abi, 'AgreementRound', { group, member, attempt: head.attempt, phase, deadline })
}

function posted(host: ContractHost, { group, head, attempt }: Session, member: Address): void {
  emit(host, abi, 'ContributionPosted', { group, member, attempt: head.attempt, phase: attempt.phase })
}

function refuse(
  host: ContractHost,
  session: Session,
  member: Address,
  contribution: Contribution,
  flaw: ContributionFlaw,
): undefined {
  const { group, roster, head, attempt } = session
  const about = { group, member, attempt: head.attempt, phase: attempt.phase, flaw: CONTRIBUTION_FLAW[flaw] }
  const { element, challenge, response } = contribution
  emit(host, abi, 'ContributionRefused', { ...about, element, challenge, response })
  abort(host, session, { refused: 1 << roster.indexOf(member) })
}

function accept(host: ContractHost, session: Session, publicKey: Hash): void {
  const { group, roster, head, slot, attempt } = session
  const { keyEpoch } = attempt
  const memberKeys = memberKeysWord(
    host,
    roster.map((member) => readMemberHead(host, member)),
  )
  const place = groupSlot(host, group)
  const next = { ...head, keyEpoch, failures: 0, notBefore: 0n, agreedAt: BigInt(host.block.number) }
  host.store(place, groupHead.write(next))
  host.store(slotAfter(place, GROUP.publicKey), publicKey)
  host.store(slotAfter(place, GROUP.memberKeys), memberKeys)
  host.store(groupKeySlot(host, group, keyEpoch), publicKey)
  host.store(slot, attemptHead.write({ ...attempt, phase: PHASE.agreed }))
  emit(host, abi, 'GroupKeyAgreed', { group, keyEpoch, publicKey, roster })
  ended(host, session, true)
}

type Faults = Partial<Pick<AttemptHead, 'silent' | 'refused' | 'deviating'>>

function abort(host: ContractHost, session: Session, faults: Faults): void {
  const { group, roster, head, slot, attempt } = session
  const final = { ...attempt, ...faults, phase: PHASE.aborted }
  host.store(slot, attemptHead.write(final))
  const failures = Math.min(head.failures + 1, 0xffff)
  const notBefore = BigInt(host.block.number + waitBlocks(failures))
  host.store(groupSlot(host, group), groupHead.write({ ...head, failures, notBefore }))
  const named = (mask: number) => roster.filter((_, i) => ((mask >> i) & 1) === 1)
  const { silent, refused, deviating } = final
  const names = { silent: named(silent), refused: named(refused), deviating: named(deviating) }
  emit(host, abi, 'AgreementAborted', { group, attempt: head.attempt, ...names })
  ended(host, session, false)
}

/** Attempts that fail again and again come ever more seldom: nobody fills the chain with them. */
function waitBlocks(failures: number): number {
  if (failures <= groupFailuresFreeMax) return 0
  return groupRoundBlocksMin * 2 ** Math.min(failures - groupFailuresFreeMax - 1, groupWaitDoublingsMax)
}

function ended(host: ContractHost, { group, roster, head }: Session, agreed: boolean): void {
  for (const member of roster) emit(host, abi, 'AgreementEnded', { group, member, attempt: head.attempt, agreed })
}

const maskOf = (flags: readonly boolean[]): number => flags.reduce((mask, flag, i) => mask | (Number(flag) << i), 0)
