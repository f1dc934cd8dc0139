/** What answers mean for the credit of those who owe them: one mark for each request and supervisor, not for each item. */
import type { Address } from '../core/bytes.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { slotAfter } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { CREDIT_REASON } from './codes.js'
import { creditInterface } from './creditStorage.js'
import { readEntryHead, readSupervisors } from './dataPortraitStorage.js'
import type { dataSharingAbi } from './dataSharing.abi.js'
import { dataSharingInterface as abi } from './dataSharingStorage.js'
import { isActiveDepartment, readMemberHead } from './membersStorage.js'
import {
  answerAt,
  answersSlot,
  isWithdrawn,
  itemResult,
  type OpenRequest,
  openRequest,
  REQUEST,
  requestTimes,
  resultSlot,
  supervisorAnswers,
} from './verificationStorage.js'

/** The member has begun to answer this many requests in time. */
export function recordAnswered(host: ContractHost, member: Address, requests: number): void {
  const call = creditInterface.encodeCall('recordAnswers', { member, requests })
  host.call(CONTRACT_ADDRESSES.credit, call)
}

/** False when the request has found this member late or missing before. */
export function recordOverdue(
  host: ContractHost,
  member: Address,
  requestId: bigint,
  reason: 'answeredLate' | 'unanswered',
): boolean {
  const args = { member, requestId, reason: CREDIT_REASON[reason] }
  const output = host.call(CONTRACT_ADDRESSES.credit, creditInterface.encodeCall('recordOverdue', args))
  return creditInterface.decodeResult('recordOverdue', output)
}

/** Anyone may say that the deadline of a request has passed: who owes an answer to an item without quorum is recorded, once; nobody where the consent was withdrawn. */
export function closeRequest(
  host: ContractHost,
  { requestId }: FunctionArgs<typeof dataSharingAbi, 'closeRequest'>,
): readonly Address[] {
  const request = openRequest(host, requestId)
  const times = requestTimes.read(host.load(slotAfter(request.slot, REQUEST.times)))
  const { deadline } = times
  if (deadline === 0n || BigInt(host.block.number) <= deadline) {
    throw revert(abi, 'DeadlineNotPassed', { requestId, deadline })
  }
  const silent = isWithdrawn(host, request.slot, times) ? [] : silentSupervisors(host, request)
  const supervisors = silent.filter((supervisor) => recordOverdue(host, supervisor, requestId, 'unanswered'))
  if (supervisors.length === 0) throw revert(abi, 'NothingUnanswered', { requestId })
  emit(host, abi, 'AnswersMissing', { requestId, supervisors })
  return supervisors
}

/** Where an item has its quorum nobody is at fault, nor is who was suspended or no longer supervises it. */
function silentSupervisors(host: ContractHost, { slot, attributes }: OpenRequest): Address[] {
  const silent = new Set<Address>()
  for (const [i, attribute] of attributes.entries()) {
    if (itemResult.read(host.load(resultSlot(slot, i))).answeredAt !== 0n) continue
    const head = readEntryHead(host, attribute)
    for (const supervisor of head === undefined ? [] : readSupervisors(host, attribute, head)) {
      host.charge(GAS_STEP)
      const { named, answers } = supervisorAnswers.read(host.load(answersSlot(host, slot, supervisor)))
      const owes = named && answerAt(answers, i).existence === 0
      if (owes && isActiveDepartment(readMemberHead(host, supervisor))) silent.add(supervisor)
    }
  }
  return [...silent]
}
