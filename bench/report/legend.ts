/** Title, legend and reference labels as marks at fixed pixels around the plot, where they can touch neither data nor each other. */
import { textWidth, wrap } from './fonts.js'
import { INK, PLOT, SIZES, styleOf } from './theme.js'

/** A layer of a vega-lite specification. */
export type Layer = Readonly<Record<string, unknown>>

const ROW = 20
const SWATCH = 46
const GAP = 18

/** Above the plot: the title, under it the legend (none for a single series). `above`: pixels taken already. */
export function header(title: string, names: readonly string[], swatch: Swatch, above: number, width: number): Layer[] {
  const rows = names.length > 1 ? legendRows(names, width) : []
  const bottom = -above - 14
  const entries = rows.flatMap((row, i) =>
    row.flatMap(({ name, index, x }) => [
      ...swatch(index, x, bottom - (rows.length - 1 - i) * ROW),
      text(name, x + SWATCH, bottom - (rows.length - 1 - i) * ROW, { baseline: 'middle' }),
    ]),
  )
  const lines = wrap(title, width, SIZES.title, true)
  const titleBottom = bottom - rows.length * ROW
  const titles = lines.map((line, i) =>
    text(line, 0, titleBottom - (lines.length - 1 - i) * (SIZES.title + 4), {
      fontSize: SIZES.title,
      fontWeight: 'bold',
      baseline: 'middle',
    }),
  )
  return [...entries, ...titles]
}

interface Entry {
  readonly name: string
  readonly index: number
  readonly x: number
}

function legendRows(names: readonly string[], width: number): Entry[][] {
  const rows: Entry[][] = [[]]
  let x = 0
  for (const [index, name] of names.entries()) {
    const needed = SWATCH + textWidth(name, SIZES.label)
    if (x > 0 && x + needed > width) {
      rows.push([])
      x = 0
    }
    rows.at(-1)!.push({ name, index, x })
    x += needed + GAP
  }
  return rows
}

/** Draws the sample of a series at a pixel. */
export type Swatch = (index: number, x: number, y: number) => Layer[]

export const lineSwatch: Swatch = (index, x, y) => {
  const { color, dash, shape } = styleOf(index)
  return [
    fixed({ type: 'rule', color, strokeDash: dash, strokeWidth: 2 }, { x, x2: x + 40, y, y2: y }),
    fixed({ type: 'point', color, fill: color, shape, size: 55, opacity: 1 }, { x: x + 20, y }),
  ]
}

export const barSwatch: Swatch = (index, x, y) => [
  fixed(
    { type: 'rect', color: styleOf(index).color, stroke: INK, strokeWidth: 0.5 },
    { x, x2: x + 38, y: y - 6, y2: y + 6 },
  ),
]

export function text(content: string, x: number, y: number, properties: Record<string, unknown> = {}): Layer {
  const mark = { type: 'text', align: 'left', fontSize: SIZES.label, color: INK, text: content, ...properties }
  return fixed(mark, { x, y })
}

export function rule(from: readonly [number, number], to: readonly [number, number]): Layer {
  const mark = { type: 'rule', color: INK, strokeDash: [3, 3], strokeWidth: 1.2 }
  return fixed(mark, { x: from[0], y: from[1], x2: to[0], y2: to[1] })
}

/** A mark at pixels counted from the plot's upper left corner. */
function fixed(mark: Record<string, unknown>, places: Readonly<Record<string, number>>): Layer {
  const encoding = Object.fromEntries(Object.entries(places).map(([channel, value]) => [channel, { value }]))
  return { data: { values: [{}] }, mark: { clip: false, ...mark }, encoding }
}

interface Rule {
  /** Pixels from the plot's upper edge, or from its left one where bars lie. */
  readonly at: number
  readonly label: string
}

const LABEL_WIDTH = 110
const LINE = 15

/** Horizontal reference lines; their labels stand right of the plot, moved apart where they would touch. */
export function horizontalRules(rules: readonly Rule[], width: number = PLOT.width): Layer[] {
  let free = Number.NEGATIVE_INFINITY
  return [...rules]
    .sort((a, b) => a.at - b.at)
    .flatMap(({ at, label }) => {
      const lines = wrap(label, LABEL_WIDTH, SIZES.label)
      const first = Math.max(at - ((lines.length - 1) * LINE) / 2, free)
      free = first + lines.length * LINE + 3
      const labels = lines.map((line, i) => text(line, width + 12, first + i * LINE, { baseline: 'middle' }))
      return [
        rule([0, at], [width, at]),
        rule([width, at], [width + 9, first + ((lines.length - 1) * LINE) / 2]),
        ...labels,
      ]
    })
}

/** Vertical reference lines of lying bars; their labels stand over the plot, one a row. */
export function verticalRules(rules: readonly Rule[], width: number, height: number): Layer[] {
  return rules.flatMap(({ at, label }, i) => {
    const y = -8 - i * ROW
    const leftwards = at > width / 2
    return [
      rule([at, y], [at, height]),
      text(label, leftwards ? at - 5 : at + 5, y, { baseline: 'middle', align: leftwards ? 'right' : 'left' }),
    ]
  })
}
export const rulesAbove = (count: number): number => count * ROW
