/** One run: a variant's network, load and faults on the simulator, for one seed. */
import { epochWeights } from '../../consensus/weightPolicy.js'
import { creditScoreMax } from '../../contracts/creditRules.js'
import { asEpoch, asHeight } from '../../core/bytes.js'
import type { ActorName } from '../actors.js'
import type { Fault as SimFault } from '../faults.js'
import { addressOf, machineOf } from '../keys.js'
import type { Link } from '../network.js'
import { Run } from '../run.js'
import type { Scenario } from '../scenario.js'
import { World } from '../world.js'
import type { Fault, Load } from './file.js'
import { ExperimentError, type Variant } from './plan.js'
import { Recorder, type RunTrace } from './trace.js'

/** After the load has ended, until all of it is final, at most. */
const drainMsMax = 30_000
const drainStepMs = 100
const standingSamples = 200
const progressSteps = 100
/** Time in a block's header may be so far ahead, as in a node's default configuration. */
const clockDriftMs = 15_000
const never = Number.POSITIVE_INFINITY

/** `onProgress` gets the share that is done. Throws ExperimentError BROKEN. */
export function runVariant(
  variant: Variant,
  seed: number,
  durationMs: number,
  onProgress: (share: number) => void = () => {},
): RunTrace {
  const recorder = new Recorder(durationMs / standingSamples)
  const actors = actorsOf(variant)
  const broken = (what: string) =>
    new ExperimentError(
      'BROKEN',
      `variant '${variant.name}', seed ${seed}: ${what}; is a third of the weight faulty, or the policy or schedule not pure?`,
    )
  const world = new World(scenarioOf(variant, actors, seed, durationMs, broken), {
    link: (from, to, atMs) => linkAt(variant, from + 1, to + 1, atMs),
    observer: {
      onSubmit: ({ atMs, node, tx }) => recorder.submitted(atMs, node, tx),
      onFinal: (event) => actors[event.node] === 'honest' && recorder.final(event, machineOf(event.block.leader)),
    },
  })
  const advance = (untilMs: number) => {
    world.queue.runUntil(untilMs, () => world.violation !== null)
    if (world.violation !== null) throw broken(world.violation)
  }
  new Run(world).begin()
  for (let step = 1; step <= progressSteps; step++) {
    advance((durationMs * step) / progressSteps)
    onProgress(step / progressSteps)
  }
  while (recorder.open > 0 && world.queue.now < durationMs + drainMsMax) advance(world.queue.now + drainStepMs)
  return recorder.trace(seed, variant.faults, lasting(variant, actors), world.messages)
}

/** Honest nodes that are not away at the end. */
function lasting({ faults }: Variant, actors: readonly ActorName[]): number[] {
  const gone = faults.flatMap((fault) => (fault.kind === 'crash' && fault.toMs === undefined ? [fault.node - 1] : []))
  return actors.flatMap((actor, index) => (actor === 'honest' && !gone.includes(index) ? [index] : []))
}

function scenarioOf(
  variant: Variant,
  actors: readonly ActorName[],
  seed: number,
  durationMs: number,
  broken: (what: string) => ExperimentError,
): Scenario {
  const { nodes, policy, schedule, epochBlocks, credit, scores, load, faults } = variant
  const { timers, delayMs, loss, duplication, fsyncMs, executeMs, commitMs, blockTransactionsMax } = variant
  return {
    seed,
    nodes,
    spares: [],
    actors,
    genesisSet: genesisSetOf(variant, broken),
    genesisScores: new Map(scores.map((score, index) => [addressOf(index), score])),
    policy,
    schedule,
    epochBlocks,
    creditParameters: credit,
    evidenceOnChain: true,
    operations: [],
    timers,
    delayMs,
    loss,
    lossAfter: loss,
    duplication,
    faults: faults.flatMap((fault) => simFaults(fault, nodes)),
    downForGood: null,
    clockOffsetMs: 0,
    clockDriftMs,
    chaosMs: durationMs,
    load: load.map((one) => simLoad(one, durationMs)),
    blockTxsMax: blockTransactionsMax,
    gossip: true,
    fsyncMs,
    executeMs,
    commitMs,
    throughCodec: false,
    eagerSync: true,
    prefilter: true,
    peerInputs: true,
    bug: null,
  }
}

/** Epoch 0 has the weights of the file, or those of the policy for the scores with which it starts. */
function genesisSetOf(
  { policy, scores, weights: given }: Variant,
  broken: (what: string) => ExperimentError,
): Scenario['genesisSet'] {
  const records = scores.map((score, index) => ({
    address: addressOf(index),
    score,
    sealed: 0,
    missed: 0,
    missedInRow: 0,
    weight: 0,
  }))
  const state = { epoch: asEpoch(0), height: asHeight(0), scoreMax: creditScoreMax, sealers: records }
  try {
    const weights = given ?? epochWeights(policy, state)
    return { epoch: asEpoch(0), sealers: records.map(({ address }, i) => ({ address, weight: weights[i]! })) }
  } catch (error) {
    throw broken((error as Error).message)
  }
}

function actorsOf({ nodes, faults }: Variant): readonly ActorName[] {
  return Array.from({ length: nodes }, (_, index): ActorName => {
    const own = faults.find((fault) => fault.kind === 'faulty' && fault.node === index + 1)
    return own?.kind === 'faulty' ? own.as : 'honest'
  })
}

const simLoad = ({ perSecond, fromMs, toMs }: Load, durationMs: number): Scenario['load'][number] => {
  const end = Math.min(toMs ?? durationMs, durationMs)
  return { fromMs, toMs: end, txs: Math.round((perSecond * Math.max(0, end - fromMs)) / 1_000) }
}

/** Slow nodes and losses are a matter of the links (`linkAt`), faulty ones of the actors. */
function simFaults(fault: Fault, nodes: number): SimFault[] {
  if (fault.kind !== 'crash' && fault.kind !== 'partition') return []
  const { fromMs: atMs, toMs = never } = fault
  const forMs = toMs - atMs
  if (fault.kind === 'crash') return [{ kind: 'crash', atMs, node: fault.node - 1, forMs, inSync: false }]
  const all = Array.from({ length: nodes }, (_, index) => index)
  const groups = fault.groups.map((group) => group.map((node) => node - 1))
  const alone = all.filter((index) => !groups.flat().includes(index)).map((index) => [index])
  return [...groups, ...alone].map((from) => ({
    kind: 'cut',
    atMs,
    forMs,
    from,
    to: all.filter((index) => !from.includes(index)),
    oneWay: false,
  }))
}

/** How messages travel between two nodes, counted from 1, at a moment. */
function linkAt({ delayMs: [low, high], loss, faults }: Variant, from: number, to: number, atMs: number): Link {
  let extraMs = 0
  let kept = 1 - loss
  for (const fault of faults) {
    if (fault.kind !== 'slow' && fault.kind !== 'loss') continue
    if (atMs < fault.fromMs || atMs >= (fault.toMs ?? never)) continue
    if (fault.kind === 'slow') extraMs += fault.node === from || fault.node === to ? fault.delayMs : 0
    else if ((fault.from ?? from) === from && (fault.to ?? to) === to) kept *= 1 - fault.share
  }
  return { delayMs: [low + extraMs, high + extraMs], loss: 1 - kept }
}
