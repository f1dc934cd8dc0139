/** An EmbeddedStore that forgets everything with the process; for tests and trials. */
import { toHex } from '../../core/bytes.js'
import type { EmbeddedStore } from './store.js'

export function createMemoryStore(): EmbeddedStore {
  const entries = new Map<string, readonly [Uint8Array, Uint8Array]>()
  return {
    get: (key) => entries.get(toHex(key))?.[1],
    async write(puts, deletes) {
      for (const key of deletes) entries.delete(toHex(key))
      for (const [key, value] of puts) entries.set(toHex(key), [key.slice(), value.slice()])
    },
    async *entries(prefix) {
      const start = toHex(prefix)
      const keys = [...entries.keys()].filter((key) => key.startsWith(start)).sort()
      for (const key of keys) {
        const entry = entries.get(key)
        if (entry) yield entry
      }
    },
    async close() {},
  }
}
