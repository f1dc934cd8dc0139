/** Walks over the nodes that one batch made. */
import { encodeNode } from './encode.js'
import { BRANCH, EXTENSION, LEAF, type LoadedNode, nibbleAt, type TrieNode, UNLOADED, Unloaded } from './node.js'

/**
 * `path`: one nibble a byte. `encoded`: the node, or null when the path has to be deleted. Both are valid during the call only.
 * `before()` is the node that stood there before the batch, null when there was none, undefined when memory does not hold it;
 * it may be called once `encoded` was copied, and its answer is valid until the next call.
 */
export type VisitNode = (path: Uint8Array, encoded: Uint8Array | null, before: () => Encoded) => void

type Encoded = Uint8Array | null | undefined

/** Nibbles of the longest path: trie keys are hashes or shorter. */
const pathNibblesMax = 2 * 256

/**
 * Nodes of `owner`, whose ancestors are its own as well; then the paths in `removed` at which there is no node now. `base` is
 * the trie from which the batch started.
 */
export function visitOwned(
  top: TrieNode | null,
  owner: number,
  removed: ReadonlySet<string>,
  base: TrieNode | null,
  visit: VisitNode,
): void {
  const gone = new Set(removed)
  const path = new Uint8Array(pathNibblesMax)
  const walk = (node: TrieNode, depth: number, from: Place): void => {
    if (node.kind === UNLOADED || node.owner !== owner) return
    const at = path.subarray(0, depth)
    if (gone.size > 0) gone.delete(String.fromCharCode(...at))
    const place = follow(from, at)
    // A node that its parent embeds is not stored; a longer one may have been there before.
    visit(at, depth === 0 || node.ref?.length === 32 ? encodeNode(node, depth) : null, () => encodedAt(place, depth))
    if (node.kind === BRANCH) {
      for (let i = 0; i < 16; i++) {
        const child = node.children[i]!
        if (child === null) continue
        path[depth] = i
        walk(child, depth + 1, place)
      }
    } else if (node.kind === EXTENSION) {
      for (let i = depth; i < depth + node.length; i++) path[i] = nibbleAt(node.sample, i)
      walk(node.child, depth + node.length, place)
    }
  }
  const start = { node: base, depth: 0 }
  if (top !== null) walk(top, 0, start)
  for (const text of gone) {
    const at = Uint8Array.from(text, (unit) => unit.charCodeAt(0))
    visit(at, null, () => encodedAt(follow(start, at), at.length))
  }
}

/** The deepest node that is known to lie on the way to a path: it begins at `depth`. */
interface Place {
  readonly node: TrieNode | null
  readonly depth: number
}

/** Goes on from `place` towards the end of `path`, never beyond it. */
function follow({ node, depth }: Place, path: Uint8Array): Place {
  while (node !== null && node.kind !== UNLOADED && depth < path.length) {
    if (node.kind === LEAF) return NOWHERE
    if (node.kind === BRANCH) {
      node = node.children[path[depth]!]!
      depth += 1
      continue
    }
    const shared = Math.min(node.length, path.length - depth)
    for (let i = depth; i < depth + shared; i++) if (nibbleAt(node.sample, i) !== path[i]) return NOWHERE
    // The path ends within this node: what lies below it may still be on the way to a longer one.
    if (shared < node.length) return { node, depth }
    depth += node.length
    node = node.child
  }
  return { node, depth }
}

const NOWHERE: Place = { node: null, depth: 0 }

function encodedAt({ node, depth }: Place, wanted: number): Encoded {
  if (node === null) return null
  if (node.kind === UNLOADED) return undefined
  return depth === wanted && (depth === 0 || node.ref?.length === 32) ? encodeNode(node, depth) : null
}

/**
 * Replaces every stored subtree whose nodes all come from batches before `ownerMin` by its hash; returns the number of nodes
 * left in memory. Only for a trie that is wholly in the store. Visits no more than what it leaves.
 */
export function collapseSubtrees(top: TrieNode | null, ownerMin: number): number {
  if (top === null || top.kind === UNLOADED) return 0
  const keep = (node: TrieNode): TrieNode => {
    if (node.kind === UNLOADED || node.owner >= ownerMin || node.ref === null || node.ref.length < 32) return node
    return new Unloaded(node.ref)
  }
  const walk = (node: LoadedNode): number => {
    if (node.kind === LEAF) return 1
    let count = 1
    if (node.kind === BRANCH) {
      for (let i = 0; i < 16; i++) {
        const child = node.children[i]!
        if (child === null) continue
        const kept = keep(child)
        node.children[i] = kept
        if (kept.kind !== UNLOADED) count += walk(kept)
      }
    } else {
      const kept = keep(node.child)
      node.child = kept
      if (kept.kind !== UNLOADED) count += walk(kept)
    }
    return count
  }
  return walk(top)
}
