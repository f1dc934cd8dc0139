/** How pictures look: one place for sizes, colours, dashes, shapes and hatches. */

export const PLOT = { width: 560, height: 320 } as const
export const FONT = 'DejaVu Sans, Verdana, Geneva, sans-serif'
export const SIZES = { title: 15, axisTitle: 13, label: 12 } as const
export const INK = '#222222'
export const PALE = '#dddddd'

/** What tells one series from the others, in colour and without it. */
export interface Style {
  readonly color: string
  /** Of a line, in pixels drawn and left out; [1, 0] is solid. */
  readonly dash: readonly number[]
  /** A vega symbol. */
  readonly shape: string
  /** SVG content of a hatch of 8 by 8 pixels, drawn over the colour of a bar. */
  readonly hatch: string
}

const stroke = (path: string, color = '#ffffff') =>
  `<path d="${path}" stroke="${color}" stroke-width="1.4" fill="none"/>`

/** Okabe and Ito's colours, which people with any colour vision tell apart, ordered so that neighbours differ in lightness. */
const STYLES: readonly Style[] = [
  { color: '#0072b2', dash: [1, 0], shape: 'circle', hatch: '' },
  { color: '#e69f00', dash: [8, 4], shape: 'square', hatch: stroke('M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4', INK) },
  { color: '#009e73', dash: [2, 3], shape: 'triangle-up', hatch: stroke('M-2,6 l4,4 M0,0 l8,8 M6,-2 l4,4') },
  { color: '#cc79a7', dash: [10, 3, 2, 3], shape: 'diamond', hatch: '<circle cx="4" cy="4" r="1.5" fill="#222222"/>' },
  { color: '#56b4e9', dash: [5, 2], shape: 'triangle-down', hatch: stroke('M0,4 h8', INK) },
  { color: '#d55e00', dash: [12, 3, 2, 3, 2, 3], shape: 'cross', hatch: stroke('M4,0 v8') },
  { color: '#555555', dash: [1, 2], shape: 'triangle-right', hatch: stroke('M0,0 l8,8 M0,8 l8,-8') },
  { color: '#b8a800', dash: [6, 2, 1, 2], shape: 'triangle-left', hatch: stroke('M4,0 v8 M0,4 h8', INK) },
]

/** Style of the series with this index. From the ninth on, colours come again, with another dash and shape. */
export function styleOf(index: number): Style {
  const at = (shift: number) => STYLES[(index + shift * Math.floor(index / STYLES.length)) % STYLES.length]!
  return { color: at(0).color, hatch: at(0).hatch, dash: at(3).dash, shape: at(5).shape }
}
