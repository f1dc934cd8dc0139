/** Values of JSON forms by RFC 6901 pointers. */
import { DeclarationError, type Place } from './declarationError.js'

/** Undefined where there is nothing. */
export function atPointer(value: unknown, pointer: string): unknown {
  let current = value
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Record<string, unknown>)[key]
  }
  return current
}

/** Text, or a number whose digits are sure; '' for null and nothing. Throws DeclarationError. */
export function textOfJson(value: unknown, at: Place): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value.trim()
  const text = typeof value === 'number' ? numberText(value) : ''
  if (text !== '') return text
  const problem =
    typeof value === 'number' ? 'is a number without exact digits: give it as text' : 'must be text or a number'
  throw new DeclarationError('CELL_UNUSABLE', problem, at)
}

/** '' when JSON may have lost digits of the number. */
export function numberText(value: number): string {
  const text = String(value)
  const exact = Number.isSafeInteger(value) || /^-?\d+\.\d{1,12}$/.test(text)
  return exact ? text : ''
}
