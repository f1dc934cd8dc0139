/** Bounded caches of two generations: when the young one is full it becomes the old one, and the old one is dropped. */
import type { Address, Hash } from '../core/bytes.js'

export class GenerationCache<K, V> {
  private young = new Map<K, V>()
  private old = new Map<K, V>()

  /** Holds at most twice `generationMax` entries. */
  constructor(private readonly generationMax: number) {}

  get(key: K): V | undefined {
    const value = this.young.get(key)
    if (value !== undefined) return value
    const aged = this.old.get(key)
    if (aged !== undefined) this.set(key, aged)
    return aged
  }

  set(key: K, value: V): void {
    this.young.set(key, value)
    if (this.young.size < this.generationMax) return
    this.old = this.young
    this.young = new Map()
  }
}

type Slots = Map<Address, Map<Hash, Hash>>

/** Words by account and slot. Two levels of maps: joining the two strings would cost more than the look-up. */
export class SlotCache {
  private young: Slots = new Map()
  private old: Slots = new Map()
  private youngCount = 0

  /** Holds at most twice `generationMax` slots. */
  constructor(private readonly generationMax: number) {}

  get(address: Address, slot: Hash): Hash | undefined {
    const word = this.young.get(address)?.get(slot)
    if (word !== undefined) return word
    const aged = this.old.get(address)?.get(slot)
    if (aged !== undefined) this.set(address, slot, aged)
    return aged
  }

  set(address: Address, slot: Hash, word: Hash): void {
    let slots = this.young.get(address)
    if (slots === undefined) {
      slots = new Map()
      this.young.set(address, slots)
    }
    const before = slots.size
    slots.set(slot, word)
    this.youngCount += slots.size - before
    if (this.youngCount < this.generationMax) return
    this.old = this.young
    this.young = new Map()
    this.youngCount = 0
  }
}
