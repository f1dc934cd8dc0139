/** Two results folders beside each other: what both measured, how much more or less, and whether that could be chance. */
import type { Environment } from '../harness/environment.js'
import { type Results, readResults } from '../harness/results.js'
import type { Row } from '../harness/row.js'
import { medianInterval } from '../harness/statistics.js'

export type Measured = Pick<Row, 'experiment' | 'system' | 'variant' | 'quantity' | 'part' | 'unit' | 'axis' | 'x'>

/** Median over the repeats. */
export interface Side {
  readonly value: number
  readonly low: number
  readonly high: number
  readonly repeats: number
}

export interface Difference extends Measured {
  readonly a: Side
  readonly b: Side
  /** b / a; null where a is zero and b is not. */
  readonly ratio: number | null
  /** `no difference seen` when the intervals overlap, else `20 % more` or `less` (of b, measured by a). */
  readonly verdict: string
}

export interface Comparison {
  readonly a: string
  readonly b: string
  /** Why differences may have other causes than the ones looked for. */
  readonly warnings: readonly string[]
  readonly differences: readonly Difference[]
  readonly onlyInA: readonly Measured[]
  readonly onlyInB: readonly Measured[]
}

export const NO_DIFFERENCE = 'no difference seen'

/** Compares the results in two folders and writes nothing. Throws CommandError where a folder holds none. */
export function compareResults(a: string, b: string): Comparison {
  const [left, right] = [readResults(a), readResults(b)]
  const [ofA, ofB] = [groups(left.rows), groups(right.rows)]
  const both = [...ofA].filter(([key]) => ofB.has(key))
  return {
    a,
    b,
    warnings: warnings(left, right),
    differences: both.map(([key, rows]) => difference(rows, ofB.get(key)!)),
    onlyInA: [...ofA].filter(([key]) => !ofB.has(key)).map(([, rows]) => measured(rows[0]!)),
    onlyInB: [...ofB].filter(([key]) => !ofA.has(key)).map(([, rows]) => measured(rows[0]!)),
  }
}

/** Rows that differ in nothing but the repeat. */
function groups(rows: readonly Row[]): Map<string, Row[]> {
  const found = new Map<string, Row[]>()
  for (const row of rows) {
    const key = JSON.stringify(measured(row))
    const group = found.get(key)
    if (group === undefined) found.set(key, [row])
    else group.push(row)
  }
  return found
}

function measured({ experiment, system, variant, quantity, part, unit, axis, x }: Row): Measured {
  return { experiment, system, variant, quantity, part, unit, axis, x }
}

function difference(rowsA: readonly Row[], rowsB: readonly Row[]): Difference {
  const [a, b] = [side(rowsA), side(rowsB)]
  const ratio = a.value === b.value ? 1 : a.value === 0 ? null : b.value / a.value
  return { ...measured(rowsA[0]!), a, b, ratio, verdict: verdictOf(a, b, ratio) }
}

function side(rows: readonly Row[]): Side {
  const { median, low, high } = medianInterval(rows.map(({ value }) => value))
  return { value: median, low, high, repeats: rows.length }
}

function verdictOf(a: Side, b: Side, ratio: number | null): string {
  if (a.low <= b.high && b.low <= a.high) return NO_DIFFERENCE
  const direction = b.value > a.value ? 'more' : 'less'
  if (ratio === null || ratio < 0) return direction
  const percent = Math.abs(ratio - 1) * 100
  return `${percent >= 10 ? Math.round(percent) : Number(percent.toPrecision(2))} % ${direction}`
}

type Trait = readonly [name: string, of: (environment: Environment) => string]

const TRAITS: readonly Trait[] = [
  ['commit', ({ commit }) => commit],
  ['processor', ({ cpu }) => cpu],
  ['number of cores', ({ cores }) => String(cores)],
  ['memory', ({ memoryBytes }) => `${memoryBytes} bytes`],
  ['kernel', ({ system }) => system],
  ['Node.js', ({ node }) => node],
]

function warnings(a: Results, b: Results): string[] {
  const machines = TRAITS.flatMap(([name, of]) => different(name, of(a.environment), of(b.environment)))
  return [...machines, ...settingsWarnings(a.environment, b.environment), ...fewRepeats(a, b)]
}

const different = (name: string, a: string, b: string) => (a === b ? [] : [`${name} differs: A ${a}, B ${b}`])

function settingsWarnings(a: Environment, b: Environment): string[] {
  return (Object.keys(a.experiments) as (keyof Environment['experiments'])[]).flatMap((name) => {
    const [ofA, ofB] = [a.experiments[name], b.experiments[name]]
    if (ofA === undefined || ofB === undefined) return []
    return [
      ...different(`${name}: seed`, ofA.settings.seed, ofB.settings.seed),
      ...different(`${name}: size`, ofA.settings.quick ? 'quick' : 'full', ofB.settings.quick ? 'quick' : 'full'),
      ...(ofA.commit === a.commit && ofB.commit === b.commit
        ? []
        : different(`${name}: commit`, ofA.commit, ofB.commit)),
      ...(['A', 'B'] as const).flatMap((side) =>
        (side === 'A' ? ofA : ofB).finished ? [] : [`${name} ended early in ${side}`],
      ),
    ]
  })
}

function fewRepeats(a: Results, b: Results): string[] {
  const few = ({ rows }: Results) => rows.some(({ repeat }) => repeat > 0) && rows.every(({ repeat }) => repeat < 6)
  return few(a) || few(b) ? ['with fewer than 6 repeats, intervals hold the median with less than 95 %'] : []
}

/** What a line of a table says of the measurement: `concordat, portrait full: disk of blocks, 1,000 enterprises`. */
export function nameOf({ system, variant, quantity, part, axis, x }: Measured): string {
  const of = [system, variant].filter((text) => text !== '').join(', ')
  const what = part === '' ? quantity : `${quantity}, ${part}`
  return `${of}: ${what}${x === null ? '' : `, ${x.toLocaleString('en')} ${axis}`}`
}

/** Pairs that differ, the largest difference first. */
export const differing = ({ differences }: Comparison): Difference[] =>
  differences.filter(({ verdict }) => verdict !== NO_DIFFERENCE).sort((a, b) => distance(b) - distance(a))

const distance = ({ ratio }: Difference): number =>
  ratio === null || ratio <= 0 ? Number.POSITIVE_INFINITY : Math.abs(Math.log(ratio))
