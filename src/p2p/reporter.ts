/** Counts every report and hands on at most a few a second of each kind, so that an attack does not become a flood of log lines. */
import type { Address } from '../core/bytes.js'
import type { NetworkReportCode, NetworkReportHandler } from './network.js'

const perSecondMax = 5

export class Reporter {
  readonly #counts = new Map<NetworkReportCode, number>()
  readonly #windows = new Map<NetworkReportCode, { startedAt: number; passed: number; held: number }>()

  constructor(
    private readonly handler: NetworkReportHandler | undefined,
    private readonly now: () => number,
  ) {}

  /** How often each kind was reported since the start. */
  counts(): ReadonlyMap<NetworkReportCode, number> {
    return this.#counts
  }

  report(code: NetworkReportCode, address: Address | undefined, message: string): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1)
    const window = this.#windowOf(code)
    if (window.passed >= perSecondMax) {
      window.held++
      return
    }
    window.passed++
    const more = window.held > 0 ? ` (${window.held} more like it were not shown)` : ''
    window.held = 0
    this.handler?.({ code, address, message: message + more })
  }

  #windowOf(code: NetworkReportCode): { startedAt: number; passed: number; held: number } {
    const now = this.now()
    const window = this.#windows.get(code) ?? { startedAt: now, passed: 0, held: 0 }
    if (now - window.startedAt >= 1000) {
      window.startedAt = now
      window.passed = 0
    }
    this.#windows.set(code, window)
    return window
  }
}
