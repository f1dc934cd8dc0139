/** A chart as a vega-lite specification. */
import type { TopLevelSpec } from 'vega-lite'
import type { Chart, Point, Series } from './chart.js'
import { textWidth, wrap } from './fonts.js'
import { axisTitle, tickLabels } from './format.js'
import { barSwatch, header, horizontalRules, type Layer, lineSwatch, rulesAbove, verticalRules } from './legend.js'
import { FONT, INK, PALE, PLOT, SIZES, styleOf } from './theme.js'
import { position, type Ticks, ticksOf } from './ticks.js'

export interface Picture {
  readonly spec: TopLevelSpec
  /** What could not be drawn, in words for the caption. */
  readonly missing: string | undefined
}

/** Throws nothing: what has no place on the axes is left out and told in `missing`. */
export function pictureOf(chart: Chart): Picture {
  const { chart: drawable, missing } = withoutUndrawable(chart)
  const spec = drawable.kind === 'line' ? lineSpec(drawable) : barsSpec(drawable)
  return { spec, missing }
}

/** Lists of values cannot be empty in a picture. */
export const hasPoints = (chart: Chart): boolean => chart.series.some(({ points }) => points.length > 0)

function withoutUndrawable(chart: Chart): { readonly chart: Chart; readonly missing: string | undefined } {
  const log = (axis: Chart['x']) => axis.log === true
  const fits = (value: number | string, onLog: boolean) =>
    typeof value === 'string' || (Number.isFinite(value) && (!onLog || value > 0))
  const yLog = log(chart.y) && chart.kind !== 'stack'
  const kept = (points: readonly Point[]) =>
    points.filter(({ x, y }) => fits(x, log(chart.x) && chart.kind === 'line') && fits(y, yLog))
  const series = chart.series
    .filter(({ points }) => points.length > 0)
    .map(({ name, points }) => ({ name, points: kept(points).map((point) => withInterval(point, yLog)) }))
  const count = (all: readonly Series[]) => all.reduce((sum, { points }) => sum + points.length, 0)
  const lost = count(chart.series) - count(series)
  const missing =
    lost === 0 ? undefined : `Points at zero or without a value have no place on these axes: ${lost} left out.`
  return { chart: { ...chart, y: { ...chart.y, log: yLog }, series }, missing }
}

/** An interval that reaches zero or below ends, on a logarithmic axis, at the value itself. */
function withInterval(point: Point, log: boolean): Point {
  const { x, y, low, high } = point
  if (low === undefined || high === undefined || !Number.isFinite(low) || !Number.isFinite(high)) return { x, y }
  return { x, y, low: log && low <= 0 ? y : low, high }
}

/** `s`: index of the series, which decides on its style. */
interface Datum extends Point {
  readonly s: number
}

const data = (series: readonly Series[]): Datum[] =>
  series.flatMap(({ points }, s) => points.map((point) => ({ ...point, s })))

const intervals = (all: readonly Datum[]) => all.filter(({ low }) => low !== undefined)

const extent = (all: readonly Datum[]): number[] => all.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y])

function styles<K extends 'color' | 'dash' | 'shape'>(count: number, key: K) {
  return {
    domain: Array.from({ length: count }, (_, s) => s),
    range: Array.from({ length: count }, (_, s) => styleOf(s)[key]),
  }
}

function lineSpec(chart: Chart): TopLevelSpec {
  const all = data(chart.series)
  const rules = chart.rules ?? []
  const yTicks = valueTicks(chart, [...extent(all), ...rules.map(({ y }) => y)], PLOT.height, 34, false)
  const x = lineX(chart, all)
  const y = {
    field: 'y',
    type: 'quantitative',
    scale: scaleOf(yTicks, chart.y.log),
    axis: axisOf(chart.y, yTicks, true),
  }
  const bounded = intervals(all)
  const style = (key: 'color' | 'dash' | 'shape') => ({
    field: 's',
    type: 'nominal',
    legend: null,
    scale: styles(chart.series.length, key),
  })
  const ends = { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: style('color') }
  const marks: Layer[] = [
    ...(bounded.length === 0
      ? []
      : [
          { data: { values: bounded }, mark: { type: 'area', opacity: 0.15 }, encoding: ends },
          { data: { values: bounded }, mark: { type: 'rule', strokeWidth: 1.2 }, encoding: ends },
        ]),
    {
      data: { values: all },
      mark: { type: 'line', strokeWidth: 2 },
      encoding: { x, y, color: style('color'), strokeDash: style('dash') },
    },
    {
      data: { values: all },
      mark: { type: 'point', filled: true, size: 55, opacity: 1 },
      encoding: { x, y, color: style('color'), shape: style('shape') },
    },
  ]
  const places = rules.map(({ y: value, label }) => ({
    at: PLOT.height - position(value, yTicks.domain, PLOT.height, chart.y.log === true),
    label,
  }))
  return whole(PLOT.width, PLOT.height, [
    ...marks,
    ...horizontalRules(places),
    ...header(
      chart.title,
      chart.series.map(({ name }) => name),
      lineSwatch,
      0,
      PLOT.width,
    ),
  ])
}

/** Numbers on a scale, or, where any x is a word, categories. */
function lineX(chart: Chart, all: readonly Datum[]): Layer {
  if (all.some(({ x }) => typeof x === 'string')) {
    const labels = categories(chart)
    const scale = { domain: labels.map(({ key }) => key), padding: 0.5 }
    return { field: 'x', type: 'ordinal', scale, axis: categoryAxis(chart.x, labels, PLOT.width) }
  }
  const values = all.map(({ x }) => x as number)
  const ticks = ticksOf({
    unit: chart.x.unit ?? 'count',
    log: chart.x.log === true,
    values,
    fromZero: false,
    preferred: [...new Set(values)].sort((a, b) => a - b),
    length: PLOT.width,
    room: (label) => textWidth(label, SIZES.label) + 14,
  })
  return { field: 'x', type: 'quantitative', scale: scaleOf(ticks, chart.x.log), axis: axisOf(chart.x, ticks, false) }
}

function valueTicks(chart: Chart, values: readonly number[], length: number, room: number, horizontal: boolean): Ticks {
  return ticksOf({
    unit: chart.y.unit,
    log: chart.y.log === true,
    values: chart.y.log === true ? values.filter((value) => value > 0) : values,
    fromZero: true,
    length,
    room: (label) => (horizontal ? textWidth(label, SIZES.label) + 14 : room),
  })
}

interface Category {
  readonly key: number | string
  readonly label: string
}

/** In the order in which they come; numbers ascending. */
function categories(chart: Chart): Category[] {
  const keys = [...new Set(chart.series.flatMap(({ points }) => points.map(({ x }) => x)))]
  if (!keys.every((key) => typeof key === 'number')) return keys.map((key) => ({ key, label: String(key) }))
  const ascending = keys.sort((a, b) => a - b)
  const labels = tickLabels(ascending, chart.x.unit ?? 'count', true)
  return ascending.map((key, i) => ({ key, label: labels[i]! }))
}

const LINES_MAX = 3

/** Whether every label, in up to three lines, fits under its category. */
function fitsUnder(labels: readonly Category[], width: number): boolean {
  const room = width / labels.length - 8
  return labels.every(({ label }) => {
    const lines = wrap(label, room, SIZES.label)
    return lines.length <= LINES_MAX && lines.every((line) => textWidth(line, SIZES.label) <= room)
  })
}

function categoryAxis(axis: Chart['x'], labels: readonly Category[], width: number): Layer {
  const room = width / labels.length - 8
  const wrapped = Object.fromEntries(labels.map(({ key, label }) => [String(key), wrap(label, room, SIZES.label)]))
  return {
    ...axisStyle(axisTitle(axis.title, axis.unit)),
    labelExpr: `(${JSON.stringify(wrapped)})[datum.value]`,
    labelAngle: 0,
    grid: false,
  }
}

/** Standing bars; lying ones where the categories' names need more room. */
function barsSpec(chart: Chart): TopLevelSpec {
  const labels = categories(chart)
  return fitsUnder(labels, PLOT.width) ? standing(chart, labels) : lying(chart, labels)
}

function standing(chart: Chart, labels: readonly Category[]): TopLevelSpec {
  const { width, height } = PLOT
  const ticks = barTicks(chart, height, false)
  const places = (chart.rules ?? []).map(({ y, label }) => ({
    at: height - position(y, ticks.domain, height, chart.y.log === true),
    label,
  }))
  const category = {
    field: 'x',
    type: 'ordinal',
    scale: bandScale(chart, labels),
    axis: categoryAxis(chart.x, labels, width),
  }
  const value = { type: 'quantitative', scale: scaleOf(ticks, chart.y.log), axis: axisOf(chart.y, ticks, true) }
  const layers = barLayers(chart, { along: 'y', across: 'x', category, value, floor: ticks.domain[0] })
  return whole(width, height, [...layers, ...horizontalRules(places), ...barHeader(chart, 0, width)])
}

const LYING = { width: 460, label: 250, line: 15 } as const

function lying(chart: Chart, labels: readonly Category[]): TopLevelSpec {
  const { width } = LYING
  const wrapped = labels.map(({ key, label }) => [String(key), wrap(label, LYING.label, SIZES.label)] as const)
  const bars = chart.kind === 'stack' ? 1 : Math.max(1, chart.series.length)
  const lines = Math.max(...wrapped.map(([, all]) => all.length))
  const height = labels.length * Math.max(34, bars * 14 + 10, lines * LYING.line + 8)
  const ticks = barTicks(chart, width, true)
  const rules = chart.rules ?? []
  const places = rules.map(({ y, label }) => ({ at: position(y, ticks.domain, width, chart.y.log === true), label }))
  const category = { field: 'x', type: 'ordinal', scale: bandScale(chart, labels), axis: sideAxis(chart.x, wrapped) }
  const value = { type: 'quantitative', scale: scaleOf(ticks, chart.y.log), axis: axisOf(chart.y, ticks, true) }
  const layers = barLayers(chart, { along: 'x', across: 'y', category, value, floor: ticks.domain[0] })
  const above = rulesAbove(rules.length)
  return whole(width, height, [...layers, ...verticalRules(places, width, height), ...barHeader(chart, above, width)])
}

/** Labels left of lying bars, those of several lines centred at their bar. */
function sideAxis(axis: Chart['x'], wrapped: readonly (readonly [key: string, lines: readonly string[]])[]): Layer {
  const labels = JSON.stringify(Object.fromEntries(wrapped))
  const counts = [...new Set(wrapped.map(([, lines]) => lines.length))]
  const condition = counts.map((count) => ({
    test: `length((${labels})[datum.value]) == ${count}`,
    value: (-(count - 1) * LYING.line) / 2,
  }))
  const labelOffset = { condition, value: 0 }
  return {
    ...axisStyle(axisTitle(axis.title, axis.unit)),
    labelExpr: `(${labels})[datum.value]`,
    labelLineHeight: LYING.line,
    labelOffset,
    grid: false,
  }
}

const barHeader = (chart: Chart, above: number, width: number): Layer[] =>
  header(
    chart.title,
    chart.series.map(({ name }) => name),
    barSwatch,
    above,
    width,
  )

function barTicks(chart: Chart, length: number, horizontal: boolean): Ticks {
  const all = chart.kind === 'stack' ? stacked(chart).flatMap(({ from, to }) => [from, to]) : extent(data(chart.series))
  // On a logarithmic axis the shortest bar still has a length.
  const floor = chart.y.log === true ? [Math.min(...all) * 0.8] : []
  return valueTicks(chart, [...all, ...floor, ...(chart.rules ?? []).map(({ y }) => y)], length, 34, horizontal)
}

function bandScale(chart: Chart, labels: readonly Category[]): Layer {
  const wide = chart.kind === 'stack' || chart.series.length === 1
  return { domain: labels.map(({ key }) => key), paddingInner: wide ? 0.35 : 0.22, paddingOuter: 0.15 }
}

interface Slice {
  readonly x: number | string
  readonly s: number
  readonly from: number
  readonly to: number
}

/** The first series at the bottom. */
function stacked(chart: Chart): Slice[] {
  const tops = new Map<number | string, number>()
  return data(chart.series).map(({ x, y, s }) => {
    const from = tops.get(x) ?? 0
    tops.set(x, from + y)
    return { x, s, from, to: from + y }
  })
}

interface BarAxes {
  readonly along: 'x' | 'y'
  readonly across: 'x' | 'y'
  readonly category: Layer
  readonly value: Layer
  /** Where bars begin: the axis' lower end. */
  readonly floor: number
}

function barLayers(chart: Chart, axes: BarAxes): Layer[] {
  const { along, across, category, value, floor } = axes
  const stack = chart.kind === 'stack'
  const base = chart.y.log === true ? floor : 0
  const all = stack ? stacked(chart) : data(chart.series).map(({ x, y, s }) => ({ x, s, from: base, to: y }))
  const many = !stack && chart.series.length > 1
  const offset = many
    ? { [`${across}Offset`]: { field: 's', type: 'nominal', scale: { domain: chart.series.map((_, s) => s) } } }
    : {}
  const color = { field: 's', type: 'nominal', legend: null, scale: styles(chart.series.length, 'color') }
  const place = { [across]: category, ...offset }
  const ends = (from: string, to: string) => ({ [along]: { ...value, field: from }, [`${along}2`]: { field: to } })
  const bounded = stack ? [] : intervals(data(chart.series))
  const whiskers: Layer[] =
    bounded.length === 0
      ? []
      : [
          {
            data: { values: bounded },
            mark: { type: 'rule', color: INK, strokeWidth: 1.3 },
            encoding: { ...place, ...ends('low', 'high') },
          },
          ...['low', 'high'].map((field) => ({
            data: { values: bounded },
            mark: {
              type: 'tick',
              color: INK,
              thickness: 1.3,
              size: 7,
              orient: along === 'y' ? 'horizontal' : 'vertical',
            },
            encoding: { ...place, [along]: { ...value, field } },
          })),
        ]
  const mark = { type: 'bar', stroke: INK, strokeWidth: 0.5 }
  return [{ data: { values: all }, mark, encoding: { ...place, ...ends('from', 'to'), color } }, ...whiskers]
}

function scaleOf(ticks: Ticks, log: boolean | undefined): Layer {
  const scale = { domain: ticks.domain, nice: false }
  return log === true ? { type: 'log', ...scale } : { type: 'linear', ...scale, zero: false }
}

function axisOf(axis: Chart['x'], ticks: Ticks, grid: boolean): Layer {
  const labels = Object.fromEntries(ticks.values.map((value, i) => [String(value), ticks.labels[i]!]))
  const labelExpr = `(${JSON.stringify(labels)})[toString(datum.value)]`
  return { ...axisStyle(axisTitle(axis.title, axis.unit)), values: ticks.values, labelExpr, grid }
}

const axisStyle = (title: string): Layer => ({
  title,
  labelOverlap: false,
  labelLimit: 0,
  labelBound: false,
  labelFlush: false,
  maxExtent: 400,
})

function whole(width: number, height: number, layer: readonly Layer[]): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    width,
    height,
    padding: 12,
    background: 'white',
    layer,
    config: {
      font: FONT,
      axis: {
        labelFontSize: SIZES.label,
        titleFontSize: SIZES.axisTitle,
        titleFontWeight: 'normal',
        labelColor: INK,
        titleColor: INK,
        domainColor: INK,
        tickColor: INK,
        gridColor: PALE,
        titlePadding: 10,
        titleLimit: 0,
      },
      view: { stroke: null },
    },
  } as unknown as TopLevelSpec
}
