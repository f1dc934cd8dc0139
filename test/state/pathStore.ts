/** A trie store for tests: nodes by path, changed by a trie's visitChanges. */
import { EMPTY_BYTES, toHex } from '../../src/core/bytes.js'
import type { NodeSource } from '../../src/state/trie/load.js'
import { Trie } from '../../src/state/trie/trie.js'

export class PathStore implements NodeSource {
  readonly nodes = new Map<string, Uint8Array>()
  loads = 0

  load(path: Uint8Array): Uint8Array | undefined {
    this.loads++
    return this.nodes.get(toHex(path))
  }

  /** Writes the changes of a batch, as the chain store does. */
  apply(trie: Trie): void {
    trie.visitChanges((path, encoded, before) => {
      const id = toHex(path)
      const stored = this.nodes.get(id)
      if (encoded === null) this.nodes.delete(id)
      else this.nodes.set(id, encoded.slice())
      const replaced = before()
      if (replaced !== undefined && toHex(replaced ?? EMPTY_BYTES) !== toHex(stored ?? EMPTY_BYTES))
        throw new Error(`the node before at ${id} is not the stored one`)
    })
  }
}

/** What a store holds that was written once, from nothing: no stale nodes. */
export function freshNodes(entries: Iterable<readonly [Uint8Array, Uint8Array]>): PathStore {
  const store = new PathStore()
  const trie = Trie.empty(store)
  for (const [key, value] of entries) trie.put(key, value)
  store.apply(trie)
  return store
}
