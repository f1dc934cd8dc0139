/** When this node wants a block: D1 executable transactions beyond those of unfinal blocks, D4 a heartbeat that is due. */
import type { Hash } from '../core/bytes.js'
import { REMIND_MS } from './limits.js'
import type { Mempool } from './mempool.js'

export interface DemandNeeds {
  readonly pool: Pick<Mempool, 'executable' | 'has'>
  /** Transactions of unfinal blocks up to a tip: they no longer make a block wanted. */
  readonly unfinal: (tip: Hash) => ReadonlySet<Hash>
  /** Empty blocks when nothing happens; 0 = never. */
  readonly heartbeatMs: number
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** The demand changed. */
  readonly onChange: (wanted: boolean) => void
  /** Transactions wait and nothing becomes final: peers may not know of them. */
  readonly remind: () => void
}

export class Demand {
  readonly #needs: DemandNeeds
  #tip: Hash
  #inTip: ReadonlySet<Hash> = new Set()
  #wanted = false
  #heartbeat: NodeJS.Timeout | undefined
  #heartbeatDue = false
  #finalAt: number
  #reminder: NodeJS.Timeout | undefined

  /** `tip`: the last final block. */
  constructor(tip: Hash, needs: DemandNeeds) {
    this.#tip = tip
    this.#needs = needs
    this.#finalAt = needs.now()
  }

  get wanted(): boolean {
    return this.#wanted
  }

  start(): void {
    this.#armHeartbeat()
    this.#reminder = setInterval(() => {
      if (this.#wanted && this.#needs.now() - this.#finalAt >= REMIND_MS) this.#needs.remind()
    }, REMIND_MS)
  }

  stop(): void {
    clearTimeout(this.#heartbeat)
    clearInterval(this.#reminder)
    this.#reminder = undefined
  }

  /** A transaction became executable: one more never ends the demand. */
  pooled(): void {
    if (!this.#wanted) this.#update()
  }

  setTip(tip: Hash): void {
    this.#tip = tip
    this.#inTip = this.#needs.unfinal(tip)
    this.#update()
  }

  /** A block is about to be built; true when it may be empty because a heartbeat is due. */
  building(): boolean {
    const isDue = this.#heartbeatDue
    this.#heartbeatDue = false
    return isDue
  }

  /** There was nothing to build: the core takes that as the end of the demand. */
  declined(): void {
    this.#wanted = false
  }

  /** A block became final and the pool has dropped its transactions. */
  advanced(): void {
    this.#heartbeatDue = false
    this.#finalAt = this.#needs.now()
    if (this.#reminder !== undefined) this.#armHeartbeat()
    this.setTip(this.#tip)
  }

  #update(): void {
    let inPool = 0
    for (const hash of this.#inTip) if (this.#needs.pool.has(hash)) inPool++
    const wanted = this.#heartbeatDue || this.#needs.pool.executable > inPool
    if (wanted === this.#wanted) return
    this.#wanted = wanted
    this.#needs.onChange(wanted)
  }

  #armHeartbeat(): void {
    const { heartbeatMs } = this.#needs
    if (heartbeatMs === 0) return
    clearTimeout(this.#heartbeat)
    this.#heartbeat = setTimeout(() => {
      this.#heartbeatDue = true
      this.#update()
    }, heartbeatMs)
  }
}
