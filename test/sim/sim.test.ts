import t from 'tap'
import { replayCommand } from '../../src/sim/outline.js'
import { runSeed } from '../../src/sim/run.js'
import { runTask } from '../../src/sim/tally.js'

/** What the seeds of one size violated, with the commands that replay them. */
function failuresOf(nodes: number | null, seeds: number): string[] {
  const { failures } = runTask({ nodes, from: 1, to: 1 + seeds, bug: null })
  return failures.map((failure) => `${failure.violation}\nreplay: ${replayCommand(failure)}`)
}

for (const [nodes, seeds] of [
  [4, 1000],
  [7, 400],
  [10, 200],
  [null, 400],
] as const) {
  t.test(`all invariants hold over ${seeds} seeds with ${nodes ?? 'any number of'} sealers`, async (t) => {
    t.same(failuresOf(nodes, seeds), [])
  })
}

t.test('a parent that becomes final in a later view leaves no blocks of settled views behind', async (t) => {
  t.equal(runSeed(3_026_963, { nodes: 10 }).violation, null)
})

t.test('without faults: everything final, then quiet', async (t) => {
  for (const nodes of [1, 3, 4, 7]) {
    for (let seed = 1; seed <= 15; seed++) {
      const { violation, height } = runSeed(seed, { nodes, calm: true })
      t.equal(violation, null, `seed ${seed}, ${nodes} sealers`)
      t.ok(height > 0, 'blocks are final')
    }
  }
})

t.test('a seed fixes everything', async (t) => {
  for (const seed of [1, 2, 3]) {
    const first = runSeed(seed, {}, true)
    t.same(runSeed(seed, {}, true), first)
    t.ok(first.transcript.length > 100)
  }
})
