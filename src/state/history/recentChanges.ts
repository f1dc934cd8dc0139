/** Which of the last blocks changed a key: a hash table of fingerprints over a ring, newest first, in typed arrays. */
import { assert } from '../../core/assert.js'
import { asHeight, type Height } from '../../core/bytes.js'

const SLOTS_MIN = 1024
/** No older entry. */
const END = -1

interface Block {
  readonly height: Height
  readonly entries: number
}

/**
 * Entries are numbered for ever and stand in slot `number % slots`. The oldest blocks are dropped without being unlinked: a
 * link below the first number that is held ends a list.
 */
export class RecentChanges {
  private slots = SLOTS_MIN
  private fingerprints = new Uint32Array(SLOTS_MIN)
  private heights = new Float64Array(SLOTS_MIN)
  /** Number of the next older entry with the same bucket. */
  private older = new Float64Array(SLOTS_MIN).fill(END)
  /** Number of the newest entry of each bucket. */
  private newest = new Float64Array(SLOTS_MIN).fill(END)
  private first = 0
  private next = 0
  private readonly blocks: Block[] = []

  /** Entries that are held. */
  get size(): number {
    return this.next - this.first
  }

  /** First block whose changes are held; undefined when there is none. */
  get from(): Height | undefined {
    return this.blocks[0]?.height
  }

  /** The block after the last one that was added, with a fingerprint for each key that it changed. */
  add(height: Height, fingerprints: Uint32Array): void {
    const last = this.blocks.at(-1)
    assert(last === undefined || height === last.height + 1, 'blocks are added in order')
    this.reserve(fingerprints.length)
    for (const fingerprint of fingerprints) this.put(fingerprint, height)
    this.blocks.push({ height, entries: fingerprints.length })
  }

  dropOldest(): void {
    this.first += this.blocks.shift()?.entries ?? 0
  }

  /** Blocks above `height` that changed a key with this fingerprint, newest first. */
  above(height: Height, fingerprint: number): Height[] {
    const found: Height[] = []
    let at = this.newest[fingerprint % this.slots]!
    while (at >= this.first) {
      const slot = at % this.slots
      if (this.heights[slot]! <= height) break
      if (this.fingerprints[slot] === fingerprint) found.push(asHeight(this.heights[slot]!))
      at = this.older[slot]!
    }
    return found
  }

  private put(fingerprint: number, height: number): void {
    const slot = this.next % this.slots
    const bucket = fingerprint % this.slots
    this.fingerprints[slot] = fingerprint
    this.heights[slot] = height
    this.older[slot] = this.newest[bucket]!
    this.newest[bucket] = this.next++
  }

  private reserve(more: number): void {
    if (this.size + more <= this.slots) return
    const held = Array.from({ length: this.size }, (_, i) => (this.first + i) % this.slots)
    const { fingerprints, heights } = this
    while (this.slots < this.size + more) this.slots *= 2
    this.fingerprints = new Uint32Array(this.slots)
    this.heights = new Float64Array(this.slots)
    this.older = new Float64Array(this.slots).fill(END)
    this.newest = new Float64Array(this.slots).fill(END)
    this.first = 0
    this.next = 0
    for (const slot of held) this.put(fingerprints[slot]!, heights[slot]!)
  }
}
