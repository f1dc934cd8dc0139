/** ethereum-tests TrieTests: plain and secure, in the given order and in any order. trietestnextprev is about a cursor we do not have. */
import t from 'tap'
import { fromHex, utf8 } from '../../src/core/bytes.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { NO_SOURCE } from '../../src/state/trie/load.js'
import { Trie } from '../../src/state/trie/trie.js'
import { readVector, skipWithoutVectors } from '../vectors.js'

type Entry = readonly [string, string | null]

interface TrieVector {
  readonly in: readonly Entry[] | Readonly<Record<string, string | null>>
  readonly root: string
}

const bytesOf = (text: string): Uint8Array => (text.startsWith('0x') ? fromHex(text) : utf8(text))

function rootOf(entries: readonly Entry[], secure: boolean): string {
  const trie = Trie.empty(NO_SOURCE)
  for (const [key, value] of entries) {
    const at = secure ? keccak256(bytesOf(key)) : bytesOf(key)
    if (value === null) trie.delete(at)
    else trie.put(at, bytesOf(value))
  }
  return trie.root()
}

/** A few orders of the entries, the given one first. */
function orders(entries: readonly Entry[]): (readonly Entry[])[] {
  const rotations = entries.map((_, i) => [...entries.slice(i), ...entries.slice(0, i)])
  return [...rotations, entries.toReversed(), entries.toSorted()]
}

t.test('ethereum-tests TrieTests', { skip: skipWithoutVectors }, async (t) => {
  let vectors = 0
  for (const file of [
    'trietest',
    'trieanyorder',
    'trietest_secureTrie',
    'trieanyorder_secureTrie',
    'hex_encoded_securetrie_test',
  ]) {
    const secure = /secure/i.test(file)
    for (const [name, vector] of Object.entries(
      readVector<Record<string, TrieVector>>(`ethereum-tests/TrieTests/${file}.json`),
    )) {
      vectors++
      if (Array.isArray(vector.in)) {
        t.equal(rootOf(vector.in as readonly Entry[], secure), vector.root, `${file} ${name}`)
        continue
      }
      for (const entries of orders(Object.entries(vector.in)))
        t.equal(rootOf(entries, secure), vector.root, `${file} ${name}`)
    }
  }
  t.equal(vectors, 25)
})
