/**
 * DataValidation, DataSplit and DataDistribution (paper 4.2, Table 1). They need plain values, which never reach the chain:
 * the enterprise's proxy runs them before it seals, the recipient department again after it has opened. Pure.
 */
import type { Address, Hash } from '../core/bytes.js'
import { canonicalise, type ValueErrorCode } from './canonical.js'
import type { DataProfile } from './genesisTypes.js'
import { attributeId, idText } from './textId.js'

export { type Canonical, canonicalise, type ValueErrorCode } from './canonical.js'
export { isCreditCode, isResidentId } from './checkCharacters.js'
export { attributeId, idText, textId } from './textId.js'

/** Entries of the data portrait by attribute name. */
export type Profiles = ReadonlyMap<string, DataProfile>
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

/** What goes to one supervisor. */
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

export function profilesByName(profiles: Iterable<DataProfile>): Profiles {
  return new Map([...profiles].map((profile) => [idText(profile.attribute, 'attribute'), profile]))
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
    const result = canonicalise(profile.schema, given)
    if (result.ok) canonical.set(attribute, result.value)
    else errors.push({ attribute, code: result.code, message: `${attribute} ${result.message}` })
  }
  return { ok: errors.length === 0, errors, values: canonical }
}

/** One part for each supervisor, with all of its attributes; the order of parts and items does not depend on the input's. */
export function DataSplit(profiles: Profiles, values: Values): SplitPart[] {
  const parts = new Map<Address, SplitItem[]>()
  const sorted = [...values].sort(([a], [b]) => compare(attributeId(a), attributeId(b)))
  for (const [attribute, value] of sorted) {
    const profile = profiles.get(attribute)
    if (profile === undefined)
      throw new RangeError(`${attribute} is not in the data portrait, run DataValidation first`)
    for (const supervisor of profile.supervisors) {
      const items = parts.get(supervisor)
      if (items === undefined) parts.set(supervisor, [{ attribute, profile, value }])
      else items.push({ attribute, profile, value })
    }
  }
  return [...parts].sort(([a], [b]) => compare(a, b)).map(([recipient, items]) => ({ recipient, items }))
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
