/**
 * Merkle Patricia trie in memory over a store of nodes by path: synchronous, hashed once when the root is asked for.
 *
 * A trie is changed, then its root is taken, then it may be forked; a fork shares every node and copies those that it
 * changes, so the forked trie stays valid. Subtrees are read from the store when something needs them.
 */
import { assert } from '../../core/assert.js'
import { fromHex, type Hash, toHash } from '../../core/bytes.js'
import { EMPTY_TRIE_ROOT } from '../../core/header.js'
import { keccak256 } from '../../crypto/keccak.js'
import { type ByteString, fromByteString, toByteString } from './byteString.js'
import { collapseSubtrees, type VisitNode, visitOwned } from './changes.js'
import { encodeNode, refOf } from './encode.js'
import { loadNode, type NodeSource } from './load.js'
import {
  BRANCH,
  Branch,
  Extension,
  emptyBranch,
  extendKey,
  LEAF,
  Leaf,
  type LoadedNode,
  nibbleAt,
  sharedNibbles,
  type TrieNode,
  UNLOADED,
  Unloaded,
} from './node.js'

/** Number of the next batch of changes; orders nodes by age. */
let nextOwner = 1

export class Trie {
  private readonly owner = nextOwner++
  private frozen = false
  /** Paths (a nibble a UTF-16 unit) at which this batch took a node away. */
  private readonly removed = new Set<string>()

  private constructor(
    private top: TrieNode | null,
    private readonly source: NodeSource,
    /** Upper estimate of the nodes in memory. */
    private loaded: number,
    /** What this batch started from, until it is in the store. */
    private base: TrieNode | null = null,
  ) {}

  static empty(source: NodeSource): Trie {
    return new Trie(null, source, 0)
  }

  /** The trie with this root, to be read from `source` as needed. */
  static at(root: Hash, source: NodeSource): Trie {
    const top = root === EMPTY_TRIE_ROOT ? null : new Unloaded(toByteString(fromHex(root)))
    return new Trie(top, source, 0, top)
  }

  /** A trie that starts equal to this one. This one can no longer be changed. */
  fork(): Trie {
    this.root()
    this.frozen = true
    return new Trie(this.top, this.source, this.loaded, this.top)
  }

  get nodesInMemory(): number {
    return this.loaded
  }

  /** keccak256 root. Hashes what changed since it was last asked for. */
  root(): Hash {
    if (this.top === null) return EMPTY_TRIE_ROOT
    const ref = fromByteString(refOf(this.top, 0))
    return toHash(ref.length === 32 ? ref : keccak256(ref))
  }

  /** Throws StateError when a node is missing or corrupt, as do all below. */
  get(keyBytes: Uint8Array): Uint8Array | undefined {
    const value = this.find(toByteString(keyBytes))
    return value === undefined ? undefined : fromByteString(value)
  }

  private find(key: ByteString): ByteString | undefined {
    const end = 2 * key.length
    let node = this.loadTop()
    let depth = 0
    while (node !== null) {
      if (node.kind === LEAF) return node.key === key ? node.value : undefined
      if (node.kind === BRANCH) {
        if (depth === end) return node.value ?? undefined
        node = this.loadChild(node, nibbleAt(key, depth), key, depth)
        depth += 1
      } else {
        if (end - depth < node.length || sharedNibbles(node.sample, key, depth, node.length) < node.length)
          return undefined
        depth += node.length
        node = this.loadBelow(node, key, depth)
      }
    }
    return undefined
  }

  /** `value` is not empty. */
  put(key: Uint8Array, value: Uint8Array): void {
    assert(!this.frozen, 'a forked trie cannot be changed')
    assert(value.length > 0, 'a trie holds no empty values')
    this.top = this.insert(this.loadTop(), 0, toByteString(key), toByteString(value))
  }

  delete(key: Uint8Array): void {
    assert(!this.frozen, 'a forked trie cannot be changed')
    const top = this.loadTop()
    if (top !== null) this.top = this.remove(top, 0, toByteString(key))
  }

  /** Encoded nodes from the root towards `key`, as EIP-1186 wants them: they prove its value or its absence. */
  prove(keyBytes: Uint8Array): Uint8Array[] {
    this.root()
    const key = toByteString(keyBytes)
    const proof: Uint8Array[] = []
    const end = 2 * key.length
    let node = this.loadTop()
    let depth = 0
    while (node !== null) {
      if (depth === 0 || node.ref?.length === 32) proof.push(encodeNode(node, depth).slice())
      if (node.kind === LEAF) break
      if (node.kind === BRANCH) {
        if (depth === end) break
        node = this.loadChild(node, nibbleAt(key, depth), key, depth)
        depth += 1
      } else {
        if (end - depth < node.length || sharedNibbles(node.sample, key, depth, node.length) < node.length) break
        depth += node.length
        node = this.loadBelow(node, key, depth)
      }
    }
    return proof
  }

  /**
   * Calls `visit(path, encoded)` for every node that has to be written to the store and `visit(path, null)` for every path
   * that has to be deleted, so that the store, which holds the trie that this one was forked from, holds this one.
   */
  visitChanges(visit: VisitNode): void {
    this.root()
    visitOwned(this.top, this.owner, this.removed, this.base, visit)
  }

  /** This batch is in the store: what it replaced is freed. */
  settle(): void {
    this.base = null
  }

  /** Forgets subtrees that are in the store, those unchanged for longest first, until about `nodesMax` are in memory. */
  shrink(nodesMax: number): void {
    if (this.loaded <= nodesMax) return
    for (const age of [256, 16, 1, 0]) {
      this.loaded = collapseSubtrees(this.top, this.owner - age + 1)
      if (this.loaded <= nodesMax) return
    }
  }

  private insert(node: LoadedNode | null, depth: number, key: ByteString, value: ByteString): LoadedNode {
    if (node === null) {
      this.loaded++
      return new Leaf(this.owner, key, value)
    }
    if (node.kind === LEAF) return this.insertAtLeaf(node, depth, key, value)
    if (node.kind === BRANCH) return this.insertAtBranch(node, depth, key, value)
    const shared = sharedNibbles(node.sample, key, depth, Math.min(node.length, 2 * key.length - depth))
    if (shared < node.length) return this.splitExtension(node, depth, shared, key, value)
    const child = this.insert(this.loadBelow(node, key, depth + shared), depth + shared, key, value)
    return this.withBelow(node, child)
  }

  private insertAtLeaf(leaf: Leaf, depth: number, key: ByteString, value: ByteString): LoadedNode {
    const shared = sharedNibbles(leaf.key, key, depth, 2 * Math.min(leaf.key.length, key.length) - depth)
    const fork = depth + shared
    if (fork === 2 * key.length && key.length === leaf.key.length) return this.withValue(leaf, value)
    const branch = emptyBranch(this.owner)
    this.loaded += 2
    this.attach(branch, fork, this.moved(leaf))
    this.attach(branch, fork, new Leaf(this.owner, key, value))
    return shared === 0 ? branch : new Extension(this.owner, key, shared, branch)
  }

  private insertAtBranch(branch: Branch, depth: number, key: ByteString, value: ByteString): Branch {
    if (depth === 2 * key.length) {
      if (branch.value !== null && branch.value === value) return branch
      const own = this.ownBranch(branch)
      own.value = value
      return own
    }
    const at = nibbleAt(key, depth)
    const child = this.insert(this.loadChild(branch, at, key, depth), depth + 1, key, value)
    return this.withChild(branch, at, child)
  }

  private splitExtension(
    node: Extension,
    depth: number,
    shared: number,
    key: ByteString,
    value: ByteString,
  ): LoadedNode {
    const fork = depth + shared
    const branch = emptyBranch(this.owner)
    this.loaded += 2
    const rest = node.length - shared - 1
    const below = rest === 0 ? node.child : new Extension(this.owner, node.sample, rest, node.child)
    branch.children[nibbleAt(node.sample, fork)] = below
    this.attach(branch, fork, new Leaf(this.owner, key, value))
    return shared === 0 ? branch : new Extension(this.owner, key, shared, branch)
  }

  /** Hangs a leaf below a new branch that begins at nibble `fork`, or makes its value the branch's. */
  private attach(branch: Branch, fork: number, leaf: Leaf): void {
    if (2 * leaf.key.length === fork) branch.value = leaf.value
    else branch.children[nibbleAt(leaf.key, fork)] = leaf
  }

  /** `node` without `key`; null when nothing is left, `node` itself (and its ref) when it does not hold the key. */
  private remove(node: LoadedNode, depth: number, key: ByteString): LoadedNode | null {
    if (node.kind === LEAF) {
      if (node.key !== key) return node
      this.noteRemoved(key, depth)
      return null
    }
    if (node.kind === BRANCH) return this.removeFromBranch(node, depth, key)
    const below = depth + node.length
    if (2 * key.length < below || sharedNibbles(node.sample, key, depth, node.length) < node.length) return node
    const child = this.remove(this.loadBelow(node, key, below), below, key)
    assert(child !== null, 'a branch held a single entry')
    if (child.kind === BRANCH) return this.withBelow(node, child)
    // The branch below shrank to a single entry: this node takes it in.
    this.noteRemoved(key, below)
    if (child.kind === LEAF) return this.moved(child)
    return new Extension(this.owner, child.sample, node.length + child.length, child.child)
  }

  private removeFromBranch(branch: Branch, depth: number, key: ByteString): LoadedNode {
    if (depth === 2 * key.length) {
      if (branch.value === null) return branch
      const own = this.ownBranch(branch)
      own.value = null
      return this.normalised(own, depth, key)
    }
    const at = nibbleAt(key, depth)
    const before = this.loadChild(branch, at, key, depth)
    if (before === null) return branch
    const child = this.remove(before, depth + 1, key)
    if (child !== null) return this.withChild(branch, at, child)
    const own = this.ownBranch(branch)
    own.children[at] = null
    return this.normalised(own, depth, key)
  }

  /** A branch must have two entries: one with a single entry gives way to it. */
  private normalised(branch: Branch, depth: number, key: ByteString): LoadedNode {
    let only = -1
    for (let i = 0; i < 16; i++) {
      if (branch.children[i] === null) continue
      if (only !== -1 || branch.value !== null) return branch
      only = i
    }
    if (only === -1) return new Leaf(this.owner, key.slice(0, depth >> 1), branch.value!)
    const prefix = extendKey(key, depth, [only])
    const child = this.loadChild(branch, only, prefix, depth)!
    if (child.kind === BRANCH) return new Extension(this.owner, prefix, 1, child)
    this.noteRemoved(prefix, depth + 1)
    return child.kind === LEAF
      ? this.moved(child)
      : new Extension(this.owner, child.sample, child.length + 1, child.child)
  }

  private noteRemoved(key: ByteString, depth: number): void {
    let path = ''
    for (let i = 0; i < depth; i++) path += String.fromCharCode(nibbleAt(key, i))
    this.removed.add(path)
  }

  /** The leaf for another depth: what its parent embeds for it changes. */
  private moved(leaf: Leaf): Leaf {
    if (leaf.owner !== this.owner) return new Leaf(this.owner, leaf.key, leaf.value)
    leaf.ref = null
    return leaf
  }

  private withValue(leaf: Leaf, value: ByteString): Leaf {
    if (leaf.value === value) return leaf
    if (leaf.owner !== this.owner) return new Leaf(this.owner, leaf.key, value)
    leaf.value = value
    leaf.ref = null
    return leaf
  }

  private withBelow(node: Extension, child: TrieNode): Extension {
    // A child that this batch changed in place is the same object, without its ref.
    if (child === node.child && child.ref !== null) return node
    if (node.owner !== this.owner) return new Extension(this.owner, node.sample, node.length, child)
    node.child = child
    node.ref = null
    return node
  }

  private withChild(branch: Branch, at: number, child: TrieNode): Branch {
    if (child === branch.children[at] && child.ref !== null) return branch
    const own = this.ownBranch(branch)
    own.children[at] = child
    return own
  }

  private ownBranch(branch: Branch): Branch {
    if (branch.owner !== this.owner) return new Branch(this.owner, branch.children.slice(), branch.value)
    branch.ref = null
    return branch
  }

  private loadTop(): LoadedNode | null {
    if (this.top?.kind === UNLOADED) this.top = this.load(this.top, '', 0)
    return this.top as LoadedNode | null
  }

  /** Puts what it loads in its parent's place for it: the content is the same for every trie that shares the parent. */
  private loadChild(branch: Branch, at: number, key: ByteString, depth: number): LoadedNode | null {
    const child = branch.children[at]!
    if (child === null || child.kind !== UNLOADED) return child
    const loaded = this.load(child, key, depth + 1)
    branch.children[at] = loaded
    return loaded
  }

  private loadBelow(node: Extension, key: ByteString, depth: number): LoadedNode {
    if (node.child.kind === UNLOADED) node.child = this.load(node.child, key, depth)
    return node.child as LoadedNode
  }

  private load(node: Unloaded, key: ByteString, depth: number): LoadedNode {
    this.loaded++
    return loadNode(this.source, node.ref, key, depth)
  }
}
