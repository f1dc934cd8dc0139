/** Which schemas and rules the data portrait takes. */
import { attributeCodesMax, attributeDescriptionBytesMax, schemaLengthMax } from '../core/limits.js'
import { canonicalise } from './canonical.js'
import { BASIS, CASE_RULE, CHECKSUM, DELIVERY, QUORUM, ROLE, VALUE_TYPE } from './codes.js'
import type { Details, Rule, Schema } from './genesisTypes.js'
import { idText, isTextId } from './textId.js'

/** Digits after the point: 10^18 units and 18 digits before the point stay below 2^127. */
const SCALE_MAX = 18
/** Lengths of the codes with check characters. */
const CHECKSUM_LENGTH = 18

const isOneOf = (codes: Record<string, number>, code: number): boolean => Object.values(codes).includes(code)

/** Says what is wrong with a schema; undefined when it is sound. */
export function schemaFault(schema: Schema): string | undefined {
  const { valueType, checksum, caseRule, scale, lengthMax, min, max } = schema
  if (!isOneOf(VALUE_TYPE, valueType)) return `valueType ${valueType} is not 1 to 5`
  if (!isOneOf(CHECKSUM, checksum)) return `checksum ${checksum} is not 0 to 2`
  if (!isOneOf(CASE_RULE, caseRule)) return `caseRule ${caseRule} is not 0 to 2`
  if (checksum !== CHECKSUM.none && valueType !== VALUE_TYPE.code) return 'only a code has a checksum'
  if (checksum !== CHECKSUM.none && lengthMax < CHECKSUM_LENGTH) return `lengthMax must be at least ${CHECKSUM_LENGTH}`
  if (scale > (valueType === VALUE_TYPE.decimal ? SCALE_MAX : 0)) {
    return `scale must be 0, or up to ${SCALE_MAX} for a decimal`
  }
  if (lengthMax < 1 || lengthMax > schemaLengthMax) return `lengthMax must be from 1 to ${schemaLengthMax}`
  if (min > max) return 'min exceeds max'
  const ordered = valueType !== VALUE_TYPE.text && valueType !== VALUE_TYPE.code
  return !ordered && (min !== 0n || max !== 0n) ? 'text and codes have no min and max' : undefined
}

/** Says what is wrong with what is said beside the schema; undefined when it is sound. */
export function detailsFault({ description, codes }: Details, schema: Schema): string | undefined {
  const bytes = Buffer.byteLength(description, 'utf8')
  if (bytes > attributeDescriptionBytesMax) {
    return `description has ${bytes} bytes, at most ${attributeDescriptionBytesMax} are taken`
  }
  if (codes.length === 0) return undefined
  if (schema.valueType !== VALUE_TYPE.code) return 'only a code has a list of codes'
  if (codes.length > attributeCodesMax)
    return `codes has ${codes.length} entries, at most ${attributeCodesMax} are taken`
  if (new Set(codes).size !== codes.length) return 'codes has an entry twice'
  return codes.every((code) => isTextId(code) && isCanonical(schema, idText(code)))
    ? undefined
    : 'codes has an entry that the schema would not take as it stands'
}

function isCanonical(schema: Schema, text: string): boolean {
  const result = canonicalise(schema, text)
  return result.ok && result.value === text
}

/** Says what is wrong with a rule for an attribute with this many supervisors; undefined when it is sound. */
export function ruleFault(rule: Rule, supervisors: number): string | undefined {
  const roles = Object.values(ROLE).reduce((mask, role) => mask | (1 << role), 0)
  const faultOfQuorum = quorumFault(rule.quorum, supervisors)
  if (faultOfQuorum !== undefined) return faultOfQuorum
  if ((rule.askerRoles & ~roles) !== 0 || rule.askerRoles === 0) return 'askerRoles must be a mask of known roles'
  if (!isOneOf(BASIS, rule.basis)) return `basis ${rule.basis} is not 0 to 3`
  return isOneOf(DELIVERY, rule.delivery) ? undefined : `delivery ${rule.delivery} is not 0 or 1`
}

function quorumFault(quorum: number, supervisors: number): string | undefined {
  if (quorum === QUORUM.creditWeighted) return supervisors > 1 ? undefined : 'one supervisor alone needs no weights'
  return quorum > supervisors + 1 ? `quorum of ${quorum - 1} exceeds ${supervisors} supervisors` : undefined
}
