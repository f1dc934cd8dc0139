/** How many seeds each planted bug takes to be caught: the table of docs/simulator.md. */
import { type Bug, bugNames, bugs } from './bugs.js'
import { runSeed } from './run.js'

export interface BugRow {
  readonly bug: Bug
  readonly nodes: number
  /** Seeds tried, from 1 on, and those of them that showed the bug. */
  readonly tried: number
  readonly caught: number
  /** Seeds from one catch to the next, median; null when never caught. */
  readonly medianSeeds: number | null
}

/** Tries seeds until `catches` have shown the bug or `seedsMax` are tried. */
export function bugRow(bug: Bug, nodes: number, catches = 11, seedsMax = 400): BugRow {
  const gaps: number[] = []
  let last = 0
  let seed = 0
  while (gaps.length < catches && seed < seedsMax) {
    if (runSeed(++seed, { nodes, bug }).violation === null) continue
    gaps.push(seed - last)
    last = seed
  }
  return { bug, nodes, tried: seed, caught: gaps.length, medianSeeds: median(gaps) }
}

function median(values: readonly number[]): number | null {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? null
}

/** Rows of a Markdown table, one at a time as they are measured. */
export function* bugTable(sizes: readonly number[], names: readonly Bug[] = bugNames): Generator<string> {
  yield `| bug | ${sizes.map((size) => `n = ${size}`).join(' | ')} |`
  yield `| --- | ${sizes.map(() => '---').join(' | ')} |`
  for (const bug of names) {
    const cells = sizes.map((size) => cellOf(bugRow(bug, size)))
    yield `| \`${bug}\`: ${bugs[bug]} | ${cells.join(' | ')} |`
  }
}

function cellOf({ tried, caught, medianSeeds }: BugRow): string {
  return medianSeeds === null ? `never in ${tried}` : `${medianSeeds} (${caught} of ${tried})`
}
