/** What an entry of the data portrait may say. */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { supervisorsMax } from '../core/limits.js'
import { type ContractHost, revert } from '../vm/contract.js'
import { type Content, same } from './dataPortraitContent.js'
import { dataPortraitInterface as abi } from './dataPortraitStorage.js'
import { agreedKey } from './keyAgreement.js'
import { isActiveDepartment, readMemberHead } from './membersStorage.js'
import { detailsFault, ruleFault, schemaFault } from './schema.js'
import { termsFault } from './sharingTerms.js'
import { isTextId } from './textId.js'

/** Reverts with the first thing that is wrong. `before`: what is in force, undefined for a new attribute. */
export function checkContent(host: ContractHost, attribute: Hash, content: Content, before: Content | undefined): void {
  const { schema, rule, supervisors, terms, details } = content
  if (!isTextId(attribute)) throw revert(abi, 'InvalidAttribute', { attribute })
  const faultOfSchema = schemaFault(schema) ?? detailsFault(details, schema)
  if (faultOfSchema !== undefined) throw revert(abi, 'InvalidSchema', { attribute, reason: faultOfSchema })
  const faultOfRule = ruleFault(rule, supervisors.length)
  if (faultOfRule !== undefined) throw revert(abi, 'InvalidRule', { attribute, reason: faultOfRule })
  checkSupervisors(host, attribute, supervisors, before?.supervisors ?? [])
  const faultOfTerms = termsFault(host, terms)
  if (faultOfTerms !== undefined) throw revert(abi, 'InvalidTerms', { attribute, reason: faultOfTerms })
  checkVersion(attribute, content, before)
}

/** Who supervises it already may stay while it is inactive: it does not keep the others from changing the rest. */
function checkSupervisors(
  host: ContractHost,
  attribute: Hash,
  supervisors: readonly Address[],
  present: readonly Address[],
): void {
  const invalid = (reason: string) => revert(abi, 'InvalidSupervisors', { attribute, reason })
  if (supervisors.length < 1 || supervisors.length > supervisorsMax) {
    throw invalid(`needs 1 to ${supervisorsMax}, got ${supervisors.length}`)
  }
  if (new Set(supervisors).size !== supervisors.length) throw invalid('names a department twice')
  for (const account of supervisors) {
    if (present.includes(account)) continue
    if (!isActiveDepartment(readMemberHead(host, account))) throw revert(abi, 'NotActiveDepartment', { account })
    if (agreedKey(host, [account]) === undefined) throw revert(abi, 'EncryptionKeyMissing', { department: account })
  }
}

/** A key in the profile is a check, not a setting: it must be the one of KeyAgreement. */
export function checkKey(
  host: ContractHost,
  attribute: Hash,
  supervisors: readonly Address[],
  encryptionKey: Hash,
): void {
  if (encryptionKey === ZERO_HASH) return
  if (agreedKey(host, supervisors)?.publicKey !== encryptionKey) {
    throw revert(abi, 'EncryptionKeyMismatch', { attribute })
  }
}

/** Digests name the schema version: it grows with every change of the schema, and never shrinks. */
function checkVersion(attribute: Hash, { schemaVersion, schema }: Content, before: Content | undefined): void {
  const current = before?.schemaVersion ?? 0
  const unchanged = before !== undefined && same(before.schema, schema)
  if (schemaVersion < (unchanged ? current : current + 1)) {
    throw revert(abi, 'SchemaVersionTooLow', { attribute, given: schemaVersion, current })
  }
}
