/** Declaration files from generated enterprises. */
import { CREDIT_CODE_ATTRIBUTE } from '../../agent/declaration.js'

/** Text of a declaration file of these values; CSV when `file` ends in .csv, else JSON. */
export function declarationOf(values: Readonly<Record<string, string>>, file: string): string {
  if (file.endsWith('.csv')) {
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
    return `attribute,value\n${Object.entries(values)
      .map(([name, value]) => `${name},${quote(value)}`)
      .join('\n')}\n`
  }
  return `${JSON.stringify({ enterprise: values[CREDIT_CODE_ATTRIBUTE], values }, null, 2)}\n`
}
