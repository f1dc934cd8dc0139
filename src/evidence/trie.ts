/** Reads Merkle Patricia tries along one path (yellow paper, appendices C and D). */
import { bytesToHex, type Hex } from 'viem'
import { must } from './evidenceError.js'
import { bytesOf, itemsOf, type RlpItem } from './rlp.js'

const EMPTY_ROOT = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'

/** Value of `key` under `root`; null where the nodes prove that there is none. `node`: the one with this hash. */
export function valueIn(root: Hex, key: Uint8Array, node: (hash: Hex) => RlpItem): Uint8Array | null {
  if (root === EMPTY_ROOT) return null
  const path = nibblesOf(key)
  let at = 0
  let items = itemsOf(node(root), 'a node')
  for (;;) {
    let below: RlpItem | undefined
    if (items.length === 17) {
      if (at === path.length) return notEmpty(items[16])
      below = items[path[at]!]
      at += 1
    } else {
      must(items.length === 2, 'MALFORMED', () => 'a node has neither 2 nor 17 items')
      const { nibbles, isLeaf } = hexPrefix(bytesOf(items[0], 'a path'))
      if (!nibbles.every((nibble, i) => nibble === path[at + i])) return null
      at += nibbles.length
      if (isLeaf) return at === path.length ? notEmpty(items[1]) : null
      below = items[1]
    }
    if (!(below instanceof Uint8Array)) items = itemsOf(below, 'a node')
    else if (below.length === 0) return null
    else items = itemsOf(node(bytesToHex(below)), 'a node')
  }
}

function notEmpty(item: RlpItem | undefined): Uint8Array | null {
  const value = bytesOf(item, 'a value')
  return value.length === 0 ? null : value
}

/** First nibble: 2 for a leaf, 1 more where the number of nibbles is odd; a zero follows where it is even. */
function hexPrefix(bytes: Uint8Array): { readonly nibbles: readonly number[]; readonly isLeaf: boolean } {
  const [flag = 4, ...rest] = nibblesOf(bytes)
  must(flag < 4, 'MALFORMED', () => 'a path has an unknown flag')
  return { nibbles: flag & 1 ? rest : rest.slice(1), isLeaf: flag >= 2 }
}

function nibblesOf(bytes: Uint8Array): number[] {
  const nibbles: number[] = []
  for (const byte of bytes) nibbles.push(byte >> 4, byte & 15)
  return nibbles
}
