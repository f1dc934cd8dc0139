/** A map that keeps the `max` entries used last, and of these no more than `weightMax` by weight when values have one. */
export class LruMap<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #max: number
  readonly #weightMax: number
  readonly #weightOf: (value: V) => number
  #weight = 0

  constructor(max: number, weightMax = 0, weightOf: (value: V) => number = () => 0) {
    this.#max = max
    this.#weightMax = weightMax
    this.#weightOf = weightOf
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: K, value: V): void {
    this.#delete(key)
    this.#entries.set(key, value)
    this.#weight += this.#weightOf(value)
    while (this.#entries.size > this.#max || this.#weight > this.#weightMax)
      this.#delete(this.#entries.keys().next().value as K)
  }

  keys(): Iterable<K> {
    return this.#entries.keys()
  }

  clear(): void {
    this.#entries.clear()
    this.#weight = 0
  }

  #delete(key: K): void {
    const value = this.#entries.get(key)
    if (value === undefined) return
    this.#entries.delete(key)
    this.#weight -= this.#weightOf(value)
  }
}
