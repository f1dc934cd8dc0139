/** A store whose machine loses power at one of its writes. */
import type { KeyValueStore, WriteOperation } from '../../src/state/store/keyValueStore.js'

export type Cut = 'before the write' | 'after the write'

export class CutDisk implements KeyValueStore {
  #left: number
  #isOff = false

  /** The first `writes` succeed. */
  constructor(
    private readonly store: KeyValueStore,
    writes: number,
    private readonly cut: Cut,
  ) {
    this.#left = writes
  }

  get isOff(): boolean {
    return this.#isOff
  }

  async batch(operations: readonly WriteOperation[], options: { readonly sync: boolean }): Promise<void> {
    if (!this.#isOff && this.#left-- > 0) return this.store.batch(operations, options)
    const isFirst = !this.#isOff
    this.#isOff = true
    if (isFirst && this.cut === 'after the write') await this.store.batch(operations, options)
    throw new Error('the power is gone')
  }

  getSync(key: Uint8Array) {
    return this.store.getSync(key)
  }

  snapshot() {
    return this.store.snapshot()
  }

  range(range: Parameters<KeyValueStore['range']>[0]) {
    return this.store.range(range)
  }

  approximateSize(gte: Uint8Array, lt: Uint8Array) {
    return this.store.approximateSize(gte, lt)
  }

  compact() {
    return this.store.compact()
  }

  close() {
    return this.store.close()
  }
}
