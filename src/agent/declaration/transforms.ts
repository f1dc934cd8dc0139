/** What a mapping template may do to a text: a closed list, exact, without patterns or expressions of its own. */

/** One transform: the new text, or what is wrong with the old one. */
type Result = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string }

const ok = (text: string): Result => ({ ok: true, text })
const fault = (problem: string): Result => ({ ok: false, problem })

/** Digits of one number: keeps every pattern here cheap. */
const LENGTH_MAX = 100
const NUMBER = /^([+-]?)(\d+)(?:\.(\d+))?$/

const TABLE = {
  /** No white space at either end, full-width spaces included. */
  trim: (text) => ok(text.trim()),
  /** No white space at all: `6222 0210 ...`. */
  'remove-spaces': (text) => ok(text.replace(/\s+/gu, '')),
  /** Full-width letters, digits and signs as ASCII: `１２３（` is `123(`. */
  'half-width': (text) => ok(text.replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))),
  /** `1,234,567.80` is `1234567.80`; refuses commas elsewhere. */
  'remove-group-separators': ungrouped,
  'times-1000': (text) => times(text, 3),
  /** Amounts in 万元 (ten thousand yuan) as yuan. */
  'times-10000': (text) => times(text, 4),
  'times-1000000': (text) => times(text, 6),
  /** Amounts in 亿元 (hundred million yuan) as yuan. */
  'times-100000000': (text) => times(text, 8),
  /** An amount with its unit behind it as yuan: `500万元人民币`, `1.2亿元`, `3000元`. */
  'yuan-of-amount': yuanOf,
  /** Year, month, day in any of the forms that values are taken in: `2020年1月2日`, `2020/1/2`, `20200102`. */
  'date-year-month-day': (text) => dateOf(text, 'ymd'),
  /** `31/01/2020` */
  'date-day-month-year': (text) => dateOf(text, 'dmy'),
  /** `01/31/2020` */
  'date-month-day-year': (text) => dateOf(text, 'mdy'),
  /** `2020-01-31 08:30:00` is `2020-01-31`. */
  'date-without-time': (text) => ok(text.replace(/^(\d{4}-\d{2}-\d{2})[ T]\d{2}:\d{2}(:\d{2})?$/, '$1')),
} as const satisfies Record<string, (text: string) => Result>

export type TransformName = keyof typeof TABLE
export const TRANSFORM_NAMES = Object.keys(TABLE) as [TransformName, ...TransformName[]]

/** One after the other. */
export function transformed(text: string, names: readonly TransformName[]): Result {
  let current = text
  for (const name of names) {
    const result = TABLE[name](current)
    if (!result.ok) return result
    current = result.text
  }
  return ok(current)
}

/** `text` * 10^zeros, exactly; digits behind the point stay as many as are needed. */
function times(text: string, zeros: number): Result {
  const match = text.length > LENGTH_MAX ? null : NUMBER.exec(text.trim())
  if (match === null) return fault('must be a number in digits, such as 1200.50')
  const [, sign, whole, fraction = ''] = match
  const shifted = fraction.padEnd(zeros, '0')
  const digits = `${whole}${shifted.slice(0, zeros)}`.replace(/^0+(?=\d)/, '')
  const rest = shifted.slice(zeros).replace(/0+$/, '')
  return ok(`${sign === '-' ? '-' : ''}${digits}${rest === '' ? '' : `.${rest}`}`)
}

function ungrouped(text: string): Result {
  const plain = text.trim().replaceAll('，', ',')
  if (!plain.includes(',')) return ok(plain)
  if (plain.length > LENGTH_MAX || !/^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(plain)) {
    return fault('must have a comma after every three digits or none, such as 1,200.50')
  }
  return ok(plain.replaceAll(',', ''))
}

const UNITS: Readonly<Record<string, number>> = { '': 0, 元: 0, 圆: 0, 万: 4, 万元: 4, 亿: 8, 亿元: 8 }

function yuanOf(text: string): Result {
  const bad = fault('must be an amount with its unit in digits, such as 500万元')
  if (text.length > LENGTH_MAX) return bad
  const plain = text
    .normalize('NFKC')
    .replace(/\s+/gu, '')
    .replace(/^人民币/, '')
    .replace(/(人民币|整)$/, '')
  const match = /^([\d,.]+)(\D*)$/.exec(plain)
  const zeros = match === null ? undefined : Object.hasOwn(UNITS, match[2]!) ? UNITS[match[2]!] : undefined
  if (match === null || zeros === undefined) return bad
  const number = ungrouped(match[1]!)
  return number.ok ? times(number.text, zeros) : number
}

function dateOf(text: string, order: 'ymd' | 'dmy' | 'mdy'): Result {
  const example = { ymd: '2020-01-31', dmy: '31/01/2020', mdy: '01/31/2020' }[order]
  const parts = text.length > LENGTH_MAX ? undefined : dateParts(text.trim(), order === 'ymd')
  if (parts === undefined) return fault(`must be a date such as ${example}`)
  const part = (of: string) => Number(parts[order.indexOf(of)])
  const [year, month, day] = [part('y'), part('m'), part('d')]
  const date = new Date(Date.UTC(2000, 0, 1))
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day)
    return fault(`is no date that exists, such as ${example}`)
  return ok(`${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`)
}

/** Three numbers, the year of four digits, in the order of the text. */
function dateParts(text: string, yearFirst: boolean): readonly string[] | undefined {
  const match = yearFirst
    ? (/^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})$/.exec(text) ?? /^(\d{4})(年)(\d{1,2})月(\d{1,2})日$/.exec(text))
    : /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})$/.exec(text)
  if (match) return [match[1]!, match[3]!, match[4]!]
  const packed = yearFirst ? /^(\d{4})(\d{2})(\d{2})$/.exec(text) : null
  return packed?.slice(1)
}

/** True when two texts say the same: equal, equal numbers, or the same date in two forms. */
export function sameText(a: string, b: string): boolean {
  if (a.normalize('NFC') === b.normalize('NFC')) return true
  for (const form of [(text: string) => times(text, 0), (text: string) => dateOf(text, 'ymd')]) {
    const [left, right] = [form(a), form(b)]
    if (left.ok && right.ok && left.text === right.text) return true
  }
  return false
}

/** Exact sum of numbers in digits; the index of the first text that is none. */
export function sumOf(texts: readonly string[]): { readonly sum: string } | { readonly fault: number } {
  const parsed = texts.map((text) => (text.length > LENGTH_MAX ? null : NUMBER.exec(text)))
  const bad = parsed.indexOf(null)
  if (bad !== -1) return { fault: bad }
  const scale = Math.max(0, ...parsed.map((match) => match?.[3]?.length ?? 0))
  let units = 0n
  for (const match of parsed) {
    const value = BigInt(`${match?.[2]}${(match?.[3] ?? '').padEnd(scale, '0')}`)
    units += match?.[1] === '-' ? -value : value
  }
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
  const fraction = digits.slice(digits.length - scale)
  return {
    sum: `${units < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}${scale === 0 ? '' : `.${fraction}`}`,
  }
}
