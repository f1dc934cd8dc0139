/** What a seed stands for: sizes, weights, faults and load of one run. */
import type { Sabotage } from '../../src/consensus/sabotage.js'
import type { ConsensusTimers, SealerSet } from '../../src/consensus/types.js'
import { asEpoch } from '../../src/core/bytes.js'
import { addressOf } from './fakes.js'
import { Prng } from './prng.js'

/** Bugs of the shell or of what it hands to the core, beside those of the core. */
export type ShellBug = 'send-before-durable' | 'no-epoch-in-vote' | 'duplicate-signers'
export type Bug = Sabotage | ShellBug

export type Actor = 'honest' | 'silent' | 'equivocator' | 'twin' | 'babbler' | 'bad-blocks'

export interface Scenario {
  readonly seed: number
  readonly nodes: number
  /** By node index; the epoch's sets draw from all nodes. */
  readonly weights: readonly number[]
  readonly actors: readonly Actor[]
  readonly setOf: (epoch: number) => SealerSet
  readonly epochs: number
  readonly timers: ConsensusTimers
  readonly delayMs: readonly [number, number]
  readonly loss: number
  readonly lossAfter: number
  readonly duplication: number
  readonly crashes: number
  readonly partitions: number
  /** All nodes crash at one moment. */
  readonly blackout: boolean
  /** One sealer stays away for the whole run. */
  readonly downForGood: number | null
  readonly chaosMs: number
  readonly txs: number
  readonly gossip: boolean
  readonly fsyncMs: number
  readonly executeMs: number
  /** Time a commit takes until it is durable. */
  readonly commitMs: number
  readonly throughCodec: boolean
  readonly prefilter: boolean
  readonly peerInputs: boolean
  readonly weightedSchedule: boolean
  readonly bug: Bug | null
}

export interface ScenarioOptions {
  readonly nodes?: number
  readonly bug?: Bug
  /** No faults at all: for latency and idleness. */
  readonly calm?: boolean
}

/** The run of `seed`; options pin what a test cares about. */
export function scenarioOf(seed: number, options: ScenarioOptions = {}): Scenario {
  const rng = new Prng(seed * 7919 + 17)
  const nodes = options.nodes ?? rng.pick([4, 4, 4, 4, 1, 2, 3, 5, 6, 7, 7, 10])
  const calm = options.calm ?? false
  const weights = weightsFor(rng, nodes)
  const actors = actorsFor(rng, weights, calm)
  const faulty = actors.some((actor) => actor !== 'honest')
  const weightedSchedule = rng.chance(0.3)
  const epochs = calm || rng.chance(0.5) ? 0 : 1 + rng.below(3)
  return {
    seed,
    nodes,
    weights,
    actors,
    setOf: (epoch) => setOf(seed, weights, faulty ? 0 : epoch, epoch),
    epochs,
    timers: timersFor(rng),
    delayMs: rng.chance(0.5) ? [0.2, 2] : [0.2, rng.between(5, 150)],
    loss: calm ? 0 : rng.pick([0, 0, 0.02, 0.1, 0.3]),
    lossAfter: calm ? 0 : rng.pick([0, 0, 0.05]),
    duplication: calm ? 0 : rng.pick([0, 0.05, 0.2]),
    crashes: calm ? 0 : rng.pick([0, 1, 3, 8, 16]),
    partitions: calm ? 0 : rng.pick([0, 0, 1, 3]),
    blackout: !calm && rng.chance(0.25),
    downForGood: calm || faulty ? null : downFor(rng, weights),
    chaosMs: calm ? 500 : rng.pick([2000, 6000, 12000]),
    txs: rng.pick([1, 5, 20, 60]),
    gossip: rng.chance(0.8) || epochs > 0 || weightedSchedule,
    fsyncMs: rng.pick([0, 0.2, 3]),
    executeMs: rng.pick([0, 0, 1, 8]),
    commitMs: rng.pick([0, 0, 5, 50]),
    throughCodec: rng.chance(0.1),
    prefilter: rng.chance(0.5),
    peerInputs: rng.chance(0.5),
    weightedSchedule,
    bug: options.bug ?? null,
  }
}

function timersFor(rng: Prng): ConsensusTimers {
  const viewTimeoutMs = rng.pick([100, 400])
  return {
    viewTimeoutMs,
    viewTimeoutMaxMs: 3200,
    resendMs: rng.pick([100, 250]),
    idleStatusMs: rng.pick([1000, 2000]),
    inactivityMs: 3000,
    finalizeGraceMs: rng.pick([5, 50, 100]),
  }
}

/** Equal, or uneven with each weight below a third. */
function weightsFor(rng: Prng, nodes: number): number[] {
  if (nodes < 4 || rng.chance(0.7)) return Array.from({ length: nodes }, () => 1)
  for (;;) {
    const weights = Array.from({ length: nodes }, () => 1 + rng.below(9))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    if (Math.max(...weights) * 3 < total) return weights
  }
}

/** Byzantine actors of less than a third of the weight. */
function actorsFor(rng: Prng, weights: readonly number[], calm: boolean): Actor[] {
  const actors: Actor[] = weights.map(() => 'honest')
  if (calm || rng.chance(0.5)) return actors
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let bad = 0
  for (const index of rng.shuffle(weights.map((_, i) => i))) {
    if ((bad + weights[index]!) * 3 >= total) continue
    bad += weights[index]!
    actors[index] = rng.pick(['silent', 'equivocator', 'equivocator', 'twin', 'babbler', 'bad-blocks'])
    if (rng.chance(0.3)) break
  }
  return actors
}

function downFor(rng: Prng, weights: readonly number[]): number | null {
  const index = rng.below(weights.length)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights[index]! * 3 < total && rng.chance(0.3) ? index : null
}

/** Epoch 0 has everybody. Later ones leave one out and change weights, unless that would hand a third to faulty actors. */
function setOf(seed: number, weights: readonly number[], variant: number, epoch: number): SealerSet {
  const rng = new Prng(seed * 31 + variant)
  const all = weights.map((weight, index) => ({ address: addressOf(index), weight }))
  if (variant === 0) return { epoch: asEpoch(epoch), sealers: all }
  const members = rng.shuffle(all)
  if (members.length > 4 && rng.chance(0.7)) members.pop()
  return { epoch: asEpoch(epoch), sealers: members.map((member) => ({ ...member, weight: 1 })) }
}
