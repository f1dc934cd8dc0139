/** Contract `eligibility`: service rules decided from attested answers. */
import t from 'tap'
import {
  BASIS,
  EXISTENCE,
  DECISION_OUTCOME as OUTCOME,
  PREDICATE,
  CONDITION_RESULT as RESULT,
  VALUE_TYPE,
} from '../../src/contracts/codes.js'
import type { DataProfile } from '../../src/contracts/genesisTypes.js'
import { textId } from '../../src/contracts/textId.js'
import { type Hash, ZERO_HASH } from '../../src/core/bytes.js'
import { requestItemsMax } from '../../src/core/limits.js'
import {
  AUDITOR,
  CAPITAL,
  EMPLOYEES,
  ENTERPRISE,
  ENTERPRISE_ID,
  FINANCE,
  genesisConfig,
  MARKET,
  OTHER_ENTERPRISE,
  PATENTS,
  profile,
  STRANGER,
  World,
  word,
} from './world.js'

const GRANT = textId('innovation-grant')
const PURPOSE = textId('grant')

const numeric = (given: DataProfile): DataProfile => {
  return { ...given, schema: { ...given.schema, valueType: VALUE_TYPE.integer } }
}

function newWorld(): World {
  const attributes = [numeric(profile(CAPITAL, [MARKET])), numeric(profile(EMPLOYEES, [MARKET]))]
  return new World(genesisConfig({ attributes }))
}

/** Declares "at least"; returns the predicate's id. */
function atLeast(world: World, attribute: Hash, bound: string): Hash {
  const args = { attribute, op: PREDICATE.atLeast, operands: [bound] }
  const [, declared] = world.must('eligibility', FINANCE, 'declarePredicate', args)[0]!
  return declared.predicateId as Hash
}

function define(world: World, conditions: readonly (readonly [clause: number, predicateId: Hash])[]): void {
  const listed = conditions.map(([clause, predicateId]) => ({ clause, predicateId }))
  world.must('eligibility', FINANCE, 'definePolicy', {
    policyId: GRANT,
    title: 'Innovation grant',
    purpose: PURPOSE,
    conditions: listed,
  })
}

const answer = (
  world: World,
  attribute: Hash,
  digest: Hash,
  confirmed: boolean,
  existence: number = EXISTENCE.exists,
) =>
  world.must('dataSharing', MARKET, 'SetUserProfile', {
    enterpriseId: ENTERPRISE_ID,
    attribute,
    digest,
    existence,
    confirmed,
  })
const about = { policyId: GRANT, enterpriseId: ENTERPRISE_ID }
const decision = { ...about, basis: ZERO_HASH }
const evaluate = (world: World) => world.view('eligibility', 'evaluate', about)

t.test('all clauses have to be met; of a clause one condition is enough', async (t) => {
  const world = newWorld()
  const capital = atLeast(world, CAPITAL, '1000000')
  const fewer = atLeast(world, EMPLOYEES, '20')
  const more = atLeast(world, EMPLOYEES, '50')
  define(world, [
    [0, fewer],
    [1, capital],
    [1, more],
  ])
  t.same(evaluate(world), { outcome: OUTCOME.undecided, results: [RESULT.open, RESULT.open, RESULT.open] })
  t.equal(world.refusal('eligibility', FINANCE, 'decide', decision), 'Undecided')
  answer(world, EMPLOYEES, fewer, true)
  answer(world, CAPITAL, capital, false)
  t.same(evaluate(world), { outcome: OUTCOME.undecided, results: [RESULT.met, RESULT.notMet, RESULT.open] })
  answer(world, EMPLOYEES, more, true)
  const logs = world.must('eligibility', FINANCE, 'decide', decision)
  t.equal(logs.length, 6, 'two uses of the portrait, each condition with its result, the outcome')
  t.match(logs[5], [
    'Decided',
    { decisionId: 1n, policyId: GRANT, enterpriseId: ENTERPRISE_ID, outcome: OUTCOME.eligible },
  ])
  t.match(logs[3], [
    'ConditionJudged',
    { attribute: CAPITAL, predicateId: capital, result: RESULT.notMet, answeredAt: 1n },
  ])
  t.same(world.view('eligibility', 'decisionOf', { decisionId: 1n }), {
    policyId: GRANT,
    version: 1,
    enterpriseId: ENTERPRISE_ID,
    outcome: OUTCOME.eligible,
    height: 1n,
    decidedBy: FINANCE,
    results: [RESULT.met, RESULT.notMet, RESULT.met],
  })
  t.equal(world.view('eligibility', 'latestDecision', about), 1n)
})

t.test('what is missing or vacant does not meet a condition, and the record says which it was', async (t) => {
  const world = newWorld()
  const capital = atLeast(world, CAPITAL, '5')
  const staff = atLeast(world, EMPLOYEES, '5')
  define(world, [
    [0, capital],
    [0, staff],
  ])
  answer(world, CAPITAL, capital, false, EXISTENCE.missing)
  t.equal(evaluate(world).outcome, OUTCOME.undecided, 'the alternative is open')
  answer(world, EMPLOYEES, staff, false, EXISTENCE.vacant)
  t.same(evaluate(world), { outcome: OUTCOME.ineligible, results: [RESULT.missing, RESULT.vacant] })
  world.must('eligibility', ENTERPRISE, 'decide', decision)
  t.equal(world.view('eligibility', 'decisionOf', { decisionId: 1n }).outcome, OUTCOME.ineligible)
  t.throws(() => world.view('eligibility', 'decisionOf', { decisionId: 2n }), /UnknownDecision/)
})

t.test('a changed value opens the question again; a decision stands as it was made', async (t) => {
  const world = newWorld()
  const staff = atLeast(world, EMPLOYEES, '20')
  define(world, [[0, staff]])
  answer(world, EMPLOYEES, staff, true)
  world.must('eligibility', FINANCE, 'decide', decision)
  world.must('dataSharing', MARKET, 'reportChange', { enterpriseId: ENTERPRISE_ID, attributes: [EMPLOYEES] })
  t.equal(evaluate(world).outcome, OUTCOME.undecided)
  answer(world, EMPLOYEES, staff, false)
  world.must('eligibility', FINANCE, 'decide', decision)
  t.equal(world.view('eligibility', 'decisionOf', { decisionId: 1n }).outcome, OUTCOME.eligible)
  t.equal(world.view('eligibility', 'decisionOf', { decisionId: 2n }).outcome, OUTCOME.ineligible)
  t.equal(world.view('eligibility', 'latestDecision', about), 2n)
})

t.test('versions of a policy: the latest decides, older ones can be read', async (t) => {
  const world = newWorld()
  const [low, high] = [atLeast(world, EMPLOYEES, '20'), atLeast(world, EMPLOYEES, '200')]
  define(world, [[0, low]])
  answer(world, EMPLOYEES, low, true)
  world.must('eligibility', FINANCE, 'decide', decision)
  world.endBlock()
  define(world, [[0, high]])
  t.equal(evaluate(world).outcome, OUTCOME.undecided)
  t.match(world.view('eligibility', 'policyOf', { policyId: GRANT }), { version: 2, open: true, since: 2n })
  t.match(world.view('eligibility', 'policyVersion', { policyId: GRANT, version: 1 }), {
    open: false,
    conditions: [{ clause: 0, predicateId: low }],
  })
  t.throws(() => world.view('eligibility', 'policyVersion', { policyId: GRANT, version: 3 }), /UnknownPolicy/)
  world.must('eligibility', FINANCE, 'closePolicy', { policyId: GRANT })
  t.equal(world.refusal('eligibility', FINANCE, 'decide', decision), 'PolicyIsClosed')
  t.equal(world.refusal('eligibility', FINANCE, 'closePolicy', { policyId: GRANT }), 'PolicyIsClosed')
  t.equal(world.view('eligibility', 'decisionOf', { decisionId: 1n }).version, 1)
  t.equal(world.view('eligibility', 'policyAt', { index: 0n }), GRANT)
  t.equal(world.view('eligibility', 'policyCount', {}), 1n)
  t.throws(() => world.view('eligibility', 'policyAt', { index: 1n }), /UnknownIndex/)
})

t.test('who may do what, and what is malformed', async (t) => {
  const world = newWorld()
  const declare = (changes: object, by = FINANCE) =>
    world.refusal('eligibility', by, 'declarePredicate', {
      attribute: EMPLOYEES,
      op: PREDICATE.atLeast,
      operands: ['20'],
      ...changes,
    })
  t.equal(declare({}, STRANGER), 'NotActiveMember')
  t.equal(declare({ attribute: word('unknown') }), 'UnknownAttribute')
  t.equal(declare({ operands: ['twenty'] }), 'InvalidPredicate')
  t.equal(declare({ op: PREDICATE.before }), 'InvalidPredicate')
  const staff = atLeast(world, EMPLOYEES, '20')
  t.equal(
    world.must('eligibility', MARKET, 'declarePredicate', { attribute: EMPLOYEES, op: 1, operands: ['020'] }).length,
    0,
  )
  t.same(world.view('eligibility', 'predicateOf', { predicateId: staff }), {
    attribute: EMPLOYEES,
    schemaVersion: 1,
    op: PREDICATE.atLeast,
    operands: ['20'],
  })

  const policy = { policyId: GRANT, title: 'Grant', purpose: PURPOSE, conditions: [{ clause: 0, predicateId: staff }] }
  const refused = (changes: object, by = FINANCE) =>
    world.refusal('eligibility', by, 'definePolicy', { ...policy, ...changes })
  t.equal(refused({}, ENTERPRISE), 'NotActiveDepartment')
  t.equal(refused({ policyId: ZERO_HASH }), 'InvalidPolicy')
  t.equal(refused({ purpose: ZERO_HASH }), 'InvalidPolicy')
  t.equal(refused({ title: '' }), 'InvalidPolicy')
  t.equal(refused({ conditions: [] }), 'InvalidPolicy')
  t.equal(refused({ conditions: [policy.conditions[0]!, policy.conditions[0]!] }), 'InvalidPolicy')
  t.equal(refused({ conditions: [{ clause: 0, predicateId: word('unknown') }] }), 'UnknownPredicate')
  const ids = Array.from({ length: requestItemsMax + 1 }, (_, i) => atLeast(world, CAPITAL, String(i)))
  const conditions = ids.map((predicateId) => ({ clause: 0, predicateId }))
  t.equal(refused({ conditions: conditions.slice(1) }), 'succeeded')
  t.equal(refused({ conditions }), 'InvalidPolicy')
  define(world, [[0, staff]])
  t.equal(refused({}, PATENTS), 'NotPolicyOwner')
  t.equal(world.refusal('eligibility', PATENTS, 'closePolicy', { policyId: GRANT }), 'NotPolicyOwner')
  answer(world, EMPLOYEES, staff, true)
  t.equal(world.refusal('eligibility', OTHER_ENTERPRISE, 'decide', decision), 'NotConcerned')
  t.equal(world.refusal('eligibility', AUDITOR, 'decide', decision), 'NotConcerned')
  t.equal(world.refusal('eligibility', ENTERPRISE, 'decide', decision), 'succeeded')
  t.equal(world.refusal('eligibility', FINANCE, 'decide', { ...decision, policyId: textId('none') }), 'UnknownPolicy')
})

t.test('answers that need a basis: the decision needs it too; the enterprise needs none about itself', async (t) => {
  const attribute = numeric(profile(EMPLOYEES, [MARKET], { basis: BASIS.consent }))
  const world = new World(genesisConfig({ attributes: [attribute] }))
  const staff = atLeast(world, EMPLOYEES, '20')
  define(world, [[0, staff]])
  answer(world, EMPLOYEES, staff, true)
  t.equal(evaluate(world).outcome, OUTCOME.undecided, 'the free look-up does not tell')
  const refused = world.must('eligibility', FINANCE, 'decide', decision)
  t.match(refused, [['VerificationRefused', { enterpriseId: ENTERPRISE_ID, requester: FINANCE, attribute: EMPLOYEES }]])
  t.equal(world.view('eligibility', 'decisionCount', {}), 0n, 'no decision, and the refusal on record')

  const consent = {
    requester: FINANCE,
    enterpriseId: ENTERPRISE_ID,
    attributes: [EMPLOYEES],
    purpose: PURPOSE,
    notAfter: BigInt(world.block.timestamp + 100),
    uses: 1,
    salt: ZERO_HASH,
  }
  const [, granted] = world.must('consents', ENTERPRISE, 'grant', { consent, signature: new Uint8Array() })[0]!
  const withConsent = { ...decision, basis: granted.id as Hash }
  t.match(world.must('eligibility', FINANCE, 'decide', withConsent).at(-1), ['Decided', { outcome: OUTCOME.eligible }])
  t.match(world.must('eligibility', FINANCE, 'decide', withConsent), [['VerificationRefused', {}]], 'used up')
  t.match(world.must('eligibility', ENTERPRISE, 'decide', decision).at(-1), ['Decided', { outcome: OUTCOME.eligible }])
})

t.test('the door in dataSharing is for this contract alone', async (t) => {
  const world = newWorld()
  const args = { requester: ENTERPRISE, enterpriseId: ENTERPRISE_ID, purpose: PURPOSE, basis: ZERO_HASH, items: [] }
  t.equal(world.refusal('dataSharing', ENTERPRISE, 'usePortraitFor', args), 'NotEligibility')
})
