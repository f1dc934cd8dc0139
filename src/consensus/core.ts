/** The state that the rules share, and the few operations that every rule needs. Rules are functions over `Core`. */
import { type Address, asView, type Hash, type View, ZERO_HASH } from '../core/bytes.js'
import type { BlockTable } from './blockTable.js'
import { peersRememberedMax, viewWindow } from './bounds.js'
import type { Council } from './council.js'
import { type Abstention, abstains, type VoteFloor } from './doubt.js'
import type { Parent } from './parent.js'
import type { Sabotage } from './sabotage.js'
import type {
  Certificate,
  ConsensusMessage,
  Effect,
  EngineOptions,
  FinalPoint,
  JournalRecord,
  Proposal,
  SealedBlock,
  SignedVote,
  Status,
} from './types.js'
import { emptyRecord, type ViewRecord } from './viewRecord.js'

/** Something asked for again and again until it comes; requests of a kind rotate over the peers (R9b). */
export interface Wish {
  askAt: number
  tries: number
}

/** A build that the shell was asked for. */
export interface Building {
  readonly view: View
  readonly parent: Hash
  readonly parentView: View
  readonly justification: readonly Certificate[]
}

export interface PeerState {
  /** Last time anything came from it. */
  heardAt: number
  connected: boolean
  helpedAt: number
  /** The last thing it said of where it is. */
  status: Status | null
  askedAt: number
  /** Votes of the next epoch. */
  early: SignedVote[]
  /** Requests answered since `servedSince`. */
  served: number
  servedSince: number
}

export interface Core {
  readonly options: EngineOptions
  council: Council
  /** Last block handed to the shell to commit. */
  final: FinalPoint
  /** Highest finalization whose blocks are not all here and executed (R7). */
  pending: Certificate | null
  pendingJournaled: boolean
  cur: View
  /** Views above `finalView`. */
  readonly views: Map<View, ViewRecord>
  /** Notarizations above `finalView`, in order of adoption. */
  readonly notarized: Map<View, Certificate>
  readonly blocks: BlockTable
  /** R2 for `cur`; null after anything that may change it. */
  parent: Parent | null
  readonly recent: SealedBlock[]
  /** Records settled by the latest finalities, oldest first: they count until that final block is durable. */
  readonly retired: { readonly hash: Hash; readonly records: JournalRecord[]; readonly floor: VoteFloor }[]
  /** Records settled since the last of them. */
  retiring: JournalRecord[]
  /** Journal records of epochs that start only when blocks final here are known again. */
  laterRecords: JournalRecord[]
  abstention: Abstention
  halted: 'no' | 'stop-voting' | 'stop-node'
  haltReason: string
  wanted: boolean
  building: Building | null
  tip: Hash | null
  /** Since when a notarized view waits for finality (D3). */
  unfinalSince: number | null
  /** How long finality lately took after notarization, in ms: the measure of patience for D3. */
  finalityLagMs: number
  /** Since when something is expected of the current view (T1). */
  armedAt: number | null
  /** Since when a peer is known to be ahead in height. */
  lagSince: number | null
  lagAskedAt: number
  resendAt: number | null
  statusAt: number
  readonly missing: Map<Hash, Wish>
  needed: Set<Hash>
  gap: Wish | null
  turn: { block: number; certificates: number }
  readonly peers: Map<Address, PeerState>
  startedAt: number
  now: number
  journal: JournalRecord[]
  effects: Effect[]
  /** Set by whatever may let another rule fire. */
  changed: boolean
}

/** Highest view with a known finalization, or the base of the epoch; it and those below are forgotten. */
export function finalView(core: Core): View {
  return core.pending ? core.pending.view : core.final.view
}

export function recordOf(core: Core, view: View): ViewRecord {
  let record = core.views.get(view)
  if (!record) {
    record = emptyRecord(view)
    core.views.set(view, record)
  }
  return record
}

export function leaderOf(core: Core, view: View): Address {
  return core.options.schedule(core.council.set, view)
}

export function isLeader(core: Core, view: View): boolean {
  return core.options.self !== null && leaderOf(core, view) === core.options.self
}

export function mayVote(core: Core, view: View): boolean {
  const { self } = core.options
  return core.halted === 'no' && self !== null && core.council.indexOf.has(self) && !abstains(core, view)
}

export function sabotaged(core: Core, bug: Sabotage): boolean {
  return core.options.sabotage?.has(bug) ?? false
}

export function broadcast(core: Core, message: ConsensusMessage): void {
  core.effects.push({ type: 'broadcast', message })
}

export function send(core: Core, to: Address, message: ConsensusMessage): void {
  core.effects.push({ type: 'send', to, message })
}

/** R14 stops voting, R15 stops the node; the first stop of a node is final. */
export function halt(core: Core, severity: 'stop-voting' | 'stop-node', reason: string): void {
  if (core.halted === 'stop-node' || core.halted === severity) return
  core.halted = severity
  core.haltReason = reason
  core.effects.push({ type: 'halt', severity, reason })
}

/** P2: the block is journaled once, before the first own vote on it. */
export function journalBlock(core: Core, hash: Hash): void {
  const entry = core.blocks.get(hash)
  if (!entry || entry.journaled || sabotaged(core, 'block-not-durable')) return
  entry.journaled = true
  const { block, parentView, justification } = entry
  core.journal.push({ type: 'block', block, parentView, justification })
}

/** R12: of a view left far behind by nullification alone, only the certificate and the own votes are kept. */
function compact(core: Core, record: ViewRecord | undefined): void {
  if (!record || record.certificates.notarize || !record.certificates.nullify) return
  core.views.set(record.view, {
    ...emptyRecord(record.view),
    certificates: record.certificates,
    own: record.own,
    compact: true,
  })
}

/** Enters `view` (R1): what was expected of the old one is over. */
export function enterView(core: Core, view: View): void {
  core.cur = view
  core.parent = null
  compact(core, core.views.get((view - viewWindow) as View))
  if (!sabotaged(core, 'timer-never-reset')) core.armedAt = null
  core.building = null
  core.changed = true
}

/** State of a peer, or null when too many are known already. */
export function peerOf(core: Core, address: Address): PeerState | null {
  const known = core.peers.get(address)
  if (known) return known
  if (core.peers.size >= peersRememberedMax && !core.council.indexOf.has(address)) return null
  const never = Number.NEGATIVE_INFINITY
  const peer = {
    heardAt: core.now,
    connected: true,
    helpedAt: never,
    status: null,
    askedAt: never,
    early: [],
    served: 0,
    servedSince: never,
  }
  core.peers.set(address, peer)
  return peer
}

/** The latest own proposal for the current view, for R11. */
export function ownProposal(core: Core): Proposal | null {
  const record = core.views.get(core.cur)
  return record?.proposal && isLeader(core, core.cur) && record.own.notarize ? record.proposal : null
}

export const after = (view: View): View => asView(view + 1)
export const NO_BLOCK = ZERO_HASH
