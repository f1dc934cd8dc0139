/** How a change of the data portrait is kept: a head, who said what, and the content that it brings. */
import type { Address, Hash } from '../core/bytes.js'
import { type ContractHost, revert } from '../vm/contract.js'
import {
  addressWord,
  loadText,
  loadWords,
  numberWord,
  type Packed,
  packed,
  slotAfter,
  storeText,
  storeWords,
  wordAddress,
  wordNumber,
} from '../vm/storage.js'
import { type Content, storeContent } from './dataPortraitContent.js'
import {
  dataPortraitInterface as abi,
  CHANGE,
  CHANGE_COUNT_SLOT,
  changePlace,
  changeSlot,
} from './dataPortraitStorage.js'

/** effectiveAt: the height that was wanted, once approved that of the version. base: the change whose version it was to follow. */
const HEAD = { status: 'uint8', proposedAt: 'uint48', effectiveAt: 'uint48', base: 'uint64' } as const
const headWord = packed(HEAD)
export type RecordHead = Packed<typeof HEAD>

export interface NewRecord extends RecordHead {
  readonly attribute: Hash
  readonly proposer: Address
  readonly reason: string
}

/** Returns its id. */
export function addRecord(host: ContractHost, record: NewRecord, content: Content): bigint {
  const count = wordNumber(host.load(CHANGE_COUNT_SLOT)) + 1
  host.store(CHANGE_COUNT_SLOT, numberWord(count))
  const id = BigInt(count)
  const slot = changeSlot(host, id)
  host.store(slot, headWord.write(record))
  host.store(slotAfter(slot, CHANGE.attribute), record.attribute)
  host.store(slotAfter(slot, CHANGE.proposer), addressWord(record.proposer))
  if (record.reason !== '') storeText(host, slotAfter(slot, CHANGE.reason), record.reason)
  storeContent(host, changePlace(host, id), content)
  return id
}

/** Reverts with UnknownChange. */
export function readRecord(host: ContractHost, id: bigint): RecordHead {
  const head = headWord.read(host.load(changeSlot(host, id)))
  if (head.status === 0) throw revert(abi, 'UnknownChange', { id })
  return head
}

export function storeHead(host: ContractHost, id: bigint, head: RecordHead): void {
  host.store(changeSlot(host, id), headWord.write(head))
}

const wordOf = (host: ContractHost, id: bigint, word: number): Hash => slotAfter(changeSlot(host, id), word)

export const attributeOf = (host: ContractHost, id: bigint): Hash => host.load(wordOf(host, id, CHANGE.attribute))
export const proposerOf = (host: ContractHost, id: bigint): Address =>
  wordAddress(host.load(wordOf(host, id, CHANGE.proposer)))
export const reasonOf = (host: ContractHost, id: bigint): string => loadText(host, wordOf(host, id, CHANGE.reason))
export const refusalOf = (host: ContractHost, id: bigint): string => loadText(host, wordOf(host, id, CHANGE.refusal))

export function storeRefusal(host: ContractHost, id: bigint, reason: string): void {
  if (reason !== '') storeText(host, wordOf(host, id, CHANGE.refusal), reason)
}

export const approvalsOf = (host: ContractHost, id: bigint): Address[] =>
  loadWords(host, wordOf(host, id, CHANGE.approvals)).map(wordAddress)

export const refusalsOf = (host: ContractHost, id: bigint): Address[] =>
  loadWords(host, wordOf(host, id, CHANGE.refusals)).map(wordAddress)

/** Puts a member's word on record; the other that it may have given before no longer counts. */
export function storeWord(host: ContractHost, id: bigint, by: Address, approves: boolean): void {
  const approvals = approvalsOf(host, id).filter((account) => account !== by)
  const refusals = refusalsOf(host, id).filter((account) => account !== by)
  const [approving, refusing] = approves ? [[...approvals, by], refusals] : [approvals, [...refusals, by]]
  storeWords(host, wordOf(host, id, CHANGE.approvals), approving.map(addressWord))
  storeWords(host, wordOf(host, id, CHANGE.refusals), refusing.map(addressWord))
}
