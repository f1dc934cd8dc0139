import fc from 'fast-check'
import t from 'tap'
import { roundRobin, smoothWeightedRoundRobin } from '../../src/consensus/schedule.js'
import type { SealerSet } from '../../src/consensus/types.js'
import { asEpoch, asView } from '../../src/core/bytes.js'
import { addressOf, machineOf } from '../../src/sim/keys.js'

function setOf(weights: readonly number[]): SealerSet {
  return { epoch: asEpoch(0), sealers: weights.map((weight, index) => ({ address: addressOf(index), weight })) }
}

function turns(set: SealerSet, schedule: typeof roundRobin, count: number): number[] {
  return Array.from({ length: count }, (_, view) => machineOf(schedule(set, asView(view))))
}

t.test('strict turns', async (t) => {
  t.same(turns(setOf([1, 5, 1]), roundRobin, 6), [0, 1, 2, 0, 1, 2])
})

t.test('equal weights give strict turns', async (t) => {
  const set = setOf([1, 1, 1, 1])
  t.same(turns(set, smoothWeightedRoundRobin, 8), turns(set, roundRobin, 8))
  t.same(turns(setOf([7, 7, 7]), smoothWeightedRoundRobin, 3), [0, 1, 2])
})

t.test('weighted turns are spread (the example of the nginx change that introduced them)', async (t) => {
  t.same(turns(setOf([5, 1, 1]), smoothWeightedRoundRobin, 7), [0, 0, 1, 0, 2, 0, 0])
})

t.test('within a period everyone leads as often as its weight says', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 }), (weights) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      const led = turns(setOf(weights), smoothWeightedRoundRobin, total)
      return weights.every((weight, index) => led.filter((leader) => leader === index).length === weight)
    }),
    { numRuns: 50 },
  )
})

t.test('huge weights keep their proportion and nobody is left out', async (t) => {
  const led = turns(setOf([1_000_000, 2_000_000, 1]), smoothWeightedRoundRobin, 4096)
  t.ok(led.includes(2))
  const first = led.filter((leader) => leader === 0).length
  const second = led.filter((leader) => leader === 1).length
  t.ok(Math.abs(second / first - 2) < 0.01)
})
