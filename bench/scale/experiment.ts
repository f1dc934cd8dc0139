/** What a network costs as its chain grows: latency, CPU time, memory, disk, restart and sync at growing numbers of state entries. */
import { dataPortrait, view } from '../../src/agent/contractClient.js'
import { textId } from '../../src/contracts/textId.js'
import type { Address } from '../../src/core/bytes.js'
import type { Experiment, Run, Settings } from '../harness/experiment.js'
import { LoadedNetwork } from '../testbed/loadedNetwork.js'
import { reportFacts } from '../testbed/portraits.js'
import { RestartedNode } from './restartedNode.js'
import { FULL, QUICK, type ScaleSizes } from './sizes.js'
import { measureStep, type ScaleBench } from './step.js'

const NODES = 4
/** State entries in a second, with four nodes on two cores. */
const FILLED_PER_SECOND = 4_000
const SYNCED_PER_SECOND = 8_000
const START_SECONDS = 12
/** Count, compaction and what else does not depend on the size. */
const STEP_SECONDS = 8
const RESTART_SECONDS = 2

const sizesOf = (settings: Settings): ScaleSizes => (settings.quick ? QUICK : FULL)

export const scaleExperiment: Experiment = {
  name: 'scale',
  title: 'Scale',
  estimate(settings) {
    if (settings.network !== undefined) return 1
    const sizes = sizesOf(settings)
    const durations = stepSeconds(sizes, Math.min(settings.repeats, sizes.restartsMax))
    return START_SECONDS + durations.reduce((sum, seconds) => sum + seconds, 0)
  },
  run: (run) => measureScale(run, sizesOf(run.settings)),
}

function stepSeconds({ steps }: ScaleSizes, restarts: number): number[] {
  return steps.map(({ entries, syncs }, index) => {
    const filled = entries - (steps[index - 1]?.entries ?? 0)
    const load = filled / FILLED_PER_SECOND + (syncs * entries) / SYNCED_PER_SECOND
    return STEP_SECONDS + load + (restarts + syncs) * RESTART_SECONDS
  })
}

/** With other sizes than those of the settings: for tests. */
export async function measureScale(run: Run, sizes: ScaleSizes): Promise<void> {
  const { network: running, seed, basePort } = run.settings
  if (running !== undefined) {
    run.note(
      'Not measured on a running network: its nodes would have to stop, and its chain would stay as large as it gets.',
    )
    return
  }
  run.progress(0, 'starting a network')
  const { signal } = run
  const network = await LoadedNetwork.open({ running, nodes: NODES, basePort, seed, senders: sizes.senders, signal })
  try {
    run.progress(0.02, 'warm-up')
    await warmUp(network, sizes.warmUpTransactions, signal)
    await measureSteps({ run, sizes, network, restarted: new RestartedNode(network.testbed, NODES - 1, signal) })
  } finally {
    await network.close()
  }
}

async function measureSteps(bench: ScaleBench): Promise<void> {
  const { run, sizes } = bench
  noteShortfalls(bench)
  const durations = stepSeconds(sizes, Math.min(run.settings.repeats, sizes.restartsMax))
  const total = START_SECONDS + durations.reduce((sum, seconds) => sum + seconds, 0)
  let done = START_SECONDS
  for (const [index, step] of sizes.steps.entries()) {
    const from = done
    const seconds = durations[index]!
    const progress = (share: number, label: string) => run.progress((from + share * seconds) / total, label)
    await measureStep(bench, step, progress)
    done += seconds
  }
}

function noteShortfalls({ run, sizes }: ScaleBench): void {
  run.note('The repeats at one size follow one another, since a state only grows; sizes are not interleaved.')
  const { repeats } = run.settings
  const fewest = Math.min(sizes.restartsMax, sizes.measurementsMax, ...sizes.steps.map(({ syncs }) => syncs))
  if (fewest < repeats) {
    run.note(
      `Some measurements, above all syncs of a long chain, were repeated less than ${repeats} times, for the time they take.`,
    )
  }
}

/** One value reported over and over changes the same few entries: everything but the contract's own function gets compiled. */
async function warmUp({ testbed }: LoadedNetwork, count: number, signal: AbortSignal): Promise<void> {
  const [profile] = await view(testbed.clients[0]!, dataPortrait, 'GetDataProfile', {})
  const { attribute, supervisors } = profile!
  const id = textId('warm-up')
  const fact = { enterpriseId: id, attribute, supervisor: supervisors[0] as Address, digest: id }
  await reportFacts(
    testbed,
    Array.from({ length: count }, () => fact),
    signal,
  )
}
