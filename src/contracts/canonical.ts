/** The one canonical text of a value by its schema: what digests are made of and what is compared. */
import { attributeValueBytesMax } from '../core/limits.js'
import { daysOfDate, isCreditCode, isResidentId } from './checkCharacters.js'
import { CASE_RULE, CHECKSUM, VALUE_TYPE } from './codes.js'
import type { Schema } from './genesisTypes.js'

export type ValueErrorCode =
  | 'VACANT'
  | 'TOO_LONG'
  | 'BAD_CHARACTER'
  | 'NOT_AN_INTEGER'
  | 'NOT_A_DECIMAL'
  | 'TOO_PRECISE'
  | 'NOT_A_DATE'
  | 'OUT_OF_RANGE'
  | 'BAD_CHECK_CHARACTER'
  | 'NOT_LISTED'

export type Canonical =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly code: ValueErrorCode; readonly message: string }

/** Characters of a number: int256 has 78 digits. Keeps the patterns below linear in effect. */
const numberLengthMax = 100
/** Control characters and lone surrogates. */
const BAD_CHARACTER = /[\p{Cc}\p{Cs}]/u
const INTEGER = /^([+-]?)0*(\d+)$/
const DECIMAL = /^([+-]?)0*(\d+)(?:\.(\d*?)0*)?$/
const DATE =
  /^(\d{4})(?:-(\d{1,2})-(\d{1,2})|\/(\d{1,2})\/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})|(\d{2})(\d{2})|年(\d{1,2})月(\d{1,2})日)$/

/**
 * NFC and trimmed; then by type. text, code: case rule. integer: no leading zeros or plus sign. decimal: exactly `scale`
 * digits after the point. date: YYYY-MM-DD, also from 2020/1/2, 2020.1.2, 20200102 and 2020年1月2日.
 */
export function canonicalise(schema: Schema, given: string): Canonical {
  if (given.length > attributeValueBytesMax) return tooLong(schema)
  const text = given.normalize('NFC').trim()
  if (text === '') return fault('VACANT', 'is empty')
  if (BAD_CHARACTER.test(text)) return fault('BAD_CHARACTER', 'holds a control character or half a surrogate pair')
  const result = byType(schema, text)
  return result.ok && [...result.value].length > schema.lengthMax ? tooLong(schema) : result
}

function byType(schema: Schema, text: string): Canonical {
  switch (schema.valueType) {
    case VALUE_TYPE.integer:
      return integer(schema, text)
    case VALUE_TYPE.decimal:
      return decimal(schema, text)
    case VALUE_TYPE.date:
      return date(schema, text)
    case VALUE_TYPE.code:
      return code(schema, cased(schema, text))
    default:
      return { ok: true, value: cased(schema, text) }
  }
}

function cased({ caseRule }: Schema, text: string): string {
  if (caseRule === CASE_RULE.upper) return text.toUpperCase().normalize('NFC')
  return caseRule === CASE_RULE.lower ? text.toLowerCase().normalize('NFC') : text
}

function integer(schema: Schema, text: string): Canonical {
  const match = text.length > numberLengthMax ? null : INTEGER.exec(text)
  if (match === null) return fault('NOT_AN_INTEGER', 'must be a whole number in digits, such as 1200')
  const value = BigInt(match[2]!) * (match[1] === '-' ? -1n : 1n)
  return within(schema, value, String(value))
}

function decimal(schema: Schema, text: string): Canonical {
  const match = text.length > numberLengthMax ? null : DECIMAL.exec(text)
  if (match === null) return fault('NOT_A_DECIMAL', 'must be a number in digits, such as 1200.50')
  const { scale } = schema
  const fraction = match[3] ?? ''
  if (fraction.length > scale) return fault('TOO_PRECISE', `has more than ${scale} digits after the point`)
  const digits = fraction.padEnd(scale, '0')
  const units = BigInt(match[2]! + digits)
  const sign = match[1] === '-' && units !== 0n ? '-' : ''
  const value = `${sign}${match[2]}${scale === 0 ? '' : `.${digits}`}`
  return within(schema, sign === '-' ? -units : units, value)
}

function date(schema: Schema, text: string): Canonical {
  const match = DATE.exec(text)
  const parts = (match?.slice(1) ?? []).filter((part) => part !== undefined)
  const days = daysOfDate(Number(parts[0]), Number(parts[1]), Number(parts[2]))
  if (match === null || days === undefined) return fault('NOT_A_DATE', 'must be a date, such as 2020-01-31')
  return within(schema, BigInt(days), `${parts[0]}-${parts[1]!.padStart(2, '0')}-${parts[2]!.padStart(2, '0')}`)
}

function code({ checksum }: Schema, text: string): Canonical {
  if (checksum === CHECKSUM.gb32100 && !isCreditCode(text)) {
    return fault('BAD_CHECK_CHARACTER', 'is not a unified social credit code (GB 32100-2015): check its 18 characters')
  }
  if (checksum === CHECKSUM.gb11643 && !isResidentId(text)) {
    return fault('BAD_CHECK_CHARACTER', 'is not a resident identity number (GB 11643-1999): check its 18 characters')
  }
  return { ok: true, value: text }
}

/** min = max = 0: no bounds. */
function within({ min, max, scale }: Schema, value: bigint, text: string): Canonical {
  if ((min === 0n && max === 0n) || (value >= min && value <= max)) return { ok: true, value: text }
  const unit = scale === 0 ? '' : ` in units of 10^-${scale}`
  return fault('OUT_OF_RANGE', `must be from ${min} to ${max}${unit}`)
}

const tooLong = ({ lengthMax }: Schema) => fault('TOO_LONG', `has more than ${lengthMax} characters`)

const fault = (errorCode: ValueErrorCode, message: string): Canonical => ({ ok: false, code: errorCode, message })
