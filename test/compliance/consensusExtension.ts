/** What every weight policy and every leader schedule must do: what docs/extending-consensus.md asks for, as checks. */
import fc from 'fast-check'
import type { Test } from 'tap'
import type { NamedSchedule } from '../../src/consensus/schedule.js'
import type { SealerSet } from '../../src/consensus/types.js'
import {
  type EpochState,
  epochWeights,
  type SealerRecord,
  type WeightPolicy,
} from '../../src/consensus/weightPolicy.js'
import { type Address, asEpoch, asHeight, asView } from '../../src/core/bytes.js'

const RUNS = { numRuns: 300 }
const SEALERS_MAX = 25

const addressAt = (index: number) => `0x${(index + 1).toString(16).padStart(40, '0')}` as Address

const record = (index: number, scoreMax: number): fc.Arbitrary<SealerRecord> =>
  fc
    .record({
      score: fc.integer({ min: 0, max: scoreMax }),
      sealed: fc.integer({ min: 0, max: 1_000_000 }),
      missed: fc.integer({ min: 0, max: 1_000_000 }),
      weight: fc.integer({ min: 0, max: 1_000_000 }),
    })
    .chain((rest) =>
      fc
        .integer({ min: 0, max: rest.missed })
        .map((missedInRow) => ({ ...rest, missedInRow, address: addressAt(index) })),
    )

/** Any state that a chain may be in at the end of an epoch. */
const state: fc.Arbitrary<EpochState> = fc
  .record({
    epoch: fc.integer({ min: 0, max: 100_000 }).map(asEpoch),
    height: fc.integer({ min: 0, max: 10_000_000 }).map(asHeight),
    scoreMax: fc.constant(1_000),
    count: fc.integer({ min: 1, max: SEALERS_MAX }),
  })
  .chain(({ count, ...rest }) =>
    fc
      .tuple(...Array.from({ length: count }, (_, index) => record(index, rest.scoreMax)))
      .map((sealers) => ({ ...rest, sealers })),
  )

export function policyCompliance(t: Test, policy: WeightPolicy): void {
  t.test(`${policy.name}: weighs every sealer with a positive whole number`, async () => {
    fc.assert(
      fc.property(state, (given) => {
        const weights = policy.weights(given)
        return (
          weights.length === given.sealers.length &&
          weights.every((weight) => Number.isSafeInteger(weight) && weight > 0)
        )
      }),
      RUNS,
    )
  })

  t.test(`${policy.name}: no sealer of four or more reaches a third of what the chain takes`, async () => {
    fc.assert(
      fc.property(
        state.filter(({ sealers }) => sealers.length >= 4),
        (given) => {
          const weights = epochWeights(policy, given)
          return 3 * Math.max(...weights) < weights.reduce((sum, weight) => sum + weight, 0)
        },
      ),
      RUNS,
    )
  })

  t.test(`${policy.name}: depends on nothing but the state, and leaves it as it is`, async () => {
    fc.assert(
      fc.property(state, state, (one, other) => {
        const [given, between] = [frozen(one), frozen(other)]
        const first = pure(() => [...policy.weights(given)])
        pure(() => policy.weights(between))
        const again = pure(() => [...policy.weights(frozen(structuredClone(one)))])
        return first.join() === again.join()
      }),
      RUNS,
    )
  })
}

const sealerSet: fc.Arbitrary<SealerSet> = fc
  .record({
    epoch: fc.integer({ min: 0, max: 100_000 }).map(asEpoch),
    weights: fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: SEALERS_MAX }),
  })
  .map(({ epoch, weights }) => ({ epoch, sealers: weights.map((weight, i) => ({ address: addressAt(i), weight })) }))

const view = fc.integer({ min: 1, max: 2 ** 40 })
/** Each sealer must lead within so many turns for each unit of weight that all have: the chain waits for each of them. */
const turnsOf = ({ sealers }: SealerSet): number =>
  Math.max(4 * sealers.length, 2 * Math.ceil(sealers.reduce((sum, { weight }) => sum + weight, 0)))

export function scheduleCompliance(t: Test, { name, leader }: NamedSchedule): void {
  t.test(`${name}: a sealer of the set leads every view`, async () => {
    fc.assert(
      fc.property(sealerSet, view, (set, at) => set.sealers.some(({ address }) => address === leader(set, asView(at)))),
      RUNS,
    )
  })

  t.test(`${name}: depends on nothing but set and view, and leaves them as they are`, async () => {
    fc.assert(
      fc.property(sealerSet, view, view, (set, at, between) => {
        const given = frozen(set)
        const first = pure(() => leader(given, asView(at)))
        pure(() => leader(given, asView(between)))
        return first === pure(() => leader(frozen(structuredClone(set)), asView(at)))
      }),
      RUNS,
    )
  })

  t.test(`${name}: every sealer leads again and again`, async () => {
    fc.assert(
      fc.property(sealerSet, fc.integer({ min: 1, max: 100_000 }), (set, from) => {
        const turns = Array.from({ length: turnsOf(set) }, (_, i) => leader(set, asView(from + i)))
        return new Set(turns).size === set.sealers.length
      }),
      { numRuns: 100 },
    )
  })
}

/** Runs `action` where clock and chance cannot be asked. */
function pure<T>(action: () => T): T {
  const { now } = Date
  const { random } = Math
  const refuse = () => {
    throw new Error('asks for the time or for chance: every node would get another answer')
  }
  Date.now = refuse
  Math.random = refuse
  try {
    return action()
  } finally {
    Date.now = now
    Math.random = random
  }
}

function frozen<T extends object>(value: T): T {
  for (const child of Object.values(value)) if (typeof child === 'object' && child !== null) frozen(child)
  return Object.freeze(value)
}
