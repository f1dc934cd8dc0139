/** All that one version of an attribute says, and the words in which it is kept. */
import type { Address, Hash } from '../core/bytes.js'
import type { ContractHost } from '../vm/contract.js'
import {
  addressWord,
  arrayLength,
  bigintWord,
  loadText,
  loadWords,
  slotAfter,
  storeText,
  storeWords,
  wordSigned,
} from '../vm/storage.js'
import {
  ENTRY,
  entryHead,
  headAt,
  type Place,
  readSupervisors,
  ruleAt,
  ruleWord,
  schemaWord,
  withTermed,
} from './dataPortraitStorage.js'
import type { Details, Rule, Schema } from './genesisTypes.js'
import { saysAnything, storeTerms, type Terms, termsAt } from './sharingTerms.js'

/** What supervisors agree on. */
export interface Content {
  readonly schemaVersion: number
  readonly schema: Schema
  readonly supervisors: readonly Address[]
  readonly rule: Rule
  readonly terms: Terms
  readonly details: Details
}

export const NO_DETAILS: Details = { description: '', codes: [] }

/** Words of a Details struct. */
const DETAILS = { description: 0, codes: 1 } as const

/** Replaces what stands at `place`; of the contract's own host. */
export function storeContent(host: ContractHost, place: Place, content: Content): void {
  const { schemaVersion, schema, supervisors, rule, terms, details } = content
  const { entry } = place
  const lead = supervisors[0]!
  host.store(
    entry,
    entryHead.write({ lead, schemaVersion, supervisorCount: supervisors.length, delivery: rule.delivery }),
  )
  host.store(slotAfter(entry, ENTRY.rule), withTermed(ruleWord.write(rule), saysAnything(terms)))
  host.store(slotAfter(entry, ENTRY.schema), schemaWord.write(schema))
  host.store(slotAfter(entry, ENTRY.min), bigintWord(schema.min))
  host.store(slotAfter(entry, ENTRY.max), bigintWord(schema.max))
  storeWords(host, slotAfter(entry, ENTRY.furtherSupervisors), supervisors.slice(1).map(addressWord))
  storeTerms(host, place.terms, terms)
  storeDescription(host, place.details, details.description)
  storeWords(host, slotAfter(place.details, DETAILS.codes), details.codes)
}

/** What stands at `place`, where there is a version. */
export function loadContent(host: ContractHost, place: Place, attribute: Hash): Content {
  const head = headAt(host, place.entry)
  return {
    schemaVersion: head.schemaVersion,
    schema: schemaAt(host, place.entry),
    supervisors: readSupervisors(host, attribute, head),
    rule: ruleAt(host, place.entry),
    terms: termsAt(host, place.terms),
    details: detailsAt(host, place.details),
  }
}

export function schemaAt(host: ContractHost, entry: Hash): Schema {
  const { valueType, checksum, caseRule, scale, lengthMax } = schemaWord.read(host.load(slotAfter(entry, ENTRY.schema)))
  const min = wordSigned(host.load(slotAfter(entry, ENTRY.min)))
  const max = wordSigned(host.load(slotAfter(entry, ENTRY.max)))
  return { valueType, checksum, caseRule, scale, lengthMax, min, max }
}

export const codesAt = (host: ContractHost, details: Hash): Hash[] => loadWords(host, slotAfter(details, DETAILS.codes))

export const detailsAt = (host: ContractHost, details: Hash): Details => ({
  description: loadText(host, slotAfter(details, DETAILS.description)),
  codes: codesAt(host, details),
})

/** An empty text where there was none is not written. */
function storeDescription(host: ContractHost, slot: Hash, text: string): void {
  if (text !== '' || arrayLength(host, slot) !== 0) storeText(host, slot, text)
}

/** Whether two values are the same in every field, lists in their order. */
export const same = (a: unknown, b: unknown): boolean => fingerprint(a) === fingerprint(b)

/** By the names of fields, so that it does not matter in which order an object was made. */
const fingerprint = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
  })
