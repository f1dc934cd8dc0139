/** Where a node stands and whom it waits for: for status commands and diagnosis. Changes nothing. */
import type { Address, Epoch, Hash, Height, View } from '../core/bytes.js'
import { type Core, finalView, leaderOf, NO_BLOCK } from './core.js'
import { holdsHonest, weightAt } from './council.js'
import { abstains } from './doubt.js'
import { type Tally, tally } from './quorum.js'
import { isOverdue, overdueAt } from './timers.js'
import { emptyRecord, type ViewRecord } from './viewRecord.js'

/**
 * What is missing for the next step: the leader's block, votes for it, votes to skip the view, or votes that make a notarized
 * block final. `idle`: nothing is expected of anyone.
 */
export type Stage = 'idle' | 'proposal' | 'notarize' | 'nullify' | 'finalize'

/** Times in ms on the clock handed to `step`. */
export interface EngineView {
  /** When this was true. */
  readonly now: number
  readonly epoch: Epoch
  readonly view: View
  readonly leader: Address
  readonly finalHeight: Height
  readonly finalHash: Hash
  readonly finalView: View
  readonly tip: Hash
  readonly halted: 'no' | 'stop-voting' | 'stop-node'
  /** Why it is halted; '' when it is not. */
  readonly haltReason: string
  /** R16: the first view in which it votes, null while that is not known; undefined where it votes. */
  readonly votesFrom: View | null | undefined
  readonly stage: Stage
  /** Since when; null when idle. */
  readonly stageSince: number | null
  /** The view that `stage` is about: the current one, or the highest notarized one that is not final. */
  readonly stageView: View
  /** Something is expected of the view; `overdueAt` is when it is given up. */
  readonly waiting: boolean
  readonly overdueAt: number | null
  readonly sealers: readonly SealerView[]
  readonly weightTotal: number
  readonly weightConnected: number
  readonly weightQuorum: number
  /** Whether the sealers connected could agree. */
  readonly quorum: Tally
  readonly missingBlocks: number
  readonly missingCertificates: boolean
}

export interface SealerView {
  readonly address: Address
  readonly weight: number
  readonly connected: boolean
  /** Null: never. */
  readonly heardAt: number | null
  /** Its votes in the current view. */
  readonly notarized: boolean
  readonly nullified: boolean
  /** What `stage` still waits for from this sealer. */
  readonly awaited: Exclude<Stage, 'idle'> | null
}

/** `now` as in `step`; that of the last step when left out. */
export function describe(core: Core, now = core.now): EngineView {
  const at = Math.max(now, core.now)
  const stage = stageOf(core)
  const stageView = stage === 'finalize' ? notarizedView(core) : core.cur
  const sealers = core.council.set.sealers.map(({ address }, index) => ({
    ...sealerView(core, address, index, at),
    awaited: isAwaited(core, stage, stageView, index) ? (stage as Exclude<Stage, 'idle'>) : null,
  }))
  const { total, quorum } = core.council
  return reckoned({
    now: at,
    epoch: core.council.set.epoch,
    view: core.cur,
    leader: leaderOf(core, core.cur),
    finalHeight: core.final.height,
    finalHash: core.final.hash,
    finalView: finalView(core),
    tip: core.tip ?? core.final.hash,
    halted: core.halted,
    haltReason: core.haltReason,
    votesFrom: abstains(core, core.cur) ? core.abstention.below : undefined,
    stage,
    stageSince: stage === 'idle' ? null : stage === 'finalize' ? (core.unfinalSince ?? at) : core.armedAt,
    stageView,
    waiting: core.armedAt !== null,
    overdueAt: overdueAt(core),
    sealers,
    weightTotal: total,
    weightQuorum: quorum,
    missingBlocks: core.missing.size,
    missingCertificates: core.gap !== null,
  })
}

/** The view with the connections that the network knows: the engine takes a peer for connected until it hears otherwise. */
export function withConnections(view: EngineView, isConnected: (address: Address) => boolean): EngineView {
  const sealers = view.sealers.map((sealer) => ({ ...sealer, connected: isConnected(sealer.address) }))
  return reckoned({ ...view, sealers })
}

function reckoned(view: Omit<EngineView, 'weightConnected' | 'quorum'>): EngineView {
  const weightConnected = view.sealers.reduce((sum, sealer) => sum + (sealer.connected ? sealer.weight : 0), 0)
  return { ...view, weightConnected, quorum: tally(view.weightTotal, weightConnected, 0) }
}

function stageOf(core: Core): Stage {
  if (core.armedAt === null) return core.notarized.size > 0 || core.pending ? 'finalize' : 'idle'
  const record = recordAt(core, core.cur)
  const skipped = holdsHonest(core.council, record.ballots.nullify.weights.get(NO_BLOCK) ?? 0)
  if (record.own.nullify || skipped || isOverdue(core)) return 'nullify'
  return record.proposal ? 'notarize' : 'proposal'
}

/** The latest view whose block waits for finality. */
function notarizedView(core: Core): View {
  return core.pending?.view ?? [...core.notarized.keys()].at(-1) ?? core.cur
}

function isAwaited(core: Core, stage: Stage, view: View, index: number): boolean {
  if (stage === 'idle') return false
  const { ballots } = recordAt(core, view)
  if (stage === 'proposal') return core.council.set.sealers[index]?.address === leaderOf(core, view)
  if (stage === 'notarize') return !ballots.notarize.votes.has(index) && !ballots.nullify.votes.has(index)
  return !ballots[stage].votes.has(index)
}

const recordAt = (core: Core, view: View): ViewRecord => core.views.get(view) ?? emptyRecord(view)

function sealerView(core: Core, address: Address, index: number, now: number): Omit<SealerView, 'awaited'> {
  const own = address === core.options.self
  const peer = core.peers.get(address)
  const { ballots } = recordAt(core, core.cur)
  return {
    address,
    weight: weightAt(core.council, index),
    connected: own || (peer?.connected ?? false),
    heardAt: own ? now : (peer?.heardAt ?? null),
    notarized: ballots.notarize.votes.has(index),
    nullified: ballots.nullify.votes.has(index),
  }
}
