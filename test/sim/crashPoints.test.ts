import t from 'tap'
import { type CrashPointResult, crashEverywhere, crashPointsOf, crashScenario } from '../../src/sim/crashPoints.js'

/** Every so many-th point of the machines that are not tried at all of them; `npm run sim -- --crash-points` tries all. */
const stride = 5

function broken(results: Iterable<CrashPointResult>): { tried: number; faults: string[] } {
  const faults: string[] = []
  let tried = 0
  for (const { node, at, where, violation } of results) {
    tried++
    if (violation !== null) faults.push(`node ${node}, point ${at}, ${where}: ${violation}`)
  }
  return { tried, faults }
}

t.test('a run with a change of epoch reaches all kinds of points', async (t) => {
  const points = [0, 1, 2, 3, 4].flatMap((machine) => crashPointsOf(crashScenario(1), machine))
  const kinds = new Set(points.map(({ where }) => where))
  t.same([...kinds].sort(), [
    'after a final block',
    'after a group commit',
    'after a message',
    'after the journal was rewritten',
    'before a final block',
    'before a group commit',
    'before the journal is rewritten',
    'inside a group commit',
  ])
})

t.test('power fails at every point of one sealer: nothing is signed twice, all becomes final', async (t) => {
  const { tried, faults } = broken(crashEverywhere(crashScenario(1), [0]))
  t.same(faults, [])
  t.ok(tried > 120, `${tried} points`)
})

t.test('power fails at points of the others, one that leaves and one that joins among them', async (t) => {
  const { tried, faults } = broken(crashEverywhere(crashScenario(2), [1, 3, 4], stride))
  t.same(faults, [])
  t.ok(tried > 60, `${tried} points`)
})
