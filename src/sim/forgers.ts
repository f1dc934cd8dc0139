/** Actors that propose what no honest leader would. */
import { finalView, isLeader } from '../consensus/core.js'
import type { Certificate, ConsensusMessage, Proposal } from '../consensus/types.js'
import { asView, type Hash, type View } from '../core/bytes.js'
import type { Actor } from './actors.js'
import { draftOf, SimBlock } from './blocks.js'
import { type SimState, stateAfter } from './chainState.js'
import { reproposed, signed } from './doubleDealers.js'
import { fakeHash, hash53 } from './hashing.js'
import type { SimNode } from './node.js'
import type { SyncBlocks, World } from './world.js'

/** A wrong state root, a transaction twice, or a parent further down than allowed: one of them for all, in each view. */
export function badBlocks(world: World, from: SimNode, _to: SimNode, message: ConsensusMessage): ConsensusMessage[] {
  if (message.type !== 'proposal' || message.block.leader !== from.address) return [message]
  const choice = hash53(`${world.scenario.seed}|${message.vote.view}`) % 4
  if (choice === 0) return [message]
  const draft = draftOf(message.block)
  if (choice === 1) {
    const root = fakeHash('wrong')
    return [reproposed(world, from, message, new SimBlock(world.keys, { ...draft, root, salt: 3 }))]
  }
  const parent = from.executor.stateOf(draft.parent)
  const repeated = repeatedTx(from)
  if (parent && repeated !== null && choice === 2) {
    const txs = [...draft.txs, repeated]
    const { root } = stateAfter(world.rules, parent, { ...draft, txs })
    return [reproposed(world, from, message, new SimBlock(world.keys, { ...draft, txs, root, salt: 4 }))]
  }
  return [onFinal(world, from, message)]
}

/** A transaction of the final chain. */
function repeatedTx(from: SimNode): number | null {
  for (let at: SimState | null = from.disk.state; at; at = at.parent) if (at.txs.length > 0) return at.txs[0] ?? null
  return null
}

/** The same view on the final block, whatever is notarized above it. */
function onFinal(world: World, from: SimNode, proposal: Proposal): Proposal {
  const { state, final } = from.disk
  const draft = emptyOn(world, from, state, proposal.block.view)
  return { ...reproposed(world, from, proposal, draft), parentView: final.view }
}

function emptyOn(world: World, from: SimNode, parent: SimState, view: View): SimBlock {
  const content = { view, leader: from.address, timeMs: parent.timeMs, txs: [] }
  const { root, height } = stateAfter(world.rules, parent, content)
  const { epoch } = parent.set
  return new SimBlock(world.keys, { ...content, parent: parent.hash, height, epoch, root, salt: 2 })
}

/**
 * As leader, proposes beside the highest notarized block in place of on top of it, as soon as its view begins, and
 * withholds the votes that would make that block final first.
 */
export const skipper: Actor = {
  bend: (_world, from, _to, message) => {
    if (message.type === 'vote' && message.vote.kind === 'finalize') return []
    return message.type === 'proposal' &&
      from.skipped.has(message.vote.view) &&
      message.block.leader === from.address &&
      draftOf(message.block).salt === 0
      ? []
      : [message]
  },
  onView: (world, node) => {
    const proposal = skippingProposal(world, node)
    if (!proposal) return
    node.skipped.add(proposal.vote.view)
    world.transmit(node, null, proposal)
  },
}

function skippingProposal(world: World, node: SimNode): Proposal | null {
  const { core } = node
  if (!isLeader(core, core.cur)) return null
  const skippedView = [...core.notarized.keys()].sort((a, b) => b - a)[0]
  const skipped = skippedView === undefined ? undefined : core.notarized.get(skippedView)
  const entry = skipped && core.blocks.get(skipped.block)
  const parent = entry && node.executor.stateOf(entry.block.parent)
  if (!skipped || !entry || !parent || parent.set.epoch !== entry.block.epoch) return null
  const parentView = notarizedView(node, entry.block.parent)
  if (parentView === null) return null
  const block = emptyOn(world, node, parent, core.cur)
  world.blockHashes.push(block.hash)
  const vote = signed(world, node, { kind: 'notarize', epoch: block.epoch, view: core.cur, block: block.hash })
  return { type: 'proposal', block, parentView, justification: certificatesBetween(node, parentView), vote }
}

/** View in which `hash` was notarized or finalized, as the core knows it. */
function notarizedView({ core }: SimNode, hash: Hash): View | null {
  for (const [view, certificate] of core.notarized) if (certificate.block === hash) return view
  const base = core.pending?.block ?? core.final.hash
  return base === hash ? finalView(core) : null
}

/** What there is of certificates from the parent's view on: they bring receivers to the present view. */
function certificatesBetween({ core }: SimNode, parentView: View): Certificate[] {
  const found: Certificate[] = []
  for (let view = parentView + 1; view < core.cur; view++) {
    const certificates = core.views.get(asView(view))?.certificates
    const certificate = certificates?.nullify ?? certificates?.notarize
    if (certificate) found.push(certificate)
  }
  return found.slice(-16)
}

/** A final block that never was, with a certificate of one signer, for a node that syncs; null when there is nothing to lie about. */
export function forgedRange(world: World, from: SimNode, height: number): SyncBlocks | null {
  const parent = height === 1 ? world.genesis : from.disk.chain[height - 2]?.state
  if (!parent) return null
  const view = asView(parent.view + 1)
  const content = { view, leader: world.scenario.schedule.leader(parent.set, view), timeMs: parent.timeMs, txs: [] }
  const { root } = stateAfter(world.rules, parent, content)
  const { epoch } = parent.set
  const block = new SimBlock(world.keys, { ...content, parent: parent.hash, height, epoch, root, salt: 5 })
  const vote = signed(world, from, { kind: 'finalize', epoch, view, block: block.hash })
  const index = Math.max(
    0,
    parent.set.sealers.findIndex((sealer) => sealer.address === from.address),
  )
  const certificate = { ...vote, signers: [index], signatures: [vote.signature] }
  return { type: 'syncBlocks', blocks: [block], certificate }
}
