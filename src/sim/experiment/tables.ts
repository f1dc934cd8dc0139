/** The result of an experiment as CSV files: equal seeds give equal bytes. */
import type { Metric, VariantRuns } from './metrics.js'
import type { RunTrace } from './trace.js'

type Cell = string | number | null
type Column<Row> = readonly [name: string, value: (row: Row) => Cell]

/** Fractions of a virtual microsecond say nothing. */
const DIGITS = 6

/** Content of each file by its name. */
export function csvFiles(runs: readonly VariantRuns[], metrics: readonly Metric[]): ReadonlyMap<string, string> {
  return new Map([
    ['metrics.csv', csv(METRICS, metrics)],
    ['blocks.csv', runTable(runs, (trace) => trace.blocks)],
    ['transactions.csv', runTable(runs, (trace) => trace.transactions)],
    ['standings.csv', runTable(runs, (trace) => trace.standings)],
    ['faults.csv', runTable(runs, (trace) => trace.faults)],
  ])
}

const METRICS: readonly Column<Metric>[] = [
  ['variant', ({ variant }) => variant],
  ['seed', ({ seed }) => seed],
  ['quantity', ({ quantity }) => quantity],
  ['part', ({ part }) => part],
  ['unit', ({ unit }) => unit],
  ['value', ({ value }) => value],
]

/** Rows of all runs with their variant and seed in front, a column for each of their properties. */
function runTable<Row extends object>(
  runs: readonly VariantRuns[],
  rowsOf: (trace: RunTrace) => readonly Row[],
): string {
  const rows = runs.flatMap(({ variant, traces }) =>
    traces.flatMap((trace) =>
      rowsOf(trace).map((row): Record<string, Cell> => ({ variant: variant.name, seed: trace.seed, ...row })),
    ),
  )
  const names = Object.keys(rows[0] ?? {})
  return csv(
    names.map((name): Column<Record<string, Cell>> => [name, (row) => row[name] ?? null]),
    rows,
  )
}

function csv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = rows.map((row) => columns.map(([, value]) => cell(value(row))).join(','))
  return [columns.map(([name]) => name).join(','), ...lines, ''].join('\n')
}

/** Names hold no commas or quotes: the file's schema sees to that. */
function cell(value: Cell): string {
  if (value === null) return ''
  return typeof value === 'number' ? String(Number(value.toFixed(DIGITS))) : value
}
