/** Order statistics, and the coverage of the interval of a median against the binomial distribution. */
import t from 'tap'
import { median, medianInterval, quantiles, slope } from '../../bench/harness/statistics.js'

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

/** Probability that at most `k` of `n` values lie below the median, by exact whole numbers. */
function atMost(k: number, n: number): number {
  let [sum, choose] = [0n, 1n]
  for (let i = 0; i <= k; i++) {
    sum += choose
    choose = (choose * BigInt(n - i)) / BigInt(i + 1)
  }
  return Number((sum * 10n ** 18n) / 2n ** BigInt(n)) / 1e18
}

t.test('the interval covers as much as the binomial says, and no narrower one covers 95 %', async (t) => {
  for (const n of [...upTo(60), 100, 101, 250, 1_073, 1_074, 1_075, 1_076, 3_000]) {
    const { low, high, confidence } = medianInterval(upTo(n))
    const cut = low - 1
    t.equal(high, n - cut, `n = ${n}: as many places from both ends`)
    t.ok(low <= high, `n = ${n}: low before high`)
    const covered = Math.max(0, 1 - 2 * atMost(cut, n))
    t.ok(Math.abs(confidence - covered) < 1e-9, `n = ${n}: ${confidence} is ${covered}`)
    if (n >= 6) {
      t.ok(covered >= 0.95, `n = ${n}: 95 % at least`)
      t.ok(1 - 2 * atMost(cut + 1, n) < 0.95, `n = ${n}: the narrowest`)
    } else t.equal(cut, 0, `n = ${n}: the whole range`)
  }
})

t.test('well-known intervals', async (t) => {
  t.match(medianInterval(upTo(1)), { median: 1, low: 1, high: 1, confidence: 0 })
  t.match(medianInterval(upTo(2)), { median: 1.5, low: 1, high: 2, confidence: 0.5 })
  t.match(medianInterval(upTo(5)), { median: 3, low: 1, high: 5, confidence: 0.9375 })
  t.match(medianInterval(upTo(6)), { median: 3.5, low: 1, high: 6, confidence: 0.96875 })
  t.match(medianInterval(upTo(9)), { low: 2, high: 8 })
  t.match(medianInterval(upTo(20)), { low: 6, high: 15 })
  t.match(medianInterval(upTo(100)), { low: 40, high: 61 })
})

t.test('order does not matter, and nothing has no statistics', async (t) => {
  t.same(medianInterval([5, 1, 4, 2, 3, 6]), medianInterval(upTo(6)))
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 3, 2]), 2.5)
  t.throws(() => median([]), RangeError)
  t.same(quantiles(upTo(100)), { count: 100, p50: 50, p90: 90, p99: 99, max: 100 })
  t.equal(
    slope([
      [0, 1],
      [1, 3],
      [2, 5],
    ]),
    2,
  )
})
