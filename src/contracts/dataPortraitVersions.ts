/**
 * Versions of an attribute. The words of `entries`, `terms` and `details` hold the one in force; a scheduled one waits in its
 * change and is read from there once it is due, until the next write puts it in place. Every version stays readable: in the change that
 * brought it, and that of block 0 in a change of its own, written when the second one comes.
 */
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import { type ContractHost, revert } from '../vm/contract.js'
import {
  arrayLength,
  arraySlot,
  loadText,
  loadWords,
  numberWord,
  pushWord,
  slotAfter,
  wordAddress,
} from '../vm/storage.js'
import { CHANGE_STATUS } from './codes.js'
import { type Content, loadContent, storeContent } from './dataPortraitContent.js'
import { addRecord } from './dataPortraitRecord.js'
import {
  dataPortraitInterface as abi,
  CHANGE,
  changePlace,
  changeSlot,
  ENTRY,
  mainPlace,
  pendingFromOf,
  placeInForce,
  readEntryHead,
  versionsSlot,
  versionWord,
  withPendingFrom,
} from './dataPortraitStorage.js'
import type { DataProfile } from './genesisTypes.js'

/** Undefined when the attribute is not in the data portrait. */
export function contentInForce(host: ContractHost, attribute: Hash): Content | undefined {
  if (readEntryHead(host, attribute) === undefined) return undefined
  return loadContent(host, placeInForce(host, attribute), attribute)
}

/** The version `change` of an attribute is in force from block `from` on: at once when that is now. */
export function addVersion(host: ContractHost, attribute: Hash, change: bigint, from: number): void {
  const main = mainPlace(host, attribute)
  const versions = versionsSlot(host, attribute)
  if (readEntryHead(host, attribute) !== undefined) {
    if (arrayLength(host, versions) === 0) keepFirst(host, attribute, versions)
    settle(host, attribute)
  }
  pushWord(host, versions, versionWord.write({ change, from: BigInt(from) }))
  if (from <= host.block.number) storeContent(host, main, loadContent(host, changePlace(host, change), attribute))
  else markPending(host, main.entry, from)
}

/** Takes a scheduled version back that is not in force yet. */
export function dropScheduled(host: ContractHost, attribute: Hash): void {
  const versions = versionsSlot(host, attribute)
  const last = arrayLength(host, versions) - 1
  host.store(slotAfter(arraySlot(host, versions), last), ZERO_HASH)
  host.store(versions, numberWord(last))
  markPending(host, mainPlace(host, attribute).entry, 0)
}

/** Change that brought the latest version, also one that is scheduled; 0: block 0, or no version at all. */
export function latestChange(host: ContractHost, attribute: Hash): bigint {
  const versions = versionsSlot(host, attribute)
  const count = arrayLength(host, versions)
  return count === 0 ? 0n : versionAt(host, versions, count - 1).change
}

/** Versions so far, with one that is scheduled. */
export function versionCount(host: ContractHost, attribute: Hash): number {
  const count = arrayLength(host, versionsSlot(host, attribute))
  return count === 0 && readEntryHead(host, attribute) !== undefined ? 1 : count
}

/** Version `number`, from 1. Reverts with UnknownVersion. */
export function readVersion(host: ContractHost, attribute: Hash, number: number) {
  if (number < 1 || number > versionCount(host, attribute)) {
    throw revert(abi, 'UnknownVersion', { attribute, given: BigInt(number) })
  }
  const versions = versionsSlot(host, attribute)
  const { change, from } =
    arrayLength(host, versions) === 0 ? { change: 0n, from: 0n } : versionAt(host, versions, number - 1)
  const place = change === 0n ? mainPlace(host, attribute) : changePlace(host, change)
  const content = loadContent(host, place, attribute)
  const { terms, details } = content
  return {
    number,
    from,
    changeId: change,
    ...originOf(host, change),
    profile: asProfile(attribute, content),
    terms,
    details,
  }
}

/** The version in force at a height, or that will be. Reverts with UnknownVersion where there was none yet. */
export function readVersionAt(host: ContractHost, attribute: Hash, height: bigint) {
  const versions = versionsSlot(host, attribute)
  let low = 0
  let high = versionCount(host, attribute)
  // The first `low` versions had begun by then, those from `high` on had not.
  while (low < high) {
    const middle = (low + high) >> 1
    const begun = arrayLength(host, versions) === 0 || versionAt(host, versions, middle).from <= height
    if (begun) low = middle + 1
    else high = middle
  }
  if (low === 0) throw revert(abi, 'UnknownVersion', { attribute, given: height })
  return readVersion(host, attribute, low)
}

/** Without keys, which belong to the present. */
export function asProfile(attribute: Hash, content: Content): DataProfile {
  const { schemaVersion, schema, supervisors, rule } = content
  return { attribute, schemaVersion, schema, supervisors, encryptionKey: ZERO_HASH, keyEpoch: 0n, rule }
}

const versionAt = (host: ContractHost, versions: Hash, index: number) =>
  versionWord.read(host.load(slotAfter(arraySlot(host, versions), index)))

function originOf(host: ContractHost, change: bigint) {
  if (change === 0n) return { proposer: ZERO_ADDRESS, approvals: [] as Address[], reason: '' }
  const slot = changeSlot(host, change)
  return {
    proposer: wordAddress(host.load(slotAfter(slot, CHANGE.proposer))),
    approvals: loadWords(host, slotAfter(slot, CHANGE.approvals)).map(wordAddress),
    reason: loadText(host, slotAfter(slot, CHANGE.reason)),
  }
}

/** Puts a version that is due in place, where no reader looks elsewhere any more. */
function settle(host: ContractHost, attribute: Hash): void {
  const main = mainPlace(host, attribute)
  if (pendingFromOf(host.load(main.entry)) === 0) return
  storeContent(host, main, loadContent(host, placeInForce(host, attribute), attribute))
}

/** The version of block 0 moves to a change of its own before another takes its words. */
function keepFirst(host: ContractHost, attribute: Hash, versions: Hash): void {
  const content = loadContent(host, mainPlace(host, attribute), attribute)
  const origin = {
    attribute,
    status: CHANGE_STATUS.settled,
    proposer: ZERO_ADDRESS,
    proposedAt: 0,
    effectiveAt: 0,
    base: 0n,
    reason: '',
  }
  const change = addRecord(host, origin, content)
  pushWord(host, versions, versionWord.write({ change, from: 0n }))
}

function markPending(host: ContractHost, entry: Hash, from: number): void {
  for (const slot of [entry, slotAfter(entry, ENTRY.rule)]) host.store(slot, withPendingFrom(host.load(slot), from))
}
