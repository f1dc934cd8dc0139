/** What a sharing rule says beyond its numbers (paper 4.2): which departments may ask, for what, and by which law. */
import type { Address, Hash } from '../core/bytes.js'
import { termsAskersMax, termsCodesMax } from '../core/limits.js'
import type { ContractHost } from '../vm/contract.js'
import { addressWord, arraySlot, mappingSlot, slotAfter, storeWords, wordAddress, wordNumber } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { ENTRY, entrySlot, isDue, isTermed, lastPlace, TERMS_SLOT } from './dataPortraitStorage.js'
import { readMemberHead } from './membersStorage.js'
import { isTextId } from './textId.js'

/** Terms of one attribute; without askers or purposes these are not restricted, without statutes there is none to rest on. */
export interface Terms {
  /** Members that may ask, beside the rule's roles. */
  readonly askers: readonly Address[]
  /** Purposes for which it may be asked (textId). */
  readonly purposes: readonly Hash[]
  /** Statute codes that are a legal basis for asking (textId). */
  readonly statutes: readonly Hash[]
  /** Purposes for which a listed statute stands in for the consent that the rule wants. */
  readonly exceptions: readonly Hash[]
}

export const NO_TERMS: Terms = { askers: [], purposes: [], statutes: [], exceptions: [] }

/** Words of a Terms struct. */
export const TERMS = { askers: 0, purposes: 1, statutes: 2, exceptions: 3 } as const

const PORTRAIT = CONTRACT_ADDRESSES.dataPortrait

/** Terms in force. An attribute without any costs one read: the rule's word says so. */
export function readTerms(host: ContractHost, attribute: Hash): Terms {
  const rule = host.loadFrom(PORTRAIT, slotAfter(entrySlot(host, attribute), ENTRY.rule))
  if (!isDue(host, rule)) return isTermed(rule) ? termsAt(host, mappingSlot(host, TERMS_SLOT, attribute)) : NO_TERMS
  return termsAt(host, lastPlace(host, attribute).terms)
}

/** Terms of a version whose struct stands at `slot`. */
export function termsAt(host: ContractHost, slot: Hash): Terms {
  return {
    askers: wordsAt(host, slotAfter(slot, TERMS.askers)).map(wordAddress),
    purposes: wordsAt(host, slotAfter(slot, TERMS.purposes)),
    statutes: wordsAt(host, slotAfter(slot, TERMS.statutes)),
    exceptions: wordsAt(host, slotAfter(slot, TERMS.exceptions)),
  }
}

/** Writes nothing where there was nothing and is nothing. */
export function storeTerms(host: ContractHost, slot: Hash, terms: Terms): void {
  storeWords(host, slotAfter(slot, TERMS.askers), terms.askers.map(addressWord))
  storeWords(host, slotAfter(slot, TERMS.purposes), terms.purposes)
  storeWords(host, slotAfter(slot, TERMS.statutes), terms.statutes)
  storeWords(host, slotAfter(slot, TERMS.exceptions), terms.exceptions)
}

export const saysAnything = ({ askers, purposes, statutes, exceptions }: Terms): boolean =>
  askers.length + purposes.length + statutes.length + exceptions.length > 0

/** Says what is wrong with terms; undefined when they are sound. */
export function termsFault(host: ContractHost, terms: Terms): string | undefined {
  const { askers, purposes, statutes, exceptions } = terms
  const faultOfLists =
    listFault('askers', askers, termsAskersMax) ??
    codesFault('purposes', purposes) ??
    codesFault('statutes', statutes) ??
    codesFault('exceptions', exceptions)
  if (faultOfLists !== undefined) return faultOfLists
  const unknown = askers.find((account) => readMemberHead(host, account).role === 0)
  if (unknown !== undefined) return `asker ${unknown} is no member`
  if (exceptions.length > 0 && statutes.length === 0) return 'exceptions need a statute that is listed'
  const never = purposes.length > 0 && exceptions.some((purpose) => !purposes.includes(purpose))
  return never ? 'exceptions name a purpose for which it may not be asked' : undefined
}

function codesFault(name: string, codes: readonly Hash[]): string | undefined {
  const fault = listFault(name, codes, termsCodesMax)
  if (fault !== undefined) return fault
  return codes.every(isTextId) ? undefined : `${name} must be printable ASCII without spaces`
}

function listFault(name: string, items: readonly string[], countMax: number): string | undefined {
  if (items.length > countMax) return `${name} has ${items.length} entries, at most ${countMax} are taken`
  return new Set(items).size === items.length ? undefined : `${name} has an entry twice`
}

function wordsAt(host: ContractHost, slot: Hash): Hash[] {
  const length = wordNumber(host.loadFrom(PORTRAIT, slot))
  if (length === 0) return []
  const first = arraySlot(host, slot)
  return Array.from({ length }, (_, i) => host.loadFrom(PORTRAIT, slotAfter(first, i)))
}
