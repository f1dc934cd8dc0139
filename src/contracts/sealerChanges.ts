/** Changes of the sealer set: proposed, approved or withdrawn by voters, due when they have the votes. */
import { type Address, type Hash, ZERO_ADDRESS } from '../core/bytes.js'
import { changeReasonBytesMax, openChangesPerVoterMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import {
  addressWord,
  bigintWord,
  loadText,
  loadWords,
  mappingSlot,
  numberWord,
  type Packed,
  packed,
  pushWord,
  slotAfter,
  storeText,
  storeWords,
  wordAddress,
  wordBigint,
  wordNumber,
} from '../vm/storage.js'
import { CHANGE_KIND, CHANGE_STATUS } from './codes.js'
import { actingMember } from './membersStorage.js'
import { changeFault, presentWeights, type SetChange } from './sealerSet.js'
import type { sealersAbi } from './sealers.abi.js'
import {
  sealersInterface as abi,
  CHANGE_COUNT_SLOT,
  CHANGES_SLOT,
  DUE_SLOT,
  OPEN_SLOT,
  readParameters,
  readSealers,
} from './sealersStorage.js'
import { isVoter, votesNeeded } from './sealerVoters.js'

type Args<N> = FunctionArgs<typeof sealersAbi, N>

/** Change { head; outcome; address proposer; string reason; address[] approvals }. */
const CHANGE = { outcome: 1, proposer: 2, reason: 3, approvals: 4 } as const
const HEAD = { sealer: 'address', kind: 'uint8', status: 'uint8', proposedAt: 'uint64' } as const
const headWord = packed(HEAD)
type Head = Packed<typeof HEAD>
/** refusal: place in REFUSALS, from 1. */
const outcomeWord = packed({ replacement: 'address', settledAt: 'uint64', refusal: 'uint8' })

/** Errors with which a change that was due can have been refused; only ever appended to. */
const REFUSALS = [
  'InvalidKind',
  'NotSealer',
  'AlreadySealer',
  'UnknownMember',
  'NotActiveMember',
  'NotVolunteered',
  'TooManySealers',
  'TooFewSealers',
  'QuorumImpossible',
  'ReplacementNotWanted',
]

const changeSlot = (host: ContractHost, id: bigint): Hash => mappingSlot(host, CHANGES_SLOT, bigintWord(id))
const approvalsSlot = (host: ContractHost, id: bigint): Hash => slotAfter(changeSlot(host, id), CHANGE.approvals)

export function proposeChange(host: ContractHost, args: Args<'proposeChange'>): bigint {
  const { kind, sealer, replacement, reason } = args
  const by = requireVoter(host)
  const ofVote = kind === CHANGE_KIND.add || kind === CHANGE_KIND.remove || kind === CHANGE_KIND.replace
  if (!ofVote) throw revert(abi, 'InvalidKind', { kind })
  requireShort('reason', reason, changeReasonBytesMax)
  const open = stillOpen(host)
  requireNew(host, open, args, by)
  const id = addChange(host, args, CHANGE_STATUS.open, by, reason)
  storeWords(host, OPEN_SLOT, [...open, id].map(bigintWord))
  emit(host, abi, 'ChangeProposed', { id, kind, sealer, replacement, by, reason })
  addApproval(host, id, by)
  return id
}

/** A change that needs no vote: a sealer gives up its own seat, and the key that does so is on record. Due at once. */
export function decideOwnSeat(host: ContractHost, change: SetChange): bigint {
  const id = addChange(host, change, CHANGE_STATUS.approved, host.caller, '')
  const { kind, sealer, replacement } = change
  emit(host, abi, 'ChangeProposed', { id, kind, sealer, replacement, by: host.caller, reason: '' })
  pushWord(host, DUE_SLOT, bigintWord(id))
  emit(host, abi, 'ChangeDue', { id })
  return id
}

export function approveChange(host: ContractHost, { id }: Args<'approveChange'>): undefined {
  const by = requireVoter(host)
  requireOpen(host, id)
  if (approvalsOf(host, id).includes(by)) throw revert(abi, 'AlreadyApproved', { id, by })
  addApproval(host, id, by)
  return undefined
}

/** A change that nobody approves any more is withdrawn. */
export function withdrawApproval(host: ContractHost, { id }: Args<'withdrawApproval'>): undefined {
  const head = requireOpen(host, id)
  const by = actingMember(host)
  const approvals = approvalsOf(host, id)
  if (!approvals.includes(by)) throw revert(abi, 'NotApproved', { id, by })
  const rest = approvals.filter((approver) => approver !== by)
  storeWords(host, approvalsSlot(host, id), rest.map(addressWord))
  emit(host, abi, 'ApprovalWithdrawn', { id, by })
  if (rest.length === 0) close(host, id, head, CHANGE_STATUS.withdrawn)
  return undefined
}

export function changeOf(host: ContractHost, { id }: Args<'changeOf'>) {
  const head = requireKnown(host, id)
  const slot = changeSlot(host, id)
  const { replacement, settledAt, refusal } = outcomeWord.read(host.load(slotAfter(slot, CHANGE.outcome)))
  const { kind, sealer, proposedAt } = head
  return {
    ...{ kind, sealer, replacement, proposedAt, settledAt },
    proposer: wordAddress(host.load(slotAfter(slot, CHANGE.proposer))),
    reason: loadText(host, slotAfter(slot, CHANGE.reason)),
    status: statusOf(host, head),
    refusal: REFUSALS[refusal - 1] ?? '',
    approvals: approvalsOf(host, id),
    needed: votesNeeded(host),
  }
}

/** Ids of the changes that may still be approved. */
export function stillOpen(host: ContractHost): bigint[] {
  return loadWords(host, OPEN_SLOT)
    .map(wordBigint)
    .filter((id) => statusOf(host, readHead(host, id)) === CHANGE_STATUS.open)
}

/** What a due change does to the set. */
export function dueChange(host: ContractHost, id: bigint): SetChange {
  const { replacement } = outcomeWord.read(host.load(slotAfter(changeSlot(host, id), CHANGE.outcome)))
  return { ...readHead(host, id), replacement }
}

/** A seat that is handed over takes the votes against it along: a new key is no way out of a removal. */
export function followSeat(host: ContractHost, { sealer, replacement }: SetChange): void {
  for (const id of [...loadWords(host, OPEN_SLOT), ...loadWords(host, DUE_SLOT)].map(wordBigint)) {
    const head = readHead(host, id)
    const against = head.kind === CHANGE_KIND.remove || head.kind === CHANGE_KIND.replace
    if (!against || head.sealer !== sealer) continue
    host.store(changeSlot(host, id), headWord.write({ ...head, sealer: replacement }))
  }
}

/** Puts the end of a due change on record; `refusal` is the name of the error, undefined when it was settled. */
export function recordOutcome(host: ContractHost, id: bigint, refusal: string | undefined): void {
  const status = refusal === undefined ? CHANGE_STATUS.settled : CHANGE_STATUS.refused
  const place = slotAfter(changeSlot(host, id), CHANGE.outcome)
  const { replacement } = outcomeWord.read(host.load(place))
  host.store(changeSlot(host, id), headWord.write({ ...readHead(host, id), status }))
  const code = refusal === undefined ? 0 : REFUSALS.indexOf(refusal) + 1
  host.store(place, outcomeWord.write({ replacement, settledAt: BigInt(host.block.number), refusal: code }))
}

/** Reverts with TextTooLong. */
export function requireShort(what: string, text: string, bytesMax: number): void {
  const bytesLength = Buffer.byteLength(text, 'utf8')
  if (bytesLength <= bytesMax) return
  throw revert(abi, 'TextTooLong', { what, bytesLength: BigInt(bytesLength), bytesMax: BigInt(bytesMax) })
}

function addChange(host: ContractHost, change: SetChange, status: number, by: Address, reason: string): bigint {
  const { kind, sealer, replacement } = change
  const fault = changeFault(host, readSealers(host), change, presentWeights)
  if (fault !== undefined) throw fault
  const count = wordNumber(host.load(CHANGE_COUNT_SLOT)) + 1
  host.store(CHANGE_COUNT_SLOT, numberWord(count))
  const id = BigInt(count)
  const slot = changeSlot(host, id)
  host.store(slot, headWord.write({ sealer, kind, status, proposedAt: BigInt(host.block.number) }))
  if (replacement !== ZERO_ADDRESS) {
    host.store(slotAfter(slot, CHANGE.outcome), outcomeWord.write({ replacement, settledAt: 0n, refusal: 0 }))
  }
  host.store(slotAfter(slot, CHANGE.proposer), addressWord(by))
  if (reason !== '') storeText(host, slotAfter(slot, CHANGE.reason), reason)
  return id
}

/** Votes of members that were suspended since do not count. */
function addApproval(host: ContractHost, id: bigint, by: Address): void {
  pushWord(host, approvalsSlot(host, id), addressWord(by))
  const approvals = approvalsOf(host, id).filter((voter) => isVoter(host, voter)).length
  const needed = votesNeeded(host)
  emit(host, abi, 'ChangeApproved', { id, by, approvals, needed })
  if (approvals < needed) return
  close(host, id, readHead(host, id), CHANGE_STATUS.approved)
  pushWord(host, DUE_SLOT, bigintWord(id))
  emit(host, abi, 'ChangeDue', { id })
}

function close(host: ContractHost, id: bigint, head: Head, status: number): void {
  host.store(changeSlot(host, id), headWord.write({ ...head, status }))
  const others = stillOpen(host)
  storeWords(host, OPEN_SLOT, others.map(bigintWord))
}

/** One voter cannot fill the list, and votes for one change are not scattered over several. */
function requireNew(host: ContractHost, open: readonly bigint[], change: SetChange, by: Address): void {
  let own = 0
  for (const id of open) {
    host.charge(GAS_STEP)
    if (sameChange(dueChange(host, id), change)) throw revert(abi, 'DuplicateChange', { id })
    if (wordAddress(host.load(slotAfter(changeSlot(host, id), CHANGE.proposer))) === by) own++
  }
  if (own < openChangesPerVoterMax) return
  const openChangesMax = BigInt(openChangesPerVoterMax)
  throw revert(abi, 'TooManyOpenChanges', { proposer: by, openChangesMax })
}

const sameChange = (a: SetChange, b: SetChange): boolean =>
  a.kind === b.kind && a.sealer === b.sealer && a.replacement === b.replacement

/** Members vote, by whichever of their keys; returns the account. */
function requireVoter(host: ContractHost): Address {
  const account = actingMember(host)
  if (!isVoter(host, account)) throw revert(abi, 'NotVoter', { account: host.caller })
  return account
}

function requireKnown(host: ContractHost, id: bigint): Head {
  const head = readHead(host, id)
  if (head.status === 0) throw revert(abi, 'UnknownChange', { id })
  return head
}

function requireOpen(host: ContractHost, id: bigint): Head {
  const head = requireKnown(host, id)
  const status = statusOf(host, head)
  if (status !== CHANGE_STATUS.open) throw revert(abi, 'ChangeNotOpen', { id, status })
  return head
}

const readHead = (host: ContractHost, id: bigint): Head => headWord.read(host.load(changeSlot(host, id)))

const approvalsOf = (host: ContractHost, id: bigint): Address[] =>
  loadWords(host, approvalsSlot(host, id)).map(wordAddress)

function statusOf(host: ContractHost, { status, proposedAt }: Head): number {
  const { changeBlocksMax } = readParameters(host)
  const lapsed = status === CHANGE_STATUS.open && BigInt(host.block.number) > proposedAt + changeBlocksMax
  return lapsed ? CHANGE_STATUS.lapsed : status
}
