/** Rows of one load: its rate, what it cost the nodes, what its blocks held. */
import { blockBytesMax } from '../../src/core/limits.js'
import type { Run } from '../harness/experiment.js'
import type { Measurement } from '../harness/row.js'
import type { Loaded } from '../testbed/loadedNetwork.js'
import { rateOf, type Timed } from '../testbed/loops.js'
import type { SeenBlock } from '../testbed/submitter.js'
import type { NodeUsage } from '../testbed/usage.js'

export type Series = Omit<Measurement, 'quantity' | 'unit' | 'value' | 'part'>

/** Undefined, with a note, where a network was so slow that no two blocks fell into the time. */
export function recordRate(
  run: Run,
  series: Series & { quantity: string },
  operations: readonly Timed[],
): number | undefined {
  const value = rateOf(operations)
  if (Number.isFinite(value)) {
    run.record({ ...series, unit: '1/s', value })
    return value
  }
  run.note(
    `The rate of ${series.variant} with ${series.x} ${series.axis} has no value: less than two blocks fell into its time.`,
  )
  return undefined
}

/** The network answered late, which shows in the times; a reader should know that the nodes were over their limit. */
export function noteResent(run: Run, { resent }: Loaded): void {
  if (resent === 0) return
  run.note(
    'Nodes were at times too busy to answer within their time limit: submissions were then sent once more, and their times count from the first sending.',
  )
}

/** CPU time and memory of a node, on average over all nodes. */
export function recordUsage(run: Run, series: Series, { usage, transactions }: Loaded): void {
  if (usage === undefined) {
    run.note('The metrics of the nodes could not be reached: their CPU time, memory and recoveries were not measured.')
    return
  }
  const { before, after } = usage
  const mean = (pick: (usage: NodeUsage) => number, of: readonly NodeUsage[]) =>
    of.reduce((sum, one) => sum + pick(one), 0) / of.length
  const each = (pick: (usage: NodeUsage) => number) => (mean(pick, after) - mean(pick, before)) / transactions
  const cpu = 1e6 * each(({ cpuSeconds }) => cpuSeconds)
  run.record({ ...series, quantity: 'CPU of a transaction on a node', unit: 'µs', value: cpu })
  const recoveries = each(({ senderRecoveries }) => senderRecoveries)
  run.record({ ...series, quantity: 'recoveries of a transaction on a node', unit: 'count', value: recoveries })
  const resident = mean(({ residentBytes }) => residentBytes, after)
  run.record({ ...series, quantity: 'resident memory', unit: 'bytes', value: resident })
}

/** Of the blocks while the load was on: the last ones were filled by what was left. */
export function recordBlocks(run: Run, series: Series, { inTime, blocks }: Loaded): void {
  const end = inTime.at(-1)?.endedAt ?? 0
  const full = blocks.filter(({ seenAt }) => seenAt <= end)
  if (full.length < 2) return
  const mean = (value: (block: SeenBlock) => number) => full.reduce((sum, block) => sum + value(block), 0) / full.length
  const transactions = mean((block) => block.transactions)
  run.record({ ...series, quantity: 'transactions of a block', unit: 'count', value: transactions })
  const bytes = mean((block) => (100 * block.bytes) / blockBytesMax)
  run.record({ ...series, quantity: 'block fill', part: 'bytes', unit: '%', value: bytes })
  const gas = mean((block) => (100 * block.gasUsed) / block.gasLimit)
  run.record({ ...series, quantity: 'block fill', part: 'gas', unit: '%', value: gas })
  const interval = (full.at(-1)!.seenAt - full[0]!.seenAt) / (full.length - 1)
  run.record({ ...series, quantity: 'time between blocks', unit: 'ms', value: interval })
}
