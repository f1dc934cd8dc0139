/** Throughput of networks of node processes: open and closed loops, and what happens at saturation. */
import { type Experiment, interleaved, type Run, type Settings } from '../harness/experiment.js'
import { LoadedNetwork } from '../testbed/loadedNetwork.js'
import { diskOfATransaction } from './disk.js'
import { preparePortraits } from './hits.js'
import { type Bench, Ladder, plan } from './plan.js'
import { FULL_SUBMISSION } from './shapes.js'
import { FULL, QUICK, type ThroughputSizes } from './sizes.js'

const sizesOf = (settings: Settings): ThroughputSizes => (settings.quick ? QUICK : FULL)
const repeatsOf = (settings: Settings): number => Math.min(settings.repeats, sizesOf(settings).repeatsMax)

/** Draining, signing and counting of one step. */
const STEP_SECONDS = 0.6
const START_SECONDS = 6
/** Between the first ports of two networks that run beside each other. */
const PORTS = 20
/** CPU time of a transaction on a node, in native recoveries: the budget of the design. */
const CPU_BUDGET = 3.5

export const throughputExperiment: Experiment = {
  name: 'throughput',
  title: 'Throughput',
  estimate(settings) {
    const sizes = sizesOf(settings)
    const steps = plan(sizes, sizes.nodes.length)
    const repeat = steps.reduce((sum, { seconds }) => sum + seconds + STEP_SECONDS, 0)
    const start = sizes.nodes.length * (START_SECONDS + sizes.warmUpSeconds)
    return start + repeatsOf(settings) * repeat + sizes.diskSeconds + 2 * START_SECONDS
  },
  run: (run) => measureThroughput(run, sizesOf(run.settings)),
}

/** With other sizes than those of the settings: for tests. */
export async function measureThroughput(run: Run, sizes: ThroughputSizes): Promise<void> {
  const networks: LoadedNetwork[] = []
  try {
    await openNetworks(run, sizes, networks)
    const running = run.settings.network !== undefined
    const queries = running ? [] : await preparePortraits({ run, sizes }, networks[0]!)
    if (running) noteRunning(run, networks[0]!)
    await measureAll({ run, sizes, networks, queries, ladder: new Ladder() })
    if (running) return
    run.record({
      system: 'concordat',
      quantity: 'budget',
      variant: 'CPU of a transaction on a node',
      unit: 'ratio',
      value: CPU_BUDGET,
    })
    run.progress(0.95, 'disk of a transaction')
    await diskOfATransaction({ run, sizes }, networks[0]!)
  } finally {
    for (const network of networks) await network.close()
  }
}

/** Side by side, since idle ones cost little, so that the repeats can go through all of them in turn. */
async function openNetworks(run: Run, sizes: ThroughputSizes, networks: LoadedNetwork[]): Promise<void> {
  const { network: running, seed, basePort } = run.settings
  const counts = running === undefined ? sizes.nodes : sizes.nodes.slice(0, 1)
  for (const [index, nodes] of counts.entries()) {
    run.check()
    run.progress(0.02, `starting a network of ${nodes} nodes`)
    const { signal } = run
    const options = { running, nodes, basePort: basePort + index * PORTS, seed, senders: sizes.senders, signal }
    const network = await LoadedNetwork.open(options)
    networks.push(network)
    run.progress(0.04, 'warm-up')
    await network.closed(FULL_SUBMISSION, sizes.saturatingClients, sizes.warmUpSeconds, 0)
  }
}

async function measureAll(bench: Bench): Promise<void> {
  const { run, sizes, networks } = bench
  const repeats = Math.min(run.settings.repeats, sizes.repeatsMax)
  if (repeats < run.settings.repeats) {
    run.note(
      `Each measurement was repeated ${repeats} times instead of ${run.settings.repeats}, for the time they take: intervals are ranges.`,
    )
  }
  const steps = plan(sizes, networks.length)
  const total = repeats * steps.reduce((sum, { seconds }) => sum + seconds + STEP_SECONDS, 0)
  let done = 0
  for (const { repeat, side } of interleaved(steps, repeats)) {
    run.check()
    run.progress(0.05 + (0.9 * done) / total, side.label)
    await side.measure(bench, repeat)
    done += side.seconds + STEP_SECONDS
  }
}

function noteRunning(run: Run, network: LoadedNetwork): void {
  run.note(
    `A running network of ${network.nodes} nodes was measured. Not measured there: other numbers of nodes, portrait hits (filling portraits takes the keys that the departments' agents use), growth on disk (its nodes would have to stop). CPU times of its nodes and one native recover of this machine may be of different machines.`,
  )
}
