/** Declaration files from generated enterprises. */
import { CREDIT_CODE_ATTRIBUTE } from '../../agent/declaration.js'

const quote = (text: string) => `"${text.replaceAll('"', '""')}"`

/** CSV with one enterprise a row; all have the attributes of the first. */
export function tableOf(rows: readonly Readonly<Record<string, string>>[]): string {
  const header = Object.keys(rows[0] ?? {})
  const lines = rows.map((row) => header.map((name) => quote(row[name] ?? '')).join(','))
  return `${[header.join(','), ...lines].join('\n')}\n`
}

/** Text of a declaration file of these values; CSV when `file` ends in .csv, else JSON. */
export function declarationOf(values: Readonly<Record<string, string>>, file: string): string {
  if (file.endsWith('.csv')) {
    return `attribute,value\n${Object.entries(values)
      .map(([name, value]) => `${name},${quote(value)}`)
      .join('\n')}\n`
  }
  return `${JSON.stringify({ enterprise: values[CREDIT_CODE_ATTRIBUTE], values }, null, 2)}\n`
}
