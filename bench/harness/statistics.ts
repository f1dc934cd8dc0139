/** Order statistics of measured values: quantiles, and the median with an interval that assumes no distribution. */

export interface Quantiles {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** Nearest-rank quantiles; `values` in any unit, at least one. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = ascending(values)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}

export interface MedianInterval {
  readonly median: number
  readonly low: number
  readonly high: number
  /** Probability with which the interval holds the median, whatever the distribution; below 0.95 with fewer than 6 values. */
  readonly confidence: number
}

/**
 * The median and the narrowest pair of order statistics, the same number of places from both ends, that holds the true
 * median with a probability of 95 % at least (binomial, p = 1/2). With fewer than 6 values that is the whole range, and
 * `confidence` says how little it is worth.
 */
export function medianInterval(values: readonly number[]): MedianInterval {
  const sorted = ascending(values)
  const n = sorted.length
  // By logarithms: 2 ** -n is zero from n = 1075 on.
  let logTail = -n * Math.LN2
  let outside = 2 * Math.exp(logTail)
  let cut = 0
  for (let k = 1; k < n - 1 - k; k++) {
    logTail += Math.log((n - k + 1) / k)
    const widened = outside + 2 * Math.exp(logTail)
    if (widened > 0.05) break
    outside = widened
    cut = k
  }
  return { median: median(sorted), low: sorted[cut]!, high: sorted[n - 1 - cut]!, confidence: Math.max(0, 1 - outside) }
}

/** The middle value, or the mean of the two middle ones; at least one value. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Slope of the least-squares line through the points; at least two different x. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (pick: 0 | 1) => points.reduce((sum, point) => sum + point[pick], 0) / points.length
  const [mx, my] = [mean(0), mean(1)]
  const above = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0)
  const below = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0)
  return above / below
}

function ascending(values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError('statistics of nothing')
  return [...values].sort((a, b) => a - b)
}
