/** How values are written: three significant digits, the unit that suits their size. */
import type { Unit } from '../harness/row.js'

interface Scale {
  /** How many of the row's unit make one of this. */
  readonly factor: number
  /** What stands behind the number, with the blank before it. */
  readonly suffix: string
}

const BYTES: readonly Scale[] = ['B', 'kB', 'MB', 'GB', 'TB'].map((name, i) => ({
  factor: 1_000 ** i,
  suffix: ` ${name}`,
}))

/** Decimal multiples of a second, in seconds. */
const TIMES: readonly Scale[] = [
  { factor: 1e-6, suffix: ' µs' },
  { factor: 1e-3, suffix: ' ms' },
  { factor: 1, suffix: ' s' },
]

const SECONDS: Partial<Record<Unit, number>> = { µs: 1e-6, ms: 1e-3, s: 1 }

const SUFFIXES: Partial<Record<Unit, string>> = { ratio: ' x', count: '', '1/s': '/s', 'MB/s': ' MB/s', '%': ' %' }

/** `12.3 ms`, `45.6 MB`, `1.23 x`, `1,230/s`, `12 %`; counts that are whole in full: `16,384`. */
export function formatValue(value: number, unit: Unit): string {
  const scale = scaleOf(value, unit)
  return `${formatNumber(value / scale.factor, unit)}${scale.suffix}`
}

interface Measured {
  readonly value: number
  readonly low?: number
  readonly high?: number
  readonly unit: Unit
}

/** `12.3 ms [11.9, 12.8]`: the ends of the interval in the unit of the value. */
export function formatMeasured({ value, low, high, unit }: Measured): string {
  const interval = formatInterval({ value, low, high, unit })
  return interval === '' ? formatValue(value, unit) : `${formatValue(value, unit)} ${interval}`
}

/** `[11.9, 12.8]`; '' where there is no interval. */
export function formatInterval({ value, low, high, unit }: Measured & { low?: number | undefined }): string {
  if (low === undefined || high === undefined) return ''
  const { factor } = scaleOf(value, unit)
  return `[${formatNumber(low / factor, unit)}, ${formatNumber(high / factor, unit)}]`
}

/** Three significant digits, thousands apart: `0.0123`, `12.0`, `1,230`. Infinity and NaN as words. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'undefined' : value > 0 ? 'infinite' : '-infinite'
  const rounded = Number(value.toPrecision(3))
  if (rounded === 0) return '0'
  const exponent = Math.floor(Math.log10(Math.abs(rounded)))
  if (exponent < -6) return rounded.toExponential(2)
  return grouped(rounded.toFixed(Math.max(0, 2 - exponent)))
}

/** Labels of an axis' ticks, short and without trailing zeros; on a linear axis all in one unit. */
export function tickLabels(ticks: readonly number[], unit: Unit | undefined, log: boolean): string[] {
  const largest = Math.max(...ticks.map(Math.abs))
  return ticks.map((tick) => {
    if (unit !== 'bytes') return plain(tick)
    const { factor, suffix } = scaleOf(log ? tick : largest, unit)
    return tick === 0 ? '0' : `${plain(tick / factor)}${suffix}`
  })
}

/** An axis title with its unit, where the ticks do not bear it: `time to final (ms)`. */
export function axisTitle(title: string, unit: Unit | undefined): string {
  if (unit === undefined || ['count', 'bytes', 'ratio'].includes(unit)) return title
  return `${title} (${unit === '1/s' ? 'per second' : unit})`
}

/** Digits in full, thousands apart. */
export function plain(value: number): string {
  return grouped(String(Number(value.toPrecision(12))))
}

function formatNumber(value: number, unit: Unit): string {
  return unit === 'count' && Number.isInteger(value) ? plain(value) : significant(value)
}

function scaleOf(value: number, unit: Unit): Scale {
  // Rounded first, so that 999.9 ms becomes 1.00 s.
  const rounded = Math.abs(Number(value.toPrecision(3)))
  if (unit === 'bytes') return largestWithin(BYTES, rounded)
  const seconds = SECONDS[unit]
  if (seconds === undefined) return { factor: 1, suffix: SUFFIXES[unit]! }
  if (rounded === 0) return { factor: 1, suffix: ` ${unit}` }
  const { factor, suffix } = largestWithin(TIMES, Number((rounded * seconds).toPrecision(3)))
  return { factor: factor / seconds, suffix }
}

function largestWithin(scales: readonly Scale[], value: number): Scale {
  return scales.findLast(({ factor }) => value >= factor) ?? scales[0]!
}

function grouped(digits: string): string {
  if (digits.includes('e')) return digits
  const [whole, fraction] = digits.split('.')
  const apart = whole!.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? apart : `${apart}.${fraction}`
}
