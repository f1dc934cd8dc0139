/** Storage of `credit`, read by other contracts too: one word for each member. */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { ContractAbi } from '../vm/abi.js'
import type { ContractHost } from '../vm/contract.js'
import { mappingSlot, type Packed, packed, slotAt } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import type { CreditReason } from './codes.js'
import { creditAbi } from './credit.abi.js'
import {
  applyReason,
  CREDIT_REASONS,
  type CreditParameters,
  type CreditRecord,
  newCreditRecord,
} from './creditRules.js'

export const creditInterface = new ContractAbi(creditAbi)

/** mapping(address => Record). */
const RECORDS_SLOT = slotAt(0)
/** Parameters: start and points. */
const PARAMETERS_SLOT = slotAt(1)
/** mapping(uint256 => mapping(address => bool)): requests for which a member was found late or missing. */
export const OVERDUE_SLOT = slotAt(2)
/** mapping(address => mapping(uint64 => uint64[4])): by sealer and epoch, views of booked equivocations, each one more than it is. */
export const REPORTS_SLOT = slotAt(3)
/** mapping(uint256 => mapping(address => bool)): objections that were upheld against a member's answer. */
export const DISPUTES_SLOT = slotAt(4)

const COUNTS = {
  turnSealed: 'uint32',
  turnMissed: 'uint32',
  answeredOnTime: 'uint32',
  answeredLate: 'uint32',
  unanswered: 'uint32',
  disputeUpheld: 'uint32',
  equivocation: 'uint32',
} as const
/** known: tells a score of 0 without counts from a member that was never recorded. */
const recordWord = packed({ score: 'uint16', missedInRow: 'uint8', known: 'bool', ...COUNTS })

const POINTS = {
  turnSealed: 'uint16',
  turnMissed: 'uint16',
  answeredOnTime: 'uint16',
  answeredLate: 'uint16',
  unanswered: 'uint16',
  disputeUpheld: 'uint16',
  equivocation: 'uint16',
} as const
const parametersWord = packed({ start: 'uint16', ...POINTS })

const CREDIT = CONTRACT_ADDRESSES.credit

const recordSlot = (host: ContractHost, member: Address): Hash => mappingSlot(host, RECORDS_SLOT, member)

export function readCreditParameters(host: ContractHost): CreditParameters {
  const word: Packed<typeof POINTS & { start: 'uint16' }> = parametersWord.read(host.loadFrom(CREDIT, PARAMETERS_SLOT))
  return { start: word.start, points: mapReasons((reason) => (word[reason] << 16) >> 16) }
}

export function storeCreditParameters(host: ContractHost, { start, points }: CreditParameters): void {
  host.store(PARAMETERS_SLOT, parametersWord.write({ start, ...mapReasons((reason) => points[reason] & 0xffff) }))
}

/** A member that was never recorded has the score with which all start. */
export function readCredit(host: ContractHost, member: Address): CreditRecord {
  const word = host.loadFrom(CREDIT, recordSlot(host, member))
  if (word === ZERO_HASH) return newCreditRecord(readCreditParameters(host))
  const { score, missedInRow, known: _, ...counts } = recordWord.read(word)
  return { score, missedInRow, counts }
}

export function storeCredit(host: ContractHost, member: Address, { score, missedInRow, counts }: CreditRecord): void {
  host.store(recordSlot(host, member), recordWord.write({ score, missedInRow, known: true, ...counts }))
}

/** Books a reason in the contract's own storage; returns the record before and after. */
export function bookReason(host: ContractHost, member: Address, reason: CreditReason, times = 1) {
  const before = readCredit(host, member)
  const after = applyReason(before, reason, readCreditParameters(host), times)
  storeCredit(host, member, after)
  return { before, after }
}

function mapReasons(value: (reason: CreditReason) => number): Record<CreditReason, number> {
  return Object.fromEntries(CREDIT_REASONS.map((reason) => [reason, value(reason)])) as Record<CreditReason, number>
}
