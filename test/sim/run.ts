/** Runs one seed, or many. */
import { type Scenario, type ScenarioOptions, scenarioOf } from './scenario.js'
import { type RunResult, World } from './world.js'

export function runSeed(seed: number, options: ScenarioOptions = {}, verbose = false): RunResult {
  return new World(scenarioOf(seed, options), verbose).run()
}

/** Seeds in [from, to) that violate an invariant; stops early when `until` are found. */
export function hunt(
  from: number,
  to: number,
  options: ScenarioOptions = {},
  until = Number.POSITIVE_INFINITY,
): RunResult[] {
  const found: RunResult[] = []
  for (let seed = from; seed < to && found.length < until; seed++) {
    const result = runSeed(seed, options)
    if (result.violation !== null) found.push(result)
  }
  return found
}

/** One line about the scenario behind a seed. */
export function outline(scenario: Scenario): string {
  const { seed, nodes, weights, actors, delayMs, loss, crashes, partitions, downForGood, epochs, txs, bug } = scenario
  const bad = actors.map((actor, i) => (actor === 'honest' ? null : `${i}:${actor}`)).filter((text) => text !== null)
  return `seed ${seed}: n=${nodes} weights ${weights} faulty [${bad}] delay ${delayMs.map((ms) => ms.toFixed(1)).join('-')} ms loss ${loss} crashes ${crashes} cuts ${partitions} down ${downForGood} epochs ${epochs} txs ${txs} bug ${bug}`
}
