import fc from 'fast-check'
import t from 'tap'
import { exceedsThird, quorumWeight, tally, toleratesHeaviest, totalWeight } from '../../src/consensus/quorum.js'

const weights = fc.array(fc.integer({ min: 1, max: 2 ** 40 }), { minLength: 1, maxLength: 64 })
const within = (total: number) => fc.integer({ min: 0, max: total })

t.test('any two quorums share more than a third of the weight', async (t) => {
  fc.assert(
    fc.property(weights, (list) => {
      const total = totalWeight(list)
      const shared = 2 * quorumWeight(total) - total
      return exceedsThird(total, shared)
    }),
  )
  t.equal(quorumWeight(4), 3)
  t.equal(quorumWeight(3), 3)
  t.equal(quorumWeight(1), 1)
  t.equal(quorumWeight(7), 5)
})

t.test('sealers without a third of the weight cannot block a quorum', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 52 - 1 }).chain((total) => fc.tuple(fc.constant(total), within(total))),
      ([total, faulty]) => {
        fc.pre(3 * faulty < total)
        return total - faulty >= quorumWeight(total) && !exceedsThird(total, faulty)
      },
    ),
  )
})

t.test('a poll is pending until it is reached or cannot be', async (t) => {
  t.equal(tally(4, 2, 2), 'pending')
  t.equal(tally(4, 3, 0), 'reached')
  t.equal(tally(4, 1, 1), 'impossible')
  t.equal(tally(4, 0, 3), 'pending')
})

t.test('weights are positive integers with an exact sum', async (t) => {
  t.throws(() => totalWeight([]), /total weight/)
  t.throws(() => totalWeight([1, 0]), /positive integer/)
  t.throws(() => totalWeight([1.5]), /positive integer/)
  t.throws(() => totalWeight([2 ** 52]), /total weight/)
  t.equal(toleratesHeaviest([1, 1, 1, 1]), true)
  t.equal(toleratesHeaviest([1, 1, 1]), false)
})
