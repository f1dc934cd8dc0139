/** The course of a run: load and faults, then calm, until everything is final everywhere, then quiet. */
import { actors } from './actors.js'
import { type ScenarioOptions, scenarioOf } from './draw.js'
import type { Fault } from './faults.js'
import { machineOf } from './keys.js'
import type { SimNode } from './node.js'
import { operationTx, type PlannedOperation } from './operations.js'
import { isUnreliable, type Scenario } from './scenario.js'
import { World, type WorldOptions } from './world.js'

export interface RunResult {
  readonly seed: number
  /** The invariant that broke, and how; null when all held. */
  readonly violation: string | null
  readonly height: number
  readonly epoch: number
  readonly views: number
  readonly messages: number
  /** Virtual ms, and views that gave no final block, from the end of the faults until everything was final everywhere. */
  readonly settledMs: number
  readonly settledViews: number
  readonly transcript: readonly string[]
}

/** I7: everything that honest nodes know of is final everywhere within this virtual time after the faults end. */
export const settleMsMax = 60_000
/** I7: and at most so many views for each sealer, and some, give no final block meanwhile. */
export const settleViewsPerSealer = 4
export const settleViewsBase = 4

const settleStepMs = 100
/** The quiet of an idle chain is watched for so long, after everything open has run out. */
const quietMs = 5_000
/** A change of sealers waits so long for the machine that comes in. */
const retryMs = 300

export function runSeed(seed: number, options: ScenarioOptions = {}, verbose = false): RunResult {
  return runScenario(scenarioOf(seed, options), { verbose })
}

export function runScenario(scenario: Scenario, options: WorldOptions = {}): RunResult {
  return new Run(new World(scenario, options)).run()
}

export class Run {
  private txs = 0

  constructor(readonly world: World) {}

  run(): RunResult {
    const { world } = this
    this.begin()
    world.queue.runUntil(world.scenario.chaosMs, this.isOver)
    this.stabilise()
    const before = this.emptyViews()
    const settledMs = this.untilSettled()
    const settledViews = this.emptyViews() - before
    this.checkViews(settledViews)
    if (world.violation === null) this.untilQuiet()
    if (world.violation === null) this.checkChains()
    return {
      seed: world.scenario.seed,
      violation: world.violation,
      height: world.checker.height,
      epoch: Math.max(...world.nodes.map((node) => node.disk.state.set.epoch)),
      views: this.highestView(),
      messages: world.messages,
      settledMs,
      settledViews,
      transcript: world.transcript,
    }
  }

  /** Plans everything that the scenario has in store. */
  begin(): void {
    const { world } = this
    const { scenario, rng, queue } = world
    for (const node of world.nodes) {
      const spare = scenario.spares[node.index - scenario.nodes]
      if (node.index === scenario.downForGood) continue
      queue.after(spare ? spare.startsAtMs : rng.between(0, 50), () => world.revive(node))
    }
    for (const { fromMs, toMs, txs } of scenario.load)
      for (let i = 0; i < txs; i++) queue.after(rng.between(fromMs, toMs), () => this.submit(++this.txs))
    for (const [i, planned] of scenario.operations.entries())
      queue.after(planned.atMs, () => this.operate(planned, operationTx + i))
    for (const fault of scenario.faults) queue.after(fault.atMs, () => this.strike(fault))
    for (const node of world.nodes) if (actors[node.actor].speak) this.speakLater(node)
  }

  private readonly isOver = (): boolean => this.world.violation !== null

  private submit(tx: number): void {
    const { world } = this
    const up = world.honest().filter((node) => node.up)
    if (up.length === 0) return
    world.submit(world.rng.pick(up), tx)
  }

  /** A sealer may only come in when its machine runs and has caught up. */
  private operate(planned: PlannedOperation, tx: number): void {
    const { world } = this
    const { operation } = planned
    const incoming = operation.kind === 'add' ? operation.sealer : operation.kind === 'replace' ? operation.by : null
    const machine = incoming && world.nodes.find((node) => node.index === machineOf(incoming))
    if (machine && !(machine.up && machine.disk.height + 3 >= world.checker.height)) {
      if (!world.isStable) world.queue.after(retryMs, () => this.operate(planned, tx))
    } else this.submit(tx)
  }

  private speakLater(node: SimNode): void {
    const { world } = this
    world.queue.after(world.rng.between(20, 200), () => {
      this.speakLater(node)
      if (node.up && node.core.final.height >= 0) world.guard(() => actors[node.actor].speak?.(world, node))
    })
  }

  private strike(fault: Fault): void {
    if (this.world.isStable) return
    switch (fault.kind) {
      case 'crash':
        for (const node of this.nodesOf(fault.node)) this.crash(node, fault.forMs, fault.inSync)
        break
      case 'lost-journal':
        for (const node of this.nodesOf(fault.node)) this.loseJournal(node, fault)
        break
      case 'blackout':
        for (const node of this.world.nodes) this.crash(node, fault.forMs[node.index] ?? 0, false)
        break
      case 'cut': {
        const mend = this.world.network.cut(fault.from, fault.to, fault.oneWay)
        this.world.queue.after(fault.forMs, mend)
        break
      }
      case 'clog':
        this.clog(fault)
        break
      case 'slow-disk':
        for (const node of this.nodesOf(fault.node)) this.slow(node, fault.stallMs, fault.forMs)
        break
    }
  }

  private nodesOf(machine: number): SimNode[] {
    return this.world.nodes.filter((node) => node.index === machine)
  }

  private crash(node: SimNode, forMs: number, inSync: boolean): void {
    if (!node.up) return
    if (inSync) node.crashAtSync = true
    else this.world.guard(() => node.crash())
    this.world.queue.after(forMs, () => this.world.revive(node))
  }

  private loseJournal(node: SimNode, { forMs, kept }: Extract<Fault, { kind: 'lost-journal' }>): void {
    if (!node.up) return
    this.crash(node, forMs, false)
    node.disk.loseJournal(kept, this.world.scenario.bug !== 'trust-lost-journal')
  }

  private clog({ nodes, release, stepMs, holdMs }: Extract<Fault, { kind: 'clog' }>): void {
    const { network, queue } = this.world
    const hold = (machine: number): void => {
      if (!this.world.isStable) network.clog(machine)
    }
    const free = nodes.length * stepMs + holdMs
    for (const [i, machine] of nodes.entries()) queue.after(i * stepMs, () => hold(machine))
    for (const [i, machine] of release.entries()) queue.after(free + i * stepMs, () => network.unclog(machine))
  }

  private slow(node: SimNode, stallMs: number, forMs: number): void {
    node.stallMs = stallMs
    this.world.queue.after(forMs, () => {
      node.stallMs = 0
    })
  }

  /** Faults end: links work, clocks are right, disks are as fast as they are, who is down starts. */
  private stabilise(): void {
    const { world } = this
    const { scenario, network } = world
    world.isStable = true
    network.heal()
    scenario.spares.forEach(({ peer }, i) => {
      if (isUnreliable(scenario, peer)) network.introduce(scenario.nodes + i)
    })
    for (const node of world.nodes) {
      node.stallMs = 0
      world.revive(node)
    }
  }

  /** Views so far that gave no final block. */
  private emptyViews(): number {
    return this.highestView() - this.world.checker.height
  }

  private highestView(): number {
    let view = 0
    for (const node of this.world.nodes) if (node.actor === 'honest' && node.up) view = Math.max(view, node.core.cur)
    return view
  }

  /** I7: everything submitted and still known to someone becomes final everywhere. */
  private untilSettled(): number {
    const { world } = this
    const from = world.queue.now
    while (!this.isOver() && world.queue.now - from < settleMsMax) {
      world.queue.runUntil(world.queue.now + settleStepMs, this.isOver)
      if (!this.isOver() && this.isSettled()) return world.queue.now - from
    }
    world.violation ??= `I7: not settled ${settleMsMax} ms after the faults ended: ${this.standing()}`
    return settleMsMax
  }

  private checkViews(passed: number): void {
    const { world } = this
    const sealers = Math.max(...world.nodes.map((node) => node.disk.state.set.sealers.length))
    const most = settleViewsBase + settleViewsPerSealer * Math.max(sealers, world.scenario.nodes)
    if (passed > most)
      world.violation ??= `I7: ${passed} views gave no final block before all was settled, at most ${most} expected`
  }

  private isSettled(): boolean {
    const honest = this.world.honest().filter((node) => node.index !== this.world.scenario.downForGood)
    const head = honest[0]?.disk.state.hash
    return honest.every(
      ({ up, executor, disk, core }) =>
        up &&
        executor.mempool.size === 0 &&
        disk.state.hash === head &&
        core.notarized.size === 0 &&
        core.pending === null,
    )
  }

  /** No idle spinning: once all is settled, only statuses are exchanged and no view passes. */
  private untilQuiet(): void {
    const { world } = this
    const { scenario, queue, network } = world
    if (scenario.actors.some((actor) => actor !== 'honest')) return
    network.loss = 0
    queue.runUntil(queue.now + 3 * scenario.timers.viewTimeoutMaxMs + quietMs, this.isOver)
    const { talk } = world
    const views = this.views()
    queue.runUntil(queue.now + quietMs, this.isOver)
    if (this.isOver()) return
    if (world.talk !== talk)
      world.violation = `quiet: ${world.talk - talk} messages beside statuses on an idle chain: ${this.standing()}`
    else if (this.views() !== views) world.violation = `quiet: views pass on an idle chain: ${views} -> ${this.views()}`
    else if (!this.isSettled()) world.violation = `quiet: not settled any more: ${this.standing()}`
  }

  private views(): string {
    return this.world.nodes.map((node) => (node.up ? node.core.cur : '-')).join()
  }

  private checkChains(): void {
    const { world } = this
    world.guard(() => {
      for (const node of world.honest()) world.checker.onChain(node, node.disk, world.rules, world.genesis)
    })
  }

  private standing(): string {
    return this.world.nodes
      .filter((node) => node.up)
      .map(({ core, index, actor, executor }) => {
        const open = `${core.notarized.size}${core.pending ? ' pending' : ''}`
        return `n${index}${actor === 'honest' ? '' : `(${actor})`} epoch ${core.council.set.epoch} view ${core.cur} final ${core.final.height}/${core.final.view} mempool ${[...executor.mempool]} open ${open}`
      })
      .join('; ')
  }
}
