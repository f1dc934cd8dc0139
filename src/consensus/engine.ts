/**
 * The consensus core: `step` takes one input and returns what to persist and what to do, in order. Deterministic, without
 * clock, I/O, randomness or async. The rules and their safety argument are in README.md.
 */
import { assert } from '../core/assert.js'
import { type Address, asEpoch, asView, type Epoch, type Hash } from '../core/bytes.js'
import { takeCertificate, takeVote } from './ballots.js'
import { nextEpochVotesMax } from './bounds.js'
import { type Core, peerOf, send } from './core.js'
import { councilOf } from './council.js'
import { describe, type EngineView } from './describe.js'
import { doubtRule } from './doubt.js'
import { takeVerdict } from './execution.js'
import { finalityRule, takeSynced } from './finality.js'
import { needsCertificate, needsMessage } from './needs.js'
import { currentParent } from './parent.js'
import { proposeRule, takeBlock, takeBuilt, takeProposal } from './proposing.js'
import { replay } from './recovery.js'
import { answerBlock, answerCertificates, mayServe, repair } from './repair.js'
import { resend, statusOf, takeStatus } from './resend.js'
import { liveRecords } from './retire.js'
import { armTimer, overdueAt, tipDemandAt } from './timers.js'
import type {
  Certificate,
  ConsensusMessage,
  EngineOptions,
  Input,
  JournalRecord,
  Ready,
  Recovery,
  SealerSet,
  SignedVote,
} from './types.js'
import { finalizeRule, notarizeRule, nullifyRule } from './voting.js'

const NOTHING: Ready = { journal: [], effects: [], wakeAt: null }

export class Engine {
  private readonly core: Core

  /** `now` in ms of any monotonic clock; all later times count on the same one. Step a `tick` right after. */
  constructor(options: EngineOptions, recovery: Recovery, now: number) {
    this.core = initialCore(options, recovery, now)
    replay(this.core, recovery.journal)
  }

  /** Carries out `input` at time `now` in ms. After a halt with `stop-node` nothing happens any more. */
  step(input: Input, now: number): Ready {
    const { core } = this
    if (core.halted === 'stop-node' && core.effects.length === 0) return NOTHING
    core.now = Math.max(core.now, now)
    core.changed = true
    take(core, input)
    settleRules(core)
    if (core.halted === 'stop-node') return this.ready(null)
    repair(core)
    resend(core)
    if (core.pending && !core.pendingJournaled) {
      core.pendingJournaled = true
      core.journal.push({ type: 'certificate', certificate: core.pending })
    }
    return this.ready(wakeAt(core))
  }

  /** False when `message` brings nothing new, so that its signatures need not be verified. Ask before `step`. */
  needs(message: ConsensusMessage): boolean {
    return needsMessage(this.core, message)
  }

  /** False when `certificate`, say inside a proposal, is known or outdated and will be ignored. */
  needsCertificate(certificate: Certificate): boolean {
    return needsCertificate(this.core, certificate)
  }

  /** Sealers of `epoch` when it is the present one. */
  setOf(epoch: Epoch): SealerSet | undefined {
    const { set } = this.core.council
    return set.epoch === epoch ? set : undefined
  }

  /** Where the node stands and whom it waits for, at time `now` in ms; that of the last step when left out. */
  describe(now?: number): EngineView {
    return describe(this.core, now)
  }

  /** Records that a rewritten journal must keep while `durableFinal` is the last block in the database; null when that lags too far. */
  liveRecords(durableFinal: Hash): JournalRecord[] | null {
    return liveRecords(this.core, durableFinal)
  }

  private ready(wake: number | null): Ready {
    const { journal, effects } = this.core
    this.core.journal = []
    this.core.effects = []
    return { journal, effects, wakeAt: wake }
  }
}

export function createEngine(options: EngineOptions, recovery: Recovery, now: number): Engine {
  return new Engine(options, recovery, now)
}

function initialCore(options: EngineOptions, recovery: Recovery, now: number): Core {
  const core: Core = {
    options,
    council: councilOf(recovery.set, options.sabotage),
    final: recovery.final,
    pending: null,
    pendingJournaled: false,
    cur: asView(recovery.final.view + 1),
    views: new Map(),
    notarized: new Map(),
    blocks: new Map(),
    parent: null,
    recent: [],
    retired: [
      {
        hash: recovery.final.hash,
        records: [],
        floor: { epoch: recovery.set.epoch, below: asView(recovery.final.view + 1) },
      },
    ],
    retiring: [],
    laterRecords: [],
    abstention: { epoch: asEpoch(0), below: asView(0), first: false },
    halted: 'no',
    haltReason: '',
    wanted: false,
    building: null,
    tip: null,
    unfinalSince: null,
    finalityLagMs: 0,
    armedAt: null,
    lagSince: null,
    lagAskedAt: Number.NEGATIVE_INFINITY,
    resendAt: null,
    statusAt: now,
    missing: new Map(),
    needed: new Set(),
    gap: null,
    turn: { block: 0, certificates: 0 },
    peers: new Map(),
    startedAt: now,
    now,
    journal: [],
    effects: [],
    changed: false,
  }
  for (const { address } of recovery.set.sealers) if (address !== options.self) peerOf(core, address)
  return core
}

function take(core: Core, input: Input): void {
  switch (input.type) {
    case 'tick':
      break
    case 'message':
      takeMessage(core, input.from, input.message)
      break
    case 'verified':
      takeVerdict(core, input.hash, input.verdict)
      break
    case 'built':
      takeBuilt(core, input)
      break
    case 'demand':
      takeDemand(core, input.wanted)
      break
    case 'peer':
      takePeer(core, input.address, input.connected)
      break
    case 'synced':
      takeSynced(core, input)
      break
  }
}

function takeMessage(core: Core, from: Address, message: ConsensusMessage): void {
  const peer = peerOf(core, from)
  if (peer) {
    peer.heardAt = core.now
    peer.connected = true
  }
  switch (message.type) {
    case 'proposal':
      takeProposal(core, message)
      break
    case 'vote':
      if (message.vote.epoch === core.council.set.epoch + 1) keepEarly(core, from, message.vote)
      else takeVote(core, message.vote)
      break
    case 'certificate':
      takeCertificate(core, message.certificate)
      break
    case 'status':
      takeStatus(core, from, message)
      break
    case 'requestBlock':
      if (mayServe(core, from)) answerBlock(core, from, message.hash)
      break
    case 'block':
      takeBlock(core, message.block)
      break
    case 'requestCertificates':
      if (mayServe(core, from)) answerCertificates(core, from, message.from, message.to)
      break
  }
}

/** R12: a few votes of the next epoch per peer; the newest count. */
function keepEarly(core: Core, from: Address, vote: SignedVote): void {
  const peer = peerOf(core, from)
  if (!peer) return
  peer.early.push(vote)
  if (peer.early.length > nextEpochVotesMax) peer.early.shift()
}

function takeDemand(core: Core, wanted: boolean): void {
  core.wanted = wanted
  const record = core.views.get(core.cur)
  if (wanted && record) record.declined = false
}

/** A new connection starts with the own status, so that whoever lags learns it at once. */
function takePeer(core: Core, address: Address, connected: boolean): void {
  const peer = peerOf(core, address)
  if (!peer) return
  peer.connected = connected
  if (!connected) return
  peer.heardAt = core.now
  send(core, address, statusOf(core))
}

/** Fires the rules until none has anything left to do. Each pass makes progress, so a bound is only a safeguard. */
function settleRules(core: Core): void {
  for (let pass = 0; core.changed && core.halted !== 'stop-node'; pass++) {
    assert(pass < 1000, 'the consensus rules do not come to rest')
    core.changed = false
    core.needed.clear()
    finalityRule(core)
    doubtRule(core)
    finalizeRule(core)
    tipRule(core)
    notarizeRule(core)
    armTimer(core)
    nullifyRule(core)
    proposeRule(core)
  }
}

/** Tells the shell on which block demand is measured; the last final one while certificates are missing (R9b). */
function tipRule(core: Core): void {
  const parent = currentParent(core)
  const entry = parent.known ? core.blocks.get(parent.hash) : undefined
  const tip = entry?.state === 'valid' ? entry.block : core.final
  if (tip.hash === core.tip) return
  core.tip = tip.hash
  core.effects.push({ type: 'tip', hash: tip.hash, height: tip.height })
}

function wakeAt(core: Core): number {
  const times = [core.statusAt, core.resendAt, overdueAt(core), core.gap?.askAt ?? null]
  const demandAt = tipDemandAt(core)
  if (demandAt !== null && demandAt > core.now) times.push(demandAt)
  for (const wish of core.missing.values()) times.push(wish.askAt)
  let wake = core.statusAt
  for (const at of times) if (at !== null && at > core.now && at < wake) wake = at
  return wake
}
