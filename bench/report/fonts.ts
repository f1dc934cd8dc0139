/** DejaVu Sans: the files, and the exact widths of texts, without a canvas. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const resolve = createRequire(import.meta.url).resolve

export interface Font {
  readonly bytes: Uint8Array
  /** Width of a text, in units of the font size. */
  width(text: string): number
}

let fonts: { readonly regular: Font; readonly bold: Font } | undefined

/** Read when first needed. */
export function dejavuSans(): { readonly regular: Font; readonly bold: Font } {
  fonts ??= { regular: load('DejaVuSans.ttf'), bold: load('DejaVuSans-Bold.ttf') }
  return fonts
}

/** Width in pixels. */
export function textWidth(text: string, fontSize: number, bold = false): number {
  const { regular, bold: heavy } = dejavuSans()
  return (bold ? heavy : regular).width(text) * fontSize
}

/** Words in lines no wider than `widthMax` pixels, as far as single words allow. */
export function wrap(text: string, widthMax: number, fontSize: number, bold = false): string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`
    if (lines.length > 0 && textWidth(longer, fontSize, bold) <= widthMax) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

function load(name: string): Font {
  const bytes = readFileSync(resolve(`dejavu-fonts-ttf/ttf/${name}`))
  const advance = advances(bytes)
  return { bytes, width: (text) => [...text].reduce((sum, letter) => sum + advance(letter.codePointAt(0)!), 0) }
}

/** Advance width of a code point, by the TrueType tables head, hhea, hmtx and cmap (format 4: the basic plane). */
function advances(font: Buffer): (codePoint: number) => number {
  const [head, hhea, hmtx] = [table(font, 'head'), table(font, 'hhea'), table(font, 'hmtx')]
  const unitsPerEm = font.readUInt16BE(head + 18)
  const metrics = font.readUInt16BE(hhea + 34)
  const glyphs = glyphIndex(font)
  return (codePoint) => font.readUInt16BE(hmtx + 4 * Math.min(glyphs(codePoint), metrics - 1)) / unitsPerEm
}

function table(font: Buffer, tag: string): number {
  for (let i = 0, at = 12; i < font.readUInt16BE(4); i++, at += 16)
    if (font.toString('latin1', at, at + 4) === tag) return font.readUInt32BE(at + 8)
  throw new Error(`the font has no table ${tag}`)
}

function glyphIndex(font: Buffer): (codePoint: number) => number {
  const map = unicodeMap(font)
  const segments = font.readUInt16BE(map + 6) / 2
  const ends = map + 14
  const starts = ends + 2 * segments + 2
  return (codePoint) => {
    let segment = 0
    while (segment < segments && font.readUInt16BE(ends + 2 * segment) < codePoint) segment++
    const start = segment < segments ? font.readUInt16BE(starts + 2 * segment) : Number.POSITIVE_INFINITY
    if (start > codePoint) return 0
    const delta = font.readUInt16BE(starts + 2 * (segments + segment))
    const offsetAt = starts + 2 * (2 * segments + segment)
    const offset = font.readUInt16BE(offsetAt)
    if (offset === 0) return (codePoint + delta) & 0xffff
    const glyph = font.readUInt16BE(offsetAt + offset + 2 * (codePoint - start))
    return glyph === 0 ? 0 : (glyph + delta) & 0xffff
  }
}

/** Where the map of the basic plane begins (platform Windows, encoding Unicode). */
function unicodeMap(font: Buffer): number {
  const cmap = table(font, 'cmap')
  for (let i = 0, at = cmap + 4; i < font.readUInt16BE(cmap + 2); i++, at += 8) {
    const map = cmap + font.readUInt32BE(at + 4)
    if (font.readUInt16BE(at) === 3 && font.readUInt16BE(at + 2) === 1 && font.readUInt16BE(map) === 4) return map
  }
  throw new Error('the font has no Unicode map')
}
