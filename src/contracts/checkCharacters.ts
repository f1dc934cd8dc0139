/** Check characters of the two national identifiers. */

/** GB 32100-2015, table 1: digits and capital letters without I, O, S, V, Z. */
const CREDIT_CODE_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const CREDIT_CODE = /^[0-9A-HJ-NPQRTUWXY]{18}$/
/** GB 11643-1999, 4.2: weights of positions 1 to 17, and the check characters by remainder. */
const RESIDENT_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const RESIDENT_CHECKS = '10X98765432'
const RESIDENT_ID = /^\d{17}[\dX]$/

/** True for a unified social credit code whose 18th character checks the others (GB 32100-2015, 4.6: weights 3^i mod 31). */
export function isCreditCode(code: string): boolean {
  if (!CREDIT_CODE.test(code)) return false
  let sum = 0
  let weight = 1
  for (let i = 0; i < 17; i++) {
    sum += CREDIT_CODE_ALPHABET.indexOf(code[i]!) * weight
    weight = (weight * 3) % 31
  }
  return CREDIT_CODE_ALPHABET[(31 - (sum % 31)) % 31] === code[17]
}

/** True for a resident identity number with a real birth date and the right check character (GB 11643-1999). */
export function isResidentId(id: string): boolean {
  if (!RESIDENT_ID.test(id)) return false
  const sum = RESIDENT_WEIGHTS.reduce((total, weight, i) => total + weight * Number(id[i]), 0)
  if (RESIDENT_CHECKS[sum % 11] !== id[17]) return false
  return daysOfDate(Number(id.slice(6, 10)), Number(id.slice(10, 12)), Number(id.slice(12, 14))) !== undefined
}

/** Days since 1970-01-01 of a date in the Gregorian calendar, years 1 to 9999; undefined when there is no such day. */
export function daysOfDate(year: number, month: number, day: number): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const real = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return real && year >= 1 && year <= 9999 ? date.getTime() / 86_400_000 : undefined
}
