/** One simulated network: machines, links, clock, checkers. `run.ts` says what happens in it and when. */
import type { Certificate, ConsensusMessage, SealedBlock, SignedVote } from '../consensus/types.js'
import type { Address, Hash } from '../core/bytes.js'
import { actors } from './actors.js'
import { draftOf } from './blocks.js'
import { type ChainRules, genesisState, type SimState, stateAfter } from './chainState.js'
import { Checker, Violation } from './checker.js'
import { EventQueue } from './events.js'
import { Keys, machineOf } from './keys.js'
import { MemoryChecker } from './memoryChecker.js'
import { type LinkAt, SimNetwork } from './network.js'
import { SimNode } from './node.js'
import type { SimObserver } from './observer.js'
import { evidenceTxOf, operationTx } from './operations.js'
import { PaceChecker } from './paceChecker.js'
import type { PowerFailure } from './powerFailure.js'
import { Prng } from './prng.js'
import { isUnreliable, type Scenario } from './scenario.js'
import { VoteChecker } from './voteChecker.js'

export interface SyncBlocks {
  readonly type: 'syncBlocks'
  readonly blocks: readonly SealedBlock[]
  readonly certificate: Certificate
}

export type NetMessage =
  | ConsensusMessage
  | { readonly type: 'tx'; readonly id: number }
  | { readonly type: 'syncRequest'; readonly height: number }
  | SyncBlocks

export interface WorldOptions {
  /** Keeps a line for everything that happens. */
  readonly verbose?: boolean
  readonly observer?: SimObserver
  /** Links of an experiment, in place of the scenario's delay and loss. */
  readonly link?: LinkAt
  /** Where power fails in one chosen node. */
  readonly powerFailure?: PowerFailure
}

/** A node whose power fails at a chosen point is back after this time. */
const powerlessMs = 30
/** Messages of others that actors may replay. */
const recentMax = 256

export class World {
  readonly queue = new EventQueue()
  readonly rng: Prng
  readonly keys: Keys
  readonly network: SimNetwork
  readonly rules: ChainRules
  readonly genesis: SimState
  readonly checker: Checker
  readonly votes: VoteChecker
  readonly memory = new MemoryChecker()
  readonly pace: PaceChecker
  readonly nodes: SimNode[] = []
  readonly blockHashes: Hash[] = []
  readonly recent: ConsensusMessage[] = []
  readonly transcript: string[] = []
  readonly verbose: boolean
  readonly observer: SimObserver
  /** Faults have ended and clocks are right. */
  isStable = false
  messages = 0
  /** Of other kinds than status. */
  talk = 0
  violation: string | null = null
  private readonly powerFailure: PowerFailure | null
  private readonly results = new WeakMap<SealedBlock, SimState>()
  private readonly keepsRecent: boolean

  constructor(
    readonly scenario: Scenario,
    { verbose = false, observer = {}, link, powerFailure }: WorldOptions = {},
  ) {
    this.verbose = verbose
    this.observer = observer
    this.powerFailure = powerFailure ?? null
    this.rng = new Prng(scenario.seed)
    this.keys = new Keys(scenario.bug !== 'no-epoch-in-vote')
    this.network = new SimNetwork(scenario, this.queue, this.rng, link ?? null)
    this.rules = rulesOf(scenario)
    this.genesis = genesisState(scenario.genesisSet, scenario.genesisScores)
    this.checker = new Checker(scenario)
    this.votes = new VoteChecker(this.checker)
    this.pace = new PaceChecker(scenario.timers.viewTimeoutMs)
    this.keepsRecent = scenario.actors.includes('replayer')
    scenario.actors.forEach((actor, index) => {
      this.nodes.push(new SimNode(this, index, actor))
      if (actor === 'twin') this.nodes.push(new SimNode(this, index, actor))
    })
  }

  log(node: SimNode, text: () => string): void {
    if (this.verbose) this.transcript.push(`${this.queue.now.toFixed(1).padStart(9)} n${node.index} ${text()}`)
  }

  /** A client sends a transaction to a node. */
  submit(node: SimNode, tx: number): void {
    if (!node.up) return
    this.log(node, () => `gets tx ${tx}`)
    this.checker.onSubmit(tx)
    this.observer.onSubmit?.({ atMs: this.queue.now, node: node.index, tx })
    this.guard(() => node.submit(tx))
    if (this.scenario.gossip && node.executor.mempool.has(tx)) this.transmit(node, null, { type: 'tx', id: tx })
  }

  /**
   * Evidence goes on the chain: every node makes the same transaction of it. Not when the faults have ended: the block
   * that takes it is another occasion to sign twice, so that the chain would never come to rest.
   */
  onEvidence(node: SimNode, first: SignedVote, second: SignedVote): void {
    this.votes.onEvidence(node, first, second)
    this.observer.onEvidence?.({ atMs: this.queue.now, node: node.index, first, second })
    if (node.actor !== 'honest' || !this.scenario.evidenceOnChain || this.isStable) return
    const tx = evidenceTxOf(first)
    this.queue.after(0, () => this.submit(node, tx))
  }

  /** Sends to one address, or to everybody else, as a faulty sender would. */
  transmit(from: SimNode, to: Address | null, message: NetMessage): void {
    const said = isConsensus(message)
    if (said) this.guard(() => this.onSend(from, message))
    const { bend } = actors[from.actor]
    const { life, address } = from
    for (const target of this.nodes) {
      if (target === from || (to !== null && target.address !== to)) continue
      if (said && bend) for (const bent of bend(this, from, target, message)) this.deliver(address, from, target, bent)
      else if (!said && from.actor === 'silent' && message.type !== 'tx') continue
      else this.deliver(address, from, target, message)
      if (this.powerFailure && (from.reach('after a message') || from.life !== life)) return
    }
  }

  private onSend(from: SimNode, message: ConsensusMessage): void {
    if (from.actor === 'honest') this.votes.onSend(from, message)
    if (!this.keepsRecent || message.type === 'status') return
    this.recent.push(message)
    if (this.recent.length > recentMax) this.recent.splice(0, recentMax / 2)
  }

  private deliver(sender: Address, from: SimNode, to: SimNode, message: NetMessage): void {
    const { life } = to
    if (isConsensus(message)) {
      this.messages++
      if (message.type !== 'status') this.talk++
    }
    this.network.carry(from.index, to.index, () => {
      if (this.violation !== null || !to.up) return
      // Connections end with a process: what a node hears of positions (R16) was said since it started.
      if (message.type === 'status' && to.life !== life) return
      this.guard(() => to.receive(sender, message))
    })
  }

  /** Others notice that a node came or went. */
  noticePeer(node: SimNode, connected: boolean): void {
    if (!this.scenario.peerInputs) return
    const { address } = node
    for (const other of this.nodes) {
      if (other.index === node.index || !this.network.isLinked(node.index, other.index)) continue
      this.queue.after(this.rng.between(1, 20), () => {
        if (other.up) this.guard(() => other.input({ type: 'peer', address, connected }))
      })
    }
  }

  onFinal(node: SimNode, block: SealedBlock, before: SimState, after: SimState): void {
    const { queue, network } = this
    const { txs } = after
    this.observer.onFinal?.({ atMs: queue.now, node: node.index, block, txs, set: before.set, state: after })
    if (!network.isNewcomer(node.index)) return
    const isSealer = after.set.sealers.some((sealer) => machineOf(sealer.address) === node.index)
    if (!isSealer && after.height < this.checker.height) return
    network.introduce(node.index)
    this.noticePeer(node, true)
  }

  /** Executes a block, or finds what another node computed from the very same state. */
  executed(block: SealedBlock, parent: SimState): SimState {
    const known = this.results.get(block)
    if (known?.parent === parent) return known
    return this.remember(block, stateAfter(this.rules, parent, draftOf(block)))
  }

  /** `state` is what comes out of `block`. */
  remember(block: SealedBlock, state: Omit<SimState, 'hash'>): SimState {
    const known = { ...state, hash: block.hash }
    this.results.set(block, known)
    return known
  }

  /** Starts a node that is down, unless it stays away. */
  revive(node: SimNode): void {
    node.crashAtSync = false
    if (node.up || node.index === this.scenario.downForGood) return
    this.guard(() => node.start())
    this.noticePeer(node, true)
  }

  /** Counts the points at which power may fail; at the chosen one it does, for a moment. */
  powerFailsAt(node: SimNode, where: string): boolean {
    if (!this.powerFailure?.isReached(node, where)) return false
    this.queue.after(powerlessMs, () => this.revive(node))
    return true
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

function rulesOf(scenario: Scenario): ChainRules {
  const { schedule, policy, epochBlocks, operations, creditParameters } = scenario
  const unreliable = scenario.actors.map((_, machine) => isUnreliable(scenario, machine))
  return {
    schedule,
    policy,
    epochBlocks,
    creditParameters,
    operationOf: (tx) => operations[tx - operationTx]?.operation ?? null,
    isTolerable: (sealers) => {
      const machines = sealers.map(({ address }) => machineOf(address))
      if (new Set(machines).size !== machines.length) return false
      let total = 0
      let doubtful = 0
      sealers.forEach(({ weight }, i) => {
        total += weight
        if (unreliable[machines[i] ?? 0]) doubtful += weight
      })
      return 3 * doubtful < total
    },
  }
}

function isConsensus(message: NetMessage): message is ConsensusMessage {
  return message.type !== 'tx' && message.type !== 'syncRequest' && message.type !== 'syncBlocks'
}
