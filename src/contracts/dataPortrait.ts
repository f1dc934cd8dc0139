/** Contract `dataPortrait`: the data portrait library (paper 3.2 (5), 4.1). Departments publish what they supervise and how it may be asked. */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { attributesMax, supervisorsMax } from '../core/limits.js'
import { ContractAbi } from '../vm/abi.js'
import { type ContractHost, defineContract, emit, revert } from '../vm/contract.js'
import { addressWord, arrayLength, bigintWord, pushWord, slotAfter, storeWords, wordSigned } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { dataPortraitAbi } from './dataPortrait.abi.js'
import {
  ATTRIBUTES_SLOT,
  ENTRY,
  type EntryHead,
  entryHead,
  entrySlot,
  readAttributes,
  readEntryHead,
  readRule,
  readSupervisors,
  ruleWord,
  schemaWord,
  supervises,
} from './dataPortraitStorage.js'
import type { DataProfile, GenesisConfig, Schema } from './genesisTypes.js'
import { agreedKey } from './keyAgreement.js'
import { acting, isActiveDepartment, isActiveOperator, readMemberHead } from './membersStorage.js'
import { ruleFault, schemaFault } from './schema.js'
import { isTextId } from './textId.js'

export const dataPortraitInterface = new ContractAbi(dataPortraitAbi)
const abi = dataPortraitInterface

export const dataPortrait = defineContract({
  name: 'dataPortrait',
  version: 1,
  address: CONTRACT_ADDRESSES.dataPortrait,
  abi,
  functions: {
    SetDataProfile(host, { dataProfile }) {
      writeProfile(host, dataProfile, authorise(host, dataProfile))
      return undefined
    },

    GetDataProfile: (host) => readAttributes(host).map((attribute) => readProfile(host, attribute)),

    dataProfileOf: (host, { attribute }) => readProfile(host, attribute),

    attributeCount: (host) => BigInt(arrayLength(host, ATTRIBUTES_SLOT)),
  },
})

/** Publishes the attributes of block 0. */
export function initDataPortrait(host: ContractHost, genesis: GenesisConfig): void {
  for (const profile of genesis.attributes) writeProfile(host, profile, host.caller)
}

/**
 * An operator may write any entry, an active department a new one or its own; one of several supervisors alone none. Returns
 * for whom the caller acts.
 */
function authorise(host: ContractHost, profile: DataProfile): Address {
  const { account: caller, head } = acting(host)
  if (isActiveOperator(head)) return caller
  if (!isActiveDepartment(head)) throw revert(abi, 'NotActiveDepartment', { account: caller })
  const { attribute } = profile
  const before = readEntryHead(host, attribute)
  const own = before === undefined || supervises(host, attribute, before, caller)
  if (!own || !profile.supervisors.includes(caller)) throw revert(abi, 'NotSupervisor', { caller, attribute })
  if (before !== undefined && before.supervisorCount > 1) throw revert(abi, 'JointEntry', { attribute })
  return caller
}

function writeProfile(host: ContractHost, profile: DataProfile, by: Address): void {
  const { attribute, schemaVersion, schema, supervisors, rule } = profile
  const before = readEntryHead(host, attribute)
  checkProfile(host, profile, before)
  const slot = entrySlot(host, attribute)
  const lead = supervisors[0]!
  const { delivery } = rule
  host.store(slot, entryHead.write({ lead, schemaVersion, supervisorCount: supervisors.length, delivery }))
  host.store(slotAfter(slot, ENTRY.rule), ruleWord.write(rule))
  host.store(slotAfter(slot, ENTRY.schema), schemaWord.write(schema))
  host.store(slotAfter(slot, ENTRY.min), bigintWord(schema.min))
  host.store(slotAfter(slot, ENTRY.max), bigintWord(schema.max))
  storeWords(host, slotAfter(slot, ENTRY.furtherSupervisors), supervisors.slice(1).map(addressWord))
  if (before === undefined) pushWord(host, ATTRIBUTES_SLOT, attribute)
  emit(host, abi, 'DataProfileSet', { attribute, schemaVersion, by })
}

function checkProfile(host: ContractHost, profile: DataProfile, before: EntryHead | undefined): void {
  const { attribute, schemaVersion, schema, rule, supervisors } = profile
  if (!isTextId(attribute)) throw revert(abi, 'InvalidAttribute', { attribute })
  const faultOfSchema = schemaFault(schema)
  if (faultOfSchema !== undefined) throw revert(abi, 'InvalidSchema', { attribute, reason: faultOfSchema })
  const faultOfRule = ruleFault(rule, supervisors.length)
  if (faultOfRule !== undefined) throw revert(abi, 'InvalidRule', { attribute, reason: faultOfRule })
  checkSupervisors(host, attribute, supervisors)
  checkKey(host, profile)
  checkVersion(host, attribute, schemaVersion, schema, before)
  if (before === undefined && arrayLength(host, ATTRIBUTES_SLOT) >= attributesMax) {
    throw revert(abi, 'TooManyAttributes', { attributesMax: BigInt(attributesMax) })
  }
}

function checkSupervisors(host: ContractHost, attribute: Hash, supervisors: readonly Address[]): void {
  const invalid = (reason: string) => revert(abi, 'InvalidSupervisors', { attribute, reason })
  if (supervisors.length < 1 || supervisors.length > supervisorsMax) {
    throw invalid(`needs 1 to ${supervisorsMax}, got ${supervisors.length}`)
  }
  if (new Set(supervisors).size !== supervisors.length) throw invalid('names a department twice')
  for (const account of supervisors) {
    if (!isActiveDepartment(readMemberHead(host, account))) throw revert(abi, 'NotActiveDepartment', { account })
    if (agreedKey(host, [account]) === undefined) throw revert(abi, 'EncryptionKeyMissing', { department: account })
  }
}

/** A key in the profile is a check, not a setting: it must be the one of KeyAgreement. */
function checkKey(host: ContractHost, profile: DataProfile): void {
  if (profile.encryptionKey === ZERO_HASH) return
  if (agreedKey(host, profile.supervisors)?.publicKey !== profile.encryptionKey) {
    throw revert(abi, 'EncryptionKeyMismatch', { attribute: profile.attribute })
  }
}

/** Digests name the schema version: it grows with every change of the schema, and never shrinks. */
function checkVersion(
  host: ContractHost,
  attribute: Hash,
  given: number,
  schema: Schema,
  before: EntryHead | undefined,
): void {
  const current = before?.schemaVersion ?? 0
  const unchanged = before !== undefined && sameSchema(readSchema(host, attribute), schema)
  if (given < (unchanged ? current : current + 1)) {
    throw revert(abi, 'SchemaVersionTooLow', { attribute, given, current })
  }
}

function sameSchema(a: Schema, b: Schema): boolean {
  return schemaWord.write(a) === schemaWord.write(b) && a.min === b.min && a.max === b.max
}

function readSchema(host: ContractHost, attribute: Hash): Schema {
  const slot = entrySlot(host, attribute)
  const { valueType, checksum, caseRule, scale, lengthMax } = schemaWord.read(host.load(slotAfter(slot, ENTRY.schema)))
  const min = wordSigned(host.load(slotAfter(slot, ENTRY.min)))
  const max = wordSigned(host.load(slotAfter(slot, ENTRY.max)))
  return { valueType, checksum, caseRule, scale, lengthMax, min, max }
}

function readProfile(host: ContractHost, attribute: Hash): DataProfile {
  const head = readEntryHead(host, attribute)
  if (head === undefined) throw revert(abi, 'UnknownAttribute', { attribute })
  const supervisors = readSupervisors(host, attribute, head)
  const key = agreedKey(host, supervisors)
  return {
    attribute,
    schemaVersion: head.schemaVersion,
    schema: readSchema(host, attribute),
    supervisors,
    encryptionKey: key?.publicKey ?? ZERO_HASH,
    keyEpoch: key?.keyEpoch ?? 0n,
    rule: readRule(host, attribute),
  }
}
