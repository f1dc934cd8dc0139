/** The part of a simulated shell that builds and executes blocks, with its memory of states and waiting transactions. */
import type { Effect, Input, SealedBlock, Verdict } from '../consensus/types.js'
import type { Address, Hash } from '../core/bytes.js'
import { draftOf, SimBlock } from './blocks.js'
import { genesisHash, includes, type SimState, stateAfter } from './chainState.js'
import type { Disk } from './disk.js'
import type { World } from './world.js'

/** Virtual time 0 on wall clocks. */
const epochMs = 1_000_000

export class Executor {
  readonly mempool = new Set<number>()
  /** Final transactions. */
  private readonly included = new Set<number>()
  private readonly states = new Map<Hash, SimState>()
  private readonly clockOffsetMs: number
  private tip: Hash = genesisHash

  constructor(
    private readonly world: World,
    private readonly disk: Disk,
    private readonly machine: number,
  ) {
    const { clockOffsetMs } = world.scenario
    this.clockOffsetMs = world.rng.between(-clockOffsetMs, clockOffsetMs)
  }

  /** Memory after a restart: the final state and nothing else. */
  restart(): void {
    this.mempool.clear()
    this.states.clear()
    const { state } = this.disk
    this.states.set(state.hash, state)
    this.tip = state.hash
  }

  stateOf(hash: Hash): SimState | undefined {
    return this.states.get(hash)
  }

  hasFinal(tx: number): boolean {
    return this.included.has(tx)
  }

  private now(): number {
    const offset = this.world.isStable ? 0 : this.clockOffsetMs
    return Math.floor(epochMs + this.world.queue.now + offset)
  }

  execute(block: SealedBlock, certified: boolean): Verdict {
    const { world } = this
    const parent = this.states.get(block.parent)
    if (!parent) {
      if (block.height <= this.disk.height) return { ok: false, reason: 'already final' }
      throw new Error(`node ${this.machine} must execute ${block.hash} without its parent`)
    }
    const draft = draftOf(block)
    if (draft.timeMs < parent.timeMs) return { ok: false, reason: 'time goes back' }
    if (!certified && draft.timeMs > this.now() + world.scenario.clockDriftMs) return { ok: false, reason: 'clock' }
    if (world.scenario.bug !== 'repeated-txs' && this.repeats(draft.txs, parent))
      return { ok: false, reason: 'repeated' }
    const state = world.executed(block, parent)
    if (state.root !== draft.root) return { ok: false, reason: 'root' }
    this.states.set(block.hash, state)
    return verdictOf(state)
  }

  private repeats(txs: readonly number[], parent: SimState): boolean {
    return txs.some((tx, i) => this.isIncluded(tx, parent) || txs.indexOf(tx) !== i)
  }

  private isIncluded(tx: number, state: SimState): boolean {
    return this.included.has(tx) || includes(state, tx, this.disk.state)
  }

  build(effect: Extract<Effect, { type: 'build' }>, leader: Address): Input {
    const { view, epoch, parent, height } = effect
    const state = this.states.get(parent)
    if (!state) return { type: 'built', view, block: null, verdict: { ok: false, reason: 'no parent' } }
    const txs = this.wanted(state).slice(0, this.world.scenario.blockTxsMax)
    if (txs.length === 0 && !effect.mayBeEmpty) return { type: 'built', view, block: null, verdict: { ok: true } }
    const content = { view, leader, timeMs: Math.max(state.timeMs, this.now()), txs }
    const after = stateAfter(this.world.rules, state, content)
    const block = new SimBlock(this.world.keys, { ...content, parent, height, epoch, root: after.root, salt: 0 })
    const built = this.world.remember(block, after)
    this.states.set(block.hash, built)
    this.world.blockHashes.push(block.hash)
    return { type: 'built', view, block, verdict: verdictOf(built) }
  }

  private wanted(state: SimState): number[] {
    const wanted: number[] = []
    for (const tx of this.mempool) if (!this.isIncluded(tx, state)) wanted.push(tx)
    return wanted
  }

  setTip(hash: Hash): void {
    this.tip = hash
  }

  /** D1: transactions beyond those of the tip and what it builds on. */
  isWanted(): boolean {
    if (this.mempool.size === 0) return false
    const state = this.states.get(this.tip)
    return state !== undefined && this.wanted(state).length > 0
  }

  /** False for one that is known. */
  submit(tx: number): boolean {
    if (this.included.has(tx) || this.mempool.has(tx)) return false
    this.mempool.add(tx)
    return true
  }

  /** `state` is final and durable: what lies below it is forgotten. */
  finalized(state: SimState): void {
    for (const tx of state.txs) {
      this.included.add(tx)
      this.mempool.delete(tx)
    }
    for (const [hash, { height }] of this.states) if (height < state.height) this.states.delete(hash)
  }
}

function verdictOf(state: SimState): Verdict {
  return state.closes ? { ok: true, nextSet: state.set } : { ok: true }
}
