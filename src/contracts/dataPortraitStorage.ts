/** Storage of `dataPortrait`, read by `dataSharing` too. */
import type { Address, Hash } from '../core/bytes.js'
import type { ContractHost } from '../vm/contract.js'
import {
  arraySlot,
  mappingSlot,
  type Packed,
  packed,
  slotAfter,
  slotAt,
  wordAddress,
  wordNumber,
} from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { QUORUM } from './codes.js'
import type { Rule } from './genesisTypes.js'

/** mapping(bytes32 => Entry); Entry { head; Rule; Schema { word; int256 min; int256 max }; address[] furtherSupervisors }. */
export const ENTRIES_SLOT = slotAt(0)
/** bytes32[]. */
export const ATTRIBUTES_SLOT = slotAt(1)

/** mapping(bytes32 => Terms); Terms { address[] askers; bytes32[] purposes; bytes32[] statutes; bytes32[] exceptions }. */
export const TERMS_SLOT = slotAt(2)

/** Words of an entry after its first. */
export const ENTRY = { rule: 1, schema: 2, min: 3, max: 4, furtherSupervisors: 5 } as const

/**
 * The first supervisor stands in the head: one read answers for an attribute with a single supervisor. So does the rule's
 * delivery, which StoreData asks for and nothing else of the rule.
 */
const ENTRY_HEAD = { lead: 'address', schemaVersion: 'uint32', supervisorCount: 'uint16', delivery: 'uint8' } as const
export const entryHead = packed(ENTRY_HEAD)
export type EntryHead = Packed<typeof ENTRY_HEAD>

export const ruleWord = packed({
  quorum: 'uint8',
  askerRoles: 'uint32',
  basis: 'uint8',
  delivery: 'uint8',
  validityBlocks: 'uint64',
  deadlineBlocks: 'uint64',
  digestBudget: 'uint16',
})

export const schemaWord = packed({
  valueType: 'uint8',
  checksum: 'uint8',
  caseRule: 'uint8',
  scale: 'uint8',
  lengthMax: 'uint16',
})

const PORTRAIT = CONTRACT_ADDRESSES.dataPortrait

export const entrySlot = (host: ContractHost, attribute: Hash): Hash => mappingSlot(host, ENTRIES_SLOT, attribute)

/** Undefined when the attribute is not in the data portrait. */
export function readEntryHead(host: ContractHost, attribute: Hash): EntryHead | undefined {
  const head = entryHead.read(host.loadFrom(PORTRAIT, entrySlot(host, attribute)))
  return head.supervisorCount === 0 ? undefined : head
}

export function readRule(host: ContractHost, attribute: Hash): Rule {
  return ruleWord.read(host.loadFrom(PORTRAIT, slotAfter(entrySlot(host, attribute), ENTRY.rule)))
}

export function readSupervisors(host: ContractHost, attribute: Hash, head: EntryHead): Address[] {
  const supervisors = [head.lead]
  if (head.supervisorCount === 1) return supervisors
  const first = arraySlot(host, slotAfter(entrySlot(host, attribute), ENTRY.furtherSupervisors))
  for (let i = 0; i < head.supervisorCount - 1; i++) {
    supervisors.push(wordAddress(host.loadFrom(PORTRAIT, slotAfter(first, i))))
  }
  return supervisors
}

export function supervises(host: ContractHost, attribute: Hash, head: EntryHead, account: Address): boolean {
  return head.lead === account || (head.supervisorCount > 1 && readSupervisors(host, attribute, head).includes(account))
}

/** All attributes in order of registration. */
export function readAttributes(host: ContractHost): Hash[] {
  const count = wordNumber(host.loadFrom(PORTRAIT, ATTRIBUTES_SLOT))
  const first = arraySlot(host, ATTRIBUTES_SLOT)
  return Array.from({ length: count }, (_, i) => host.loadFrom(PORTRAIT, slotAfter(first, i)))
}

/** Answers that complete an item: a rule's quorum of `supervisors`, at least 1; 0 where credit decides. */
export function requiredAnswers(quorum: number, supervisors: number): number {
  if (quorum === QUORUM.creditWeighted) return 0
  if (quorum === QUORUM.all) return supervisors
  return quorum === QUORUM.any ? 1 : Math.min(quorum - 1, supervisors)
}
