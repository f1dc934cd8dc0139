/** A comparison for people: a table that fits a terminal, and Markdown. */
import { renderTable } from '../../src/cli/table.js'
import {
  type Comparison,
  type Difference,
  differing,
  type Measured,
  NO_DIFFERENCE,
  nameOf,
  type Side,
} from './compare.js'
import { formatMeasured, formatValue, significant } from './format.js'
import { escapeMarkdown, markdownTable } from './markdown.js'

const HEAD = ['measured', 'A', 'B', 'B / A', 'verdict'] as const
/** Borders and padding of five columns. */
const FRAME = 3 * HEAD.length + 1
const NAME_MIN = 16

/** What differs, largest difference first, in lines of at most `width` letters where the values allow. */
export function comparisonText(comparison: Comparison, width = 100): string {
  const rows = differing(comparison).map((one) => [
    nameOf(one),
    ...cells(one, ({ value }) => formatValue(value, one.unit)),
  ])
  const taken = [1, 2, 3, 4].map((column) => Math.max(...[HEAD, ...rows].map((row) => row[column]!.length)))
  const room = Math.max(NAME_MIN, width - FRAME - taken.reduce((sum, one) => sum + one, 0))
  const wrapped = rows.map(([name, ...rest]) => [lines(name!, room).join('\n'), ...rest])
  return [
    `A: ${comparison.a}`,
    `B: ${comparison.b}`,
    ...comparison.warnings.flatMap((warning) => indented(`note: ${warning}`, width)),
    ...(rows.length === 0 ? [] : [renderTable(HEAD, wrapped)]),
    ...closing(comparison).flatMap((line) => indented(line, width)),
  ].join('\n')
}

export function comparisonMarkdown(comparison: Comparison): string {
  const written = (one: Difference) =>
    [nameOf(one), ...cells(one, (side) => formatMeasured({ ...side, unit: one.unit }))].map(escapeMarkdown)
  const rows = differing(comparison).map(written)
  const list = [...comparison.warnings, ...closing(comparison)].map((line) => `- ${escapeMarkdown(line)}`)
  return [
    `A: ${escapeMarkdown(comparison.a)}; B: ${escapeMarkdown(comparison.b)}`,
    ...(rows.length === 0 ? [] : [markdownTable(HEAD, rows)]),
    `${list.join('\n')}\n`,
  ].join('\n\n')
}

function cells({ a, b, ratio, verdict }: Difference, show: (side: Side) => string): string[] {
  return [show(a), show(b), ratio === null ? '-' : significant(ratio), verdict]
}

function closing(comparison: Comparison): string[] {
  const { differences, onlyInA, onlyInB } = comparison
  const same = differences.filter(({ verdict }) => verdict === NO_DIFFERENCE).length
  return [
    differences.length === 0
      ? 'nothing was measured in both'
      : `${NO_DIFFERENCE} in ${same} of ${differences.length} measurements`,
    ...(onlyInA.length === 0 ? [] : [`only in A: ${series(onlyInA)}`]),
    ...(onlyInB.length === 0 ? [] : [`only in B: ${series(onlyInB)}`]),
  ]
}

/** Measurements that differ in nothing but x are one. */
function series(all: readonly Measured[]): string {
  return [...new Set(all.map((one) => nameOf({ ...one, x: null })))].join('; ')
}

function indented(text: string, width: number): string[] {
  return lines(text, width - 2).map((line, index) => (index === 0 ? line : `  ${line}`))
}

/** Lines of at most `width` letters; a longer word is cut. */
function lines(text: string, width: number): string[] {
  const found: string[] = []
  for (const word of text.split(' ').flatMap((one) => one.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [])) {
    const longer = found.length === 0 ? word : `${found.at(-1)} ${word}`
    if (found.length > 0 && longer.length <= width) found[found.length - 1] = longer
    else found.push(word)
  }
  return found
}
