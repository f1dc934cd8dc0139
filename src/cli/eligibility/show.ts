/** Tables of service rules and decisions. */
import type { DecisionView, PolicyCondition, PolicyView } from '../../agent/eligibility.js'
import type { Output } from '../output.js'

const WORDS = { atLeast: 'at least', atMost: 'at most', before: 'before', after: 'after', oneOf: 'one of' } as const

const RESULTS = {
  open: 'no answer yet',
  met: 'met',
  notMet: 'not met',
  missing: 'not met: no record',
  vacant: 'not met: field empty',
} as const

export function conditionText({ attribute, comparison, operands }: PolicyCondition): string {
  return `${attribute} ${WORDS[comparison]} ${operands.join(', ')}`
}

export function showPolicy(out: Output, { id, title, purpose, version, open, owner, conditions }: PolicyView): void {
  out.line(`${title} (${id}, version ${version}${open ? '' : ', closed'}), by ${owner}, for the purpose ${purpose}`)
  out.table(
    ['clause', 'condition'],
    conditions.map((condition) => [condition.clause + 1, conditionText(condition)]),
  )
  out.line('All clauses have to be met; where a clause has several conditions, one of them.')
}

export function showDecision(out: Output, decision: DecisionView): void {
  const { decisionId, outcome, policy, version, enterprise, height, conditions } = decision
  const place = decisionId === null ? 'not on record' : `decision ${decisionId}, block ${height}`
  out.line(`${enterprise}, ${policy} version ${version}: ${outcome.toUpperCase()} (${place})`)
  out.table(
    ['clause', 'condition', 'result'],
    conditions.map((condition) => [condition.clause + 1, conditionText(condition), RESULTS[condition.result]]),
  )
}
