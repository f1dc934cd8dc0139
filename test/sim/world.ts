/** The network, the faults and the clock of one simulation run. */
import { roundRobin, smoothWeightedRoundRobin } from '../../src/consensus/schedule.js'
import type {
  Certificate,
  ConsensusMessage,
  LeaderSchedule,
  SealedBlock,
  SealerSet,
  SignedVote,
} from '../../src/consensus/types.js'
import type { Address, Epoch, Hash } from '../../src/core/bytes.js'
import { babble, distort } from './byzantine.js'
import { Checker, Violation } from './checker.js'
import { EventQueue } from './events.js'
import { epochTx, Keys } from './fakes.js'
import { SimNode } from './node.js'
import { Prng } from './prng.js'
import type { Scenario } from './scenario.js'

export type NetMessage =
  | ConsensusMessage
  | { readonly type: 'tx'; readonly id: number }
  | { readonly type: 'syncRequest'; readonly height: number }
  | { readonly type: 'syncBlocks'; readonly blocks: readonly SealedBlock[]; readonly certificate: Certificate }

export interface RunResult {
  readonly seed: number
  readonly violation: string | null
  readonly height: number
  readonly messages: number
  /** Virtual ms after stabilisation until all was settled. */
  readonly settledMs: number
  readonly transcript: readonly string[]
}

/** All work must be final within this time after faults end, in virtual ms. */
const settleMsMax = 60_000

export class World {
  readonly queue = new EventQueue()
  readonly rng: Prng
  readonly keys: Keys
  readonly schedule: LeaderSchedule
  readonly checker: Checker
  readonly nodes: SimNode[] = []
  readonly blockHashes: Hash[] = []
  readonly recentVotes: SignedVote[] = []
  readonly transcript: string[] = []
  /** Chance that a proposal fails against a node's own clock. */
  clockTrouble = 0
  messages = 0
  /** Of other kinds than status. */
  talk = 0
  private violation: string | null = null
  private loss: number
  private readonly cuts: ((from: number, to: number) => boolean)[] = []
  private readonly sets = new Map<Epoch, SealerSet>()
  private readonly pendingTxs = new Set<number>()

  constructor(
    readonly scenario: Scenario,
    private readonly verbose = false,
  ) {
    this.rng = new Prng(scenario.seed)
    this.keys = new Keys(scenario.bug !== 'no-epoch-in-vote')
    this.schedule = scenario.weightedSchedule ? smoothWeightedRoundRobin : roundRobin
    this.checker = new Checker(scenario, this.schedule)
    this.loss = scenario.loss
    scenario.actors.forEach((actor, index) => {
      this.nodes.push(new SimNode(this, index, actor))
      if (actor === 'twin') this.nodes.push(new SimNode(this, index, actor))
    })
  }

  setOf(epoch: Epoch): SealerSet {
    let set = this.sets.get(epoch)
    if (!set) {
      set = this.scenario.setOf(epoch)
      this.sets.set(epoch, set)
    }
    return set
  }

  log(node: SimNode, text: () => string): void {
    if (this.verbose) this.transcript.push(`${this.queue.now.toFixed(1).padStart(9)} n${node.index} ${text()}`)
  }

  /** Sends to one address, or to everybody else, as a faulty sender would. */
  transmit(from: SimNode, to: Address | null, message: NetMessage): void {
    if (from.actor === 'silent' && message.type !== 'tx') return
    const targets = this.nodes.filter((node) => node !== from && (to === null || node.address === to))
    for (const target of targets) {
      for (const sent of isConsensus(message) ? distort(this, from, message) : [message]) this.carry(from, target, sent)
    }
  }

  sendAll(from: SimNode, message: NetMessage): void {
    this.transmit(from, null, message)
  }

  private carry(from: SimNode, to: SimNode, message: NetMessage): void {
    if (isConsensus(message)) {
      this.guard(() => this.checker.onSend(from, message))
      this.messages++
      if (message.type === 'vote') this.remember(message.vote)
      if (message.type !== 'status') this.talk++
    }
    if (from.address === to.address || this.cuts.some((cut) => cut(from.index, to.index))) return
    const copies = this.rng.chance(this.scenario.duplication) ? 2 : 1
    for (let i = 0; i < copies; i++) {
      if (this.rng.chance(this.loss)) continue
      const [low, high] = this.scenario.delayMs
      this.queue.after(this.rng.between(low, high), () => this.guard(() => to.receive(from.address, message)))
    }
  }

  private remember(vote: SignedVote): void {
    this.recentVotes.push(vote)
    if (this.recentVotes.length > 200) this.recentVotes.splice(0, 100)
  }

  noticePeer(node: SimNode, connected: boolean): void {
    if (!this.scenario.peerInputs) return
    for (const other of this.nodes) {
      if (other.address === node.address) continue
      this.queue.after(this.rng.between(1, 20), () => {
        if (other.up) this.guard(() => other.input({ type: 'peer', address: node.address, connected }))
      })
    }
  }

  onFinal(node: SimNode, txs: readonly number[]): void {
    if (node.actor === 'honest') for (const tx of txs) this.pendingTxs.delete(tx)
  }

  run(): RunResult {
    const { scenario, queue } = this
    for (const node of this.nodes) {
      if (node.index !== scenario.downForGood)
        queue.after(this.rng.between(0, 50), () => this.guard(() => node.start()))
    }
    this.planLoad()
    this.planFaults()
    this.clockTrouble = this.rng.pick([0, 0, 0.05])
    queue.runUntil(scenario.chaosMs, () => this.violation !== null)
    this.stabilise()
    const settledMs = this.untilSettled()
    if (this.violation === null) this.untilQuiet()
    return {
      seed: scenario.seed,
      violation: this.violation,
      height: this.checker.height,
      messages: this.messages,
      settledMs,
      transcript: this.transcript,
    }
  }

  private planLoad(): void {
    const { scenario, rng, queue } = this
    for (let i = 0; i < scenario.txs + scenario.epochs; i++) {
      const tx = i < scenario.txs ? i + 1 : epochTx + i
      queue.after(rng.between(10, scenario.chaosMs), () => {
        const up = this.honest().filter((node) => node.up)
        if (up.length === 0) return
        const node = rng.pick(up)
        this.log(node, () => `gets tx ${tx}`)
        this.guard(() => node.submit(tx))
        if (scenario.gossip && node.mempool.has(tx)) this.sendAll(node, { type: 'tx', id: tx })
      })
    }
  }

  private planFaults(): void {
    const { scenario, rng, queue } = this
    for (let i = 0; i < scenario.crashes; i++) queue.after(rng.between(0, scenario.chaosMs), () => this.crashSomeone())
    if (scenario.blackout) queue.after(rng.between(0, scenario.chaosMs), () => this.blackout())
    for (let i = 0; i < scenario.partitions; i++) queue.after(rng.between(0, scenario.chaosMs * 0.8), () => this.cut())
    scenario.actors.forEach((actor, index) => {
      if (actor === 'babbler') babble(this, this.nodes.find((node) => node.index === index)!)
    })
  }

  /** Power fails everywhere at once. */
  private blackout(): void {
    for (const node of this.nodes) {
      if (!node.up) continue
      this.guard(() => node.crash())
      this.queue.after(this.rng.between(1, 500), () => this.revive(node))
    }
  }

  private crashSomeone(): void {
    const { rng, queue } = this
    const node = rng.pick(this.nodes)
    if (!node.up) return
    if (rng.chance(0.5)) node.crashAtSync = true
    else this.guard(() => node.crash())
    queue.after(rng.between(1, rng.pick([100, 3000])), () => this.revive(node))
  }

  private revive(node: SimNode): void {
    node.crashAtSync = false
    if (node.up || node.index === this.scenario.downForGood) return
    this.guard(() => node.start())
    this.noticePeer(node, true)
  }

  /** Two groups, one node cut off, or one direction only. */
  private cut(): void {
    const { rng, nodes, queue } = this
    const side = nodes.map(() => rng.chance(0.5))
    const lone = rng.below(this.scenario.nodes)
    const cut = rng.pick<(from: number, to: number) => boolean>([
      (from, to) => side[from] !== side[to],
      (from, to) => from === lone || to === lone,
      (from) => from === lone,
      (from, to) => side[from] === true && side[to] === false,
    ])
    this.cuts.push(cut)
    queue.after(rng.between(100, this.scenario.chaosMs / 2), () => {
      const at = this.cuts.indexOf(cut)
      if (at >= 0) this.cuts.splice(at, 1)
    })
  }

  private stabilise(): void {
    this.cuts.length = 0
    this.loss = this.scenario.lossAfter
    this.clockTrouble = 0
    for (const node of this.nodes) this.revive(node)
  }

  /** I7: everything submitted and still known to someone becomes final everywhere. */
  private untilSettled(): number {
    const from = this.queue.now
    while (this.violation === null && this.queue.now - from < settleMsMax) {
      this.queue.runUntil(this.queue.now + 200, () => this.violation !== null)
      if (this.violation === null && this.isSettled()) return this.queue.now - from
    }
    this.violation ??= `I7: not settled ${settleMsMax} ms after faults ended: ${this.standing()}`
    return settleMsMax
  }

  private isSettled(): boolean {
    const honest = this.honest().filter((node) => node.up)
    const head = honest[0]?.durable.final.hash
    return honest.every((node) => node.mempool.size === 0 && node.durable.final.hash === head && this.isAtRest(node))
  }

  private isAtRest(node: SimNode): boolean {
    return node.core.notarized.size === 0 && node.core.pending === null
  }

  /** No idle spinning: once all is settled, only statuses are exchanged and no view passes. */
  private untilQuiet(): void {
    const { scenario, queue } = this
    if (scenario.actors.some((actor) => actor !== 'honest')) return
    this.loss = 0
    queue.runUntil(queue.now + 3 * scenario.timers.viewTimeoutMaxMs + 10_000, () => this.violation !== null)
    const talk = this.talk
    const views = this.nodes.filter((node) => node.up).map((node) => node.core.cur)
    queue.runUntil(queue.now + 10_000, () => this.violation !== null)
    if (this.violation !== null) return
    if (this.talk !== talk)
      this.violation = `quiet: ${this.talk - talk} messages beside statuses on an idle chain: ${this.standing()}`
    const now = this.nodes.filter((node) => node.up).map((node) => node.core.cur)
    if (now.join() !== views.join()) this.violation = `quiet: views pass on an idle chain: ${views} -> ${now}`
    if (!this.isSettled()) this.violation ??= `quiet: not settled any more: ${this.standing()}`
  }

  private standing(): string {
    return this.nodes
      .filter((node) => node.up)
      .map((node) => {
        const { core } = node
        return `n${node.index}${node.actor === 'honest' ? '' : `(${node.actor})`} epoch ${core.council.set.epoch} view ${core.cur} final ${core.final.height}/${core.final.view} mempool ${[...node.mempool]} open ${core.notarized.size}${core.pending ? ' pending' : ''}`
      })
      .join('; ')
  }

  honest(): SimNode[] {
    return this.nodes.filter((node) => node.actor === 'honest')
  }

  guard(action: () => void): void {
    if (this.violation !== null) return
    try {
      action()
    } catch (error) {
      this.violation =
        error instanceof Violation ? error.message : `defect: ${error instanceof Error ? error.stack : error}`
    }
  }
}

function isConsensus(message: NetMessage): message is ConsensusMessage {
  return message.type !== 'tx' && message.type !== 'syncRequest' && message.type !== 'syncBlocks'
}
