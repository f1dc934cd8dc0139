/** A scenario in a few readable lines, and the command that runs it again. */
import { describeFault } from './faults.js'
import { machineOf } from './keys.js'
import { describeOperation } from './operations.js'
import type { Scenario } from './scenario.js'
import type { Failure } from './tally.js'

export function outline(scenario: Scenario): string[] {
  const { seed, nodes, actors, genesisSet, policy, schedule, epochBlocks, timers, delayMs, loss, lossAfter } = scenario
  const faulty = actors.flatMap((actor, i) => (actor === 'honest' ? [] : [`n${i} ${actor}`]))
  const weights = genesisSet.sealers.map(({ address, weight }) => `n${machineOf(address)}:${weight}`)
  const load = scenario.load.map(({ fromMs, toMs, txs }) => `${txs} in ${fromMs.toFixed(0)}-${toMs.toFixed(0)}`)
  const spares = scenario.spares.map((spare, i) => `n${nodes + i} at ${spare.startsAtMs.toFixed(0)} by n${spare.peer}`)
  const changes = scenario.operations.map(
    ({ atMs, operation }) => `${describeOperation(operation)} at ${atMs.toFixed(0)}`,
  )
  return [
    `seed ${seed}, ${nodes} sealers, weights ${weights.join(' ')} (${policy.name}), turns ${schedule.name}, weights anew every ${epochBlocks} blocks`,
    `faulty: ${faulty.join(', ') || 'none'}; away for good: ${scenario.downForGood === null ? 'none' : `n${scenario.downForGood}`}; planted bug: ${scenario.bug ?? 'none'}`,
    `delay ${delayMs.map((ms) => ms.toFixed(1)).join('-')} ms, loss ${loss} (${lossAfter} at the end), copies ${scenario.duplication}, clocks off by ${scenario.clockOffsetMs} ms`,
    `sync ${scenario.fsyncMs} ms, execution ${scenario.executeMs} ms, commit ${scenario.commitMs} ms, time-out ${timers.viewTimeoutMs} ms, resend ${timers.resendMs} ms`,
    `transactions: ${load.join(', ')} ms; spare machines: ${spares.join(', ') || 'none'}; changes: ${changes.join(', ') || 'none'}`,
    `faults until ${scenario.chaosMs} ms: ${scenario.faults.map(describeFault).join('; ') || 'none'}`,
  ]
}

/** The one command that replays a failure with its transcript. */
export function replayCommand({ seed, nodes, bug }: Failure): string {
  const size = nodes === null ? '' : ` --nodes ${nodes}`
  return `npm run sim -- --seed ${seed}${size}${bug === null ? '' : ` --bug ${bug}`}`
}
