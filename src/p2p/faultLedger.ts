/** Faults of peers: each adds points which fade with time; too many refuse the peer for a while. */
import type { Address } from '../core/bytes.js'

const pointsPerFault = 20
/** Reached by five faults within five seconds. */
const pointsMax = 90
const pointsFadedPerSecond = 2

interface Entry {
  points: number
  /** When `points` held, in ms. */
  at: number
  bannedUntil: number
}

export class FaultLedger {
  readonly #entries = new Map<Address, Entry>()
  readonly #banMs: number

  /** Holds one small entry for each peer that ever failed; callers pass permitted peers only, which bounds it. */
  constructor(banMs: number) {
    this.#banMs = banMs
  }

  /** Records a fault at `now` (ms); true when the peer is to be refused from now on. */
  add(address: Address, now: number): boolean {
    const entry = this.#entries.get(address) ?? { points: 0, at: now, bannedUntil: 0 }
    const faded = Math.max(0, entry.points - ((now - entry.at) / 1000) * pointsFadedPerSecond)
    entry.points = faded + pointsPerFault
    entry.at = now
    this.#entries.set(address, entry)
    if (entry.points < pointsMax) return false
    entry.points = 0
    entry.bannedUntil = now + this.#banMs
    return true
  }

  isBanned(address: Address, now: number): boolean {
    return now < (this.#entries.get(address)?.bannedUntil ?? 0)
  }
}
