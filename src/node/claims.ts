/**
 * How far the chain is said to be. A status is not signed, so one peer's claim proves nothing: a height counts when sealers
 * of more than a third of the weight claim it, one of whom is honest. A node that has not compared its chain with anybody
 * yet believes everyone: it is not ready in any case.
 */
import { exceedsThird, totalWeight } from '../consensus/quorum.js'
import type { SealerSet } from '../consensus/types.js'
import { type Address, asHeight, type Height } from '../core/bytes.js'
import { peersMax } from '../core/limits.js'

export class HeightClaims {
  /** What each connected peer said last. */
  readonly #claims = new Map<Address, Height>()
  #compared = false

  /** `peer` says that its final chain reaches `height`, when this node is at `own`. */
  heard(peer: Address, height: Height, own: Height): void {
    // What was said earlier proves nothing: a node that catches up reaches heights which others have left behind.
    if (height <= own) this.#compared = true
    if (this.#claims.has(peer) || this.#claims.size < 2 * peersMax) this.#claims.set(peer, height)
  }

  /** Whether a peer said that it is no further than this node was then, since the last time that all were gone. */
  get compared(): boolean {
    return this.#compared
  }

  gone(peer: Address): void {
    this.#claims.delete(peer)
    if (this.#claims.size === 0) this.#compared = false
  }

  /** The height that is to be reached, as far as it can be believed. */
  believed(set: SealerSet): Height {
    if (!this.#compared) return asHeight(Math.max(0, ...this.#claims.values()))
    const total = totalWeight(set.sealers.map((sealer) => sealer.weight))
    const claims = set.sealers.map(({ address, weight }) => ({ weight, height: this.#claims.get(address) ?? 0 }))
    let weight = 0
    for (const claim of claims.sort((a, b) => b.height - a.height)) {
      weight += claim.weight
      if (exceedsThird(total, weight)) return asHeight(claim.height)
    }
    return asHeight(0)
  }
}
