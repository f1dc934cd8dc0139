/** Storage of `dataPortrait`, read by `dataSharing` too. */
import { assert } from '../core/assert.js'
import type { Address, Hash } from '../core/bytes.js'
import { ContractAbi } from '../vm/abi.js'
import type { ContractHost } from '../vm/contract.js'
import {
  arraySlot,
  bigintWord,
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
import { dataPortraitAbi } from './dataPortrait.abi.js'
import type { Rule } from './genesisTypes.js'

export const dataPortraitInterface = new ContractAbi(dataPortraitAbi)

/** mapping(bytes32 => Entry); Entry { head; Rule; Schema { word; int256 min; int256 max }; address[] furtherSupervisors }. */
export const ENTRIES_SLOT = slotAt(0)
/** bytes32[]. */
export const ATTRIBUTES_SLOT = slotAt(1)

/** mapping(bytes32 => Terms); Terms { address[] askers; bytes32[] purposes; bytes32[] statutes; bytes32[] exceptions }. */
export const TERMS_SLOT = slotAt(2)
/** mapping(bytes32 => Details); Details { string description; bytes32[] codes }. */
export const DETAILS_SLOT = slotAt(3)
/** mapping(bytes32 => uint256[]): a word for each version; empty while there is only that of block 0. */
export const VERSIONS_SLOT = slotAt(4)
/** uint256: ids begin at 1. */
export const CHANGE_COUNT_SLOT = slotAt(5)
/** mapping(uint256 => Change); Change { CHANGE words; Entry; Terms; Details }. */
export const CHANGES_SLOT = slotAt(6)
/** mapping(bytes32 => uint256[]): changes of an attribute that may still be approved, and some that ended. */
export const OPEN_OF_ATTRIBUTE_SLOT = slotAt(7)
/** mapping(address => uint256[]): the same by proposer. */
export const OPEN_OF_PROPOSER_SLOT = slotAt(8)
/** Parameters. */
export const PARAMETERS_SLOT = slotAt(9)

/** Words of an entry after its first. */
export const ENTRY = { rule: 1, schema: 2, min: 3, max: 4, furtherSupervisors: 5 } as const
const ENTRY_WORDS = 6
const TERMS_WORDS = 4

/** Words of a change before its content: who proposed what, and how it went. */
export const CHANGE = { attribute: 1, proposer: 2, reason: 3, refusal: 4, approvals: 5, refusals: 6, entry: 7 } as const

/**
 * The first supervisor stands in the head: one read answers for an attribute with a single supervisor. So does the rule's
 * delivery, which StoreData asks for and nothing else of the rule.
 */
const ENTRY_HEAD = { lead: 'address', schemaVersion: 'uint32', supervisorCount: 'uint16', delivery: 'uint8' } as const
export const entryHead = packed(ENTRY_HEAD)
/** entry: where the head was found, and the rest of its version stands. */
export type EntryHead = Packed<typeof ENTRY_HEAD> & { readonly entry: Hash }

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

/** A version of an attribute, as the versions array lists it: the change that brought it (0: block 0), its first block. */
export const versionWord = packed({ change: 'uint64', from: 'uint64' })

const PORTRAIT = CONTRACT_ADDRESSES.dataPortrait

export const entrySlot = (host: ContractHost, attribute: Hash): Hash => mappingSlot(host, ENTRIES_SLOT, attribute)
export const changeSlot = (host: ContractHost, id: bigint): Hash => mappingSlot(host, CHANGES_SLOT, bigintWord(id))
export const versionsSlot = (host: ContractHost, attribute: Hash): Hash => mappingSlot(host, VERSIONS_SLOT, attribute)

/** Where the words of one version stand. */
export interface Place {
  readonly entry: Hash
  readonly terms: Hash
  readonly details: Hash
}

/** Of the version that is in force, or was before the one that is due since. */
export function mainPlace(host: ContractHost, attribute: Hash): Place {
  const entry = entrySlot(host, attribute)
  const terms = mappingSlot(host, TERMS_SLOT, attribute)
  return { entry, terms, details: mappingSlot(host, DETAILS_SLOT, attribute) }
}

export function changePlace(host: ContractHost, id: bigint): Place {
  const entry = slotAfter(changeSlot(host, id), CHANGE.entry)
  const terms = slotAfter(entry, ENTRY_WORDS)
  return { entry, terms, details: slotAfter(terms, TERMS_WORDS) }
}

/**
 * The head and the rule of an entry have 5 spare bytes on top. While a change is scheduled they hold the first block in
 * which it is in force, so that readers find it there without a hook at the end of any block; else they are zero.
 */
export const pendingFromOf = (word: Hash): number =>
  word.startsWith(NOTHING_PENDING) ? 0 : Number.parseInt(word.slice(2, 12), 16)
const NOTHING_PENDING = '0x0000000000'

export function withPendingFrom(word: Hash, from: number): Hash {
  assert(from < 2 ** 40, 'heights fit 5 bytes')
  return `0x${from.toString(16).padStart(10, '0')}${word.slice(12)}` as Hash
}

/** Of a rule's word: whether the terms of its version say anything; a byte below `pendingFrom`. */
export const isTermed = (word: Hash): boolean => word[13] === '1'
export const withTermed = (word: Hash, termed: boolean): Hash =>
  `${word.slice(0, 12)}0${termed ? '1' : '0'}${word.slice(14)}` as Hash

const PARAMETERS = {
  noticeBlocks: 'uint32',
  changeBlocksMax: 'uint32',
  thresholdNumerator: 'uint32',
  thresholdDenominator: 'uint32',
} as const
const parametersWord = packed(PARAMETERS)
export type PortraitParameters = Packed<typeof PARAMETERS>

export const readParameters = (host: ContractHost): PortraitParameters =>
  parametersWord.read(host.load(PARAMETERS_SLOT))

export function storeParameters(host: ContractHost, parameters: PortraitParameters): void {
  host.store(PARAMETERS_SLOT, parametersWord.write(parameters))
}

/** Whether the scheduled change that `word` names is in force. A host without a block cannot know. */
export function isDue(host: ContractHost, word: Hash): boolean {
  const from = pendingFromOf(word)
  if (from === 0) return false
  assert(host.block.number > 0, 'the data portrait is read at a block')
  return from <= host.block.number
}

/** Of the last version of an attribute that has several. */
export function lastPlace(host: ContractHost, attribute: Hash): Place {
  const versions = versionsSlot(host, attribute)
  const count = wordNumber(host.loadFrom(PORTRAIT, versions))
  const word = host.loadFrom(PORTRAIT, slotAfter(arraySlot(host, versions), count - 1))
  return changePlace(host, versionWord.read(word).change)
}

/** Where the version in force stands; only its words are to be read. */
export function placeInForce(host: ContractHost, attribute: Hash): Place {
  const main = mainPlace(host, attribute)
  return isDue(host, host.loadFrom(PORTRAIT, main.entry)) ? lastPlace(host, attribute) : main
}

/** First block of a change that is scheduled and not in force yet; 0: none. */
export function scheduledFrom(host: ContractHost, attribute: Hash): number {
  const word = host.loadFrom(PORTRAIT, entrySlot(host, attribute))
  return isDue(host, word) ? 0 : pendingFromOf(word)
}

/** Undefined when the attribute is not in the data portrait. */
export function readEntryHead(host: ContractHost, attribute: Hash): EntryHead | undefined {
  const slot = entrySlot(host, attribute)
  const word = host.loadFrom(PORTRAIT, slot)
  if (isDue(host, word)) return headAt(host, lastPlace(host, attribute).entry)
  const head = entryHead.read(word)
  return head.supervisorCount === 0 ? undefined : Object.assign(head, { entry: slot })
}

export const headAt = (host: ContractHost, entry: Hash): EntryHead =>
  Object.assign(entryHead.read(host.loadFrom(PORTRAIT, entry)), { entry })

export function readRule(host: ContractHost, attribute: Hash): Rule {
  const word = host.loadFrom(PORTRAIT, slotAfter(entrySlot(host, attribute), ENTRY.rule))
  return isDue(host, word) ? ruleAt(host, lastPlace(host, attribute).entry) : ruleWord.read(word)
}

export const ruleAt = (host: ContractHost, entry: Hash): Rule =>
  ruleWord.read(host.loadFrom(PORTRAIT, slotAfter(entry, ENTRY.rule)))

export function readSupervisors(host: ContractHost, _attribute: Hash, head: EntryHead): Address[] {
  const supervisors = [head.lead]
  if (head.supervisorCount === 1) return supervisors
  const first = arraySlot(host, slotAfter(head.entry, ENTRY.furtherSupervisors))
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
