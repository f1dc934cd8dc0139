/**
 * R16: a node whose journal does not tell all that it signed votes only where it cannot have voted. The shell puts an
 * abstention into the journal when it finds that out; the rule here ends it, and the journal keeps how.
 */
import { asView, type Epoch, type View } from '../core/bytes.js'
import type { Core } from './core.js'
import { weightAt } from './council.js'
import type { JournalRecord } from './types.js'

/** Nothing is signed in epochs before `epoch` nor in views below `below`; null: nowhere, until the others say how far they are. */
export interface VoteFloor {
  readonly epoch: Epoch
  readonly below: View | null
}

export interface Abstention extends VoteFloor {
  /** The node had neither journal nor database: it may be new, as the whole chain may be. */
  readonly first: boolean
}

export function abstains(core: Core, view: View): boolean {
  const { epoch, below } = core.abstention
  return below === null || core.council.set.epoch < epoch || view < below
}

/**
 * Ends the doubt. What this node signed was for views up to one above the highest certificate that it knew, whose voters
 * were in that view at least. Once more of the others than could be faulty beside those voters have said where they are and
 * this node is as far by certificates, one honest voter is among them: so nothing was signed two views above the present one.
 * A position must have been said after this node stopped: the shell's connections do not outlive the process.
 */
export function doubtRule(core: Core): void {
  if (core.abstention.below !== null) return
  const heard = othersHeard(core)
  const below = isUnbegun(core, heard.weight, heard.viewMax)
    ? 0
    : heard.caughtUp >= othersMin(core)
      ? core.cur + 2
      : null
  if (below === null) return
  core.abstention = { epoch: core.council.set.epoch, below: asView(below), first: false }
  core.journal.push(abstentionRecord(core.abstention))
  core.changed = true
}

export function abstentionRecord({ epoch, below, first }: Abstention): JournalRecord {
  return { type: 'abstain', epoch, below, first }
}

/** What a rewritten journal keeps: the doubt, and that votes of settled views are no longer in it. */
export function narrower(abstention: Abstention, floor: VoteFloor): Abstention {
  if (abstention.below === null || floor.below === null) return { epoch: floor.epoch, below: null, first: false }
  const later = abstention.epoch > floor.epoch ? abstention : floor
  return { epoch: later.epoch, below: asView(Math.max(abstention.below, floor.below)), first: false }
}

/** Weight of the others that shares more than a third of all with the others of any quorum. */
function othersMin({ council: { total, quorum } }: Core): number {
  return total - quorum + Math.ceil(total / 3)
}

/**
 * A chain without a certificate, as far as a quorum with this node among it knows, and a node that comes without a database: it
 * is new, or it lost all in the chain's first moments. One that has its database may have voted in view 1.
 */
function isUnbegun(core: Core, heard: number, viewMax: number): boolean {
  const { council, options, final, cur } = core
  const own = options.self === null ? undefined : council.indexOf.get(options.self)
  const weight = heard + (own === undefined ? 0 : weightAt(council, own))
  return core.abstention.first && final.height === 0 && cur === 1 && viewMax <= 1 && weight >= council.quorum
}

/** Of the other sealers, from what they said since this node started. */
function othersHeard(core: Core) {
  const { set } = core.council
  let weight = 0
  let caughtUp = 0
  let viewMax = 0
  set.sealers.forEach((sealer, index) => {
    const status = sealer.address === core.options.self ? null : core.peers.get(sealer.address)?.status
    if (!status) return
    weight += weightAt(core.council, index)
    viewMax = Math.max(viewMax, status.view)
    const reached = status.epoch < set.epoch || (status.epoch === set.epoch && status.view <= core.cur)
    if (reached) caughtUp += weightAt(core.council, index)
  })
  return { weight, caughtUp, viewMax }
}
