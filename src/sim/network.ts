/** The links between machines: delay, loss, copies, cuts, clogs, and machines that know one peer only. */
import type { EventQueue } from './events.js'
import type { Prng } from './prng.js'
import type { Scenario } from './scenario.js'

/** Messages held back by clogs; the oldest are dropped beyond, as send queues do. */
const heldMax = 4096

type Deliver = () => void

/** How things travel on one link at one moment. */
export interface Link {
  /** Time on the way, least and most. */
  readonly delayMs: readonly [number, number]
  readonly loss: number
}

/** The link from one machine to another at a moment; null when there is none. */
export type LinkAt = (from: number, to: number, atMs: number) => Link | null

export class SimNetwork {
  loss: number
  private cuts: { readonly from: ReadonlySet<number>; readonly to: ReadonlySet<number>; readonly oneWay: boolean }[] =
    []
  private readonly clogged = new Set<number>()
  private held: { readonly from: number; readonly to: number; readonly deliver: Deliver }[] = []
  /** Machines that have met nobody but one peer so far. */
  private readonly newcomers = new Map<number, number>()

  constructor(
    private readonly scenario: Scenario,
    private readonly queue: EventQueue,
    private readonly rng: Prng,
    private readonly linkAt: LinkAt | null,
  ) {
    this.loss = scenario.loss
    for (const [i, { peer }] of scenario.spares.entries()) this.newcomers.set(scenario.nodes + i, peer)
  }

  /** Brings something from one machine to another, perhaps: late, twice or not at all. */
  carry(from: number, to: number, deliver: Deliver): void {
    if (from === to || !this.isLinked(from, to)) return
    if (this.clogged.size > 0 && (this.clogged.has(from) || this.clogged.has(to))) {
      this.held.push({ from, to, deliver })
      if (this.held.length > heldMax) this.held.splice(0, heldMax / 4)
      return
    }
    const link = this.linkAt?.(from, to, this.queue.now)
    if (link === null) return
    const { duplication } = this.scenario
    const { delayMs, loss } = link ?? { delayMs: this.scenario.delayMs, loss: this.loss }
    const copies = duplication > 0 && this.rng.chance(duplication) ? 2 : 1
    for (let i = 0; i < copies; i++) {
      if (loss > 0 && this.rng.chance(loss)) continue
      this.queue.after(this.rng.between(delayMs[0], delayMs[1]), deliver)
    }
  }

  /** Whether machines that are up would notice each other. */
  isLinked(from: number, to: number): boolean {
    if (this.newcomers.size > 0 && !this.hasMet(from, to)) return false
    for (const cut of this.cuts) {
      if (cut.from.has(from) && cut.to.has(to)) return false
      if (!cut.oneWay && cut.from.has(to) && cut.to.has(from)) return false
    }
    return true
  }

  private hasMet(from: number, to: number): boolean {
    const peerOfSender = this.newcomers.get(from)
    const peerOfReceiver = this.newcomers.get(to)
    return (peerOfSender ?? to) === to && (peerOfReceiver ?? from) === from
  }

  /** `machine` has learnt of all others. */
  introduce(machine: number): void {
    this.newcomers.delete(machine)
  }

  isNewcomer(machine: number): boolean {
    return this.newcomers.has(machine)
  }

  cut(from: readonly number[], to: readonly number[], oneWay: boolean): () => void {
    const cut = { from: new Set(from), to: new Set(to), oneWay }
    this.cuts.push(cut)
    return () => {
      this.cuts = this.cuts.filter((other) => other !== cut)
    }
  }

  clog(machine: number): void {
    this.clogged.add(machine)
  }

  unclog(machine: number): void {
    if (!this.clogged.delete(machine)) return
    const { held } = this
    this.held = []
    for (const { from, to, deliver } of held) this.carry(from, to, deliver)
  }

  /** Faults end: every link works, with the loss that stays. */
  heal(): void {
    this.cuts = []
    this.loss = this.scenario.lossAfter
    for (const machine of [...this.clogged]) this.unclog(machine)
  }
}
