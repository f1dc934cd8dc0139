/** Measurements with submissions: open loop, closed loop, saturation, transaction sizes. */
import { blockBytesMax } from '../../src/core/limits.js'
import type { Run } from '../harness/experiment.js'
import { quantiles } from '../harness/statistics.js'
import type { LoadedNetwork } from '../testbed/loadedNetwork.js'
import { timesOf } from '../testbed/loops.js'
import type { SubmissionShape } from '../testbed/submissions.js'
import { noteResent, recordBlocks, recordRate, recordUsage, type Series } from './rows.js'
import { FULL_SUBMISSION, submissionsTo } from './shapes.js'
import type { ThroughputSizes } from './sizes.js'

/** More is signed than any machine so far has taken; what is not sent is thrown away. */
export const SIGNED_PER_SECOND_MAX = 3_000
/** More than one client has got through in a second; beyond it is signed as it is sent. */
const SIGNED_PER_CLIENT_MAX = 200
/** Above it the generator, not the network, decides what a time is. */
const LATENESS_MAX_MS = 20
/** Below this share of the offered rate a network does not keep up. */
const KEPT_UP = 0.9

export interface Context {
  readonly run: Run
  readonly sizes: ThroughputSizes
}

/** Open loop. Resolves with false when the network did not keep up. */
export async function offered({ run, sizes }: Context, network: LoadedNetwork, perSecond: number, repeat: number) {
  const variant = submissionsTo(FULL_SUBMISSION, network.nodes)
  const series: Series = { system: 'concordat', variant, axis: 'offered per second', x: perSecond, repeat }
  const loaded = await network.open(FULL_SUBMISSION, perSecond, sizes.offeredSeconds)
  const { operations } = loaded
  noteResent(run, loaded)
  const achieved = recordRate(run, { ...series, quantity: 'achieved rate' }, operations)
  run.samples({ ...series, quantity: 'time to final', unit: 'ms' }, timesOf(operations))
  const lateness = operations.map(({ dueAt, startedAt }) => startedAt - dueAt)
  run.samples({ ...series, quantity: 'lateness of the generator', unit: 'ms' }, lateness)
  if (quantiles(lateness).p99 > LATENESS_MAX_MS) {
    run.note(
      `At some offered rates the generator itself was more than ${LATENESS_MAX_MS} ms late with one submission in a hundred (rows "lateness of the generator"); its lateness is part of the times.`,
    )
  }
  return achieved !== undefined && achieved >= KEPT_UP * perSecond
}

export async function closed(
  { run, sizes }: Context,
  network: LoadedNetwork,
  { shape, clients, repeat }: { shape: SubmissionShape; clients: number; repeat: number },
): Promise<void> {
  const variant = submissionsTo(shape, network.nodes)
  const series: Series = { system: 'concordat', variant, axis: 'clients', x: clients, repeat }
  const signed = Math.min(SIGNED_PER_SECOND_MAX, SIGNED_PER_CLIENT_MAX * clients)
  const loaded = await network.closed(shape, clients, sizes.closedSeconds, signed)
  noteResent(run, loaded)
  recordRate(run, { ...series, quantity: 'throughput' }, loaded.inTime)
}

/** One submission at a time, which nothing else slows down. */
export async function idle({ run, sizes }: Context, network: LoadedNetwork, repeat: number): Promise<void> {
  const series: Series = { system: 'concordat', variant: 'idle', axis: 'nodes', x: network.nodes, repeat }
  const { operations } = await network.closed(FULL_SUBMISSION, 1, sizes.idleSeconds, SIGNED_PER_CLIENT_MAX)
  run.samples({ ...series, quantity: 'time to final', unit: 'ms' }, timesOf(operations))
}

/** More submissions under way than a block holds. */
export async function saturated({ run, sizes }: Context, network: LoadedNetwork, repeat: number): Promise<void> {
  const series: Series = { system: 'concordat', variant: 'saturated', axis: 'nodes', x: network.nodes, repeat }
  const { saturatingClients, saturatedSeconds } = sizes
  const loaded = await network.closed(FULL_SUBMISSION, saturatingClients, saturatedSeconds, SIGNED_PER_SECOND_MAX)
  noteResent(run, loaded)
  recordRate(run, { ...series, quantity: 'throughput' }, loaded.inTime)
  const generator = loaded.generatorMicros / loaded.transactions
  run.record({ ...series, quantity: 'CPU of a transaction in the generator', unit: 'µs', value: generator })
  recordUsage(run, series, loaded)
  recordBlocks(run, series, loaded)
}

export async function sized({ run, sizes }: Context, network: LoadedNetwork, envelopeBytes: number, repeat: number) {
  const shape = { departments: 1, envelopeBytes }
  const bytes = network.transactionBytes(shape)
  const variant = `saturated, ${submissionsTo(shape, network.nodes)}`
  const series: Series = { system: 'concordat', variant, axis: 'transaction bytes', x: bytes, repeat }
  // Four full blocks under way, whatever the size.
  const clients = Math.ceil(Math.min(sizes.saturatingClients, (4 * blockBytesMax) / bytes))
  const signed = Math.min(SIGNED_PER_SECOND_MAX, (16 * blockBytesMax) / bytes)
  const loaded = await network.closed(shape, clients, sizes.saturatedSeconds, signed)
  noteResent(run, loaded)
  const rate = recordRate(run, { ...series, quantity: 'throughput' }, loaded.inTime)
  if (rate === undefined) return
  const value = (rate * loaded.bytes) / 1e6
  run.record({ ...series, quantity: 'throughput', part: 'bytes', unit: 'MB/s', value })
}
