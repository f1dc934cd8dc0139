/** Pictures without a browser: vega makes the SVG, resvg the PNG. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { initWasm, Resvg } from '@resvg/resvg-wasm'
import * as vega from 'vega'
import { compile } from 'vega-lite'
import type { Chart } from './chart.js'
import { dejavuSans } from './fonts.js'
import { pictureOf } from './spec.js'
import { styleOf } from './theme.js'

interface TextItem {
  readonly fontSize?: number
  readonly fontWeight?: string | number
}

/** How vega measures texts; it has no type. Without a canvas it would only guess. */
const { textMetrics } = vega as unknown as { textMetrics: { width: (item: TextItem, text: unknown) => number } }

textMetrics.width = ({ fontSize = 11, fontWeight }, text) => {
  const { regular, bold } = dejavuSans()
  const heavy = fontWeight === 'bold' || Number(fontWeight) >= 600
  return text === null || text === undefined ? 0 : (heavy ? bold : regular).width(String(text)) * fontSize
}

export interface Drawing {
  readonly svg: string
  /** What the picture leaves out, for its caption. */
  readonly missing: string | undefined
}

/** The chart as an SVG document; ids in it begin with the chart's name, so that several can stand in one page. */
export async function drawSvg(chart: Chart): Promise<Drawing> {
  const { spec, missing } = pictureOf(chart)
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none', logLevel: vega.Error })
  try {
    const svg = await view.toSVG()
    return { svg: chart.kind === 'line' ? svg : hatched(svg, chart), missing }
  } finally {
    view.finalize()
  }
}

/** Bars filled with their series' hatch over its colour: vega has no patterns. */
function hatched(svg: string, chart: Chart): string {
  const styles = chart.series.map((_, index) => styleOf(index)).slice(0, 8)
  const id = (index: number) => `${chart.name}-hatch-${index}`
  const patterns = styles.map(
    ({ color, hatch }, index) =>
      `<pattern id="${id(index)}" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="${color}"/>${hatch}</pattern>`,
  )
  const filled = styles.reduce(
    (text, { color }, index) => text.replaceAll(`fill="${color}"`, `fill="url(#${id(index)})"`),
    svg,
  )
  return filled.replace(/(<svg[^>]*>)/, `$1<defs>${patterns.join('')}</defs>`)
}

let ready: Promise<void> | undefined

/** The SVG as a PNG, `zoom` pixels for each of its own. */
export async function drawPng(svg: string, zoom = 2): Promise<Uint8Array> {
  ready ??= initWasm(readFileSync(createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm')))
  await ready
  const { regular, bold } = dejavuSans()
  const font = { fontBuffers: [regular.bytes, bold.bytes], defaultFontFamily: 'DejaVu Sans', loadSystemFonts: false }
  const picture = new Resvg(svg, { font, fitTo: { mode: 'zoom', value: zoom } })
  try {
    const image = picture.render()
    const png = image.asPng()
    image.free()
    return png
  } finally {
    picture.free()
  }
}
