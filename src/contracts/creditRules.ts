/** How a member's credit changes: pure, so that the contract and the simulator follow the same rules. */
import { CREDIT_REASON, type CreditReason } from './codes.js'

/** Scores are 0 to this: bounded, so that nobody gets ahead without end and everybody can recover. */
export const creditScoreMax = 1_000
/** Counts stop here instead of wrapping; a sealer of a block a second needs 136 years. */
const countMax = 2 ** 32 - 1
const missedInRowMax = 2 ** 8 - 1

export type CreditCounts = Readonly<Record<CreditReason, number>>

export interface CreditRecord {
  /** 0 to creditScoreMax. */
  readonly score: number
  /** How often each reason applied. */
  readonly counts: CreditCounts
  /** Turns missed since the last one that was sealed. */
  readonly missedInRow: number
}

/** Set in genesis. */
export interface CreditParameters {
  /** Score of a member of whom nothing is known yet. */
  readonly start: number
  /** What each reason adds to the score, -creditScoreMax to creditScoreMax. */
  readonly points: Readonly<Record<CreditReason, number>>
}

/** Slow to earn, quick to lose; a proven double signature takes everything. */
export const defaultCreditParameters: CreditParameters = {
  start: 500,
  points: {
    turnSealed: 1,
    turnMissed: -10,
    answeredOnTime: 1,
    answeredLate: -2,
    unanswered: -20,
    disputeUpheld: -100,
    equivocation: -creditScoreMax,
  },
}

export const CREDIT_REASONS = Object.keys(CREDIT_REASON) as readonly CreditReason[]

const NO_COUNTS = Object.fromEntries(CREDIT_REASONS.map((reason) => [reason, 0])) as CreditCounts

/** Record of a member before anything is known of it. */
export function newCreditRecord({ start }: CreditParameters): CreditRecord {
  return { score: start, counts: NO_COUNTS, missedInRow: 0 }
}

/** The record after `reason` applied `times` times. */
export function applyReason(
  record: CreditRecord,
  reason: CreditReason,
  { points }: CreditParameters,
  times = 1,
): CreditRecord {
  const score = Math.min(Math.max(record.score + times * points[reason], 0), creditScoreMax)
  const counts = { ...record.counts, [reason]: Math.min(record.counts[reason] + times, countMax) }
  return { score, counts, missedInRow: missedInRow(record, reason, times) }
}

function missedInRow(record: CreditRecord, reason: CreditReason, times: number): number {
  if (reason === 'turnSealed') return 0
  if (reason !== 'turnMissed') return record.missedInRow
  return Math.min(record.missedInRow + times, missedInRowMax)
}
