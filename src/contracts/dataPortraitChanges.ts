/**
 * Changes of the data portrait: proposed by a department, approved by those whom they concern (dataPortraitApproval.ts), in force
 * from a height on. A change follows one version: when another has come in between it is superseded, since what its approvers
 * saw is not what it would change.
 */
import type { Address, Hash } from '../core/bytes.js'
import {
  attributesMax,
  changeReasonBytesMax,
  openProfileChangesPerAttributeMax,
  openProfileChangesPerProposerMax,
  profileChangeBlocksAheadMax,
  profileChangesScannedMax,
} from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import {
  arrayLength,
  bigintWord,
  loadWords,
  mappingSlot,
  pushWord,
  storeWords,
  wordBigint,
  wordNumber,
} from '../vm/storage.js'
import { CHANGE_STATUS } from './codes.js'
import type { dataPortraitAbi } from './dataPortrait.abi.js'
import { countActive, isComplete, isPossible, type Needed, neededFor } from './dataPortraitApproval.js'
import { checkContent, checkKey } from './dataPortraitChecks.js'
import { type Content, loadContent, same } from './dataPortraitContent.js'
import {
  addRecord,
  approvalsOf,
  attributeOf,
  proposerOf,
  type RecordHead,
  readRecord,
  reasonOf,
  refusalOf,
  refusalsOf,
  storeHead,
  storeRefusal,
  storeWord,
} from './dataPortraitRecord.js'
import {
  ATTRIBUTES_SLOT,
  dataPortraitInterface as abi,
  CHANGE_COUNT_SLOT,
  changePlace,
  OPEN_OF_ATTRIBUTE_SLOT,
  OPEN_OF_PROPOSER_SLOT,
  readParameters,
  scheduledFrom,
} from './dataPortraitStorage.js'
import { addVersion, asProfile, contentInForce, dropScheduled, latestChange } from './dataPortraitVersions.js'
import { acting, actingMember, isActiveDepartment } from './membersStorage.js'

type Args<N> = FunctionArgs<typeof dataPortraitAbi, N>

export interface Proposal {
  readonly attribute: Hash
  readonly content: Content
  /** The supervisors' key, as a check; zero: none. */
  readonly encryptionKey: Hash
  /** Up to 256 bytes of UTF-8. */
  readonly reason: string
  /** Block from which on it is wanted; 0: as soon as it may be. */
  readonly effectiveAt: bigint
}

/** A change that may be decided on, and what it needs now. */
interface Case {
  readonly id: bigint
  readonly head: RecordHead
  readonly attribute: Hash
  readonly before: Content | undefined
  readonly content: Content
  readonly needed: Needed
}

/** Takes effect without more ado where nobody else has to approve. Returns the id of the change. */
export function propose(host: ContractHost, proposal: Proposal): bigint {
  const { attribute, content, encryptionKey, reason, effectiveAt } = proposal
  const proposer = requireDepartment(host)
  requireShort('reason', reason)
  const before = contentInForce(host, attribute)
  checkContent(host, attribute, content, before)
  checkKey(host, attribute, content.supervisors, encryptionKey)
  if (before !== undefined && same(before, content)) throw revert(abi, 'NothingChanges', { attribute })
  requireHeight(host, effectiveAt, before)
  requireUnscheduled(host, attribute)
  const head = newHead(host, attribute, effectiveAt)
  const id = addRecord(host, { ...head, attribute, proposer, reason }, content)
  emit(host, abi, 'ChangeProposed', { id, attribute, by: proposer, effectiveAt, reason })
  const needed = neededFor(host, before, content)
  if (isAsked(needed, proposer)) approveAs(host, id, attribute, proposer)
  if (isComplete(host, needed, approvalsOf(host, id))) {
    enact(host, { id, head, attribute, before, content, needed }, Math.max(head.effectiveAt, host.block.number))
  } else addOpen(host, id, { attribute, content, proposer })
  return id
}

/** Whoever has approved may call again when others have stopped to be active: their approval is no longer waited for. */
export function approveChange(host: ContractHost, { id }: Args<'approveChange'>): undefined {
  const by = requireDepartment(host)
  const change = openCase(host, id)
  const { attribute, before, content, needed, head } = change
  if (!isAsked(needed, by)) throw revert(abi, 'NotSupervisor', { caller: by, attribute })
  const again = approvalsOf(host, id).includes(by)
  if (!again) approveAs(host, id, attribute, by)
  const complete = isComplete(host, needed, approvalsOf(host, id))
  if (again && !complete) throw revert(abi, 'AlreadyApproved', { id, by })
  if (!complete) return undefined
  checkContent(host, attribute, content, before)
  const { noticeBlocks } = readParameters(host)
  const earliest = host.block.number + (before === undefined ? 0 : noticeBlocks)
  enact(host, change, Math.max(head.effectiveAt, earliest))
  return undefined
}

/**
 * A supervisor's refusal ends the change, also one that is scheduled, until it is in force. Of other departments' so many do
 * that the approvals cannot suffice any more.
 */
export function refuseChange(host: ContractHost, { id, reason }: Args<'refuseChange'>): undefined {
  const by = requireDepartment(host)
  requireShort('reason', reason)
  const head = readRecord(host, id)
  const scheduled = statusOf(host, id, head) === CHANGE_STATUS.approved
  const { attribute, needed } = scheduled ? caseOf(host, id, head) : openCase(host, id)
  const supervises = needed.supervisors.includes(by)
  if (!supervises && (scheduled || needed.votes === 0)) throw revert(abi, 'NotSupervisor', { caller: by, attribute })
  if (refusalsOf(host, id).includes(by)) throw revert(abi, 'AlreadyRefused', { id, by })
  storeWord(host, id, by, false)
  emit(host, abi, 'ChangeRefused', { id, attribute, by, reason })
  if (scheduled) dropScheduled(host, attribute)
  if (!supervises && isPossible(host, needed, refusalsOf(host, id))) return undefined
  storeRefusal(host, id, reason)
  close(host, id, head, CHANGE_STATUS.refused)
  return undefined
}

/** The proposer takes its change back; one that is scheduled only where it is a supervisor, on whom it depends. */
export function withdrawChange(host: ContractHost, { id }: Args<'withdrawChange'>): undefined {
  const by = actingMember(host)
  const head = readRecord(host, id)
  if (proposerOf(host, id) !== by) throw revert(abi, 'NotProposer', { id, by })
  if (statusOf(host, id, head) === CHANGE_STATUS.approved) {
    const { attribute, needed } = caseOf(host, id, head)
    if (!needed.supervisors.includes(by)) throw revert(abi, 'NotSupervisor', { caller: by, attribute })
    dropScheduled(host, attribute)
  } else openCase(host, id)
  close(host, id, head, CHANGE_STATUS.withdrawn)
  return undefined
}

export function changeOf(host: ContractHost, { id }: Args<'changeOf'>) {
  const head = readRecord(host, id)
  const { attribute, content, needed } = caseOf(host, id, head)
  const status = statusOf(host, id, head)
  const approvals = approvalsOf(host, id)
  const open = status === CHANGE_STATUS.open
  const { terms, details } = content
  return {
    ...{ attribute, status, approvals, terms, details },
    proposer: proposerOf(host, id),
    proposedAt: BigInt(head.proposedAt),
    effectiveAt: BigInt(head.effectiveAt),
    reason: reasonOf(host, id),
    refusals: refusalsOf(host, id),
    refusal: refusalOf(host, id),
    missing: open ? needed.supervisors.filter((account) => !approvals.includes(account)) : [],
    votes: countActive(host, approvals),
    votesNeeded: open ? needed.votes : 0,
    opens: open ? needed.opens : [],
    profile: asProfile(attribute, content),
  }
}

/** Changes that are open or scheduled among the newest below id `before` (0: of all); where to go on, 0 at the end. */
export function openChanges(host: ContractHost, { before }: Args<'openChanges'>) {
  const end = BigInt(wordNumber(host.load(CHANGE_COUNT_SLOT))) + 1n
  const from = before === 0n || before > end ? end : before
  const ids: bigint[] = []
  let id = from - 1n
  for (; id > 0n && id >= from - BigInt(profileChangesScannedMax); id--) {
    const status = statusOf(host, id, readRecord(host, id))
    if (status === CHANGE_STATUS.open || status === CHANGE_STATUS.approved) ids.push(id)
  }
  return { ids, next: id === 0n ? 0n : id + 1n }
}

const isAsked = ({ supervisors, votes }: Needed, account: Address): boolean =>
  votes > 0 || supervisors.includes(account)

function newHead(host: ContractHost, attribute: Hash, effectiveAt: bigint): RecordHead {
  const proposedAt = host.block.number
  return {
    status: CHANGE_STATUS.open,
    proposedAt,
    effectiveAt: Number(effectiveAt),
    base: latestChange(host, attribute),
  }
}

function approveAs(host: ContractHost, id: bigint, attribute: Hash, by: Address): void {
  storeWord(host, id, by, true)
  emit(host, abi, 'ChangeApproved', { id, attribute, by })
}

function enact(host: ContractHost, { id, head, attribute, before, content }: Case, from: number): void {
  if (before === undefined) listAttribute(host, attribute)
  addVersion(host, attribute, id, from)
  storeHead(host, id, { ...head, status: CHANGE_STATUS.approved, effectiveAt: from })
  emit(host, abi, 'ChangeScheduled', { id, attribute, from: BigInt(from) })
  if (from > host.block.number) return
  const { schemaVersion } = content
  emit(host, abi, 'DataProfileSet', { attribute, schemaVersion, by: actingMember(host) })
}

/** Reverts with TooManyAttributes. */
export function listAttribute(host: ContractHost, attribute: Hash): void {
  if (arrayLength(host, ATTRIBUTES_SLOT) >= attributesMax) {
    throw revert(abi, 'TooManyAttributes', { attributesMax: BigInt(attributesMax) })
  }
  pushWord(host, ATTRIBUTES_SLOT, attribute)
}

function close(host: ContractHost, id: bigint, head: RecordHead, status: number): void {
  storeHead(host, id, { ...head, status })
  emit(host, abi, 'ChangeClosed', { id, attribute: attributeOf(host, id), status })
}

function caseOf(host: ContractHost, id: bigint, head: RecordHead): Case {
  const attribute = attributeOf(host, id)
  const before = contentInForce(host, attribute)
  const content = loadContent(host, changePlace(host, id), attribute)
  return { id, head, attribute, before, content, needed: neededFor(host, before, content) }
}

/** Reverts with UnknownChange or ChangeNotOpen. */
function openCase(host: ContractHost, id: bigint): Case {
  const head = readRecord(host, id)
  const status = statusOf(host, id, head)
  if (status !== CHANGE_STATUS.open) throw revert(abi, 'ChangeNotOpen', { id, status })
  return caseOf(host, id, head)
}

function statusOf(host: ContractHost, id: bigint, { status, proposedAt, effectiveAt, base }: RecordHead): number {
  const now = host.block.number
  if (status === CHANGE_STATUS.approved) return effectiveAt > now ? status : CHANGE_STATUS.settled
  if (status !== CHANGE_STATUS.open) return status
  if (now > proposedAt + readParameters(host).changeBlocksMax) return CHANGE_STATUS.lapsed
  return latestChange(host, attributeOf(host, id)) === base ? status : CHANGE_STATUS.superseded
}

/** One department cannot fill the lists, and approvals of one change are not scattered over several. */
function addOpen(
  host: ContractHost,
  id: bigint,
  change: Pick<Case, 'attribute' | 'content'> & { proposer: Address },
): void {
  const { attribute, content, proposer } = change
  const ofAttribute = mappingSlot(host, OPEN_OF_ATTRIBUTE_SLOT, attribute)
  const ofProposer = mappingSlot(host, OPEN_OF_PROPOSER_SLOT, proposer)
  const others = stillOpen(host, ofAttribute)
  const double = others.find((other) => same(loadContent(host, changePlace(host, other), attribute), content))
  if (double !== undefined) throw revert(abi, 'DuplicateChange', { id: double })
  if (others.length >= openProfileChangesPerAttributeMax) {
    const openChangesMax = BigInt(openProfileChangesPerAttributeMax)
    throw revert(abi, 'TooManyChangesOfAttribute', { attribute, openChangesMax })
  }
  const own = stillOpen(host, ofProposer)
  if (own.length >= openProfileChangesPerProposerMax) {
    throw revert(abi, 'TooManyOpenChanges', { proposer, openChangesMax: BigInt(openProfileChangesPerProposerMax) })
  }
  storeWords(host, ofAttribute, [...others, id].map(bigintWord))
  storeWords(host, ofProposer, [...own, id].map(bigintWord))
}

function stillOpen(host: ContractHost, list: Hash): bigint[] {
  return loadWords(host, list)
    .map(wordBigint)
    .filter((id) => statusOf(host, id, readRecord(host, id)) === CHANGE_STATUS.open)
}

function requireDepartment(host: ContractHost): Address {
  const { account, head } = acting(host)
  if (!isActiveDepartment(head)) throw revert(abi, 'NotActiveDepartment', { account })
  return account
}

function requireShort(what: string, text: string): void {
  const bytesLength = Buffer.byteLength(text, 'utf8')
  if (bytesLength <= changeReasonBytesMax) return
  const bytesMax = BigInt(changeReasonBytesMax)
  throw revert(abi, 'TextTooLong', { what, bytesLength: BigInt(bytesLength), bytesMax })
}

/** A new attribute, on which nobody relies yet, begins when it is approved. */
function requireHeight(host: ContractHost, given: bigint, before: Content | undefined): void {
  const heightMax = BigInt(host.block.number + (before === undefined ? 0 : profileChangeBlocksAheadMax))
  if (given > heightMax) throw revert(abi, 'InvalidHeight', { given, heightMax })
}

/** One scheduled change at a time: what comes after it is to be decided on knowing it. */
function requireUnscheduled(host: ContractHost, attribute: Hash): void {
  const from = scheduledFrom(host, attribute)
  if (from === 0) return
  throw revert(abi, 'AlreadyScheduled', { attribute, id: latestChange(host, attribute), from: BigInt(from) })
}
