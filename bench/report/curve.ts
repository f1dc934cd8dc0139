/** One figure for each place on an axis, as points of a chart and as cells of a table. */
import type { Row } from '../harness/row.js'
import type { Point, Series } from './chart.js'
import type { Figure, Figures } from './figures.js'
import { plain } from './format.js'
import type { SectionTable } from './section.js'

export interface Curve {
  readonly series: Series
  /** Medians over the repeats by their x, in the order of x. */
  readonly byX: ReadonlyMap<number, Figure>
}

/** Medians of the rows with these properties at each of their x; no points when there are no rows. */
export function curveOf(figures: Figures, name: string, wanted: Partial<Row>): Curve {
  const xs = [...new Set(figures.select(wanted).map(({ x }) => x))].filter((x) => x !== null).sort((a, b) => a - b)
  const byX = new Map(xs.map((x) => [x, figures.median(`${name}, ${wanted.axis} ${x}`, { ...wanted, x })!]))
  return { series: { name, points: [...byX].map(([x, figure]) => pointOf(x, figure)) }, byX }
}

export function pointOf(x: number | string, { value, low, high }: Figure): Point {
  return { x, y: value, ...(low === undefined || high === undefined ? {} : { low, high }) }
}

/** Bars: x as a category. */
export const asBars = ({ series }: Curve, label: (x: number) => string): Series => ({
  name: series.name,
  points: series.points.map((point) => ({ ...point, x: label(Number(point.x)) })),
})

/** A row for each place; what was not measured there is a dash. Columns without any value are left out. */
export function curveTable(
  title: string,
  axis: string,
  columns: readonly (readonly [title: string, curve: Curve])[],
): SectionTable {
  const measured = columns.filter(([, { byX }]) => byX.size > 0)
  const rows = placesOf(measured.map(([, curve]) => curve)).map((x) => [
    plain(x),
    ...measured.map(([, { byX }]) => byX.get(x) ?? '-'),
  ])
  return { title, head: [axis, ...measured.map(([name]) => name)], rows }
}

/** The places of several curves, in order. */
const placesOf = (curves: readonly Curve[]): number[] =>
  [...new Set(curves.flatMap(({ byX }) => [...byX.keys()]))].sort((a, b) => a - b)
