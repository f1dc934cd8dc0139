/** Many random kills of real nodes: `npm run soak -- --kills 200 --seed 1`. Ends with 1 when anything does not hold. */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { quantiles } from '../../bench/harness/statistics.js'
import { type KillRunReport, runKills } from './killRun.js'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    'recovery-ms-max': { type: 'string', default: '30000' },
  },
})

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const startedAt = performance.now()
const report = await runKills({
  kills: Number(values.kills),
  seed: Number(values.seed),
  recoveryMsMax: Number(values['recovery-ms-max']),
  say: print,
})
print(summary(report, (performance.now() - startedAt) / 1_000))
for (const fault of report.faults) print(`FAULT ${fault}`)
process.exit(report.faults.length === 0 ? 0 : 1)

function summary(report: KillRunReport, seconds: number): string {
  const { kills, rounds, height, acknowledged, votes, messages, recoveriesMs, rejoinsMs, faults } = report
  return [
    `${kills} kills in ${rounds} rounds, ${seconds.toFixed(0)} s, seed ${values.seed}: ${faults.length} faults`,
    `${height} final blocks, ${acknowledged} transactions acknowledged, ${votes} votes seen in ${messages} messages and the journals`,
    `first new block after the last start of a round: ${times(recoveriesMs)}`,
    `all killed nodes back with it:                   ${times(rejoinsMs)}`,
  ].join('\n')
}

function times(values: readonly number[]): string {
  const { p50, p90, max } = quantiles(values)
  return `p50 ${p50.toFixed(0)} ms, p90 ${p90.toFixed(0)} ms, max ${max.toFixed(0)} ms`
}
