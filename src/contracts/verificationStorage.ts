/** Storage of verification requests. */
import { assert } from '../core/assert.js'
import type { Address, Hash } from '../core/bytes.js'
import { requestItemsMax } from '../core/limits.js'
import { type ContractHost, revert } from '../vm/contract.js'
import { bigintWord, newMappingSlot, type Packed, packed, slotAfter } from '../vm/storage.js'
import { EXISTENCE } from './codes.js'
import { consentStands } from './consentsStorage.js'
import { dataSharingInterface as abi, attributeSet, REQUESTS_SLOT } from './dataSharingStorage.js'

/** Request { bytes32 enterpriseId; head; bytes32 purpose; times; uint8[32] required; mapping(address => answers); Item[32] items; bytes32 consent }. */
export const REQUEST = { head: 1, purpose: 2, times: 3, required: 4, answers: 5, items: 6, consent: 70 } as const

/** attributeSet: the attributes of the items, in order. openCount: items without quorum. */
export const requestHead = packed({
  requester: 'address',
  attributeSet: 'uint32',
  itemCount: 'uint8',
  openCount: 'uint8',
})
export type RequestHead = Packed<{
  requester: 'address'
  attributeSet: 'uint32'
  itemCount: 'uint8'
  openCount: 'uint8'
}>
/** deadline 0: none. consented: it rests on a consent, whose id stands in the last word. */
export const requestTimes = packed({
  height: 'uint64',
  deadline: 'uint64',
  portraitVersion: 'uint32',
  consented: 'bool',
})
export type RequestTimes = ReturnType<typeof requestTimes.read>

/**
 * Item { bytes32 digest; result }. Before answeredAt is set, existence and confirmed hold what the answers so far come to.
 * The weights are those of rule credit-weighted, 0 elsewhere: of all who were asked, and of who answered what.
 */
const ITEM_WORDS = 2
assert(REQUEST.consent === REQUEST.items + ITEM_WORDS * requestItemsMax, 'the consent stands behind the last item')
const ITEM_RESULT = {
  existence: 'uint8',
  confirmed: 'bool',
  answers: 'uint8',
  generation: 'uint32',
  answeredAt: 'uint64',
  askedWeight: 'uint16',
  existsWeight: 'uint16',
  confirmedWeight: 'uint16',
  missingWeight: 'uint16',
  vacantWeight: 'uint16',
  refusedWeight: 'uint16',
} as const
export const itemResult = packed(ITEM_RESULT)
export type ItemResult = Packed<typeof ITEM_RESULT>

/**
 * One supervisor's answers to one request: 4 bits an item (existence, and 8 for confirmed; 0 unanswered), lowest item first;
 * its weight where an item goes by credit.
 */
export const supervisorAnswers = packed({ named: 'bool', answers: 'uint128', weight: 'uint16' })

export interface OpenRequest {
  readonly slot: Hash
  readonly head: RequestHead
  readonly attributes: readonly Hash[]
}

export const requestSlot = (host: ContractHost, requestId: bigint): Hash =>
  newMappingSlot(host, REQUESTS_SLOT, bigintWord(requestId))

/** Reverts with UnknownRequest. */
export function openRequest(host: ContractHost, requestId: bigint): OpenRequest {
  const slot = requestSlot(host, requestId)
  const head = requestHead.read(host.load(slotAfter(slot, REQUEST.head)))
  if (head.itemCount === 0) throw revert(abi, 'UnknownRequest', { requestId })
  return { slot, head, attributes: attributeSet(host, head.attributeSet) }
}

/** Whether the consent on which the request rests was revoked or has expired: then nobody answers it any more. */
export const isWithdrawn = (host: ContractHost, slot: Hash, { consented }: Pick<RequestTimes, 'consented'>): boolean =>
  consented && !consentStands(host, host.load(slotAfter(slot, REQUEST.consent)))

export const itemSlot = (request: Hash, index: number): Hash => slotAfter(request, REQUEST.items + ITEM_WORDS * index)
export const resultSlot = (request: Hash, index: number): Hash => slotAfter(itemSlot(request, index), 1)

export const answersSlot = (host: ContractHost, request: Hash, supervisor: Address): Hash =>
  newMappingSlot(host, slotAfter(request, REQUEST.answers), supervisor)

/** uint8[32] in one word, the first in the lowest byte; 0 where an item goes by credit. */
export function requiredWord(required: readonly number[]): Hash {
  const bytes = required.map((count) => count.toString(16).padStart(2, '0'))
  return `0x${bytes.reverse().join('').padStart(64, '0')}` as Hash
}

export const requiredOf = (word: Hash, index: number): number =>
  Number.parseInt(word.slice(64 - 2 * index, 66 - 2 * index), 16)

export interface Finding {
  readonly existence: number
  readonly confirmed: boolean
}

export function answerAt(answers: bigint, index: number): Finding {
  const bits = Number((answers >> BigInt(4 * index)) & 0xfn)
  return { existence: bits & 7, confirmed: (bits & 8) !== 0 }
}

export function withAnswer(answers: bigint, index: number, { existence, confirmed }: Finding): bigint {
  return answers | (BigInt(existence | (confirmed ? 8 : 0)) << BigInt(4 * index))
}

/** From good to bad: what several supervisors' answers come to is the worst of them. */
const SEVERITY: readonly number[] = [EXISTENCE.exists, EXISTENCE.vacant, EXISTENCE.missing, EXISTENCE.refused]

/** `before.existence` 0: the answer is the first. */
export function combine(before: Finding, answer: Finding): Finding {
  if (before.existence === 0) return answer
  const worse = SEVERITY.indexOf(answer.existence) > SEVERITY.indexOf(before.existence) ? answer : before
  return { existence: worse.existence, confirmed: before.confirmed && answer.confirmed }
}
