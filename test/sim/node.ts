/** A simulated node: the shell around the core, with a disk that survives crashes and memory that does not. */
import { decodeJournalRecord, decodeMessage, encodeJournalRecord, encodeMessage } from '../../src/consensus/codec.js'
import type { Core } from '../../src/consensus/core.js'
import { createEngine, type Engine } from '../../src/consensus/engine.js'
import type { Sabotage } from '../../src/consensus/sabotage.js'
import type {
  Certificate,
  ConsensusMessage,
  Effect,
  FinalPoint,
  Input,
  JournalRecord,
  SealedBlock,
  SealerSet,
  Verdict,
} from '../../src/consensus/types.js'
import type { Address, Hash } from '../../src/core/bytes.js'
import { asEpoch } from '../../src/core/bytes.js'
import { CodedError } from '../../src/core/codedError.js'
import {
  addressOf,
  bodyOf,
  epochTx,
  genesisFinal,
  genesisState,
  readSimBlock,
  rootAfter,
  type SimState,
  sealBlock,
} from './fakes.js'
import { SimInbox } from './inbox.js'
import type { Actor } from './scenario.js'
import { certifiedRange, type StoredBlock } from './stored.js'
import { describeInput } from './transcript.js'
import type { NetMessage, World } from './world.js'

const blockTxsMax = 8

/** What survives a crash. */
export interface Durable {
  final: FinalPoint
  set: SealerSet
  state: SimState
  readonly chain: StoredBlock[]
  journal: JournalRecord[]
}

export class SimNode {
  readonly address: Address
  readonly durable: Durable
  up = false
  engine: Engine | null = null
  private inbox: SimInbox | null = null
  mempool = new Set<number>()
  /** Next group commit is the last thing this node does. */
  crashAtSync = false
  /** Power fails at this group commit: `sent` messages of it leave, or with -1 nothing of it is durable. */
  crashPoint: { readonly sync: number; readonly sent: number } | null = null
  syncs = 0
  private life = 0
  private unsynced: JournalRecord[] = []
  private outbox: { to: Address | null; message: ConsensusMessage }[] = []
  private syncing = false
  private wake: number | null = null
  private states = new Map<Hash, SimState>()
  private work: Input[] = []
  private working = false
  private commitBusyUntil = 0
  private tip: Hash = genesisFinal.hash
  private readonly included = new Set<number>()
  private readonly clockOffset: number

  constructor(
    private readonly world: World,
    readonly index: number,
    readonly actor: Actor,
  ) {
    this.address = addressOf(index)
    const set = world.scenario.setOf(0)
    this.durable = { final: genesisFinal, set, state: genesisState, chain: [], journal: [] }
    this.clockOffset = Math.floor(world.rng.between(0, 1e9))
  }

  get core(): Core {
    return Reflect.get(this.engine!, 'core') as Core
  }

  start(): void {
    const { world, durable } = this
    const { scenario } = world
    this.up = true
    this.life++
    this.unsynced = []
    this.outbox = []
    this.syncing = false
    this.crashAtSync = false
    this.wake = null
    this.work = []
    this.working = false
    this.mempool = new Set()
    this.tip = durable.final.hash
    this.states = new Map([[durable.final.hash, durable.state]])
    const bug = this.actor === 'honest' ? scenario.bug : null
    this.engine = createEngine(
      {
        self: this.address,
        schedule: world.schedule,
        timers: scenario.timers,
        sign: (vote) => world.keys.sign(this.address, vote),
        sabotage: new Set(bug ? [bug as Sabotage] : []),
      },
      { final: durable.final, set: durable.set, journal: this.readJournal() },
      this.clock(),
    )
    this.inbox = new SimInbox(world, this.engine)
    world.log(this, () => `starts at height ${durable.final.height}, ${durable.journal.length} records`)
    this.input({ type: 'tick' })
    this.gossipLater()
  }

  private readJournal(): JournalRecord[] {
    const { journal } = this.durable
    if (!this.world.scenario.throughCodec) return [...journal]
    return journal.map((record) =>
      decodeJournalRecord(encodeJournalRecord(record), (payload) => readSimBlock(this.world.keys, payload)),
    )
  }

  /** Power off: what was not synced is lost except for a prefix that happened to reach the disk. */
  crash(): void {
    if (!this.up) return
    this.world.log(this, () => 'crashes')
    this.up = false
    this.life++
    const kept = this.world.rng.below(this.unsynced.length + 1)
    this.durable.journal.push(...this.unsynced.slice(0, kept))
    this.engine = null
    this.world.noticePeer(this, false)
  }

  private clock(): number {
    return this.world.queue.now + this.clockOffset
  }

  /** Runs `action` later, unless the node crashed meanwhile. */
  private later(delayMs: number, action: () => void): void {
    const { life } = this
    this.world.queue.after(delayMs, () => {
      if (this.life === life) this.world.guard(action)
    })
  }

  submit(tx: number): void {
    if (!this.up || this.included.has(tx) || this.mempool.has(tx)) return
    this.mempool.add(tx)
    this.input({ type: 'demand', wanted: this.isWanted() })
  }

  hasFinal(tx: number): boolean {
    return this.included.has(tx)
  }

  private gossipLater(): void {
    if (!this.world.scenario.gossip) return
    this.later(1000, () => {
      for (const tx of this.mempool) this.world.sendAll(this, { type: 'tx', id: tx })
      this.gossipLater()
    })
  }

  receive(from: Address, message: NetMessage): void {
    if (!this.up || !this.engine) return
    if (message.type === 'tx') this.submit(message.id)
    else if (message.type === 'syncRequest') this.serveSync(from, message.height)
    else if (message.type === 'syncBlocks') this.importBlocks(message.blocks, message.certificate)
    else this.receiveConsensus(from, message)
  }

  private receiveConsensus(from: Address, sent: ConsensusMessage): void {
    const { scenario } = this.world
    const message = scenario.throughCodec ? this.decoded(encodeMessage(sent)) : sent
    if (!message) return
    if (scenario.prefilter && !this.engine!.needs(message)) return
    const checked = this.inbox!.verified(message)
    if (checked) this.input({ type: 'message', from, message: checked })
  }

  /** Null for a frame that no honest node sends. */
  private decoded(frame: Uint8Array): ConsensusMessage | null {
    try {
      return decodeMessage(frame, (payload) => readSimBlock(this.world.keys, payload))
    } catch (error) {
      if (error instanceof CodedError) return null
      throw error
    }
  }

  input(input: Input): void {
    if (!this.up) return
    this.work.push(input)
    if (this.working) return
    this.working = true
    const { life } = this
    while (this.work.length > 0 && this.life === life) {
      const next = this.work.shift()!
      this.world.log(this, () => describeInput(next))
      const ready = this.engine!.step(next, this.clock())
      this.unsynced.push(...ready.journal)
      for (const effect of ready.effects) if (this.life === life) this.carryOut(effect)
      if (this.life !== life) return
      this.world.checker.onStep(this, this.core)
      this.schedule(ready.wakeAt)
    }
    this.working = false
    this.flush()
  }

  private schedule(wakeAt: number | null): void {
    if (wakeAt === this.wake) return
    this.wake = wakeAt
    if (wakeAt === null) return
    this.later(Math.max(0, wakeAt - this.clock()), () => {
      if (this.wake !== wakeAt) return
      this.wake = null
      this.input({ type: 'tick' })
    })
  }

  /** One sync for everything of a tick, then what was waiting for it leaves. */
  private flush(): void {
    if (this.syncing || (this.unsynced.length === 0 && this.outbox.length === 0)) return
    const { fsyncMs } = this.world.scenario
    if (fsyncMs === 0) {
      this.synced(this.unsynced.length, this.outbox.length)
      return
    }
    this.syncing = true
    const records = this.unsynced.length
    const messages = this.outbox.length
    this.later(this.world.rng.between(0.3, 1) * fsyncMs, () => {
      this.syncing = false
      this.synced(records, messages)
      if (this.up) this.flush()
    })
  }

  private synced(records: number, messages: number): void {
    this.syncs++
    const point = this.crashPoint?.sync === this.syncs ? this.crashPoint : null
    if (point?.sent === -1) {
      this.unsynced = []
      this.crash()
      return
    }
    this.durable.journal.push(...this.unsynced.splice(0, records))
    const leaving = this.outbox.splice(0, messages)
    const chance = this.crashAtSync ? this.world.rng.below(leaving.length + 1) : leaving.length
    for (const { to, message } of leaving.slice(0, point?.sent ?? chance)) this.world.transmit(this, to, message)
    if (this.crashAtSync || point) this.crash()
  }

  private carryOut(effect: Effect): void {
    const { world } = this
    switch (effect.type) {
      case 'send':
        this.post(effect.to, effect.message)
        break
      case 'broadcast':
        this.post(null, effect.message)
        break
      case 'verify':
        this.slowly(() => ({
          type: 'verified',
          hash: effect.block.hash,
          verdict: this.execute(effect.block, effect.certified),
        }))
        break
      case 'build':
        this.slowly(() => this.build(effect))
        break
      case 'commit':
        this.commit(effect.blocks, effect.certificate)
        break
      case 'tip':
        this.tip = effect.hash
        this.work.push({ type: 'demand', wanted: this.isWanted() })
        break
      case 'lagging':
        world.transmit(this, effect.peer, { type: 'syncRequest', height: this.durable.final.height + 1 })
        break
      case 'evidence':
        world.log(this, () => `evidence against ${effect.first.signer}`)
        world.checker.onEvidence(this, effect.first)
        break
      case 'halt':
        world.log(this, () => `halts: ${effect.reason}`)
        world.checker.onHalt(this, effect.reason)
        if (this.actor !== 'honest') this.reviveLater()
        break
    }
  }

  /** A faulty node that the core stopped starts again and forgets what it signed. */
  private reviveLater(): void {
    this.later(50, () => {
      this.crash()
      this.durable.journal = []
      this.start()
    })
  }

  private post(to: Address | null, message: ConsensusMessage): void {
    if (this.world.scenario.bug === 'send-before-durable') this.world.transmit(this, to, message)
    else this.outbox.push({ to, message })
  }

  private slowly(answer: () => Input): void {
    const { executeMs } = this.world.scenario
    if (executeMs === 0) this.work.push(answer())
    else this.later(this.world.rng.between(0, executeMs), () => this.input(answer()))
  }

  private isIncluded(tx: number, state: SimState): boolean {
    if (this.included.has(tx)) return true
    for (let at: SimState | null = state; at && at !== this.durable.state; at = at.parent)
      if (at.txs.includes(tx)) return true
    return false
  }

  private execute(block: SealedBlock, certified: boolean): Verdict {
    const parent = this.states.get(block.parent)
    if (!parent) {
      if (block.height <= this.durable.final.height) return { ok: false, reason: 'already final' }
      throw new Error(`node ${this.index} must execute ${block.hash} without its parent`)
    }
    const { txs, root } = bodyOf(block)
    // A clock may be wrong: now and then a good proposal is refused, but never once a quorum vouches for it.
    if (!certified && this.world.rng.chance(this.world.clockTrouble)) return { ok: false, reason: 'clock' }
    const repeated = txs.some((tx, i) => this.isIncluded(tx, parent) || txs.indexOf(tx) !== i)
    if (repeated || root !== rootAfter(parent, txs)) return { ok: false, reason: 'invalid' }
    this.states.set(block.hash, { root, parent, txs, height: block.height })
    return this.verdictOf(block.epoch, txs)
  }

  private verdictOf(epoch: number, txs: readonly number[]): Verdict {
    const closes = txs.some((tx) => tx >= epochTx)
    return closes ? { ok: true, nextSet: this.world.setOf(asEpoch(epoch + 1)) } : { ok: true }
  }

  private wantedTxs(state: SimState): number[] {
    return [...this.mempool].filter((tx) => !this.isIncluded(tx, state))
  }

  private build(effect: Extract<Effect, { type: 'build' }>): Input {
    const { view, epoch, parent, height } = effect
    const state = this.states.get(parent)
    if (!state) return { type: 'built', view, block: null, verdict: { ok: false, reason: 'no parent' } }
    const txs = this.wantedTxs(state).slice(0, blockTxsMax)
    if (txs.length === 0 && !effect.mayBeEmpty) return { type: 'built', view, block: null, verdict: { ok: true } }
    const root = rootAfter(state, txs)
    const block = sealBlock(this.world.keys, { parent, height, epoch, view, leader: this.address, txs, root, salt: 0 })
    this.states.set(block.hash, { root, parent: state, txs, height })
    this.world.blockHashes.push(block.hash)
    return { type: 'built', view, block, verdict: this.verdictOf(epoch, txs) }
  }

  /** D1: transactions beyond those of the tip and what it builds on. */
  private isWanted(): boolean {
    const state = this.states.get(this.tip)
    return state !== undefined && this.wantedTxs(state).length > 0
  }

  /** Blocks become durable one after the other, perhaps much later; a crash loses those on their way. */
  private commit(blocks: readonly SealedBlock[], certificate: Certificate): void {
    const { commitMs } = this.world.scenario
    for (const block of blocks) {
      const write = (): void => this.write(block, block === blocks.at(-1) ? certificate : null)
      if (commitMs === 0) write()
      else {
        const idleAt = Math.max(this.commitBusyUntil, this.world.queue.now)
        this.commitBusyUntil = idleAt + this.world.rng.between(0.1, 1) * commitMs
        this.later(this.commitBusyUntil - this.world.queue.now, write)
      }
    }
  }

  private write(block: SealedBlock, certificate: Certificate | null): void {
    if (block.height <= this.durable.final.height) return
    this.store(block, certificate)
    if (certificate) this.world.checker.onCertificate(this, certificate, block)
    this.world.log(this, () => `final ${block.height} view ${block.view} ${block.hash.slice(-6)}`)
    this.prune()
  }

  private store(block: SealedBlock, certificate: Certificate | null): void {
    const { durable, world } = this
    const state = this.states.get(block.hash)
    if (!state) throw new Error(`node ${this.index} must commit ${block.hash} without having executed it`)
    world.checker.onFinal(this, block, state.root, durable)
    durable.chain.push({ block, certificate })
    durable.final = { hash: block.hash, height: block.height, view: block.view, certificate }
    durable.state = state
    for (const tx of state.txs) {
      this.included.add(tx)
      this.mempool.delete(tx)
    }
    const verdict = this.verdictOf(block.epoch, state.txs)
    if (verdict.ok && verdict.nextSet) durable.set = verdict.nextSet
    world.onFinal(this, state.txs)
  }

  /** Forgets overlays at or below the final block and, now and then, rewrites the journal. */
  private prune(): void {
    const { durable, world } = this
    for (const [hash, state] of this.states) if (state.height < durable.final.height) this.states.delete(hash)
    if (!world.rng.chance(0.3)) return
    const records = this.engine!.liveRecords(durable.final.hash)
    if (!records) return
    durable.journal = records.filter((record) => !this.unsynced.includes(record))
  }

  private serveSync(to: Address, from: number): void {
    const range = certifiedRange(this.durable.chain, from)
    if (range) this.world.transmit(this, to, { type: 'syncBlocks', ...range })
  }

  private importBlocks(all: readonly SealedBlock[], certificate: Certificate): void {
    const { durable, world } = this
    const last = all.at(-1)
    const blocks = all.filter((block) => block.height > durable.final.height)
    if (!last || blocks.length === 0 || blocks[0]!.parent !== durable.final.hash) return
    if (certificate.kind !== 'finalize' || certificate.block !== last.hash || !this.inbox!.holds(certificate)) return
    if (!blocks.every((block, i) => i === 0 || block.parent === blocks[i - 1]!.hash)) return
    for (const block of blocks) {
      if (!this.states.get(block.hash)) {
        const verdict = this.execute(block, true)
        if (!verdict.ok) throw new Error(`synced block fails: ${verdict.reason}`)
      }
      this.store(block, block === last ? certificate : null)
    }
    world.log(this, () => `synced to ${last.height}`)
    world.checker.onCertificate(this, certificate, last)
    this.input({ type: 'synced', block: last, certificate, set: durable.set })
    this.work.push({ type: 'demand', wanted: this.wantedTxs(durable.state).length > 0 })
    this.input({ type: 'tick' })
  }
}
