/** Growing the state to one size, and what is measured there. */
import { dataSharing, view } from '../../src/agent/contractClient.js'
import type { Run } from '../harness/experiment.js'
import type { Measurement } from '../harness/row.js'
import type { Loaded, LoadedNetwork } from '../testbed/loadedNetwork.js'
import { timesOf } from '../testbed/loops.js'
import { ENVELOPE_BYTES } from '../testbed/submissions.js'
import { blockNumber } from '../testbed/transactions.js'
import type { NodeUsage } from '../testbed/usage.js'
import type { RestartedNode } from './restartedNode.js'
import type { ScaleSizes, ScaleStep } from './sizes.js'

export interface ScaleBench {
  readonly run: Run
  readonly sizes: ScaleSizes
  readonly network: LoadedNetwork
  readonly restarted: RestartedNode
}

const SHAPE = { departments: 3, envelopeBytes: ENVELOPE_BYTES }
/** Three words of a submission and one for each part (src/contracts/submissions.ts). Decides how much is sent; the size is counted. */
const ENTRIES_OF_A_SUBMISSION = 6
/** Between two looks at progress and interruption. */
const FILL_TRANSACTIONS = 5_000

type Record = (measurement: Omit<Measurement, 'system' | 'axis' | 'x'>) => void

/** `progress`: share of this step, 0 to 1. */
export async function measureStep(
  bench: ScaleBench,
  step: ScaleStep,
  progress: (share: number, label: string) => void,
): Promise<void> {
  const { run, network, restarted } = bench
  const measurements = Math.min(run.settings.repeats, bench.sizes.measurementsMax)
  progress(0, 'counting state entries')
  const before = { entries: await restarted.countEntries(), submissions: await submissionCount(network) }
  const missing = Math.ceil((step.entries - before.entries) / ENTRIES_OF_A_SUBMISSION)
  const measured = measurements * step.measuredTransactions
  const filled = Math.max(0, missing - measured)
  await fill(bench, filled, (share) => progress(0.5 * share, `filling up to ${step.entries} state entries`))
  const loads: Loaded[] = []
  for (let i = 0; i < measurements; i++) {
    run.check()
    progress(0.5, 'CPU time')
    loads.push(await network.fill(SHAPE, bench.sizes.clients, step.measuredTransactions, step.measuredTransactions))
  }
  const entries = await restarted.countEntries()
  const submissions = await submissionCount(network)
  const place = { system: 'concordat', axis: 'state entries', x: entries } as const
  const record: Record = (measurement) => run.record({ ...place, ...measurement })
  record({
    quantity: 'state entries of a submission',
    unit: 'count',
    value: (entries - before.entries) / (submissions - before.submissions),
  })
  for (const [index, load] of loads.entries()) recordLoad(record, load, index + 1)
  await measureIdle(bench, place, progress)
  await measureRestarts(bench, step, record, progress)
}

async function submissionCount({ testbed }: LoadedNetwork): Promise<number> {
  return Number(await view(testbed.clients[0]!, dataSharing, 'submissionCount', {}))
}

async function fill({ run, network, sizes }: ScaleBench, count: number, progress: (share: number) => void) {
  for (let sent = 0; sent < count; sent += FILL_TRANSACTIONS) {
    run.check()
    progress(sent / count)
    await network.fill(SHAPE, sizes.clients, Math.min(FILL_TRANSACTIONS, count - sent))
  }
}

/** Of the nodes that ran all the time: the restarted one runs code that is not compiled yet. */
function recordLoad(record: Record, { usage, transactions }: Loaded, repeat: number): void {
  const { before, after } = usage!
  const mean = (pick: (usage: NodeUsage) => number, of: readonly NodeUsage[]) =>
    of.slice(0, -1).reduce((sum, one) => sum + pick(one), 0) / (of.length - 1)
  const cpu = mean(({ cpuSeconds }) => cpuSeconds, after) - mean(({ cpuSeconds }) => cpuSeconds, before)
  record({ quantity: 'CPU of a transaction on a node', unit: 'µs', value: (1e6 * cpu) / transactions, repeat })
  const resident = mean(({ residentBytes }) => residentBytes, after)
  record({ quantity: 'resident memory', unit: 'bytes', value: resident, repeat })
}

type Place = { readonly system: string; readonly axis: string; readonly x: number }

async function measureIdle(
  { run, network, sizes }: ScaleBench,
  place: Place,
  progress: (share: number, label: string) => void,
): Promise<void> {
  run.check()
  progress(0.55, 'time to final')
  const { operations } = await network.closed(SHAPE, 1, sizes.idleSeconds, 200)
  run.samples({ ...place, quantity: 'time to final', unit: 'ms' }, timesOf(operations))
}

async function measureRestarts(
  { run, network, restarted, sizes }: ScaleBench,
  step: ScaleStep,
  record: Record,
  progress: (share: number, label: string) => void,
): Promise<void> {
  const restarts = Math.min(run.settings.repeats, sizes.restartsMax)
  for (let repeat = 1; repeat <= restarts; repeat++) {
    run.check()
    progress(0.6, 'restart')
    record({ quantity: 'restart', unit: 's', value: await restarted.restart(), repeat })
  }
  record({ quantity: 'submissions', unit: 'count', value: await submissionCount(network) })
  record({ quantity: 'blocks', unit: 'count', value: await blockNumber(network.testbed.clients[0]!) })
  const syncs = Math.min(run.settings.repeats, step.syncs)
  for (let repeat = 1; repeat <= syncs; repeat++) {
    run.check()
    progress(0.7 + (0.3 * (repeat - 1)) / syncs, 'sync from empty')
    await network.idle()
    const { bytes, seconds } = await restarted.syncFromEmpty()
    record({ quantity: 'sync from empty', unit: 's', value: seconds, repeat })
    record({ quantity: 'disk', unit: 'bytes', value: bytes, repeat })
  }
}
