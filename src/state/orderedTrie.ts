import type { Hash } from '../core/bytes.js'
import { uintToBytes } from '../core/bytes.js'
import { rlpEncode } from '../core/rlp.js'
import { NO_SOURCE } from './trie/load.js'
import { Trie } from './trie/trie.js'

/** Root of the trie rlp(index) -> item: transactionsRoot of raw transactions, receiptsRoot of encoded receipts. */
export function orderedRoot(items: readonly Uint8Array[]): Hash {
  const trie = Trie.empty(NO_SOURCE)
  for (let i = 0; i < items.length; i++) trie.put(rlpEncode(uintToBytes(i)), items[i]!)
  return trie.root()
}
