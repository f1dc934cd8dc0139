/** Keys and values of the state tries. */
import type { Address, Hash } from '../core/bytes.js'
import { rlpEncode } from '../core/rlp.js'
import { keccak256 } from '../crypto/keccak.js'

const input = Buffer.alloc(32)

/** keccak256 of an address or a slot: its key in a trie (yellow paper 4.1, "secure trie"). */
export function trieKey(identity: Address | Hash): Uint8Array {
  const length = input.write(identity.slice(2), 'hex')
  return keccak256(length === 32 ? input : input.subarray(0, length))
}

/** Significant bytes of a word; none for zero. */
export function trimmedWord(word: Hash): Uint8Array {
  input.write(word.slice(2), 'hex')
  let from = 0
  while (from < 32 && input[from] === 0) from++
  const out = new Uint8Array(32 - from)
  for (let i = 0; i < out.length; i++) out[i] = input[from + i]!
  return out
}

/** rlp(word without leading zeros). The word must not be zero. */
export function encodeWord(word: Hash): Uint8Array {
  return rlpEncode(trimmedWord(word))
}
