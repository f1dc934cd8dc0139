/** figures.csv and figures.json: every number of the report, and what it follows from. */
import type { Figure } from './figures.js'

export const FIGURE_COLUMNS = ['id', 'label', 'value', 'low', 'high', 'unit', 'derivation', 'from'] as const

/** The first line names the columns, so figure i (from 0) stands on line i + 2. Ids in `from` are separated by blanks. */
export function figuresCsv(figures: readonly Figure[]): string {
  const lines = figures.map((figure) =>
    FIGURE_COLUMNS.map((column) => (column === 'from' ? figure.from.join(' ') : cell(figure[column]))).join(','),
  )
  return `${[FIGURE_COLUMNS.join(','), ...lines].join('\n')}\n`
}

export function figuresJson(figures: readonly Figure[]): string {
  return `${JSON.stringify(figures, null, 1)}\n`
}

/** Line of each figure in figures.csv. */
export function figureLines(figures: readonly Figure[]): ReadonlyMap<string, number> {
  return new Map(figures.map(({ id }, index) => [id, index + 2]))
}

function cell(value: string | number | undefined): string {
  const text = value === undefined ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
