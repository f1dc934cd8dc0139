/** A simulated node: the shell around the core, with a disk that survives crashes and memory that does not. */
import { decodeJournalRecord, decodeMessage, encodeJournalRecord, encodeMessage } from '../consensus/codec.js'
import { type Core, leaderOf } from '../consensus/core.js'
import { createEngine, type Engine } from '../consensus/engine.js'
import type {
  Certificate,
  ConsensusMessage,
  Effect,
  Input,
  JournalRecord,
  SealedBlock,
  Verdict,
} from '../consensus/types.js'
import type { Address, View } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { type ActorName, actors } from './actors.js'
import { readSimBlock } from './blocks.js'
import { sabotageOf } from './bugs.js'
import { Disk } from './disk.js'
import { Executor } from './executor.js'
import { forgedRange } from './forgers.js'
import { SimInbox } from './inbox.js'
import { addressOf, machineOf } from './keys.js'
import { describeInput } from './transcript.js'
import type { NetMessage, World } from './world.js'

/** Pooled transactions are offered to all again after this time. */
const gossipMs = 1000
/** A faulty node that the core stopped, and one that takes a new key, start again after this time. */
const restartMs = 50

export class SimNode {
  /** The key in use. */
  address: Address
  readonly disk: Disk
  readonly executor: Executor
  up = false
  engine: Engine | null = null
  core!: Core
  /** Next group commit is the last thing this node does. */
  crashAtSync = false
  /** Views in which a skipper proposed. */
  readonly skipped = new Set<View>()
  /** Counts lives: what was planned in one does not happen in the next. */
  life = 0
  /** Writes to the disk take up to this much longer. */
  stallMs = 0
  private inbox!: SimInbox
  private unsynced: JournalRecord[] = []
  private outbox: { to: Address | null; message: ConsensusMessage }[] = []
  private syncing = false
  private wake: number | null = null
  private work: Input[] = []
  private working = false
  private commitBusyUntil = 0
  private readonly clockOffset: number
  private seenView = -1
  private seenEpoch = -1

  constructor(
    private readonly world: World,
    readonly index: number,
    readonly actor: ActorName,
  ) {
    this.address = addressOf(index)
    this.disk = new Disk(world.genesis)
    this.executor = new Executor(world, this.disk, index)
    this.clockOffset = Math.floor(world.rng.between(0, 1e9))
  }

  start(): void {
    const { world, disk } = this
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
    this.commitBusyUntil = 0
    this.seenView = -1
    this.seenEpoch = -1
    this.address = this.keyInUse()
    this.executor.restart()
    this.engine = createEngine(
      {
        self: this.address,
        schedule: scenario.schedule.leader,
        timers: scenario.timers,
        sign: (vote) => {
          world.votes.onSign(this, vote)
          return world.keys.sign(this.address, vote)
        },
        sabotage: sabotageOf(this.actor === 'honest' ? scenario.bug : null),
      },
      { final: disk.final, set: disk.state.set, journal: this.readJournal() },
      this.clock(),
    )
    this.core = Reflect.get(this.engine, 'core') as Core
    this.inbox = new SimInbox(world, this.engine, disk)
    world.observer.onRecovery?.({ atMs: world.queue.now, node: this.index })
    world.log(this, () => `starts at height ${disk.height}, ${disk.journal.length} records`)
    this.input({ type: 'tick' })
    this.gossipLater()
  }

  /** The machine's key that is in the set; else the one it had. */
  private keyInUse(): Address {
    const own = this.disk.state.set.sealers.find((sealer) => machineOf(sealer.address) === this.index)
    return own?.address ?? this.address
  }

  private readJournal(): readonly JournalRecord[] {
    const { disk, world } = this
    if (!world.scenario.throughCodec) return [...disk.journal]
    const records = disk.journal.map((record) =>
      decodeJournalRecord(encodeJournalRecord(record), (payload) => readSimBlock(world.keys, payload)),
    )
    disk.rewrite(records)
    return records
  }

  /** Power off: what was not synced is lost except for its first `kept` records, which happened to reach the disk. */
  crash(kept = this.world.rng.below(this.unsynced.length + 1)): void {
    if (!this.up) return
    this.world.log(this, () => 'crashes')
    this.up = false
    this.life++
    this.disk.append(this.unsynced.slice(0, kept))
    this.engine = null
    this.world.observer.onCrash?.({ atMs: this.world.queue.now, node: this.index })
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
    if (this.up && this.executor.submit(tx)) this.input({ type: 'demand', wanted: this.executor.isWanted() })
  }

  private gossipLater(): void {
    if (!this.world.scenario.gossip) return
    this.later(gossipMs, () => {
      for (const tx of this.executor.mempool) this.world.transmit(this, null, { type: 'tx', id: tx })
      this.gossipLater()
    })
  }

  receive(from: Address, message: NetMessage): void {
    if (!this.up) return
    switch (message.type) {
      case 'tx':
        this.submit(message.id)
        break
      case 'syncRequest':
        this.serveSync(from, message.height)
        break
      case 'syncBlocks':
        this.importBlocks(message.blocks, message.certificate)
        if (this.world.scenario.eagerSync) this.syncOn(from, message.blocks)
        break
      default:
        this.receiveConsensus(from, message)
    }
  }

  private receiveConsensus(from: Address, sent: ConsensusMessage): void {
    const { scenario } = this.world
    const message = scenario.throughCodec ? this.decoded(encodeMessage(sent)) : sent
    if (!message || (scenario.prefilter && !this.engine!.needs(message)) || !this.inbox.holdsMessage(message)) return
    if (this.actor !== 'honest' || (message.type !== 'vote' && message.type !== 'proposal')) {
      this.input({ type: 'message', from, message })
      return
    }
    const before = { epoch: this.core.council.set.epoch, view: this.core.cur }
    this.input({ type: 'message', from, message })
    const isVote = message.type === 'vote' || message.vote.block === message.block.hash
    if (isVote && this.up) this.world.votes.afterVote(this, message.vote, before, this.core)
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
    for (let next = this.work.shift(); next && this.life === life; next = this.work.shift()) this.step(next, life)
    if (this.life !== life) return
    this.working = false
    this.flush()
  }

  private step(input: Input, life: number): void {
    if (this.world.verbose) this.world.log(this, () => describeInput(input))
    const ready = this.engine!.step(input, this.clock())
    if (ready.journal.length > 0) this.unsynced.push(...ready.journal)
    for (const effect of ready.effects) if (this.life === life) this.carryOut(effect)
    if (this.life !== life) return
    if (this.actor === 'honest') this.world.memory.onStep(this.core)
    this.observe()
    this.schedule(ready.wakeAt)
  }

  private observe(): void {
    const { core, world, index: node } = this
    const { epoch } = core.council.set
    if (epoch !== this.seenEpoch) {
      this.seenEpoch = epoch
      world.observer.onEpoch?.({ atMs: world.queue.now, node, set: core.council.set })
    }
    if (core.cur === this.seenView) return
    this.seenView = core.cur
    if (this.actor === 'honest') world.pace.onView(core, world.queue.now)
    const leader = leaderOf(core, core.cur)
    world.observer.onView?.({ atMs: world.queue.now, node, epoch, view: core.cur, leader })
    actors[this.actor].onView?.(world, this)
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
    const records = this.unsynced.length
    const messages = this.outbox.length
    if (fsyncMs + this.stallMs === 0) {
      this.synced(records, messages)
      return
    }
    this.syncing = true
    this.later(this.world.rng.between(0.3, 1) * (fsyncMs + this.stallMs), () => {
      this.syncing = false
      this.synced(records, messages)
      if (this.up) this.flush()
    })
  }

  private synced(records: number, messages: number): void {
    const written = this.unsynced.splice(0, records)
    if (records > 0 && !this.write(written)) return
    const leaving = this.outbox.splice(0, messages)
    const { life } = this
    const count = this.crashAtSync ? this.world.rng.below(leaving.length + 1) : leaving.length
    for (let i = 0; i < count && this.life === life; i++) this.world.transmit(this, leaving[i]!.to, leaving[i]!.message)
    if (this.crashAtSync && this.life === life) this.crash()
  }

  /** The write of one group commit; false when power failed before it was complete. */
  private write(records: readonly JournalRecord[]): boolean {
    if (this.reach('before a group commit', 0)) return false
    const half = records.length >> 1
    this.disk.append(records.slice(0, half))
    if (this.reach('inside a group commit', 0)) return false
    this.disk.append(records.slice(half))
    return !this.reach('after a group commit', 0)
  }

  /** A point at which power may fail: true when it does. */
  reach(where: string, kept?: number): boolean {
    if (!this.world.powerFailsAt(this, where)) return false
    this.crash(kept)
    return true
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
          verdict: this.executor.execute(effect.block, effect.certified),
        }))
        break
      case 'build':
        this.slowly(() => this.executor.build(effect, this.address))
        break
      case 'commit':
        this.commit(effect.blocks, effect.certificate)
        break
      case 'tip':
        this.executor.setTip(effect.hash)
        this.work.push({ type: 'demand', wanted: this.executor.isWanted() })
        break
      case 'lagging':
        world.transmit(this, effect.peer, { type: 'syncRequest', height: this.disk.height + 1 })
        break
      case 'evidence':
        world.log(this, () => `evidence against ${effect.first.signer}`)
        world.onEvidence(this, effect.first, effect.second)
        break
      case 'halt':
        world.log(this, () => `halts: ${effect.reason}`)
        world.checker.onHalt(this, effect.reason)
        if (this.actor !== 'honest') this.restartLater(true)
        break
    }
  }

  /** With a new key, or, when the core stopped a faulty node, without memory of what it signed. */
  private restartLater(forgetful: boolean): void {
    this.later(restartMs, () => {
      this.crash()
      if (forgetful) this.disk.rewrite([])
      this.start()
      this.world.noticePeer(this, true)
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

  /** Blocks become durable one after the other, perhaps much later; a crash loses those on their way. */
  private commit(blocks: readonly SealedBlock[], certificate: Certificate): void {
    const { world } = this
    const commitMs = world.scenario.commitMs + this.stallMs
    for (const block of blocks) {
      const store = (): void => this.storeOne(block, block === blocks.at(-1) ? certificate : null)
      const idleAt = Math.max(this.commitBusyUntil, world.queue.now)
      this.commitBusyUntil = idleAt + world.rng.between(0.1, 1) * commitMs
      if (this.commitBusyUntil === world.queue.now) store()
      else this.later(this.commitBusyUntil - world.queue.now, store)
    }
  }

  private storeOne(block: SealedBlock, certificate: Certificate | null): void {
    if (!this.up || block.height <= this.disk.height || this.reach('before a final block')) return
    this.store(block, certificate)
    if (this.reach('after a final block')) return
    this.world.log(this, () => `final ${block.height} view ${block.view} ${block.hash.slice(-6)}`)
    this.prune()
    if (this.keyInUse() !== this.address) this.restartLater(false)
  }

  private store(block: SealedBlock, certificate: Certificate | null): void {
    const { disk, world } = this
    const before = disk.state
    const state = this.executor.stateOf(block.hash)
    if (!state) throw new Error(`node ${this.index} must commit ${block.hash} without having executed it`)
    world.checker.onFinal(this, block, before, state)
    if (certificate) world.checker.onCertificate(this, certificate, block, before.set)
    disk.store({ block, certificate, state })
    this.executor.finalized(state)
    world.onFinal(this, block, before, state)
  }

  /** P4: now and then, rewrites the journal. */
  private prune(): void {
    const { disk, world } = this
    if (!world.rng.chance(0.5)) return
    const durable = world.scenario.bug === 'prune-early' ? this.core.final.hash : disk.final.hash
    const records = this.engine!.liveRecords(durable)
    if (!records || this.reach('before the journal is rewritten')) return
    const waiting = new Set(this.unsynced)
    disk.rewrite(records.filter((record) => !waiting.has(record)))
    this.reach('after the journal was rewritten')
  }

  private serveSync(to: Address, from: number): void {
    const { sync } = actors[this.actor]
    const range = this.disk.certifiedRange(from)
    if (!range || sync === 'nothing') return
    const truth = { type: 'syncBlocks' as const, ...range }
    this.world.transmit(this, to, (sync === 'forged' ? forgedRange(this.world, this, from) : null) ?? truth)
  }

  private importBlocks(all: readonly SealedBlock[], certificate: Certificate): void {
    const { disk, world, executor } = this
    const last = all.at(-1)
    const blocks = all.filter((block) => block.height > disk.height)
    if (!last || blocks.length === 0 || blocks[0]!.parent !== disk.final.hash) return
    if (!blocks.every((block, i) => i === 0 || block.parent === blocks[i - 1]!.hash)) return
    if (world.scenario.bug !== 'unchecked-sync' && !this.isFinal(last, certificate)) return
    for (const block of blocks) {
      const verdict: Verdict = executor.stateOf(block.hash) ? { ok: true } : executor.execute(block, true)
      if (!verdict.ok) throw new Error(`synced block fails: ${verdict.reason}`)
      this.store(block, block === last ? certificate : null)
    }
    world.log(this, () => `synced to ${last.height}`)
    if (this.keyInUse() !== this.address) this.restartLater(false)
    this.input({ type: 'synced', block: last, certificate, set: disk.state.set })
    this.input({ type: 'demand', wanted: executor.isWanted() })
    this.input({ type: 'tick' })
  }

  /** Asks for the next range as soon as one is in, as a node does. */
  private syncOn(from: Address, blocks: readonly SealedBlock[]): void {
    if (!this.up || blocks.at(-1)?.height !== this.disk.height) return
    this.world.transmit(this, from, { type: 'syncRequest', height: this.disk.height + 1 })
  }

  private isFinal(last: SealedBlock, certificate: Certificate): boolean {
    return certificate.kind === 'finalize' && certificate.block === last.hash && this.inbox.holds(certificate)
  }
}
