/** Power fails in one node at every point of a short run in turn: around each durable write, after each message sent. */
import { scenarioOf } from './draw.js'
import { addressOf } from './keys.js'
import { PowerFailure } from './powerFailure.js'
import { type RunResult, runScenario } from './run.js'
import type { Scenario } from './scenario.js'

export interface CrashPoint {
  /** Machine whose power fails. */
  readonly node: number
  /** Counts the points that the machine reaches, from 0. */
  readonly at: number
  readonly where: string
}

export interface CrashPointResult extends CrashPoint {
  readonly violation: string | null
}

/**
 * Calm but for the power failure: every node leads some views, blocks take time to become durable, and in the middle a
 * spare machine replaces the last sealer, so that an epoch ends. `seed` varies the times.
 */
export function crashScenario(seed: number, nodes = 4): Scenario {
  return {
    ...scenarioOf(seed, { nodes, calm: true }),
    spares: [{ startsAtMs: 1, peer: 1 }],
    actors: Array.from({ length: nodes + 1 }, () => 'honest' as const),
    operations: [{ atMs: 120, operation: { kind: 'replace', sealer: addressOf(nodes - 1), by: addressOf(nodes) } }],
    load: [{ fromMs: 60, toMs: 250, txs: 5 }],
    chaosMs: 300,
    delayMs: [0.2, 2],
    fsyncMs: 0.2,
    executeMs: 0,
    commitMs: 5,
    gossip: true,
    throughCodec: false,
  }
}

/** The points that `node` reaches in a run of `scenario` without a power failure. */
export function crashPointsOf(scenario: Scenario, node: number): CrashPoint[] {
  const counter = new PowerFailure(node, null)
  runScenario(scenario, { powerFailure: counter })
  return counter.reached.map((where, at) => ({ node, at, where }))
}

/** The run in which power fails at `point`; the node is back when the faults of the scenario end. */
export function crashAt(scenario: Scenario, point: CrashPoint, verbose = false): RunResult {
  return runScenario(scenario, { powerFailure: new PowerFailure(point.node, point.at), verbose })
}

/** Every `stride`-th point of every machine of `machines`. */
export function* crashEverywhere(
  scenario: Scenario,
  machines: readonly number[],
  stride = 1,
): Generator<CrashPointResult> {
  for (const machine of machines) {
    for (const point of crashPointsOf(scenario, machine)) {
      if (point.at % stride !== 0) continue
      yield { ...point, violation: crashAt(scenario, point).violation }
    }
  }
}
