/** A picture as data: experiments say what is in it, the report draws it (SVG, PNG, and inside the HTML page). */
import type { Unit } from '../harness/row.js'

export interface Axis {
  /** Without the unit. */
  readonly title: string
  /** Decides how ticks are written (bytes as kB, MB, GB); undefined: a plain number or a category. */
  readonly unit?: Unit
  readonly log?: boolean
}

export interface Point {
  /** A number on a line or scatter chart, a category on bars. */
  readonly x: number | string
  readonly y: number
  /** Ends of the interval, drawn as a band (lines) or a whisker (bars). */
  readonly low?: number
  readonly high?: number
}

export interface Series {
  /** Stands in the legend. */
  readonly name: string
  readonly points: readonly Point[]
}

export interface Chart {
  /** File name without ending: `fig8-storage`. */
  readonly name: string
  readonly title: string
  /** One or two sentences under the picture: what to see. */
  readonly caption: string
  /** `line`: points joined, with intervals; `bars`: one bar a series within each category; `stack`: series on top of each other. */
  readonly kind: 'line' | 'bars' | 'stack'
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
  /** Horizontal reference lines, such as a budget. */
  readonly rules?: readonly { readonly y: number; readonly label: string }[]
}
