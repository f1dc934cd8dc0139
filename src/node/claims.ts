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

  /** `peer` says that its final chain reaches `height`. */
  heard(peer: Address, height: Height): void {
    if (this.#claims.has(peer) || this.#claims.size < 2 * peersMax) this.#claims.set(peer, height)
  }

  /** Whether a peer was seen to be no further than this node at `own`, since the last time that all were gone. */
  compared(own: Height): boolean {
    for (const height of this.#claims.values()) if (height <= own) this.#compared = true
    return this.#compared
  }

  gone(peer: Address): void {
    this.#claims.delete(peer)
    if (this.#claims.size === 0) this.#compared = false
  }

  /** The height that a node at `own` is to reach, as far as it can be believed. */
  believed(set: SealerSet, own: Height): Height {
    if (!this.compared(own)) return asHeight(Math.max(0, ...this.#claims.values()))
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
