/**
 * DataValidation, DataSplit and DataDistribution (paper 4.2, Table 1). They need plain values, which never reach the chain:
 * the enterprise's proxy runs them before it seals, the recipient department again after it has opened. Pure.
 */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { type Canonical, canonicalise, type ValueErrorCode } from './canonical.js'
import { DELIVERY } from './codes.js'
import type { DataProfile } from './genesisTypes.js'
import { groupIdOf } from './groupId.js'
import { attributeId, idText } from './textId.js'

export { type Canonical, canonicalise, type ValueErrorCode } from './canonical.js'
export { isCreditCode, isResidentId } from './checkCharacters.js'
export { attributeId, idText, textId } from './textId.js'

/** An entry, with the values to which an attribute of type code is bound. */
export interface KnownProfile extends DataProfile {
  readonly codes?: ReadonlySet<string>
}

/** Entries of the data portrait by attribute name. */
export type Profiles = ReadonlyMap<string, KnownProfile>
/** Values by attribute name. */
export type Values = ReadonlyMap<string, string>

export interface ValueError {
  readonly attribute: string
  readonly code: ValueErrorCode | 'UNKNOWN_ATTRIBUTE'
  /** Names the attribute and says what to change; never holds the value. */
  readonly message: string
}

export interface Validation {
  readonly ok: boolean
  readonly errors: readonly ValueError[]
  /** Canonical forms of the values without error. */
  readonly values: Values
}

/** What goes to one supervisor, or to the group of all, in one way. */
export interface SplitPart {
  readonly recipient: Address
  /** In the order of their ids. */
  readonly items: readonly SplitItem[]
}

export interface SplitItem {
  readonly attribute: string
  readonly profile: DataProfile
  /** Canonical. */
  readonly value: string
}

/** A part as StoreData takes it. */
export interface SealedPart {
  readonly recipient: Address
  readonly keyEpoch: bigint
  readonly attributes: readonly Hash[]
  readonly digests: readonly Hash[]
  readonly envelope: Uint8Array
}

export interface DistributionNeeds {
  /** Keyed digest of a canonical value. */
  digest(item: SplitItem): Hash
  /** Epoch of the recipient's encryption key, by which `seal` seals. */
  keyEpoch(recipient: Address): bigint
  /** Envelope of the part's values for its recipient. */
  seal(part: SplitPart, attributes: readonly Hash[], digests: readonly Hash[], keyEpoch: bigint): Uint8Array
}

export interface CodeList {
  readonly attribute: Hash
  /** Canonical values (textId). */
  readonly codes: readonly Hash[]
}

export function profilesByName(profiles: Iterable<DataProfile>, codeLists: readonly CodeList[] = []): Profiles {
  const codes = new Map(codeLists.map((list) => [list.attribute, new Set(list.codes.map((code) => idText(code)))]))
  return new Map(
    [...profiles].map((profile) => {
      const allowed = codes.get(profile.attribute)
      return [idText(profile.attribute, 'attribute'), allowed === undefined ? profile : { ...profile, codes: allowed }]
    }),
  )
}

/** Checks every value against its schema. */
export function DataValidation(profiles: Profiles, values: Values): Validation {
  const errors: ValueError[] = []
  const canonical = new Map<string, string>()
  for (const [attribute, given] of values) {
    const profile = profiles.get(attribute)
    if (profile === undefined) {
      errors.push({ attribute, code: 'UNKNOWN_ATTRIBUTE', message: `${attribute} is not in the data portrait` })
      continue
    }
    const result = listed(profile, canonicalise(profile.schema, given))
    if (result.ok) canonical.set(attribute, result.value)
    else errors.push({ attribute, code: result.code, message: `${attribute} ${result.message}` })
  }
  return { ok: errors.length === 0, errors, values: canonical }
}

/** A value that the attribute's list of codes has, where it has a list. */
function listed({ codes }: KnownProfile, result: Canonical): Canonical {
  if (!result.ok || codes === undefined || codes.has(result.value)) return result
  return { ok: false, code: 'NOT_LISTED', message: 'is none of the codes that its entry in the data portrait lists' }
}

/**
 * Whom values of an attribute are sealed for: their group where its supervisors have agreed on a key, else each of them. What
 * is delivered directly goes to each department's node.
 */
export function recipientsOf({ supervisors, encryptionKey, rule }: DataProfile): readonly Address[] {
  const joint = supervisors.length > 1 && encryptionKey !== ZERO_HASH && rule.delivery === DELIVERY.ledger
  return joint ? [groupIdOf(supervisors)] : supervisors
}

/**
 * One part for each recipient and way to travel, with all of its attributes; the order of parts and items does not depend on
 * the input's.
 */
export function DataSplit(profiles: Profiles, values: Values): SplitPart[] {
  const parts = new Map<string, SplitPart & { items: SplitItem[] }>()
  const sorted = [...values].sort(([a], [b]) => compare(attributeId(a), attributeId(b)))
  for (const [attribute, value] of sorted) {
    const profile = profiles.get(attribute)
    if (profile === undefined)
      throw new RangeError(`${attribute} is not in the data portrait, run DataValidation first`)
    for (const recipient of recipientsOf(profile)) {
      const key = `${recipient}/${profile.rule.delivery}`
      const part = parts.get(key)
      if (part === undefined) parts.set(key, { recipient, items: [{ attribute, profile, value }] })
      else part.items.push({ attribute, profile, value })
    }
  }
  return [...parts].sort(([a], [b]) => compare(a, b)).map(([, part]) => part)
}

/** Digests and seals each part under its recipient's key. */
export function DataDistribution(parts: readonly SplitPart[], needs: DistributionNeeds): SealedPart[] {
  return parts.map((part) => {
    const attributes = part.items.map((item) => item.profile.attribute)
    const digests = part.items.map((item) => needs.digest(item))
    const keyEpoch = needs.keyEpoch(part.recipient)
    const envelope = needs.seal(part, attributes, digests, keyEpoch)
    return { recipient: part.recipient, keyEpoch, attributes, digests, envelope }
  })
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
