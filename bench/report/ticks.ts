/** Where an axis begins and ends, and its ticks. */
import type { Unit } from '../harness/row.js'
import { tickLabels } from './format.js'

export interface Ticks {
  readonly domain: readonly [number, number]
  readonly values: readonly number[]
  readonly labels: readonly string[]
}

export interface TickNeeds {
  readonly unit: Unit | undefined
  readonly log: boolean
  /** Values that must be inside; positive on a logarithmic axis. */
  readonly values: readonly number[]
  /** A linear axis that starts at zero whatever the values; others do when the values come near it. */
  readonly fromZero: boolean
  /** Values at which ticks stand rather than at round numbers, where they fit. */
  readonly preferred?: readonly number[]
  /** Length of the axis in pixels. */
  readonly length: number
  /** Room that a label takes along the axis, in pixels, with the gap to the next. */
  readonly room: (label: string) => number
}

/** The densest ticks whose labels do not touch. */
export function ticksOf(needs: TickNeeds): Ticks {
  const candidates = needs.log ? logCandidates(needs) : linearCandidates(needs)
  return candidates.find((ticks) => fits(ticks, needs)) ?? candidates.at(-1)!
}

/** Position of a value in pixels from the axis' start. */
export function position(value: number, [low, high]: readonly [number, number], length: number, log: boolean): number {
  const share = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low)
  return share * length
}

function fits(ticks: Ticks, { length, room, log }: TickNeeds): boolean {
  const places = ticks.values.map((value) => position(value, ticks.domain, length, log))
  return ticks.labels.every(
    (label, i) => i === 0 || places[i]! - places[i - 1]! >= (room(label) + room(ticks.labels[i - 1]!)) / 2,
  )
}

function labelled(domain: readonly [number, number], values: readonly number[], needs: TickNeeds): Ticks {
  return { domain, values, labels: tickLabels(values, needs.unit, needs.log) }
}

/** Steps of 1, 2 and 5 times a power of ten, from about ten ticks down to two. */
function linearCandidates(needs: TickNeeds): Ticks[] {
  const [min, max] = range(needs.values)
  const low = needs.fromZero || (min >= 0 && min <= max / 2) ? Math.min(0, min) : min
  const top = needs.fromZero ? Math.max(0, max) : max
  const high = top > low ? top : low + 1
  const whole = needs.unit === 'count' && needs.values.every(Number.isInteger)
  const finest = 10 ** Math.floor(Math.log10((high - low) / 8))
  const steps = [1, 2, 5, 10, 20, 50, 100].map((multiple) => multiple * finest)
  const usable = steps.filter((step) => (high - low) / step <= 8 && (!whole || step >= 1))
  return usable.map((step) => {
    const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)]
    const values = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
    return labelled([values[0]!, values.at(-1)!], values, needs)
  })
}

/** The preferred values; then 1, 2 and 5 in each decade, then the powers of ten, then fewer of them. */
function logCandidates(needs: TickNeeds): Ticks[] {
  const [min, max] = range(needs.values)
  const preferred = needs.preferred ?? []
  const own = preferred.length > 1 ? [labelled(widened(min, max), preferred, needs)] : []
  const low = Math.floor(Math.log10(min) + 1e-9)
  const high = Math.ceil(Math.log10(max) - 1e-9)
  const decades = Math.max(1, high - low)
  const marks = (multiples: readonly number[], stride: number) =>
    Array.from({ length: Math.floor(decades / stride) + 1 }, (_, i) => low + i * stride).flatMap((exponent) =>
      multiples.map((multiple) => Number((multiple * 10 ** exponent).toPrecision(12))),
    )
  const sparse = [1, 2, 3, 4, 6].map((stride) => {
    const values = marks([1], stride)
    return labelled([values[0]!, Math.max(values.at(-1)!, max)], values, needs)
  })
  const dense = around(marks([1, 2, 5], 1), min, max)
  return [...own, ...(decades <= 3 ? [labelled([dense[0]!, dense.at(-1)!], dense, needs)] : []), ...sparse]
}

/** The marks from the last one below the values to the first one above them. */
function around(marks: readonly number[], min: number, max: number): readonly number[] {
  const first = Math.max(
    0,
    marks.findLastIndex((mark) => mark <= min),
  )
  const last = marks.findIndex((mark) => mark >= max)
  const within = marks.slice(first, last === -1 ? undefined : last + 1)
  return within.length > 1 ? within : [within[0]! / 2, within[0]!, within[0]! * 2]
}

/** A little beyond the values on both sides of a logarithmic axis. */
function widened(min: number, max: number): readonly [number, number] {
  const margin = Math.max(max / min, 1.5) ** 0.03
  return [min / margin, max * margin]
}

function range(values: readonly number[]): readonly [number, number] {
  return values.length === 0 ? [1, 10] : [Math.min(...values), Math.max(...values)]
}
