/** The report of the benchmarks of parts: what is faster by how much, what costs how many of a yardstick, which budgets hold. */
import type { Row } from '../harness/row.js'
import type { Chart } from '../report/chart.js'
import type { Figure, Figures } from '../report/figures.js'
import { type SectionMaker, type SectionTable, type Sentence, say } from '../report/section.js'
import { isRate, isYardstick, OURS } from './benchmark.js'

interface Comparison {
  readonly name: string
  readonly quantity: string
  readonly other: string
  readonly ours: Figure
  readonly theirs: Figure
  /** Times better than the other side, or times the cost of the yardstick; absent where ours is nothing. */
  readonly ratio: Figure | undefined
  readonly budget: { readonly bound: string; readonly limit: Figure; readonly verdict: Verdict } | undefined
}

type Verdict = 'yes' | 'no' | 'not certain'

export const microSection: SectionMaker = (figures) => {
  const all = [...new Set(figures.rows.map(({ variant }) => variant))].flatMap(
    (name) => comparison(figures, name) ?? [],
  )
  const alternatives = all.filter(({ other }) => !isYardstick(other))
  const yardsticks = all.filter(({ other }) => isYardstick(other))
  return {
    title: 'Parts',
    method: METHOD,
    findings: [
      ...all.flatMap(budgetFinding),
      ...extremes(alternatives),
      ...slower(alternatives),
      ...yardsticks.flatMap(costFinding),
    ],
    claims: [],
    charts: [...advantageChart(alternatives), ...costChart(yardsticks)],
    tables: [
      table('Against another way of doing the same', 'times better', alternatives),
      table('In multiples of what is there anyway', 'times the yardstick', yardsticks),
      ELSEWHERE,
    ].filter(({ rows }) => rows.length > 0),
  }
}

const METHOD =
  'Each benchmark has two sides that work on the same input, in one process of its own; where both do the same ' +
  'work, their results must be equal, or nothing is measured. Each side first runs without being counted, then both ' +
  'take turns, forwards and backwards. A ratio is the median of the ratios of neighbouring repeats. CPU time is ' +
  'that of the process with all its threads, wall time includes waiting; each table says which. Other libraries get ' +
  'the input in the form they want, so that no conversion is counted against them; byte strings that ours decodes ' +
  'are views of the input. The walk through the trie keeps the nodes it has passed. The update in place is measured ' +
  'in the tables of the state alone, compacted; blocks are history. Frames are sent within the bytes that a node ' +
  'takes from a peer at once.'

const ELSEWHERE: SectionTable = {
  title: 'Budgets that other experiments measure',
  head: ['budget', 'experiment'],
  rows: [
    ['CPU of a transaction on a node, in native recovers', 'throughput'],
    ['time of a write until it is final, in times of the same messages over plain TCP', 'throughput'],
    ['time of a first query, in times of a write', 'latency'],
    ['resident memory and time to start with a large state', 'scale'],
  ],
}

function comparison(figures: Figures, name: string): Comparison | undefined {
  const measured = figures.rows.filter(({ variant, quantity }) => variant === name && quantity !== 'budget')
  const other = measured.find(({ system }) => system !== OURS)?.system
  const quantity = measured[0]?.quantity
  if (other === undefined || quantity === undefined) return undefined
  const oursRows = { variant: name, system: OURS, quantity }
  const otherRows = { variant: name, system: other, quantity }
  const ours = figures.median(`${name}, ${OURS}`, oursRows)
  const theirs = figures.median(`${name}, ${other}`, otherRows)
  if (ours === undefined || theirs === undefined) return undefined
  const otherOnTop = isRate(ours.unit) === isYardstick(other)
  const label = isYardstick(other) ? `${name}, in multiples of ${other}` : `${name}, times better than ${other}`
  // Bytes may be none at all, or even fewer than before.
  const ratio = ours.unit === 'bytes' ? undefined : pairedRatio(figures, label, oursRows, otherRows, otherOnTop)
  return { name, quantity, other, ours, theirs, ratio, budget: budgetOf(figures, name, ours, ratio) }
}

function pairedRatio(figures: Figures, label: string, ours: Partial<Row>, other: Partial<Row>, otherOnTop: boolean) {
  return otherOnTop ? figures.pairedRatio(label, other, ours) : figures.pairedRatio(label, ours, other)
}

function budgetOf(figures: Figures, name: string, ours: Figure, ratio: Figure | undefined): Comparison['budget'] {
  const row = figures.select({ variant: name, quantity: 'budget' })[0]
  if (row === undefined) return undefined
  const limit = figures.median(`budget of ${name}, ${row.part}`, { variant: name, quantity: 'budget' })!
  const measured = row.unit === 'ratio' ? ratio : ours
  return measured && { bound: row.part, limit, verdict: verdictOf(measured, row) }
}

/** `not certain` when the interval lies on both sides of the budget. Bytes count whole. */
function verdictOf({ value, low = value, high = value, unit }: Figure, budget: Row): Verdict {
  const rounded = (number: number) => (unit === 'bytes' ? Math.round(number) : number)
  const fits = (number: number) =>
    budget.part === 'at least' ? rounded(number) >= budget.value : rounded(number) <= budget.value
  if (fits(low) && fits(high)) return 'yes'
  return fits(low) || fits(high) ? 'not certain' : 'no'
}

function budgetFinding({ name, other, ours, ratio, budget }: Comparison): Sentence[] {
  if (budget === undefined) return []
  const words = { yes: 'is kept', no: 'is not kept', 'not certain': 'lies within the interval of what was measured' }
  const end = words[budget.verdict]
  if (ratio === undefined) {
    return [say`${name}: ${ours}; the budget of ${budget.bound} ${budget.limit}, in whole bytes, ${end}.`]
  }
  const what = isYardstick(other) ? 'the cost of' : 'better than'
  return [say`${name}: ${ratio} ${what} ${other}; the budget of ${budget.bound} ${budget.limit} ${end}.`]
}

/** Smallest and largest advantage over another library or way. */
function extremes(comparisons: readonly Comparison[]): Sentence[] {
  const sorted = withRatio(comparisons).sort((a, b) => a.ratio.value - b.ratio.value)
  const [least, most] = [sorted[0], sorted.at(-1)]
  if (least === undefined || most === undefined || least === most) return []
  return [
    say`Against other ways of doing the same, the ratios reach from ${least.ratio} (${least.name}, against ${least.other}) to ${most.ratio} (${most.name}, against ${most.other}).`,
  ]
}

function slower(comparisons: readonly Comparison[]): Sentence[] {
  return withRatio(comparisons)
    .filter(({ ratio }) => ratio.value < 1)
    .map(({ name, other, ratio }) => say`${name}: ${other} does better, with a ratio of ${ratio}.`)
}

function costFinding({ name, other, ours, theirs, ratio, budget }: Comparison): Sentence[] {
  if (ratio === undefined || budget !== undefined) return []
  return [say`${name}: ${ours}, which is ${ratio} the cost of ${other} (${theirs}).`]
}

type Rated = Comparison & { readonly ratio: Figure }

function withRatio(comparisons: readonly Comparison[]): Rated[] {
  return comparisons.filter((one): one is Rated => one.ratio !== undefined)
}

function table(title: string, ratioHead: string, comparisons: readonly Comparison[]): SectionTable {
  return {
    title,
    head: ['benchmark', 'measured', OURS, 'other side', 'of the other side', ratioHead, 'budget', 'kept'],
    rows: comparisons.map(({ name, quantity, other, ours, theirs, ratio, budget }) => [
      name,
      quantity,
      ours,
      other,
      theirs,
      ratio ?? '',
      budget?.limit ?? '',
      budget?.verdict ?? '',
    ]),
  }
}

function advantageChart(comparisons: readonly Comparison[]): Chart[] {
  return barChart(comparisons, {
    name: 'micro-advantage',
    title: 'Times better than another way of doing the same',
    caption: 'Medians of the ratios, with intervals. At one, both sides are equal; a budget is a line.',
    axis: 'times better',
  })
}

function costChart(comparisons: readonly Comparison[]): Chart[] {
  return barChart(comparisons, {
    name: 'micro-cost',
    title: 'Cost in multiples of what is there anyway',
    caption:
      'Yardsticks: one native signature recovery, plain TCP, a bare HTTP echo. Less is better; a budget is a line.',
    axis: 'times the yardstick',
  })
}

interface ChartText {
  readonly name: string
  readonly title: string
  readonly caption: string
  readonly axis: string
}

function barChart(comparisons: readonly Comparison[], { name, title, caption, axis }: ChartText): Chart[] {
  const rated = withRatio(comparisons)
  if (rated.length === 0) return []
  const points = rated.map(({ name: x, ratio: { value: y, low = y, high = y } }) => ({ x, y, low, high }))
  const rules = rated.flatMap(({ name: of, budget }) =>
    budget === undefined ? [] : [{ y: budget.limit.value, label: `budget of ${of} (${budget.bound})` }],
  )
  const series = [{ name: OURS, points }]
  return [{ name, title, caption, kind: 'bars', x: { title: '' }, y: { title: axis, log: true }, series, rules }]
}
