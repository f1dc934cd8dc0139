import process from 'node:process'
import t from 'tap'
import { outline, runSeed } from './run.js'
import { type ScenarioOptions, scenarioOf } from './scenario.js'

const { SIM_SEED, SIM_NODES, SIM_FROM = '1', SIM_SEEDS = '300' } = process.env

/** What a run of `seed` violated, with the command that replays it; null when all invariants held. */
function failureOf(seed: number, options: ScenarioOptions): string | null {
  const { violation } = runSeed(seed, options)
  if (violation === null) return null
  const nodes = options.nodes ? ` SIM_NODES=${options.nodes}` : ''
  return `${outline(scenarioOf(seed, options))}\n${violation}\nreplay: SIM_SEED=${seed}${nodes} npx tap test/sim/sim.test.ts`
}

function sweep(from: number, count: number, options: ScenarioOptions = {}): string[] {
  const failures: string[] = []
  for (let seed = from; seed < from + count; seed++) {
    const failure = failureOf(seed, options)
    if (failure !== null) failures.push(failure)
  }
  return failures
}

if (SIM_SEED) {
  t.test(`replay of seed ${SIM_SEED}`, async (t) => {
    const options = SIM_NODES ? { nodes: Number(SIM_NODES) } : {}
    const result = runSeed(Number(SIM_SEED), options, true)
    for (const line of result.transcript) t.comment(line)
    t.comment(outline(scenarioOf(Number(SIM_SEED), options)))
    t.equal(result.violation, null)
  })
} else {
  t.test(`invariants I1-I10 hold over ${SIM_SEEDS} seeds with faults, from seed ${SIM_FROM}`, async (t) => {
    t.same(sweep(Number(SIM_FROM), Number(SIM_SEEDS)), [])
  })

  for (const nodes of [1, 3, 4, 7]) {
    t.test(`${nodes} sealers without faults: everything final, then quiet`, async (t) => {
      t.same(sweep(1, 15, { nodes, calm: true }), [])
    })
  }
}
