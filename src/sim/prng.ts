/** Seeded pseudo-random numbers (sfc32); the only source of chance in a simulation. */
export class Prng {
  private a: number
  private b = 0x9e3779b9
  private c = 0x243f6a88
  private d = 1

  constructor(seed: number) {
    this.a = seed | 0
    this.b ^= Math.floor(seed / 2 ** 32) | 0
    for (let i = 0; i < 15; i++) this.next()
  }

  /** In [0, 1). */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0
    this.d = (this.d + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (this.c << 21) | (this.c >>> 11)
    this.c = (this.c + t) | 0
    return (t >>> 0) / 2 ** 32
  }

  /** Integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const held = out[i]!
      out[i] = out[j]!
      out[j] = held
    }
    return out
  }
}
