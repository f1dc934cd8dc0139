/** R3: the leader's proposal; and R4's first half: taking in the proposals of others. */
import type { Address, Hash } from '../core/bytes.js'
import { takeCertificate, takeVote } from './ballots.js'
import { entryOf } from './blockTable.js'
import { type Building, type Core, isLeader, leaderOf, mayVote, recordOf, sabotaged } from './core.js'
import { resolve } from './execution.js'
import { currentParent, justificationOf } from './parent.js'
import { tipNeedsChild } from './timers.js'
import type { Input, Proposal, SealedBlock, SignedVote } from './types.js'
import type { ViewRecord } from './viewRecord.js'
import { cast } from './voting.js'

/** Asks for a block, or proposes again the block that closes the epoch, when one is wanted and the tip is executed here. */
export function proposeRule(core: Core): void {
  if (!mayVote(core, core.cur) || !isLeader(core, core.cur) || core.building) return
  const empty = tipNeedsChild(core)
  if (!core.wanted && !empty) return
  const record = recordOf(core, core.cur)
  if (record.declined || record.own.notarize || record.own.nullify) return
  const parent = currentParent(core)
  if (!parent.known || resolve(core, parent.hash, true) !== 'valid') return
  const { hash, view: parentView } = parent
  const justification = justificationOf(core, core.cur, parentView)
  const entry = core.blocks.get(hash)
  if (entry?.nextSet && !sabotaged(core, 'no-epoch-boundary')) {
    propose(core, record, entry.block, { view: core.cur, parent: hash, parentView, justification })
    return
  }
  core.building = { view: core.cur, parent: hash, parentView, justification }
  const height = entry ? entry.block.height : core.final.height
  core.effects.push({
    type: 'build',
    epoch: core.council.set.epoch,
    view: core.cur,
    parent: hash,
    height: (height + 1) as typeof height,
    mayBeEmpty: empty,
  })
}

/** The shell's answer to `build`; late answers are of no use. */
export function takeBuilt(core: Core, input: Extract<Input, { type: 'built' }>): void {
  const { building } = core
  if (!building || input.view !== building.view || building.view !== core.cur) return
  core.building = null
  core.changed = true
  const { block, verdict } = input
  const record = recordOf(core, core.cur)
  if (!block || !verdict.ok) {
    core.wanted = false
    record.declined = true
    return
  }
  if (block.parent !== building.parent || record.own.notarize || record.own.nullify || !mayVote(core, core.cur)) return
  const entry = entryOf(block, building.parentView, building.justification)
  entry.state = 'valid'
  entry.nextSet = verdict.nextSet ?? null
  core.blocks.set(block.hash, entry)
  propose(core, record, block, building)
}

function propose(core: Core, record: ViewRecord, block: SealedBlock, building: Building): void {
  const { parentView, justification } = building
  cast(core, 'notarize', core.cur, block.hash, (vote) => {
    record.proposal = { type: 'proposal', block, parentView, justification, vote }
    return record.proposal
  })
}

/** Takes a proposal's certificates, vote and, when it is the leader's first for the current view, the block. */
export function takeProposal(core: Core, proposal: Proposal): void {
  const { block, vote, parentView, justification } = proposal
  if (vote.kind !== 'notarize' || vote.block !== block.hash || vote.epoch !== core.council.set.epoch) return
  for (const certificate of justification) takeCertificate(core, certificate)
  takeVote(core, vote)
  takeBlock(core, block)
  if (vote.view !== core.cur || !fromLeader(core, vote)) return
  const record = recordOf(core, vote.view)
  if (record.proposal && !sabotaged(core, 'second-vote')) return
  core.changed = true
  record.proposal = proposal
  if (!wellPlaced(core, block, vote)) {
    record.refused = true
    return
  }
  if (block.hash !== core.final.hash && !core.blocks.has(block.hash)) {
    core.blocks.set(block.hash, entryOf(block, parentView, justification))
  }
}

function fromLeader(core: Core, vote: SignedVote): boolean {
  return leaderOf(core, vote.view) === vote.signer || sabotaged(core, 'any-proposer')
}

/** A new block is sealed in its view by its leader; an older view is only for a block that closes its epoch (R8). */
function wellPlaced(core: Core, block: SealedBlock, vote: SignedVote): boolean {
  if (block.epoch !== vote.epoch || block.height <= core.final.height) return false
  if (block.view < vote.view) return true
  return block.view === vote.view && block.leader === vote.signer
}

/** A block that was asked for (R9). */
export function takeBlock(core: Core, block: SealedBlock): void {
  if (!core.missing.delete(block.hash) || block.height <= core.final.height) return
  if (core.blocks.has(block.hash)) return
  core.blocks.set(block.hash, entryOf(block, core.final.view, []))
  core.changed = true
}

/** A block held here, final or not, for those who ask. */
export function findBlock(core: Core, hash: Hash): SealedBlock | null {
  return core.blocks.get(hash)?.block ?? core.recent.find((block) => block.hash === hash) ?? null
}

export function others(core: Core): Address[] {
  return core.council.set.sealers.map((sealer) => sealer.address).filter((address) => address !== core.options.self)
}
