/**
 * The simulator on the command line: `npx tsc -p test/sim`, then `node dist/sim/test/sim/main.js` with
 * SIM_SEED=7 (replays one seed with its transcript) or SIM_FROM=1 SIM_TO=5000 (prints the seeds that fail);
 * SIM_NODES=4 pins the number of nodes, SIM_BUG=name plants a bug.
 */
import process from 'node:process'
import { outline, runSeed } from './run.js'
import { type Bug, type ScenarioOptions, scenarioOf } from './scenario.js'

const { SIM_SEED, SIM_NODES, SIM_BUG, SIM_FROM = '1', SIM_TO = '500' } = process.env
const options: ScenarioOptions = {
  ...(SIM_NODES ? { nodes: Number(SIM_NODES) } : {}),
  ...(SIM_BUG ? { bug: SIM_BUG as Bug } : {}),
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

if (SIM_SEED) {
  const seed = Number(SIM_SEED)
  const result = runSeed(seed, options, true)
  for (const line of result.transcript) print(line)
  print(outline(scenarioOf(seed, options)))
  print(JSON.stringify({ ...result, transcript: undefined }))
} else {
  const startedAt = process.hrtime.bigint()
  let failed = 0
  let worst = 0
  for (let seed = Number(SIM_FROM); seed < Number(SIM_TO); seed++) {
    const result = runSeed(seed, options)
    worst = Math.max(worst, result.settledMs)
    if (result.violation === null) continue
    failed++
    print(`${outline(scenarioOf(seed, options))}\n    ${result.violation}`)
  }
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9
  print(
    `${Number(SIM_TO) - Number(SIM_FROM)} seeds, ${failed} failed, slowest to settle ${worst} ms, ${seconds.toFixed(1)} s`,
  )
}
