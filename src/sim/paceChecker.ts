/** Invariant I11: views without finality pass no faster than time-outs end, or a network that cannot agree burns itself out. */
import { type Core, finalView } from '../consensus/core.js'
import { Violation } from './checker.js'

/** Views that may pass at once: faulty leaders, leaders that are cut off, refused proposals. */
const freeViewsBase = 4
const freeViewsPerSealer = 4
/** Beyond them, views in one base time-out. */
const viewsPerTimeout = 2

export class PaceChecker {
  private finalView = 0
  private view = 0
  /** When the first honest node entered each view; views that all jumped over have no time. */
  private readonly enteredAt: number[] = [0, 0]

  constructor(private readonly viewTimeoutMs: number) {}

  /** Some honest node has entered the view that `core` is in. */
  onView(core: Core, nowMs: number): void {
    this.finalView = Math.max(this.finalView, finalView(core))
    if (core.cur <= this.view) return
    this.view = core.cur
    this.enteredAt[this.view] = nowMs
    const sinceMs = nowMs - this.sinceFinality()
    const passed = this.view - this.finalView
    const free = freeViewsBase + freeViewsPerSealer * core.council.set.sealers.length
    const most = free + (viewsPerTimeout * sinceMs) / this.viewTimeoutMs
    if (passed > most) throw new Violation('I11', `${passed} views without finality in ${sinceMs.toFixed(0)} ms`)
  }

  /** When the first view after the last final one began. */
  private sinceFinality(): number {
    for (let view = this.finalView + 1; view <= this.view; view++) {
      const at = this.enteredAt[view]
      if (at !== undefined) return at
    }
    return 0
  }
}
