/** Identifier numbers with valid check characters, made from an index so that no two companies share one. */
import type { Random } from './random.js'

/** GB 32100-2015 alphabet: no I, O, S, V, Z. */
const CREDIT_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const CREDIT_WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
const ORGANISATION_WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2]
const ID_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]

function weighted(text: string, weights: readonly number[], digitOf: (character: string) => number): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) sum += weights[i]! * digitOf(text[i]!)
  return sum
}

/** Ninth character of an organisation code (GB 11714-1997). */
function organisationCheck(body: string): string {
  const check = 11 - (weighted(body, ORGANISATION_WEIGHTS, (c) => Number.parseInt(c, 36)) % 11)
  return check === 10 ? 'X' : check === 11 ? '0' : String(check)
}

/** Organisation codes that can be made: 8 digits. */
export const organisationsMax = 100_000_000

/**
 * Unified social credit code (GB 32100-2015): authority 9, category 1 (enterprise), division of six digits, organisation
 * code, check character. Different `organisation` numbers (0 .. 99,999,999) give different codes.
 */
export function creditCode(division: string, organisation: number): string {
  const body = String(organisation).padStart(8, '0')
  const front = `91${division}${body}${organisationCheck(body)}`
  const sum = weighted(front, CREDIT_WEIGHTS, (c) => CREDIT_ALPHABET.indexOf(c))
  return front + CREDIT_ALPHABET[(31 - (sum % 31)) % 31]!
}

/** Resident identity number (GB 11643-1999): division, birth date (YYYYMMDD), sequence 001-999, check character. */
export function residentId(division: string, birthDate: string, sequence: number): string {
  const front = `${division}${birthDate}${String(sequence).padStart(3, '0')}`
  return front + '10X98765432'[weighted(front, ID_WEIGHTS, Number) % 11]!
}

/** 19 digits: issuer prefix of six digits, twelve digits, Luhn check digit (ISO/IEC 7812-1). */
export function bankAccount(prefix: string, random: Random): string {
  let body = prefix
  while (body.length < 18) body += random.below(10)
  let sum = 0
  for (let i = 0; i < body.length; i++) {
    const doubled = Number(body[body.length - 1 - i]) * (i % 2 === 0 ? 2 : 1)
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return body + ((10 - (sum % 10)) % 10)
}
