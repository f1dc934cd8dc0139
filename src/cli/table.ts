/** Tables that fit a terminal: where a row is too long, the widest columns are wrapped. */
import Table from 'cli-table3'

type Cell = string | number

/** Narrower columns would tear words apart. */
const WIDTH_MIN = 10
/** Two spaces and one border for each column, and the last border. */
const frameWidth = (columns: number): number => 3 * columns + 1

/** A table without colours, at most `width` letters wide where its columns are no more than about a tenth as many. */
export function renderTable(head: readonly string[], rows: readonly (readonly Cell[])[], width = Infinity): string {
  const texts = rows.map((row) => row.map(String))
  const natural = head.map((_, column) => Math.max(...[head, ...texts].map((row) => widthOf(row[column] ?? ''))))
  const fitted = fit(natural, width - frameWidth(head.length))
  const isWrapped = fitted.some((one, column) => one < natural[column]!)
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true, 'padding-left': 1, 'padding-right': 1 },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    ...(isWrapped && { colWidths: fitted.map((one) => one + 2), wordWrap: true }),
  })
  for (const row of texts) table.push(isWrapped ? row.map((cell, column) => torn(cell, fitted[column]!)) : row)
  return table.toString()
}

/** Takes from the widest column until all fit into `room` or none is wide. */
function fit(natural: readonly number[], room: number): number[] {
  const widths = [...natural]
  let excess = widths.reduce((sum, one) => sum + one, 0) - room
  while (excess > 0) {
    const widest = Math.max(...widths)
    if (widest <= WIDTH_MIN) break
    widths[widths.indexOf(widest)] = widest - 1
    excess--
  }
  return widths
}

/** Words that are longer than the column, such as addresses, go over several lines instead of being cut off. */
function torn(text: string, width: number): string {
  let used = 0
  let out = ''
  for (const letter of text) {
    const isSpace = letter === ' ' || letter === '\n'
    const wide = columnsOf(letter)
    if (!isSpace && used + wide > width) {
      out += ' '
      used = 0
    }
    out += letter
    used = isSpace ? 0 : used + wide
  }
  return out
}

/** Columns that the longest line takes. */
function widthOf(text: string): number {
  const lengths = text.split('\n').map((line) => [...line].reduce((sum, one) => sum + columnsOf(one), 0))
  return Math.max(...lengths)
}

/** Chinese letters take two columns. */
const columnsOf = (letter: string): number => (WIDE.test(letter) ? 2 : 1)

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u
