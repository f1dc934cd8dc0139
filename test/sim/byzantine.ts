/** Faulty actors: what they do with the messages of the honest core that runs inside them. */
import type { Certificate, ConsensusMessage, Proposal, SignedVote, Vote, VoteKind } from '../../src/consensus/types.js'
import { type Address, asEpoch, asView, ZERO_HASH } from '../../src/core/bytes.js'
import { bodyOf, fakeHash, sealBlock } from './fakes.js'
import type { SimNode } from './node.js'
import type { World } from './world.js'

/** What one recipient gets in place of `message`. */
export function distort(world: World, from: SimNode, message: ConsensusMessage): ConsensusMessage[] {
  if (from.actor === 'equivocator') {
    if (message.type === 'proposal') return world.rng.chance(0.5) ? [message] : [otherProposal(world, from, message)]
    if (message.type === 'vote' && message.vote.signer === from.address) return equivocate(world, from, message.vote)
  }
  if (from.actor === 'bad-blocks' && message.type === 'proposal') return [badProposal(world, from, message)]
  return [message]
}

function signed(world: World, from: SimNode, vote: Vote): SignedVote {
  return { ...vote, signer: from.address, signature: world.keys.sign(from.address, vote) }
}

function otherProposal(world: World, from: SimNode, proposal: Proposal): Proposal {
  const { block } = proposal
  if (block.leader !== from.address) return proposal
  const { txs, root } = bodyOf(block)
  const other = sealBlock(world.keys, { ...block, txs, root, salt: 1 })
  world.blockHashes.push(other.hash)
  return { ...proposal, block: other, vote: signed(world, from, { ...proposal.vote, block: other.hash }) }
}

function equivocate(world: World, from: SimNode, vote: SignedVote): ConsensusMessage[] {
  const { rng } = world
  if (rng.chance(0.4)) return [{ type: 'vote', vote }]
  const kind = rng.pick<VoteKind>(['notarize', 'nullify', 'finalize'])
  const hashes = world.blockHashes.slice(-4)
  const block = kind === 'nullify' || hashes.length === 0 ? ZERO_HASH : rng.pick(hashes)
  const other = signed(world, from, { kind, epoch: vote.epoch, view: vote.view, block })
  return rng.chance(0.5)
    ? [{ type: 'vote', vote: other }]
    : [
        { type: 'vote', vote },
        { type: 'vote', vote: other },
      ]
}

/** A wrong state root, a parent further down than allowed, or a proposal out of turn. */
function badProposal(world: World, from: SimNode, proposal: Proposal): Proposal {
  const { rng } = world
  const { block, vote } = proposal
  if (block.leader !== from.address || rng.chance(0.3)) return proposal
  const { txs } = bodyOf(block)
  if (rng.chance(0.4)) {
    const wrong = sealBlock(world.keys, { ...block, txs, root: fakeHash('wrong'), salt: 0 })
    return { ...proposal, block: wrong, vote: signed(world, from, { ...vote, block: wrong.hash }) }
  }
  const { final, state } = from.durable
  const skipping = sealBlock(world.keys, {
    ...block,
    parent: final.hash,
    height: final.height + 1,
    txs: [],
    root: state.root,
    salt: 2,
  })
  world.blockHashes.push(skipping.hash)
  return {
    ...proposal,
    block: skipping,
    parentView: final.view,
    vote: signed(world, from, { ...vote, block: skipping.hash }),
  }
}

/** Sends valid signatures over nonsense, certificates with itself counted several times, and proposals out of turn. */
export function babble(world: World, node: SimNode): void {
  const { rng, queue } = world
  queue.after(rng.between(20, 200), () => {
    if (queue.now > world.scenario.chaosMs) return
    babble(world, node)
    if (!node.up) return
    const { core } = node
    const view = asView(Math.max(1, core.cur + rng.below(rng.pick([2, 100])) - rng.below(3)))
    const kind = rng.pick<VoteKind>(['notarize', 'nullify', 'finalize'])
    const hash = world.blockHashes.length > 0 ? rng.pick(world.blockHashes.slice(-6)) : fakeHash('none')
    const vote = { kind, epoch: core.council.set.epoch, view, block: kind === 'nullify' ? ZERO_HASH : hash }
    const target = rng.pick(world.nodes).address
    if (rng.chance(0.2)) world.transmit(node, target, { type: 'certificate', certificate: stuffed(world, node, vote) })
    else if (rng.chance(0.25)) relabel(world, node, target)
    else if (rng.chance(0.3)) outOfTurn(world, node)
    else world.transmit(node, rng.chance(0.5) ? null : target, { type: 'vote', vote: signed(world, node, vote) })
  })
}

/** A certificate whose quorum is one sealer, counted again and again. */
function stuffed(world: World, node: SimNode, vote: Vote): Certificate {
  const index = node.core.council.indexOf.get(node.address) ?? 0
  const signature = world.keys.sign(node.address, vote)
  const count = node.core.council.total
  return {
    ...vote,
    signers: Array.from({ length: count }, () => index),
    signatures: Array.from({ length: count }, () => signature),
  }
}

/** Old votes of others with another epoch written on them; their signatures must not hold. */
function relabel(world: World, node: SimNode, target: Address): void {
  for (const vote of world.rng.shuffle(world.recentVotes).slice(0, 10)) {
    const epoch = asEpoch(world.rng.chance(0.5) ? node.core.council.set.epoch : vote.epoch + 1)
    world.transmit(node, target, { type: 'vote', vote: { ...vote, epoch } })
  }
}

function outOfTurn(world: World, node: SimNode): void {
  const { core } = node
  const { final, state } = node.durable
  if (core.pending || core.notarized.size > 0) return
  const block = sealBlock(world.keys, {
    parent: final.hash,
    height: final.height + 1,
    epoch: core.council.set.epoch,
    view: core.cur,
    leader: node.address,
    txs: [],
    root: state.root,
    salt: world.rng.below(1000),
  })
  const vote = signed(world, node, { kind: 'notarize', epoch: block.epoch, view: core.cur, block: block.hash })
  world.transmit(node, null, { type: 'proposal', block, parentView: final.view, justification: [], vote })
}
