import type { Address } from '../core/bytes.js'
import { EMPTY_BYTES, type Hash, ZERO_HASH } from '../core/bytes.js'
import type { StateReader } from './reader.js'
import { NO_SOURCE } from './trie/load.js'
import { Trie } from './trie/trie.js'

/** A state on which an overlay can stand: values, and the tries that commit to them. */
export interface StateLayer extends StateReader {
  /** Code by its keccak256; undefined when unknown. */
  codeByHash(codeHash: Hash): Uint8Array | undefined
  /** Trie keccak256(address) -> account record. Fork it to change it. */
  accountTrie(): Trie
  /** Trie keccak256(slot) -> rlp(word without leading zeros). Fork it to change it. */
  storageTrie(address: Address): Trie
}

/** The state without accounts: what genesis is applied to, and the ground of states that live in memory only. */
export const EMPTY_STATE: StateLayer = {
  account: () => undefined,
  storage: () => ZERO_HASH,
  code: () => EMPTY_BYTES,
  codeByHash: () => undefined,
  accountTrie: () => Trie.empty(NO_SOURCE),
  storageTrie: () => Trie.empty(NO_SOURCE),
}
