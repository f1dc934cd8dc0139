/** Seeded pseudo-random numbers for reproducible data. Not for keys. */

export interface Random {
  /** Integer in [0, bound), bound <= 2^32. */
  below(bound: number): number
  /** Real number in [0, 1). */
  unit(): number
  pick<T>(items: readonly T[]): T
}

/** FNV-1a with a final avalanche (murmur3 fmix32): 32 bits of a text. */
function hash32(text: string, basis: number): number {
  let h = (basis ^ 0x811c9dc5) >>> 0
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** sfc32 (Doty-Humphrey, PractRand) seeded by any text: equal seeds give equal streams on every machine. */
export function createRandom(seed: string): Random {
  let a = hash32(seed, 1)
  let b = hash32(seed, 2)
  let c = hash32(seed, 3)
  let counter = 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return sum >>> 0
  }
  // The author's advice: the first dozen outputs still show the seed.
  for (let i = 0; i < 12; i++) next()
  const unit = (): number => next() / 4294967296
  const below = (bound: number): number => Math.floor(unit() * bound)
  return { below, unit, pick: (items) => items[below(items.length)]! }
}

/**
 * Draws categories one at a time so that after `sum(counts)` draws category i came exactly counts[i] times
 * (selection sampling, Knuth vol. 2, 3.4.2 algorithm S, for several categories). O(categories) memory.
 */
export class ExactSampler {
  readonly #left: number[]
  #total: number

  constructor(counts: readonly number[]) {
    this.#left = [...counts]
    this.#total = counts.reduce((sum, count) => sum + count, 0)
  }

  draw(random: Random): number {
    let at = random.unit() * this.#total
    for (let i = 0; i < this.#left.length; i++) {
      const left = this.#left[i]!
      if (left > 0 && at < left) {
        this.#left[i] = left - 1
        this.#total--
        return i
      }
      at -= left
    }
    throw new RangeError('more draws than the counts allow')
  }
}
