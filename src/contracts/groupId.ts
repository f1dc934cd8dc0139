/** How several departments are named as one recipient. */
import { type Address, fromHex, type Hash } from '../core/bytes.js'
import { keccakHash } from '../crypto/keccak.js'
import { addressWord, wordAddress } from '../vm/words.js'
import { textId } from './textId.js'

const DOMAIN = textId('concordat-group-v1')

/** Ascending: the same departments in any order are one group. */
export const rosterOf = (departments: readonly Address[]): Address[] => [...departments].sort()

/** What is hashed: a domain word, then the sorted addresses. */
export const groupWords = (departments: readonly Address[]): Hash[] => [
  DOMAIN,
  ...rosterOf(departments).map(addressWord),
]

/** Id of the group of these departments: the last 20 bytes of the keccak of its words, as Ethereum makes addresses. */
export function groupIdOf(departments: readonly Address[]): Address {
  return wordAddress(keccakHash(fromHex(`0x${groupWords(departments).join('').replaceAll('0x', '')}`)))
}
