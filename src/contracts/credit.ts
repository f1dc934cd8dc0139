/** Contract `credit` (paper 6): a bounded score for each member, with how often each reason applied. */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { type ContractHost, defineContract, revert } from '../vm/contract.js'
import { bigintWord, newMappingSlot, numberWord } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { CREDIT_REASON, type CreditReason } from './codes.js'
import { creditScoreMax } from './creditRules.js'
import {
  bookReason,
  creditInterface,
  DISPUTES_SLOT,
  OVERDUE_SLOT,
  readCredit,
  readCreditParameters,
  storeCreditParameters,
} from './creditStorage.js'
import { reportEquivocation } from './equivocation.js'
import { creditParametersOf } from './genesisDefaults.js'
import type { GenesisConfig } from './genesisTypes.js'

const abi = creditInterface

export const credit = defineContract({
  name: 'credit',
  version: 1,
  address: CONTRACT_ADDRESSES.credit,
  abi,
  functions: {
    scoreOf: (host, { member }) => readCredit(host, member).score,

    recordOf(host, { member }) {
      const { score, missedInRow, counts } = readCredit(host, member)
      return { score, ...counts, missedInRow }
    },

    parameters: (host) => ({ scoreMax: creditScoreMax, ...readCreditParameters(host) }),

    recordAnswers(host, { member, requests }) {
      requireDataSharing(host)
      bookReason(host, member, 'answeredOnTime', requests)
      return undefined
    },

    recordOverdue(host, { member, requestId, reason }) {
      requireDataSharing(host)
      const late = reason === CREDIT_REASON.answeredLate
      if (!late && reason !== CREDIT_REASON.unanswered) throw revert(abi, 'InvalidReason', { reason })
      return bookOnce(host, OVERDUE_SLOT, requestId, member, late ? 'answeredLate' : 'unanswered')
    },

    recordDispute(host, { member, objectionId }) {
      requireDataSharing(host)
      return bookOnce(host, DISPUTES_SLOT, objectionId, member, 'disputeUpheld')
    },

    reportEquivocation,
  },
})

/** Writes the parameters of block 0. */
export function initCredit(host: ContractHost, genesis: GenesisConfig): void {
  const parameters = creditParametersOf(genesis)
  requireRange('start', parameters.start, 0)
  for (const [reason, points] of Object.entries(parameters.points)) requireRange(reason, points, -creditScoreMax)
  storeCreditParameters(host, parameters)
}

/** One request finds a member late or missing once, whichever is seen first; one objection is upheld against it once. */
function bookOnce(host: ContractHost, marks: Hash, id: bigint, member: Address, reason: CreditReason): boolean {
  const slot = newMappingSlot(host, newMappingSlot(host, marks, bigintWord(id)), member)
  if (host.load(slot) !== ZERO_HASH) return false
  host.store(slot, numberWord(1))
  bookReason(host, member, reason)
  return true
}

function requireDataSharing(host: ContractHost): void {
  if (host.caller !== CONTRACT_ADDRESSES.dataSharing) throw revert(abi, 'NotDataSharing', { caller: host.caller })
}

function requireRange(name: string, given: number, min: number): void {
  if (Number.isInteger(given) && given >= min && given <= creditScoreMax) return
  const bounds = { min: BigInt(min), max: BigInt(creditScoreMax) }
  throw revert(abi, 'InvalidParameter', { name, given: BigInt(Math.trunc(given)), ...bounds })
}
