/**
 * Rule credit-weighted: supervisors' answers count by their credit. Weights are those of the block of the request, so that
 * what happens meanwhile changes no open question. An item completes when those who answered hold more than half of the
 * weight of the supervisors asked; the answer with the most weight stands, and of equal ones the worse.
 */
import type { Address } from '../core/bytes.js'
import type { ContractHost } from '../vm/contract.js'
import { EXISTENCE } from './codes.js'
import { readCredit } from './creditStorage.js'
import type { Finding, ItemResult } from './verificationStorage.js'

/** A supervisor without credit still counts for something, or those who lost theirs could leave an item open for good. */
export const answerWeight = (host: ContractHost, supervisor: Address): number =>
  Math.max(1, readCredit(host, supervisor).score)

/** The result with one more answer of this weight. */
export function weigh(before: ItemResult, { existence, confirmed }: Finding, weight: number): ItemResult {
  const result = {
    ...before,
    existsWeight: before.existsWeight + (existence === EXISTENCE.exists ? weight : 0),
    confirmedWeight: before.confirmedWeight + (confirmed ? weight : 0),
    missingWeight: before.missingWeight + (existence === EXISTENCE.missing ? weight : 0),
    vacantWeight: before.vacantWeight + (existence === EXISTENCE.vacant ? weight : 0),
    refusedWeight: before.refusedWeight + (existence === EXISTENCE.refused ? weight : 0),
  }
  return { ...result, ...heaviest(result) }
}

export function isWeighedComplete({
  existsWeight,
  missingWeight,
  vacantWeight,
  refusedWeight,
  askedWeight,
}: ItemResult) {
  return 2 * (existsWeight + missingWeight + vacantWeight + refusedWeight) > askedWeight
}

/** First whether the value exists, then, among those who have it, whether it is right. */
function heaviest(result: ItemResult): Finding {
  const worstFirst: readonly (readonly [existence: number, weight: number])[] = [
    [EXISTENCE.refused, result.refusedWeight],
    [EXISTENCE.missing, result.missingWeight],
    [EXISTENCE.vacant, result.vacantWeight],
    [EXISTENCE.exists, result.existsWeight],
  ]
  const [existence] = worstFirst.reduce((best, next) => (next[1] > best[1] ? next : best))
  const confirmed = existence === EXISTENCE.exists && 2 * result.confirmedWeight > result.existsWeight
  return { existence, confirmed }
}
