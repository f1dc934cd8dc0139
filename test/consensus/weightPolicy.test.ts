import fc from 'fast-check'
import t from 'tap'
import {
  builtinExtensions,
  ExtensionError,
  policyNamed,
  scheduleNamed,
  withExtension,
} from '../../src/consensus/extensions.js'
import { quorumWeight, toleratesHeaviest, totalWeight } from '../../src/consensus/quorum.js'
import { roundRobin } from '../../src/consensus/schedule.js'
import { creditWeights, type EpochState, epochWeights, equalWeights } from '../../src/consensus/weightPolicy.js'
import { type Address, asEpoch, asHeight } from '../../src/core/bytes.js'

const SCORE_MAX = 1_000
const addressOf = (n: number) => `0x${n.toString(16).padStart(40, '0')}` as Address

function stateOf(scores: readonly number[]): EpochState {
  const rest = { sealed: 0, missed: 0, missedInRow: 0, weight: 1 }
  const sealers = scores.map((score, i) => ({ address: addressOf(i), score, ...rest }))
  return { epoch: asEpoch(0), height: asHeight(9), scoreMax: SCORE_MAX, sealers }
}
const given = (weights: readonly number[]) => ({ name: 'given', weights: () => weights })
const cut = (weights: readonly number[]) => epochWeights(given(weights), stateOf(weights.map(() => 0)))

const scores = fc.array(fc.integer({ min: 0, max: SCORE_MAX }), { minLength: 1, maxLength: 64 })
const anyWeights = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2 ** 46 })), {
  minLength: 4,
  maxLength: 64,
})

/** A heavier sealer never comes out lighter. */
const keepsOrder = (given: readonly number[], taken: readonly number[]) =>
  given.every((one, i) => given.every((other, j) => one > other || taken[i]! <= taken[j]!))

t.test('no weight reaches a third, order is kept, the heaviest may fail', async (t) => {
  fc.assert(
    fc.property(anyWeights, (weights) => {
      const taken = cut(weights)
      const total = totalWeight(taken)
      t.ok(toleratesHeaviest(taken) && total - Math.max(...taken) >= quorumWeight(total))
      t.ok(total <= totalWeight(weights) && taken.every((weight, i) => weight >= 1 && weight <= weights[i]!))
      t.ok(keepsOrder(weights, taken))
      t.same(cut(weights), taken)
      t.same(cut(taken), taken, 'weights below a third are left alone')
    }),
    { numRuns: 200 },
  )
})

t.test('the cut is the least that is needed', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 4, maxLength: 9 }), (weights) => {
      const cap = Math.max(...cut(weights))
      const higher = weights.map((weight) => Math.min(weight, cap + 1))
      t.ok(Math.max(...weights) === cap || 3 * (cap + 1) >= totalWeight(higher))
    }),
  )
  t.same(cut([1, 1, 1, 100]), [1, 1, 1, 1])
  t.same(cut([25, 5, 5, 5]), [7, 5, 5, 5])
  t.same(cut([100, 90, 10, 10]), [19, 19, 10, 10])
  t.same(cut([30, 30, 30, 30]), [30, 30, 30, 30])
  const largest = 2 ** 50 - 1
  t.same(cut([largest, largest, largest, 1]), [largest, largest, largest, 1], 'large sums are exact')
})

t.test('fewer than four sealers weigh the same', async (t) => {
  t.same(cut([9]), [1])
  t.same(cut([9, 1]), [1, 1])
  t.same(cut([9, 1, 5]), [1, 1, 1])
})

t.test('a policy that gives anything but a positive integer for each stops the node', async (t) => {
  for (const weights of [[], [1, 0, 1, 1], [1, 1.5, 1, 1], [1, -1, 1, 1], [1, Number.NaN, 1, 1], [2 ** 52, 1, 1, 1]]) {
    t.throws(() => epochWeights(given(weights), stateOf([0, 0, 0, 0])), { name: 'InvariantError' })
  }
  t.throws(() => epochWeights(given([1, 1, 1, 1, 1]), stateOf([0, 0, 0, 0])), /each sealer/)
})

t.test('credit: more for a better score, something for the worst, five to one at most', async (t) => {
  t.same(creditWeights.weights(stateOf([0, 49, 50, 500, 999, 1000])), [5, 5, 6, 15, 24, 25])
  fc.assert(
    fc.property(scores, (list) => {
      const weights = creditWeights.weights(stateOf(list))
      t.ok(weights.every((weight) => Number.isSafeInteger(weight) && weight >= 5 && weight <= 25))
      t.ok(keepsOrder(list, weights))
    }),
    { numRuns: 50 },
  )
  t.same(equalWeights.weights(stateOf([0, 1000])), [1, 1])
})

t.test('extensions are chosen by name', async (t) => {
  t.equal(policyNamed(builtinExtensions, 'credit'), creditWeights)
  t.equal(scheduleNamed(builtinExtensions, 'round-robin'), roundRobin)
  const policies = [given([1])]
  const extended = withExtension(builtinExtensions, { policies, schedules: [{ name: 'first', leader: roundRobin }] })
  t.equal(policyNamed(extended, 'given'), policies[0])
  t.equal(scheduleNamed(extended, 'first'), roundRobin)
  t.throws(() => policyNamed(builtinExtensions, 'given'), { code: 'UNKNOWN_POLICY', message: /equal, credit/ })
  t.throws(() => scheduleNamed(builtinExtensions, 'first'), { code: 'UNKNOWN_SCHEDULE', message: /round-robin/ })
  t.throws(() => withExtension(extended, { policies }), { code: 'NAME_TAKEN' })
  t.throws(() => withExtension(builtinExtensions, { schedules: [{ name: 'round-robin', leader: roundRobin }] }), {
    code: 'NAME_TAKEN',
  })
  t.throws(
    () => withExtension(builtinExtensions, { policies: [{ ...equalWeights, name: 'Two words' }] }),
    ExtensionError,
  )
  const noFunction = { name: 'none' } as unknown as typeof equalWeights
  t.throws(() => withExtension(builtinExtensions, { policies: [noFunction] }), { code: 'INVALID' })
})
