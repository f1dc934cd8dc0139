/** Number formats of workbooks (ECMA-376 part 1, 18.8.30): what a number is shown as. */

/** How a number is shown, as far as a declaration can rely on it. */
export type Shown =
  | { readonly kind: 'general' }
  /** `decimals` after the point; `pad`: at least so many digits before it. */
  | { readonly kind: 'fixed'; readonly decimals: number; readonly pad: number }
  | { readonly kind: 'date'; readonly time: boolean }
  /** Percent, scientific, fractions, thousands left out: the number shown is another one. */
  | { readonly kind: 'other' }

const GENERAL: Shown = { kind: 'general' }
const OTHER: Shown = { kind: 'other' }
const DATE: Shown = { kind: 'date', time: false }
const TIME: Shown = { kind: 'date', time: true }
const fixed = (decimals: number): Shown => ({ kind: 'fixed', decimals, pad: 0 })

/** Formats that every program knows by number; 27 to 36 and 50 to 58 are dates and times of East Asian editions. */
export function builtInFormat(id: number): Shown {
  if (id === 0 || id === 49) return GENERAL
  if (id === 1 || id === 3 || id === 37 || id === 38 || id === 41 || id === 42) return fixed(0)
  if (id === 2 || id === 4 || id === 39 || id === 40 || id === 43 || id === 44) return fixed(2)
  if (
    (id >= 14 && id <= 17) ||
    (id >= 27 && id <= 31) ||
    id === 36 ||
    (id >= 50 && id <= 54) ||
    id === 57 ||
    id === 58
  ) {
    return DATE
  }
  if ((id >= 18 && id <= 22) || (id >= 32 && id <= 35) || (id >= 45 && id <= 47) || id === 55 || id === 56) return TIME
  return OTHER
}

/** Of a format's sections (positive; negative; zero) the one for a number of this sign. */
export function shownAs(format: string, sign: number): Shown {
  const sections = bare(format).split(';')
  const section = sign < 0 ? sections[1] : sign === 0 ? sections[2] : sections[0]
  return classify(section ?? sections[0] ?? '')
}

/** Without quoted text, escapes, fillers, colours, currencies and conditions. */
function bare(format: string): string {
  return format
    .replace(/"[^"]*"?/g, '')
    .replace(/[\\_*]./gsu, '')
    .replace(/\[(h+|m+|s+)\]/gi, '$1')
    .replace(/\[[^\]]*\]?/g, '')
}

function classify(section: string): Shown {
  if (/general|@/i.test(section)) return GENERAL
  if (/e[+-]|%/i.test(section)) return OTHER
  if (/[ymdhs]/i.test(section)) return /[hs]/i.test(section) ? TIME : DATE
  const digits = section.replace(/[\s()+\-¥￥$€£]/gu, '')
  const match = /^([#0?,]*)(?:\.([#0?]*))?$/.exec(digits)
  if (match === null || match[1]!.endsWith(',')) return OTHER
  return { kind: 'fixed', decimals: match[2]?.length ?? 0, pad: match[1]!.replace(/[^0]/g, '').length }
}

/** Digits that spreadsheet programs show of a number. */
const DIGITS = 15

/**
 * The number of a cell's `<v>` with the 15 digits that programs show, without exponent. Undefined when it is none, or when it
 * has more digits before the point, of which the last ones are lost already.
 */
export function plainNumber(text: string): string | undefined {
  if (text.length > 64 || !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/.test(text)) return undefined
  const number = Number(text)
  if (!Number.isFinite(number) || Math.abs(number) >= 10 ** DIGITS) return undefined
  if (number === 0) return '0'
  const [mantissa, exponent] = Math.abs(number)
    .toExponential(DIGITS - 1)
    .split('e') as [string, string]
  const digits = mantissa.replace('.', '').replace(/0+$/, '')
  const point = Number(exponent) + 1
  if (point > DIGITS || digits.length - point > 2 * DIGITS) return undefined
  return (number < 0 ? '-' : '') + withPoint(digits, point)
}

/** Digits with the decimal point after `point` of them. */
function withPoint(digits: string, point: number): string {
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`
  if (digits.length <= point) return digits.padEnd(point, '0')
  return `${digits.slice(0, point)}.${digits.slice(point)}`
}

const MS_PER_DAY = 86_400_000

/**
 * Day number -> YYYY-MM-DD, with time where there is one. In the 1900 system day 60 is 1900-02-29, which never was; undefined for it
 * and for days that no program shows.
 */
export function dateOfSerial(
  serial: number,
  date1904: boolean,
): { date: string; time: string | undefined } | undefined {
  const seconds = Math.round(serial * 86_400)
  const day = Math.floor(seconds / 86_400)
  if (!(day >= (date1904 ? 0 : 1)) || day > 2_958_465 || (!date1904 && day === 60)) return undefined
  const base = date1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, day > 60 ? 30 : 31)
  const at = new Date(base + day * MS_PER_DAY + (seconds % 86_400) * 1000).toISOString()
  return { date: at.slice(0, 10), time: seconds % 86_400 === 0 ? undefined : at.slice(11, 19) }
}
