/** Trie nodes as they come from the store. */
import { RlpReader } from '../../core/rlp.js'
import { type ByteString, toByteString } from './byteString.js'
import { Branch, Extension, extendKey, Leaf, type LoadedNode, STORED, type TrieNode, Unloaded } from './node.js'

/**
 * Decodes one node that begins after the first `depth` nibbles of `key`. `ref` is what its parent embeds for it.
 * Throws RlpError, or RangeError when it is no trie node.
 */
export function decodeNode(bytes: Uint8Array, ref: ByteString, key: ByteString, depth: number): LoadedNode {
  const reader = new RlpReader(bytes)
  const list = reader.list()
  reader.finish()
  const items: Uint8Array[] = []
  const isList: boolean[] = []
  while (!list.done) {
    if (items.length === 17) throw new RangeError('more than 17 items')
    const nested = list.nextIsList()
    isList.push(nested)
    items.push(nested ? list.item() : list.string())
  }
  const node = items.length === 17 ? branch(items, isList, key, depth) : short(items, isList, key, depth)
  node.ref = ref
  return node
}

function branch(items: Uint8Array[], isList: boolean[], key: ByteString, depth: number): Branch {
  const children: (TrieNode | null)[] = []
  for (let i = 0; i < 16; i++) children.push(child(items[i]!, isList[i]!, key, depth, [i]))
  const value = items[16]!
  return new Branch(STORED, children, value.length === 0 ? null : toByteString(value))
}

function short(items: Uint8Array[], isList: boolean[], key: ByteString, depth: number): Leaf | Extension {
  const [path, rest] = items
  if (path === undefined || rest === undefined || items.length !== 2 || isList[0] || path.length === 0) {
    throw new RangeError('neither a branch nor a path with a value')
  }
  const flag = path[0]! >> 4
  if (flag > 3) throw new RangeError(`unknown path flag ${flag}`)
  const nibbles = hexPrefixNibbles(path, (flag & 1) === 1)
  if (flag >= 2) return new Leaf(STORED, extendKey(key, depth, nibbles), toByteString(rest))
  const below = child(rest, isList[1]!, key, depth, nibbles)
  if (below === null || nibbles.length === 0) throw new RangeError('extension without path or child')
  return new Extension(STORED, extendKey(key, depth, nibbles), nibbles.length, below)
}

function child(
  item: Uint8Array,
  nested: boolean,
  key: ByteString,
  depth: number,
  nibbles: ArrayLike<number>,
): TrieNode | null {
  if (nested) return decodeNode(item, toByteString(item), extendKey(key, depth, nibbles), depth + nibbles.length)
  if (item.length === 0) return null
  if (item.length !== 32) throw new RangeError(`child reference of ${item.length} bytes`)
  return new Unloaded(toByteString(item))
}

function hexPrefixNibbles(path: Uint8Array, odd: boolean): Uint8Array {
  const nibbles = new Uint8Array(2 * (path.length - 1) + (odd ? 1 : 0))
  let at = 0
  if (odd) nibbles[at++] = path[0]! & 15
  for (let i = 1; i < path.length; i++) {
    nibbles[at++] = path[i]! >> 4
    nibbles[at++] = path[i]! & 15
  }
  return nibbles
}
