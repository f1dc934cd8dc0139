/** Throughput of networks of node processes: open and closed loops, and what happens at saturation. */
import { type Experiment, interleaved, type Run, type Settings } from '../harness/experiment.js'
import { LoadedNetwork } from '../testbed/loadedNetwork.js'
import { diskOfATransaction } from './disk.js'
import { preparePortraits } from './hits.js'
import { type Bench, Ladder, networkSteps, plan, type Step } from './plan.js'
import { FULL_SUBMISSION } from './shapes.js'
import { FULL, QUICK, type ThroughputSizes } from './sizes.js'

/** Draining, signing and counting of one step. */
const STEP_SECONDS = 0.6
/** A network from nothing until its enterprises are registered, and its end. */
const START_SECONDS = 6
/** CPU time of a transaction on a node, in native recoveries: the budget of the design. */
const CPU_BUDGET = 3.5

const sizesOf = (settings: Settings): ThroughputSizes => (settings.quick ? QUICK : FULL)

export const throughputExperiment: Experiment = {
  name: 'throughput',
  title: 'Throughput',
  estimate: (settings) => new Durations(settings, sizesOf(settings)).total,
  run: (run) => measureThroughput(run, sizesOf(run.settings)),
}

/** Expected durations, in seconds. */
class Durations {
  readonly repeats: number
  readonly start: number
  readonly disk: number
  readonly total: number

  constructor({ repeats, network }: Settings, sizes: ThroughputSizes) {
    const running = network !== undefined
    this.repeats = Math.min(repeats, sizes.repeatsMax)
    this.start = START_SECONDS + sizes.warmUpSeconds
    this.disk = running ? 0 : sizes.diskSeconds + 2 * START_SECONDS
    const larger = running ? 0 : (sizes.nodes.length - 1) * (this.start + this.of(networkSteps(sizes)))
    this.total = this.start + this.of(plan(sizes)) + this.disk + larger
  }

  /** All repeats of these. */
  of(steps: readonly Step[]): number {
    return this.repeats * steps.reduce((sum, { seconds }) => sum + seconds + STEP_SECONDS, 0)
  }
}

/** With other sizes than those of the settings: for tests. */
export async function measureThroughput(run: Run, sizes: ThroughputSizes): Promise<void> {
  const { settings } = run
  const progress = new Progress(run, new Durations(settings, sizes))
  if (progress.durations.repeats < settings.repeats) {
    run.note(
      `Each measurement was repeated ${progress.durations.repeats} times instead of ${settings.repeats}, for the time they take: intervals are ranges.`,
    )
  }
  const [smallest, ...larger] = sizes.nodes
  await withNetwork({ run, sizes, progress, nodes: smallest! }, async (network) => {
    const running = settings.network !== undefined
    const queries = running ? [] : await preparePortraits({ run, sizes }, network)
    if (running) noteRunning(run, network)
    else recordBudget(run)
    await measureSteps({ run, sizes, network, queries, ladder: new Ladder() }, plan(sizes), progress)
    if (running) return
    progress.show('disk of a transaction')
    await diskOfATransaction({ run, sizes }, network)
    progress.passed(progress.durations.disk)
  })
  if (settings.network !== undefined) return
  for (const nodes of larger) {
    await withNetwork({ run, sizes, progress, nodes }, (network) =>
      measureSteps({ run, sizes, network, queries: [], ladder: new Ladder() }, networkSteps(sizes), progress),
    )
  }
}

interface Wanted {
  readonly run: Run
  readonly sizes: ThroughputSizes
  readonly progress: Progress
  readonly nodes: number
}

/** A warm network, which runs alone: even idle ones would take CPU time from it. */
async function withNetwork({ run, sizes, progress, nodes }: Wanted, work: (network: LoadedNetwork) => Promise<void>) {
  run.check()
  const { network: running, seed, basePort } = run.settings
  progress.show(running === undefined ? `starting a network of ${nodes} nodes` : 'registering enterprises')
  const { senders, saturatingClients, warmUpSeconds } = sizes
  const network = await LoadedNetwork.open({ running, nodes, basePort, seed, senders, signal: run.signal })
  try {
    progress.show('warm-up')
    await network.closed(FULL_SUBMISSION, saturatingClients, warmUpSeconds, 0)
    progress.passed(progress.durations.start)
    await work(network)
  } finally {
    await network.close()
  }
}

async function measureSteps(bench: Bench, steps: readonly Step[], progress: Progress): Promise<void> {
  for (const { repeat, side } of interleaved(steps, progress.durations.repeats)) {
    bench.run.check()
    progress.show(`${bench.network.nodes} nodes: ${side.label}`)
    await side.measure(bench, repeat)
    progress.passed(side.seconds + STEP_SECONDS)
  }
}

class Progress {
  #seconds = 0

  constructor(
    private readonly run: Run,
    readonly durations: Durations,
  ) {}

  show(label: string): void {
    this.run.progress(Math.min(1, this.#seconds / this.durations.total), label)
  }

  passed(seconds: number): void {
    this.#seconds += seconds
  }
}

function recordBudget({ record }: Run): void {
  const variant = 'CPU of a transaction on a node'
  record({ system: 'concordat', quantity: 'budget', variant, unit: 'ratio', value: CPU_BUDGET })
}

function noteRunning(run: Run, network: LoadedNetwork): void {
  run.note(
    `A running network of ${network.nodes} nodes was measured. Not measured there: other numbers of nodes, portrait hits (filling portraits takes the keys that the departments' agents use), growth on disk (its nodes would have to stop). CPU times of its nodes and one native recover of this machine may be of different machines.`,
  )
  run.note(
    'On a running network, departments whose agents run answer each submission with a transaction of their own: these fill the blocks too, and their cost is part of the cost of a submission. The submissions stay on its chain.',
  )
}
