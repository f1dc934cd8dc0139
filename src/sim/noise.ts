/** Actors that speak on their own: old things, far things, nonsense. All of it is well-formed. */
import type { Certificate, Vote, VoteKind } from '../consensus/types.js'
import { type Address, asEpoch, asHeight, asView, type Hash, ZERO_HASH } from '../core/bytes.js'
import { SimBlock } from './blocks.js'
import { stateAfter } from './chainState.js'
import { signed } from './doubleDealers.js'
import { fakeHash } from './hashing.js'
import type { SimNode } from './node.js'
import type { World } from './world.js'

const KINDS: readonly VoteKind[] = ['notarize', 'nullify', 'finalize']
const viewsFarAhead = 300

/** Old valid messages of others, word for word or with another epoch written on a vote. */
export function replayer(world: World, node: SimNode): void {
  const { rng, recent } = world
  const to = someone(world)
  for (const message of rng.shuffle(recent).slice(0, 12)) {
    if (message.type !== 'vote' || rng.chance(0.5)) world.transmit(node, to, message)
    else {
      const epoch = rng.chance(0.7) ? node.core.council.set.epoch : asEpoch(message.vote.epoch + 1)
      world.transmit(node, to, { type: 'vote', vote: { ...message.vote, epoch } })
    }
  }
}

/** Votes at random, certificates whose quorum is one sealer, proposals out of turn. */
export function garbage(world: World, node: SimNode): void {
  const { rng } = world
  const { core } = node
  const vote = randomVote(world, node, Math.max(1, core.cur + rng.below(3) - rng.below(3)))
  const chance = rng.next()
  if (chance < 0.3)
    world.transmit(node, someone(world), { type: 'certificate', certificate: stuffed(world, node, vote) })
  else if (chance < 0.6) outOfTurn(world, node)
  else world.transmit(node, rng.chance(0.5) ? null : someone(world), { type: 'vote', vote: signed(world, node, vote) })
}

/** Lives in the past: old positions, votes in old views, requests for what everybody has. */
export function staleView(world: World, node: SimNode): void {
  const { rng } = world
  const { core } = node
  const view = asView(Math.max(1, core.cur - rng.below(12)))
  const finalView = asView(Math.max(0, view - 2))
  const finalHeight = asHeight(Math.max(0, core.final.height - rng.below(6)))
  const epoch = asEpoch(Math.max(0, core.council.set.epoch - rng.below(2)))
  const to = someone(world)
  world.transmit(node, to, { type: 'status', epoch, view, finalView, finalHeight })
  world.transmit(node, to, { type: 'requestCertificates', from: finalView, to: core.cur })
  const vote = { ...randomVote(world, node, view), epoch }
  world.transmit(node, rng.chance(0.5) ? null : to, { type: 'vote', vote: signed(world, node, vote) })
}

/** Lives in the future: positions, votes and epochs that nobody has reached, and more requests than anyone answers. */
export function flooder(world: World, node: SimNode): void {
  const { rng } = world
  const { core } = node
  const to = someone(world)
  const view = asView(core.cur + 1 + rng.below(viewsFarAhead))
  const epoch = asEpoch(core.council.set.epoch + rng.below(2))
  for (let i = 0; i < 8; i++) {
    const vote = { ...randomVote(world, node, view + i), epoch }
    world.transmit(node, rng.chance(0.3) ? null : to, { type: 'vote', vote: signed(world, node, vote) })
  }
  const finalHeight = asHeight(core.final.height + rng.below(100))
  if (rng.chance(0.3)) world.transmit(node, to, { type: 'status', epoch, view, finalView: view, finalHeight })
  for (let i = 0; i < 4; i++) world.transmit(node, to, { type: 'requestBlock', hash: someHash(world) })
}

function someone(world: World): Address {
  return world.rng.pick(world.nodes).address
}

function someHash(world: World): Hash {
  return world.blockHashes.length > 0 ? world.rng.pick(world.blockHashes.slice(-6)) : fakeHash('none')
}

function randomVote(world: World, node: SimNode, view: number): Vote {
  const kind = world.rng.pick(KINDS)
  const block = kind === 'nullify' ? ZERO_HASH : someHash(world)
  return { kind, epoch: node.core.council.set.epoch, view: asView(view), block }
}

/** A quorum made of one sealer, counted again and again. */
function stuffed(world: World, node: SimNode, vote: Vote): Certificate {
  const { council } = node.core
  const index = council.indexOf.get(node.address) ?? 0
  const signature = world.keys.sign(node.address, vote)
  const count = council.set.sealers.length
  return {
    ...vote,
    signers: Array.from({ length: count }, () => index),
    signatures: Array.from({ length: count }, () => signature),
  }
}

/** An empty block on the final one, in the present view, whoever leads it. */
function outOfTurn(world: World, node: SimNode): void {
  const { core, disk } = node
  const { state, final } = disk
  if (core.final.hash !== final.hash) return
  const content = { view: core.cur, leader: node.address, timeMs: state.timeMs, txs: [] }
  const { root, height } = stateAfter(world.rules, state, content)
  const salt = 10 + world.rng.below(1000)
  const { epoch } = state.set
  const block = new SimBlock(world.keys, { ...content, parent: state.hash, height, epoch, root, salt })
  const vote = signed(world, node, { kind: 'notarize', epoch, view: core.cur, block: block.hash })
  world.transmit(node, null, { type: 'proposal', block, parentView: final.view, justification: [], vote })
}
