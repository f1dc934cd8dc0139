/** attest (paper 4.3 (d)-(e)): supervisors answer; a quorum of answers completes an item and goes into the user portrait. */
import type { Address, Hash } from '../core/bytes.js'
import { attestAnswersMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { slotAfter } from '../vm/storage.js'
import { recordAnswered, recordOverdue } from './answerCredit.js'
import { EXISTENCE } from './codes.js'
import { readEntryHead, readSupervisors, supervises } from './dataPortraitStorage.js'
import type { dataSharingAbi } from './dataSharing.abi.js'
import { dataSharingInterface as abi, requireActingDepartment, requireCount } from './dataSharingStorage.js'
import { checkFinding, generationOf, markLive, writePortrait } from './userPortrait.js'
import {
  answerAt,
  answersSlot,
  combine,
  type Finding,
  type ItemResult,
  isWithdrawn,
  itemResult,
  itemSlot,
  type OpenRequest,
  openRequest,
  REQUEST,
  requestHead,
  requestTimes,
  requiredOf,
  resultSlot,
  supervisorAnswers,
  withAnswer,
} from './verificationStorage.js'
import { isWeighedComplete, weigh } from './weightedQuorum.js'

type Answer = FunctionArgs<typeof dataSharingAbi, 'attest'>['answers'][number]

/** A request while one supervisor's answers to it are taken. */
interface Session {
  readonly requestId: bigint
  readonly request: OpenRequest
  readonly enterpriseId: Hash
  readonly supervisor: Address
  readonly required: Hash
  readonly late: boolean
  /** The consent on which it rests does not stand any more. */
  readonly withdrawn: boolean
  /** By which its answers count where credit decides. */
  readonly weight: number
  answers: bigint
  openCount: number
  /** A late answer was still wanted. */
  overdue: boolean
}

/**
 * Takes the caller's answers, also to several requests. An answer after the deadline is noted (AnswerLate) and does not
 * count, nor does one to a request whose consent was withdrawn (AnswerVoid); one after the quorum stands on record but changes nothing. Anything else out of order reverts all answers.
 */
export function attest(host: ContractHost, { answers }: { readonly answers: readonly Answer[] }): undefined {
  const supervisor = requireActingDepartment(host)
  requireCount('answers', answers.length, attestAnswersMax)
  let begun = 0
  for (const [requestId, group] of byRequest(answers)) {
    const session = open(host, requestId, supervisor)
    if (!session.late && !session.withdrawn && session.answers === 0n) begun++
    for (const answer of group) take(host, session, answer)
    close(host, session)
  }
  if (begun > 0) recordAnswered(host, supervisor, begun)
  return undefined
}

function byRequest(answers: readonly Answer[]): Map<bigint, Answer[]> {
  const groups = new Map<bigint, Answer[]>()
  for (const answer of answers) {
    const group = groups.get(answer.requestId)
    if (group === undefined) groups.set(answer.requestId, [answer])
    else group.push(answer)
  }
  return groups
}

function open(host: ContractHost, requestId: bigint, supervisor: Address): Session {
  const request = openRequest(host, requestId)
  const { slot, head } = request
  const { named, answers, weight } = supervisorAnswers.read(host.load(answersSlot(host, slot, supervisor)))
  if (!named) throw revert(abi, 'NotNamed', { account: supervisor, requestId })
  const times = requestTimes.read(host.load(slotAfter(slot, REQUEST.times)))
  const { deadline } = times
  const withdrawn = isWithdrawn(host, slot, times)
  const late = deadline !== 0n && BigInt(host.block.number) > deadline
  const required = host.load(slotAfter(slot, REQUEST.required))
  const enterpriseId = host.load(slot)
  const { openCount } = head
  const state = { late, withdrawn, weight, answers, openCount, overdue: false }
  return { requestId, request, enterpriseId, supervisor, required, ...state }
}

function take(host: ContractHost, session: Session, answer: Answer): void {
  host.charge(GAS_STEP)
  const { requestId, supervisor, request } = session
  const { attribute, existence, confirmed } = answer
  const index = request.attributes.indexOf(attribute)
  if (index < 0) throw revert(abi, 'NotAsked', { requestId, attribute })
  const entry = readEntryHead(host, attribute)
  if (entry === undefined || !supervises(host, attribute, entry, supervisor)) {
    throw revert(abi, 'NotSupervisor', { account: supervisor, attribute })
  }
  checkFinding(existence, confirmed)
  if (answerAt(session.answers, index).existence !== 0) {
    throw revert(abi, 'AlreadyAttested', { requestId, attribute, supervisor })
  }
  if (session.withdrawn) {
    emit(host, abi, 'AnswerVoid', { requestId, attribute, supervisor })
    return
  }
  if (session.late) {
    emit(host, abi, 'AnswerLate', { requestId, attribute, supervisor })
    session.overdue ||= itemResult.read(host.load(resultSlot(request.slot, index))).answeredAt === 0n
    return
  }
  session.answers = withAnswer(session.answers, index, answer)
  emit(host, abi, 'Attested', { requestId, attribute, supervisor, existence, confirmed })
  count(host, session, index, answer)
}

function count(host: ContractHost, session: Session, index: number, answer: Finding): void {
  const place = resultSlot(session.request.slot, index)
  const before = itemResult.read(host.load(place))
  if (before.answeredAt !== 0n) return
  const attribute = session.request.attributes[index]!
  const current = generationOf(host, session.enterpriseId, attribute)
  const answers = before.answers + 1
  const required = requiredOf(session.required, index)
  const heard = required === 0 ? weigh(before, answer, session.weight) : { ...before, ...combine(before, answer) }
  const complete = required === 0 ? isWeighedComplete(heard) : answers >= required
  const result = {
    ...heard,
    answers,
    generation: before.answers === 0 ? current : before.generation,
    answeredAt: complete ? BigInt(host.block.number) : 0n,
  }
  host.store(place, itemResult.write(result))
  if (!complete) {
    markLive(host, session.enterpriseId, attribute)
    return
  }
  session.openCount--
  if (result.generation === current) keep(host, session, index, result)
}

/** A refusal says nothing about the value, so the next requester asks again. */
function keep(host: ContractHost, session: Session, index: number, result: ItemResult): void {
  if (result.existence === EXISTENCE.refused) return
  const { request, enterpriseId } = session
  const attribute = request.attributes[index]!
  const digest = host.load(itemSlot(request.slot, index))
  const attesters = result.answers === 1 ? [session.supervisor] : attestersOf(host, session, index)
  const { existence, confirmed } = result
  writePortrait(host, enterpriseId, attribute, { digest, existence, confirmed, attesters })
}

/** Supervisors that have answered the item, in the order of the data portrait. */
function attestersOf(host: ContractHost, session: Session, index: number): Address[] {
  const attribute = session.request.attributes[index]!
  const head = readEntryHead(host, attribute)!
  return readSupervisors(host, attribute, head).filter((supervisor) => {
    if (supervisor === session.supervisor) return true
    const word = host.load(answersSlot(host, session.request.slot, supervisor))
    return answerAt(supervisorAnswers.read(word).answers, index).existence !== 0
  })
}

function close(host: ContractHost, session: Session): void {
  const { request, requestId, supervisor, openCount, weight } = session
  if (session.withdrawn) return
  if (session.late) {
    if (session.overdue) recordOverdue(host, supervisor, requestId, 'answeredLate')
    return
  }
  const place = answersSlot(host, request.slot, supervisor)
  host.store(place, supervisorAnswers.write({ named: true, answers: session.answers, weight }))
  if (openCount === request.head.openCount) return
  host.store(slotAfter(request.slot, REQUEST.head), requestHead.write({ ...request.head, openCount }))
  if (openCount === 0) emit(host, abi, 'VerificationCompleted', { requestId })
}
