/** The time of queries with the chain and without (paper 5.2, Fig. 9), on the same machine, of the same enterprises, with the same answers. */
import { CommandError } from '../../src/cli/errors.js'
import { type Experiment, interleaved, type Run, type Settings } from '../harness/experiment.js'
import { type Asked, measure, type Series, warmUp } from './measure.js'
import type { Side } from './sides.js'
import { ENTERPRISE_COST_MS, type LatencySizes, latencySizes, QUERY_COST_MS, START_COST_MS } from './sizes.js'
import { Systems } from './systems.js'
import { draws, type Query, queryOf } from './workload.js'

/** Passes that share what they ask. */
type Block = 'each enterprise once' | 'drawn with repetition'
const BLOCKS: readonly Block[] = ['each enterprise once', 'drawn with repetition']

interface Round {
  readonly repeat: number
  readonly block: Block
  readonly points: readonly number[]
}

/** Rounds in their order: the repeats interleaved, then the long passes. */
function roundsOf({ repeats }: Settings, { points, longPoints }: LatencySizes): Round[] {
  const rounds = [...interleaved(BLOCKS, repeats)].map(({ repeat, side: block }) => ({ repeat, block, points }))
  if (longPoints.length === 0) return rounds
  // The longest comes last: it has no room left without taking the network back.
  const long = BLOCKS.toReversed().map((block) => ({ repeat: repeats + 1, block, points: [...points, ...longPoints] }))
  return [...rounds, ...long]
}

/** What is asked in a round of draws: places in a population of so many. */
function drawsOf({ seed }: Settings, { repeat, points }: Round, { drawnFrom }: LatencySizes): number[] {
  return draws(`${seed}/${repeat}`, points.at(-1)!, drawnFrom)
}

/** Enterprises that a round asks about for the first time, with those of its warm-up. */
function enterprisesOf(settings: Settings, round: Round, sizes: LatencySizes): number {
  const asked =
    round.block === 'each enterprise once' ? round.points.at(-1)! : new Set(drawsOf(settings, round, sizes)).size
  return asked + sizes.warmUpQueries
}

function costOf(settings: Settings, round: Round, sizes: LatencySizes): number {
  const queries = round.points.at(-1)!
  const cold = enterprisesOf(settings, round, sizes)
  const { hit, baseline } = QUERY_COST_MS
  return cold * QUERY_COST_MS.cold + queries * (round.block === 'each enterprise once' ? hit + baseline : hit)
}

interface Plan {
  readonly rounds: readonly Round[]
  /** Enterprises that are made known. */
  readonly enterprises: number
  /** They are too few for all rounds, so that the network is taken back to its state before. */
  readonly again: boolean
  readonly costMs: number
}

function planOf(settings: Settings, sizes: LatencySizes): Plan {
  const rounds = roundsOf(settings, sizes)
  const needed = rounds.reduce((sum, round) => sum + enterprisesOf(settings, round, sizes), sizes.startQueries)
  const enterprises = Math.min(needed, sizes.records)
  const measuring = rounds.reduce((sum, round) => sum + costOf(settings, round, sizes), 0)
  const costMs = START_COST_MS + enterprises * ENTERPRISE_COST_MS + measuring
  return { rounds, enterprises, again: needed > enterprises, costMs }
}

export const latencyExperiment = latencyExperimentOf(latencySizes)

/** The experiment with other sizes than those of a quick and a full run. */
export function latencyExperimentOf(sizesOf: (settings: Settings) => LatencySizes): Experiment {
  return {
    name: 'latency',
    title: 'time of queries',
    estimate: (settings) => planOf(settings, sizesOf(settings)).costMs / 1_000,
    async run(run) {
      const sizes = sizesOf(run.settings)
      run.progress(0, 'creating and starting both systems')
      const systems = await Systems.open(run, sizes)
      try {
        await new LatencyRun(run, sizes, planOf(run.settings, sizes), systems).all()
      } finally {
        await systems.close()
      }
    },
  }
}

class LatencyRun {
  #doneMs = 0

  constructor(
    private readonly run: Run,
    private readonly sizes: LatencySizes,
    private readonly plan: Plan,
    private readonly systems: Systems,
  ) {}

  async all(): Promise<void> {
    const { run, sizes, plan, systems } = this
    await this.#populate()
    if (plan.again) await systems.keepState()
    if (sizes.longPoints.length > 0) {
      run.note(`Above ${sizes.points.at(-1)} queries every series was measured in one pass.`)
    }
    await this.#start()
    for (const round of plan.rounds) {
      run.check()
      if (await this.#hasRoomFor(round)) await this.#measure(round)
    }
  }

  async #populate(): Promise<void> {
    const { run, sizes, plan, systems } = this
    const wholeMs = plan.enterprises * ENTERPRISE_COST_MS
    const onShare = (share: number) =>
      run.progress((START_COST_MS + share * wholeMs) / plan.costMs, 'making enterprises known')
    const known = await systems.populate(run, sizes, plan.enterprises, onShare)
    this.#doneMs = START_COST_MS + wholeMs
    if (known === plan.enterprises) return
    const left = `the network has ${known} enterprises of the dataset left that nobody has asked about`
    if (known < sizes.startQueries) throw new CommandError(`${left}: too few, make a new network`)
    run.note(`${left}; ${plan.enterprises} were wanted`)
  }

  /** Asks until the code of all processes is compiled. */
  async #start(): Promise<void> {
    const { run, sizes, systems } = this
    const queries = systems.take(sizes.startQueries).map(queryOf)
    run.progress(this.#doneMs / this.plan.costMs, 'warming up')
    await warmUp(run, sizes, systems.concordat, queries)
    await warmUp(run, sizes, systems.concordat, queries)
    await warmUp(run, sizes, systems.baseline, queries)
  }

  async #hasRoomFor(round: Round): Promise<boolean> {
    const { run, sizes, systems } = this
    const count = enterprisesOf(run.settings, round, sizes)
    if (!systems.runsOut(count)) return true
    if (!systems.mayRestore) {
      run.note(
        `Not measured, since too few enterprises were left that nobody had asked about: ${round.points.at(-1)} queries, ${round.block} (repeat ${round.repeat}).`,
      )
      return false
    }
    run.progress(this.#doneMs / this.plan.costMs, 'taking the network back')
    await systems.restore()
    await this.#start()
    return true
  }

  async #measure(round: Round): Promise<void> {
    const { sizes, systems, run } = this
    const warm = systems.take(sizes.warmUpQueries).map(queryOf)
    if (round.block === 'drawn with repetition') {
      await this.#pass(FILLING, systems.concordat, this.#drawn(round), warm, round)
      return
    }
    const queries = systems.take(round.points.at(-1)!).map(queryOf)
    const beside = () => this.#pass(CLIENT_SERVER, systems.baseline, queries, warm, round)
    if (round.repeat % 2 === 1) await beside()
    await this.#pass(EMPTY, systems.concordat, queries, warm, round)
    await this.#pass(FULL, systems.concordat, queries, warm, round)
    if (round.repeat % 2 === 0) await beside()
    run.check()
  }

  #drawn(round: Round): Query[] {
    const places = drawsOf(this.run.settings, round, this.sizes)
    const distinct = [...new Set(places)]
    const enterprises = this.systems.take(distinct.length)
    const queries = new Map(distinct.map((place, i) => [place, queryOf(enterprises[i]!)]))
    return places.map((place) => queries.get(place)!)
  }

  async #pass<A extends Asked>(
    series: Series,
    side: Side<A>,
    queries: readonly Query[],
    warm: readonly Query[],
    round: Round,
  ) {
    const { run, sizes, plan, systems } = this
    await warmUp(run, sizes, side, warm)
    const label = `${series.variant || series.system}, ${queries.length} queries, repeat ${round.repeat}`
    const started = this.#doneMs
    const cost = series.costMs(queries)
    const onDone = (done: number) => {
      this.#doneMs = started + (cost * done) / queries.length
      run.progress(Math.min(1, this.#doneMs / plan.costMs), label)
    }
    await measure(run, {
      ...round,
      series,
      side,
      queries,
      askers: sizes.askers,
      onDone,
      trouble: () => systems.trouble(),
    })
  }
}

const { cold, hit, baseline } = QUERY_COST_MS
const distinctOf = (queries: readonly Query[]) => new Set(queries).size
const CLIENT_SERVER: Series = { system: 'client-server', variant: '', costMs: ({ length }) => length * baseline }
const EMPTY: Series = {
  system: 'concordat',
  variant: 'portrait empty',
  throughChain: 'all',
  costMs: ({ length }) => length * cold,
}
const FULL: Series = {
  system: 'concordat',
  variant: 'portrait full',
  throughChain: 'none',
  costMs: ({ length }) => length * hit,
}
const FILLING: Series = {
  system: 'concordat',
  variant: 'portrait filling',
  costMs: (queries) => distinctOf(queries) * cold + (queries.length - distinctOf(queries)) * hit,
}
