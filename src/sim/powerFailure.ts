/** Every point at which the power of one node may fail: around each durable write and after each message that leaves. */
import type { SimNode } from './node.js'

export class PowerFailure {
  /** Points reached so far, by what they are. */
  readonly reached: string[] = []
  /** What the node was about when its power failed. */
  failedAt: string | null = null

  /** `at` counts the points of `node` from 0; null only counts them. */
  constructor(
    private readonly node: number,
    private readonly at: number | null,
  ) {}

  isReached({ index }: SimNode, where: string): boolean {
    if (index !== this.node || this.failedAt !== null) return false
    this.reached.push(where)
    if (this.reached.length - 1 !== this.at) return false
    this.failedAt = where
    return true
  }
}
