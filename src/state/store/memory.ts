import { assert } from '../../core/assert.js'
import { toHex } from '../../core/bytes.js'
import type { KeyRange, KeyValueSnapshot, KeyValueStore, WriteOperation } from './keyValueStore.js'

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Volatile store for tests and tools. */
export class MemoryStore implements KeyValueStore {
  private readonly entries = new Map<string, Entry>()
  /** For each open snapshot: what was there before later writes. */
  private readonly snapshots = new Set<Map<string, Entry | undefined>>()
  private closed = false

  getSync(key: Uint8Array): Uint8Array | undefined {
    this.assertOpen()
    return this.entries.get(toHex(key))?.value.slice()
  }

  async batch(operations: readonly WriteOperation[]): Promise<void> {
    this.assertOpen()
    for (const operation of operations) {
      const id = toHex(operation.key)
      const before = this.entries.get(id)
      for (const undo of this.snapshots) if (!undo.has(id)) undo.set(id, before)
      if (operation.type === 'del') this.entries.delete(id)
      else this.entries.set(id, { key: operation.key.slice(), value: operation.value.slice() })
    }
  }

  snapshot(): KeyValueSnapshot {
    this.assertOpen()
    const undo = new Map<string, Entry | undefined>()
    this.snapshots.add(undo)
    return {
      getSync: (key) => {
        const id = toHex(key)
        const entry = undo.has(id) ? undo.get(id) : this.entries.get(id)
        return entry?.value.slice()
      },
      close: () => {
        this.snapshots.delete(undo)
      },
    }
  }

  async *range({
    gte,
    lt,
    reverse = false,
    limit = Number.POSITIVE_INFINITY,
  }: KeyRange): AsyncGenerator<[Uint8Array, Uint8Array]> {
    this.assertOpen()
    const from = gte === undefined ? '' : toHex(gte)
    const to = lt === undefined ? undefined : toHex(lt)
    const ids = [...this.entries.keys()].filter((id) => id >= from && (to === undefined || id < to)).sort()
    if (reverse) ids.reverse()
    const found = ids.slice(0, limit).map((id) => this.entries.get(id)!)
    for (const { key, value } of found) yield [key.slice(), value.slice()]
  }

  async approximateSize(gte: Uint8Array, lt: Uint8Array): Promise<number> {
    let bytes = 0
    for await (const [key, value] of this.range({ gte, lt })) bytes += key.length + value.length
    return bytes
  }

  async compact(): Promise<void> {
    this.assertOpen()
  }

  async close(): Promise<void> {
    this.closed = true
  }

  private assertOpen(): void {
    assert(!this.closed, 'the store is closed')
  }
}
