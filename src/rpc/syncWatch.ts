/**
 * Whether the node lags, for eth_subscribe("syncing"): the change at once where a block brings it, how far it is each second.
 * Nothing is looked at while nobody listens.
 */
import type { SyncStatus } from './chainApi.js'
import { presentSync } from './present.js'

/** Milliseconds between two looks: geth takes a minute, its sync hours. */
const LOOK_MS = 1_000

export interface SyncWatchNeeds {
  status(): SyncStatus
  /** Whether anybody listens still. */
  wanted(): boolean
  /** To all who listen. */
  tell(json: string): void
}

export class SyncWatch {
  #timer: NodeJS.Timeout | undefined
  #syncs = false
  #told = ''

  constructor(readonly needs: SyncWatchNeeds) {}

  /** Somebody begins to listen: what to tell first. Those who listen already hear it if it is new. */
  begin(): string {
    if (this.#timer) this.#look()
    else {
      this.#take(this.needs.status())
      this.#timer = setInterval(() => this.#look(), LOOK_MS)
      this.#timer.unref()
    }
    return this.#told
  }

  /** A block is final. */
  onBlock(): void {
    if (!this.#timer) return
    const status = this.needs.status()
    if ((status !== false) !== this.#syncs) this.#tellIfNew(status)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    if (this.needs.wanted()) this.#tellIfNew(this.needs.status())
    else this.stop()
  }

  #tellIfNew(status: SyncStatus): void {
    const before = this.#told
    this.#take(status)
    if (this.#told !== before) this.needs.tell(this.#told)
  }

  #take(status: SyncStatus): void {
    this.#syncs = status !== false
    this.#told = JSON.stringify(status === false ? false : { syncing: true, status: presentSync(status) })
  }
}
