/** Attributes as files have them: the section `attributes` of genesis.json, and what `concordat attribute` takes. */
import { z } from 'zod'
import { BASIS, CASE_RULE, CHECKSUM, DELIVERY, QUORUM, QUORUM_OF, ROLE, VALUE_TYPE } from '../contracts/codes.js'
import type { DataProfile, GenesisAttribute } from '../contracts/genesisTypes.js'
import { textId } from '../contracts/textId.js'
import { type Address, ZERO_HASH } from '../core/bytes.js'
import {
  attributeCodesMax,
  attributeDescriptionBytesMax,
  schemaLengthMax,
  supervisorsMax,
  termsAskersMax,
  termsCodesMax,
} from '../core/limits.js'
import { ADDRESS_PATTERN } from './configSchema.js'

const UINT32_MAX = 2 ** 32 - 1

export const address = z
  .string()
  .regex(ADDRESS_PATTERN, 'must be 0x followed by 40 hex digits')
  .transform((text) => text.toLowerCase() as Address)
export const keyOf = <T extends Record<string, number>>(table: T) => z.enum(Object.keys(table) as [keyof T & string])
export const bigint = z
  .union([z.int(), z.string().regex(/^-?\d{1,78}$/, 'must be a whole number')])
  .transform((value) => BigInt(value))
/** Blocks, as the contract counts them. */
const blocks = bigint.refine((value) => value >= 0n && value < 2n ** 64n, 'must be from 0 to 2^64 - 1')
const bound = bigint.refine((value) => value >= -(2n ** 255n) && value < 2n ** 255n, 'must fit 256 bits with its sign')
/** A name that the chain keeps in one word. */
const word = z.string().regex(/^[\x21-\x7e]{1,32}$/, 'must have 1 to 32 printable ASCII characters without spaces')
/** Address or id of a member. */
const member = z.string().regex(/^(0x[0-9a-fA-F]{40}|[\x21-\x7e]{1,32})$/, 'must be the address or the id of a member')

const schemaSchema = z.strictObject({
  valueType: keyOf(VALUE_TYPE),
  checksum: keyOf(CHECKSUM).default('none'),
  caseRule: keyOf(CASE_RULE).default('keep'),
  scale: z.int().min(0).max(18).default(0),
  lengthMax: z.int().min(1).max(schemaLengthMax).default(256),
  min: bound.prefault(0),
  max: bound.prefault(0),
})

const ruleSchema = z.strictObject({
  /** 'all', 'any', 'credit-weighted' (more than half of the supervisors' credit), or how many supervisors must answer. */
  quorum: z.union([z.enum(['all', 'any', 'credit-weighted']), z.int().min(1).max(supervisorsMax)]).default('all'),
  askerRoles: z.array(keyOf(ROLE)).min(1).max(Object.keys(ROLE).length).default(['department']),
  basis: keyOf(BASIS).default('none'),
  delivery: keyOf(DELIVERY).default('ledger'),
  validityBlocks: blocks.prefault(0),
  deadlineBlocks: blocks.prefault(0),
  digestBudget: z.int().min(0).max(65_535).default(16),
})

/** No askers, no purposes: any. No statutes: none to rest on. */
const termsSchema = z.strictObject({
  /** Members that may ask, where not all of the rule's roles may. */
  askers: z.array(member).max(termsAskersMax).default([]),
  purposes: z.array(word).max(termsCodesMax).default([]),
  /** Codes of the statutes on which it may be asked. */
  statutes: z.array(word).max(termsCodesMax).default([]),
  /** Purposes for which a listed statute stands in for the consent that the rule wants. */
  exceptions: z.array(word).max(termsCodesMax).default([]),
})

export const attributeSchema = z.strictObject({
  attribute: word,
  schemaVersion: z.int().min(1).max(UINT32_MAX).default(1),
  schema: schemaSchema,
  /** Addresses or ids of departments, the one that leads first. */
  supervisors: z.array(member).min(1).max(supervisorsMax),
  rule: ruleSchema.prefault({}),
  terms: termsSchema.prefault({}),
  /** What the attribute means, for people. */
  description: z.string().max(attributeDescriptionBytesMax).default(''),
  /** The only values that an attribute of type code may have; empty: any. */
  codes: z.array(word).max(attributeCodesMax).default([]),
})

export type AttributeEntry = z.output<typeof attributeSchema>
/** Address of the member with this id; undefined when there is none. */
export type MemberLookup = (id: string) => Address | undefined

/** Ids, instead of addresses, by which an entry names members. */
export function idsNamedBy({ supervisors, terms }: AttributeEntry): readonly string[] {
  return [...new Set([...supervisors, ...terms.askers])].filter((text) => !ADDRESS_PATTERN.test(text))
}

/** Fields of an entry that name nobody whom `lookup` knows, with the name. */
export function unknownMembers({ supervisors, terms }: AttributeEntry, lookup: MemberLookup) {
  const fields = { supervisors, 'terms.askers': terms.askers }
  return Object.entries(fields).flatMap(([field, names]) =>
    names.flatMap((name, i) => (addressOf(name, lookup) === undefined ? [{ field: `${field}.${i}`, name }] : [])),
  )
}

/** The contract's form of an entry that has no unknown members. */
export function toAttribute(entry: AttributeEntry, lookup: MemberLookup): Required<GenesisAttribute> {
  const { terms, description, codes } = entry
  const words = (texts: readonly string[], title: string) => texts.map((text) => textId(text, title))
  return {
    ...toDataProfile(entry, lookup),
    terms: {
      askers: terms.askers.map((name) => addressOf(name, lookup)!),
      purposes: words(terms.purposes, 'purpose'),
      statutes: words(terms.statutes, 'statute'),
      exceptions: words(terms.exceptions, 'exception'),
    },
    details: { description, codes: words(codes, 'code') },
  }
}

/** Its key comes from KeyAgreement. */
function toDataProfile(entry: AttributeEntry, lookup: MemberLookup): DataProfile {
  const { attribute, schemaVersion, schema, supervisors, rule } = entry
  return {
    attribute: textId(attribute, 'attribute'),
    schemaVersion,
    schema: {
      ...schema,
      valueType: VALUE_TYPE[schema.valueType],
      checksum: CHECKSUM[schema.checksum],
      caseRule: CASE_RULE[schema.caseRule],
    },
    supervisors: supervisors.map((name) => addressOf(name, lookup)!),
    encryptionKey: ZERO_HASH,
    keyEpoch: 0n,
    rule: {
      ...rule,
      quorum: quorumCode(rule.quorum),
      askerRoles: rule.askerRoles.reduce((mask, role) => mask | (1 << ROLE[role]), 0),
      basis: BASIS[rule.basis],
      delivery: DELIVERY[rule.delivery],
    },
  }
}

const addressOf = (name: string, lookup: MemberLookup): Address | undefined =>
  ADDRESS_PATTERN.test(name) ? (name.toLowerCase() as Address) : lookup(name)

function quorumCode(quorum: AttributeEntry['rule']['quorum']): number {
  if (typeof quorum === 'number') return QUORUM_OF(quorum)
  return quorum === 'credit-weighted' ? QUORUM.creditWeighted : QUORUM[quorum]
}
