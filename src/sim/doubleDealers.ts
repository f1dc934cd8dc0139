/** Actors that say different things to different nodes, or nothing to some. */
import type { ConsensusMessage, Proposal, SignedVote, Vote, VoteKind } from '../consensus/types.js'
import { ZERO_HASH } from '../core/bytes.js'
import { draftOf, SimBlock } from './blocks.js'
import { hash53 } from './hashing.js'
import type { SimNode } from './node.js'
import type { World } from './world.js'

export function signed(world: World, from: SimNode, vote: Vote): SignedVote {
  return { ...vote, signer: from.address, signature: world.keys.sign(from.address, vote) }
}

/** `proposal` with another block in it. */
export function reproposed(world: World, from: SimNode, proposal: Proposal, block: SimBlock): Proposal {
  world.blockHashes.push(block.hash)
  return { ...proposal, block, vote: signed(world, from, { ...proposal.vote, block: block.hash }) }
}

/** Half of the nodes see another block. */
export function equivocatingProposer(
  world: World,
  from: SimNode,
  _to: SimNode,
  message: ConsensusMessage,
): ConsensusMessage[] {
  if (message.type !== 'proposal' || message.block.leader !== from.address || world.rng.chance(0.5)) return [message]
  const other = new SimBlock(world.keys, { ...draftOf(message.block), salt: 1 })
  return [reproposed(world, from, message, other)]
}

/** Votes of any kind for any block in place of its own, or beside it. */
export function equivocatingVoter(
  world: World,
  from: SimNode,
  _to: SimNode,
  message: ConsensusMessage,
): ConsensusMessage[] {
  const { rng } = world
  if (message.type !== 'vote' || message.vote.signer !== from.address || rng.chance(0.4)) return [message]
  const { epoch, view } = message.vote
  const kind = rng.pick<VoteKind>(['notarize', 'nullify', 'finalize'])
  const hashes = world.blockHashes.slice(-4)
  const block = kind === 'nullify' || hashes.length === 0 ? ZERO_HASH : rng.pick(hashes)
  const other = { type: 'vote' as const, vote: signed(world, from, { kind, epoch, view, block }) }
  return rng.chance(0.5) ? [other] : [message, other]
}

/** Proposals, votes, blocks and certificates for some only, others in each view; it looks alive to all. */
export function withholder(world: World, from: SimNode, to: SimNode, message: ConsensusMessage): ConsensusMessage[] {
  if (message.type === 'status') return [message]
  if (message.type === 'block') return []
  const favoured = hash53(`${world.scenario.seed}|${from.core.cur}|${to.index}`) % 2 === 0
  return favoured ? [message] : []
}
