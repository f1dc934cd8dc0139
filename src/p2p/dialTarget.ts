/** Keeps dialling one configured peer while it is not connected. */
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Address } from '../core/bytes.js'
import { type NetworkTuning, redialDelayMs } from './tuning.js'

export interface DialTargetNeeds {
  /** Makes one attempt; resolves when the peer is connected or being connected, rejects with the reason otherwise. */
  connect(target: DialTarget, signal: AbortSignal): Promise<void>
  isConnected(address: Address): boolean
  /** False while the peer is not permitted or refused for its faults. */
  mayDial(address: Address): boolean
  /** Called at the 1st, 2nd, 4th, 8th … failure in a row. */
  onFailure(target: DialTarget, failures: number, error: Error): void
}

export class DialTarget {
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #attempt: AbortController | undefined
  #stopped = false

  constructor(
    readonly address: Address,
    readonly multiaddr: Multiaddr,
    readonly name: string | undefined,
    private readonly tuning: NetworkTuning,
    private readonly needs: DialTargetNeeds,
  ) {}

  /** Dials now unless a dial is under way. */
  start(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#stopped && this.#attempt === undefined) void this.#dial()
  }

  /** The peer's connection ended after `lifetimeMs`. */
  onDisconnect(lifetimeMs: number): void {
    this.#failures = lifetimeMs >= this.tuning.stableMs ? 0 : this.#failures + 1
    this.#schedule()
  }

  /** The peer connected by itself: an attempt under way is no longer needed. */
  onConnect(): void {
    this.#attempt?.abort(new Error('the peer connected by itself'))
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#attempt?.abort(new Error('the network is stopping'))
  }

  async #dial(): Promise<void> {
    if (this.needs.isConnected(this.address)) return
    if (!this.needs.mayDial(this.address)) return this.#schedule()
    const attempt = new AbortController()
    this.#attempt = attempt
    const signal = AbortSignal.any([attempt.signal, AbortSignal.timeout(this.tuning.handshakeTimeoutMs)])
    try {
      await this.needs.connect(this, signal)
    } catch (error) {
      if (!attempt.signal.aborted) this.#onFailure(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.#attempt = undefined
      this.#schedule()
    }
  }

  #onFailure(error: Error): void {
    this.#failures++
    const isPowerOfTwo = (this.#failures & (this.#failures - 1)) === 0
    if (isPowerOfTwo) this.needs.onFailure(this, this.#failures, error)
  }

  #schedule(): void {
    if (this.#stopped || this.#timer !== undefined || this.#attempt !== undefined) return
    if (this.needs.isConnected(this.address)) return
    this.#timer = setTimeout(() => this.start(), redialDelayMs(this.tuning, this.#failures, Math.random()))
  }
}
