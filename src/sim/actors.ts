/** Faulty actors by name. Inside each runs an honest core; what it says is bent on the way, and some speak on their own. */
import type { ConsensusMessage } from '../consensus/types.js'
import { equivocatingProposer, equivocatingVoter, withholder } from './doubleDealers.js'
import { badBlocks, skipper } from './forgers.js'
import type { SimNode } from './node.js'
import { flooder, garbage, replayer, staleView } from './noise.js'
import type { World } from './world.js'

export interface Actor {
  /** What one recipient gets in place of `message`. */
  readonly bend?: (world: World, from: SimNode, to: SimNode, message: ConsensusMessage) => readonly ConsensusMessage[]
  /** Says something on its own, every 20 to 200 ms. */
  readonly speak?: (world: World, node: SimNode) => void
  /** Its core has entered a view. */
  readonly onView?: (world: World, node: SimNode) => void
  /** What it answers to those who ask for final blocks; the truth when left out. */
  readonly sync?: 'nothing' | 'forged'
}

export type ActorName =
  | 'honest'
  | 'silent'
  | 'withholder'
  | 'equivocating-proposer'
  | 'equivocating-voter'
  | 'twin'
  | 'bad-blocks'
  | 'skipper'
  | 'replayer'
  | 'garbage'
  | 'stale-view'
  | 'future-flooder'

export const actors: Readonly<Record<ActorName, Actor>> = {
  honest: {},
  silent: { bend: () => [], sync: 'nothing' },
  withholder: { bend: withholder, sync: 'nothing' },
  'equivocating-proposer': { bend: equivocatingProposer },
  'equivocating-voter': { bend: equivocatingVoter },
  /** Two nodes run with one key; neither knows of the other. */
  twin: {},
  'bad-blocks': { bend: badBlocks, sync: 'forged' },
  skipper,
  replayer: { speak: replayer },
  garbage: { speak: garbage, sync: 'forged' },
  'stale-view': { speak: staleView },
  'future-flooder': { speak: flooder },
}

export const faultyActors = (Object.keys(actors) as ActorName[]).filter((name) => name !== 'honest')
