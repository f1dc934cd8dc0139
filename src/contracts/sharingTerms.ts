/** What a sharing rule says beyond its numbers (paper 4.2): which departments may ask, for what, and by which law. */
import type { Address, Hash } from '../core/bytes.js'
import type { ContractHost } from '../vm/contract.js'
import { arraySlot, mappingSlot, slotAfter, wordAddress, wordNumber } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { TERMS_SLOT } from './dataPortraitStorage.js'

/** Terms of one attribute; an empty list restricts nothing. */
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

/** Words of a Terms struct. */
export const TERMS = { askers: 0, purposes: 1, statutes: 2, exceptions: 3 } as const

export const termsSlot = (host: ContractHost, attribute: Hash): Hash => mappingSlot(host, TERMS_SLOT, attribute)

export function readTerms(host: ContractHost, attribute: Hash): Terms {
  const slot = termsSlot(host, attribute)
  return {
    askers: wordsAt(host, slotAfter(slot, TERMS.askers)).map(wordAddress),
    purposes: wordsAt(host, slotAfter(slot, TERMS.purposes)),
    statutes: wordsAt(host, slotAfter(slot, TERMS.statutes)),
    exceptions: wordsAt(host, slotAfter(slot, TERMS.exceptions)),
  }
}

function wordsAt(host: ContractHost, slot: Hash): Hash[] {
  const portrait = CONTRACT_ADDRESSES.dataPortrait
  const length = wordNumber(host.loadFrom(portrait, slot))
  if (length === 0) return []
  const first = arraySlot(host, slot)
  return Array.from({ length }, (_, i) => host.loadFrom(portrait, slotAfter(first, i)))
}
