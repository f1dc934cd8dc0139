/** An entry of the data portrait in the words of an attribute file. */
import type { Directory } from '../../agent/directory.js'
import { BASIS, CASE_RULE, CHECKSUM, DELIVERY, nameOf, QUORUM, ROLE, VALUE_TYPE } from '../../contracts/codes.js'
import type { DataProfile, Details } from '../../contracts/genesisTypes.js'
import type { Terms } from '../../contracts/sharingTerms.js'
import { idText } from '../../contracts/textId.js'
import type { Address } from '../../core/bytes.js'

export type Described = ReturnType<typeof describeProfile>

/** Ids of members, or addresses of those whom the chain does not know. */
export type Names = (account: Address) => Promise<string>

export const namesOf =
  (directory: Directory): Names =>
  async (account) => {
    const member = await directory.member(account)
    return member === null ? account : idText(member.id)
  }

export function describeProfile(profile: DataProfile) {
  const { schema, rule } = profile
  return {
    attribute: idText(profile.attribute),
    schemaVersion: profile.schemaVersion,
    type: word(VALUE_TYPE, schema.valueType),
    checksum: word(CHECKSUM, schema.checksum),
    caseRule: word(CASE_RULE, schema.caseRule),
    scale: schema.scale,
    lengthMax: schema.lengthMax,
    min: schema.min,
    max: schema.max,
    quorum: quorumText(rule.quorum),
    askers: Object.entries(ROLE).flatMap(([name, role]) => ((rule.askerRoles >> role) & 1 ? [name] : [])),
    basis: word(BASIS, rule.basis),
    delivery: word(DELIVERY, rule.delivery),
    validityBlocks: rule.validityBlocks,
    deadlineBlocks: rule.deadlineBlocks,
    digestBudget: rule.digestBudget,
  }
}

export async function describeTerms({ askers, purposes, statutes, exceptions }: Terms, names: Names) {
  return {
    askers: await Promise.all(askers.map(names)),
    purposes: purposes.map((word) => idText(word)),
    statutes: statutes.map((word) => idText(word)),
    exceptions: exceptions.map((word) => idText(word)),
  }
}

export async function describeContent(profile: DataProfile, terms: Terms, details: Details, names: Names) {
  return {
    ...describeProfile(profile),
    supervisors: await Promise.all(profile.supervisors.map(names)),
    terms: await describeTerms(terms, names),
    description: details.description,
    codes: details.codes.map((code) => idText(code)),
  }
}
export type Content = Awaited<ReturnType<typeof describeContent>>

/** Fields as rows; an empty list in the words that it means. */
export function contentRows({ terms, codes, description, ...fields }: Content): [field: string, value: string][] {
  const named = (list: readonly string[], none: string) => (list.length === 0 ? none : list.join(', '))
  return [
    ...Object.entries({ ...fields, supervisors: fields.supervisors.join(', '), askers: fields.askers.join(', ') }).map(
      ([field, value]): [string, string] => [field === 'askers' ? 'asker roles' : field, String(value)],
    ),
    ['named askers', named(terms.askers, 'all of these roles')],
    ['purposes', named(terms.purposes, 'any')],
    ['statutes', named(terms.statutes, 'none')],
    ['consent is not needed for', named(terms.exceptions, 'no purpose')],
    ['codes', named(codes, 'any')],
    ['description', description === '' ? '-' : description],
  ]
}

/** What differs between two versions, a line a field. */
export function differences(before: Content, after: Content): string[] {
  const older = new Map(contentRows(before))
  return contentRows(after).flatMap(([field, value]) =>
    older.get(field) === value ? [] : [`${field}: ${older.get(field)} → ${value}`],
  )
}

/** As an attribute file says it. */
function quorumText(quorum: number): string {
  if (quorum === QUORUM.creditWeighted) return 'credit-weighted'
  return nameOf(QUORUM, quorum) ?? String(quorum - 1)
}

const word = <T extends Record<string, number>>(names: T, code: number): string => String(nameOf(names, code) ?? code)
