/** What a seed stands for. */
import { type NamedSchedule, roundRobin, smoothWeightedRoundRobin } from '../consensus/schedule.js'
import type { ConsensusTimers, SealerSet } from '../consensus/types.js'
import { creditWeights, epochWeights, equalWeights, type WeightPolicy } from '../consensus/weightPolicy.js'
import { creditScoreMax, defaultCreditParameters } from '../contracts/creditRules.js'
import { type Address, asEpoch, asHeight } from '../core/bytes.js'
import { type ActorName, faultyActors } from './actors.js'
import type { Bug } from './bugs.js'
import { drawFaults } from './drawFaults.js'
import { drawOperations } from './drawOperations.js'
import type { LoadPeriod } from './faults.js'
import { hash53 } from './hashing.js'
import { addressOf } from './keys.js'
import { Prng } from './prng.js'
import type { Scenario, Spare } from './scenario.js'

export const strictTurns: NamedSchedule = { name: 'round-robin', leader: roundRobin }
export const weightedTurns: NamedSchedule = { name: 'weighted-round-robin', leader: smoothWeightedRoundRobin }

/** All sealers have started by then. */
const startedMs = 60

export interface ScenarioOptions {
  /** Sealers of epoch 0; drawn from the seed when left out. */
  readonly nodes?: number
  readonly bug?: Bug
  /** No faults, no faulty actors, no change of sealers: for latency and idleness. */
  readonly calm?: boolean
}

/** The run of `seed`; options pin what a test cares about. */
export function scenarioOf(seed: number, options: ScenarioOptions = {}): Scenario {
  const rng = new Prng(seed * 7919 + 17)
  const nodes = options.nodes ?? rng.pick([4, 4, 4, 4, 1, 2, 3, 5, 6, 7, 7, 10])
  const calm = options.calm ?? false
  const chaosMs = calm ? 500 : rng.pick([2000, 4000, 8000])
  const spares = calm ? [] : drawSpares(rng, nodes, chaosMs)
  const policy = rng.pick([equalWeights, equalWeights, randomWeights(seed), creditWeights])
  const genesisSet = genesisSetOf(nodes, policy)
  const { actors, downForGood, forgetful } = drawCast(rng, genesisSet, spares.length, calm)
  const timers = drawTimers(rng)
  const operations = calm ? [] : drawOperations(rng, nodes, spares, chaosMs)
  const schedule = rng.chance(0.7) ? strictTurns : weightedTurns
  const alone = nodes <= 4 && schedule === strictTurns && operations.length === 0 && rng.chance(0.2)
  return {
    seed,
    nodes,
    spares,
    actors,
    genesisSet,
    genesisScores: new Map(),
    policy,
    schedule,
    epochBlocks: calm ? 0 : rng.pick([0, 0, 0, 3, 8]),
    creditParameters: defaultCreditParameters,
    evidenceOnChain: !calm && rng.chance(0.5),
    operations,
    timers,
    delayMs: drawDelay(rng, timers),
    loss: calm ? 0 : rng.pick([0, 0, 0.02, 0.1, 0.3]),
    lossAfter: calm ? 0 : rng.pick([0, 0, 0.05]),
    duplication: calm ? 0 : rng.pick([0, 0.05, 0.2]),
    faults: calm ? [] : drawFaults(rng, nodes + spares.length, chaosMs, forgetful),
    downForGood,
    clockOffsetMs: calm ? 0 : rng.pick([0, 0, 300, 1500]),
    clockDriftMs: rng.pick([100, 500]),
    chaosMs,
    load: drawLoad(rng, calm ? startedMs : 10, chaosMs),
    blockTxsMax: 8,
    // Without gossip a transaction waits for the turn of the one sealer that has it; with weighted turns that may be a minute off.
    // A sealer in doubt of what it signed takes no turn.
    gossip: !alone || forgetful !== null,
    fsyncMs: rng.pick([0, 0.2, 3]),
    executeMs: rng.pick([0, 0, 1, 8]),
    commitMs: rng.pick([0, 0, 5, 50]),
    throughCodec: rng.chance(0.05),
    prefilter: rng.chance(0.7),
    peerInputs: rng.chance(0.5),
    bug: options.bug ?? null,
  }
}

/** Weights between 1 and 9 that nobody could have foreseen: a function of seed, epoch and sealer. */
export function randomWeights(seed: number): WeightPolicy {
  const weightOf = (epoch: number, address: Address) => 1 + (hash53(`${seed}|${epoch}|${address}`) % 9)
  return { name: 'random', weights: ({ epoch, sealers }) => sealers.map(({ address }) => weightOf(epoch, address)) }
}

/** Sealers of epoch 0 on the first `nodes` machines, with the weights that `policy` gives to newcomers. */
export function genesisSetOf(nodes: number, policy: WeightPolicy): SealerSet {
  const addresses = Array.from({ length: nodes }, (_, machine) => addressOf(machine))
  const nothing = { score: defaultCreditParameters.start, sealed: 0, missed: 0, missedInRow: 0, weight: 0 }
  const sealers = addresses.map((address) => ({ address, ...nothing }))
  const weights = epochWeights(policy, { epoch: asEpoch(0), height: asHeight(0), scoreMax: creditScoreMax, sealers })
  return { epoch: asEpoch(0), sealers: addresses.map((address, i) => ({ address, weight: weights[i] ?? 1 })) }
}

/** A room, a country, or links on which one message may take longer than the time-out of a view. */
function drawDelay(rng: Prng, { viewTimeoutMs }: ConsensusTimers): [number, number] {
  const chance = rng.next()
  if (chance < 0.5) return [0.2, 2]
  const mostMs = rng.between(0.05, 1.25) * viewTimeoutMs
  return [chance < 0.8 ? 0.2 : mostMs / 4, mostMs]
}

function drawTimers(rng: Prng): ConsensusTimers {
  return {
    viewTimeoutMs: rng.pick([100, 400]),
    viewTimeoutMaxMs: 3200,
    resendMs: rng.pick([100, 250]),
    idleStatusMs: rng.pick([1000, 2000]),
    inactivityMs: 3000,
    finalizeGraceMs: rng.pick([5, 50, 100]),
  }
}

function drawSpares(rng: Prng, nodes: number, chaosMs: number): Spare[] {
  const count = rng.pick([0, 0, 1, 2])
  return Array.from({ length: count }, () => ({
    startsAtMs: rng.between(0, chaosMs * 0.7),
    peer: rng.below(nodes),
  }))
}

interface Cast {
  readonly actors: ActorName[]
  readonly downForGood: number | null
  /** A machine that loses its journal. */
  readonly forgetful: number | null
}

/** Faulty actors, one sealer away for good, or one that loses its journal: less than a third by weight and by number. */
function drawCast(rng: Prng, { sealers }: SealerSet, spares: number, calm: boolean): Cast {
  const actors = Array.from({ length: sealers.length + spares }, (): ActorName => 'honest')
  const total = sealers.reduce((sum, sealer) => sum + sealer.weight, 0)
  const few = (count: number, weight: number) => 3 * weight < total && 3 * count < sealers.length
  const mood = calm ? 'well' : rng.pick(['well', 'well', 'down', 'forgetful', 'faulty', 'faulty', 'faulty', 'faulty'])
  const machine = rng.below(sealers.length)
  const alone = few(1, sealers[machine]!.weight) ? machine : null
  if (mood === 'down') return { actors, downForGood: alone, forgetful: null }
  if (mood === 'forgetful') return { actors, downForGood: null, forgetful: alone }
  if (mood === 'well') return { actors, downForGood: null, forgetful: null }
  let count = 0
  let weight = 0
  for (const machine of rng.shuffle(sealers.map((_, i) => i))) {
    if (!few(count + 1, weight + sealers[machine]!.weight)) continue
    count++
    weight += sealers[machine]!.weight
    actors[machine] = rng.pick(faultyActors)
    if (rng.chance(0.3)) break
  }
  return { actors, downForGood: null, forgetful: null }
}

/** Steady, or bursts with idle time between. */
function drawLoad(rng: Prng, fromMs: number, chaosMs: number): LoadPeriod[] {
  const txs = rng.pick([1, 5, 20, 40])
  if (rng.chance(0.5)) return [{ fromMs, toMs: chaosMs, txs }]
  const bursts = 1 + rng.below(3)
  return Array.from({ length: bursts }, (_, i) => {
    const at = fromMs + (chaosMs * i) / bursts
    return { fromMs: at, toMs: at + 300, txs: Math.ceil(txs / bursts) }
  })
}
