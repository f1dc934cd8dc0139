/** The numbers of the storage section, as they follow from its rows. What was not measured is undefined. */
import type { Row } from '../harness/row.js'
import { slope } from '../harness/statistics.js'
import type { Figure, Figures } from '../report/figures.js'

export const VARIANTS = ['portrait empty', 'portrait half', 'portrait full', 'submitted'] as const
export type Variant = (typeof VARIANTS)[number]

/** What grows with the enterprises. A journal grows with the transactions since its node rewrote it last. */
export const GROWING_PARTS = ['department databases', 'blocks', 'state', 'portraits', 'indices', 'tries'] as const

export const COPIES = 'traditional copies'
export const CENTRE = 'traditional centre'
export const CONCORDAT = 'concordat'

/** Figures by x, ascending. */
export type Line = readonly { readonly x: number; readonly figure: Figure }[]

export class StorageFigures {
  constructor(readonly figures: Figures) {}

  /** Medians of a series along its axis; `label` gets ` at X` appended. */
  line(label: string, wanted: Partial<Row>, axis = 'enterprises'): Line {
    const rows = this.figures.select({ ...wanted, axis })
    const xs = [...new Set(rows.flatMap(({ x }) => (x === null ? [] : [x])))].sort((a, b) => a - b)
    return xs.flatMap((x) => {
      const figure = this.figures.median(`${label} at ${x} ${axis}`, { ...wanted, axis, x })
      return figure === undefined ? [] : [{ x, figure }]
    })
  }

  /** Bytes that one more enterprise takes, by the line through all points. */
  perEnterprise(label: string, wanted: Partial<Row>): Figure | undefined {
    return this.#slope(label, this.figures.select({ ...wanted, axis: 'enterprises' }))
  }

  /** The largest of these rows. */
  most(label: string, wanted: Partial<Row>): Figure | undefined {
    const rows = this.figures.select(wanted)
    const [first] = rows.toSorted((a, b) => b.value - a.value)
    return first && this.figures.derive(label, first.unit, first.value, `largest of ${rows.length}`, [first])
  }

  /** Bytes that one more using department takes. */
  perDepartment(label: string, wanted: Partial<Row>): Figure | undefined {
    return this.#slope(label, this.figures.select({ part: '', ...wanted, quantity: 'disk by departments' }))
  }

  difference(label: string, from: Figure | undefined, less: Figure | undefined): Figure | undefined {
    if (from === undefined || less === undefined) return undefined
    return this.figures.derive(label, from.unit, from.value - less.value, `${from.id} - ${less.id}`, [from, less])
  }

  ratio(label: string, above: Figure | undefined, below: Figure | undefined): Figure | undefined {
    if (above === undefined || below === undefined || below.value === 0) return undefined
    return this.figures.ratio(label, above, below)
  }

  product(label: string, one: Figure | undefined, other: Figure | undefined): Figure | undefined {
    if (one === undefined || other === undefined) return undefined
    return this.figures.derive(label, one.unit, one.value * other.value, `${one.id} * ${other.id}`, [one, other])
  }

  /** Where the line through all points reaches at `x`; the measured value where there is one. */
  extended(label: string, line: Line, x: number): Figure | undefined {
    const measured = line.find((point) => point.x === x)
    if (measured !== undefined || line.length < 2) return measured?.figure
    const { base, slope } = straight(line)
    const from = line.map(({ figure }) => figure)
    return this.figures.derive(label, 'bytes', base + slope * x, `line through ${line.length} points, at ${x}`, from)
  }

  /**
   * Number of using departments from which the line of concordat lies below that of copies; undefined when it never does. Both lines are
   * straight: each department adds as much as the one before.
   */
  crossing(label: string, copies: Line, concordat: Line): Figure | undefined {
    if (copies.length < 2 || concordat.length < 2) return undefined
    const [a, c] = [straight(copies), straight(concordat)]
    if (a.slope <= c.slope) return undefined
    const at = Math.max(1, Math.ceil((c.base - a.base) / (a.slope - c.slope)))
    const from = [...copies, ...concordat].map(({ figure }) => figure)
    return this.figures.derive(label, 'count', at, 'where the lines through the points cross, rounded up', from)
  }

  #slope(label: string, rows: readonly Row[]): Figure | undefined {
    const points = rows.flatMap(({ x, value }) => (x === null ? [] : [[x, value] as const]))
    if (new Set(points.map(([x]) => x)).size < 2) return undefined
    return this.figures.derive(label, 'bytes', slope(points), `slope of a line through ${points.length} points`, rows)
  }
}

export const last = (line: Line): Line[number] | undefined => line.at(-1)

function straight(line: Line): { readonly base: number; readonly slope: number } {
  const points = line.map(({ x, figure }) => [x, figure.value] as const)
  const rise = slope(points)
  const mean = (pick: 0 | 1) => points.reduce((sum, point) => sum + point[pick], 0) / points.length
  return { slope: rise, base: mean(1) - rise * mean(0) }
}
