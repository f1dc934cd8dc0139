import { type ByteString, toByteString } from './byteString.js'

/**
 * Nodes of the Merkle Patricia trie (yellow paper, appendix D).
 *
 * A leaf holds its whole key and an extension a key that passes through it, packed two nibbles a byte; where a node begins
 * is known from the way down (`depth`, in nibbles). So moving a leaf needs no new key, and its hex-prefix form is a plain copy.
 *
 * `owner` is the batch that made the node. Only that batch may change it in place; everybody else copies, so older roots
 * stay valid. The owner of a node is never smaller than those below it. `ref` is what its parent embeds: the keccak hash
 * (32 bytes), or the encoding itself when that is shorter; null while the node has changed since it was last hashed.
 */

export const LEAF = 0
export const EXTENSION = 1
export const BRANCH = 2
export const UNLOADED = 3

export class Leaf {
  readonly kind = LEAF
  ref: ByteString | null = null
  constructor(
    readonly owner: number,
    /** The whole key, from the root. */
    readonly key: ByteString,
    public value: ByteString,
  ) {}
}

export class Extension {
  readonly kind = EXTENSION
  ref: ByteString | null = null
  constructor(
    readonly owner: number,
    /** Packed key of at least depth + length nibbles that passes through this node. */
    readonly sample: ByteString,
    /** Nibbles that this node stands for, at least 1. */
    readonly length: number,
    public child: TrieNode,
  ) {}
}

export class Branch {
  readonly kind = BRANCH
  ref: ByteString | null = null
  constructor(
    readonly owner: number,
    /** 16 entries. */
    readonly children: (TrieNode | null)[],
    /** Value of the key that ends here. */
    public value: ByteString | null,
  ) {}
}

/** A subtree that is in the store only. */
export class Unloaded {
  readonly kind = UNLOADED
  constructor(
    /** 32 bytes. */
    readonly ref: ByteString,
  ) {}
}

export type LoadedNode = Leaf | Extension | Branch
export type TrieNode = LoadedNode | Unloaded

/** Owner of nodes that were read from the store: no batch may change them in place. */
export const STORED = 0

export function emptyBranch(owner: number): Branch {
  const children = [null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null]
  return new Branch(owner, children, null)
}

export function nibbleAt(key: ByteString, index: number): number {
  const byte = key.charCodeAt(index >> 1)
  return index & 1 ? byte & 15 : byte >> 4
}

/** Nibbles from `depth` on that both keys share, at most `max`. */
export function sharedNibbles(a: ByteString, b: ByteString, depth: number, max: number): number {
  let shared = 0
  while (shared < max && nibbleAt(a, depth + shared) === nibbleAt(b, depth + shared)) shared++
  return shared
}

/** Packed key with the first `depth` nibbles of `key` and then `nibbles` (one a byte). */
export function extendKey(key: ByteString, depth: number, nibbles: ArrayLike<number>): ByteString {
  const total = depth + nibbles.length
  const out = new Uint8Array((total + 1) >> 1)
  for (let i = 0; i < depth >> 1; i++) out[i] = key.charCodeAt(i)
  if (depth & 1) out[depth >> 1] = key.charCodeAt(depth >> 1) & 0xf0
  for (let i = depth; i < total; i++) out[i >> 1]! |= i & 1 ? nibbles[i - depth]! : nibbles[i - depth]! << 4
  return toByteString(out)
}

/** First `depth` nibbles of `key`, one a byte. */
export function unpackNibbles(key: ByteString, depth: number): Uint8Array {
  const out = new Uint8Array(depth)
  for (let i = 0; i < depth; i++) out[i] = nibbleAt(key, i)
  return out
}
