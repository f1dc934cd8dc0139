/** R16 in virtual time: a sealer that loses its journal, or gets an old copy of it, contradicts itself in no run. */
import t from 'tap'
import type { JournalRecord } from '../../src/consensus/types.js'
import { asEpoch } from '../../src/core/bytes.js'
import { scenarioOf } from '../../src/sim/draw.js'
import { Run, type RunResult } from '../../src/sim/run.js'
import { World } from '../../src/sim/world.js'

const SEEDS = 40

const inDoubt: JournalRecord = { type: 'abstain', epoch: asEpoch(0), below: null }

/** What the loser's disk has of its journal after a crash. */
type Loss = (journal: readonly JournalRecord[]) => readonly JournalRecord[]

const losses: Readonly<Record<string, Loss>> = {
  'the journal is gone': () => [inDoubt],
  'an old copy': (journal) => [...journal.slice(0, journal.length >> 1), inDoubt],
}

/** Honest sealers under load that crash and are cut off; one of them loses its journal whenever it crashes. */
function runLosing(seed: number, nodes: number, loss: Loss): RunResult & { readonly lost: number } {
  const loser = seed % nodes
  let lost = 0
  const drawn = scenarioOf(seed, { nodes })
  const crashes = [300, 700, 1_200].map(
    (atMs) => ({ kind: 'crash', atMs, node: loser, forMs: 20, inSync: false }) as const,
  )
  const scenario = {
    ...drawn,
    actors: drawn.actors.map(() => 'honest' as const),
    faults: [...drawn.faults.filter(({ kind }) => kind !== 'blackout'), ...crashes],
    operations: [],
    downForGood: null,
    load: [{ fromMs: 50, toMs: 1_500, txs: 30 }],
  }
  const world: World = new World(scenario, {
    observer: {
      onCrash({ node }) {
        if (node !== loser) return
        const { disk } = world.nodes[node]!
        disk.rewrite(loss(disk.journal))
        lost++
      },
    },
  })
  return { ...new Run(world).run(), lost }
}

for (const [what, loss] of Object.entries(losses)) {
  t.test(what, async (t) => {
    let lost = 0
    for (const nodes of [4, 7]) {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const result = runLosing(seed, nodes, loss)
        lost += result.lost
        if (result.violation !== null) t.fail(`seed ${seed}, ${nodes} nodes: ${result.violation}`)
      }
    }
    t.ok(lost > SEEDS, `${lost} journals lost`)
  })
}

t.test('without the rule it would', async (t) => {
  const violations: string[] = []
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violation } = runLosing(seed, 4, () => [])
    if (violation !== null) violations.push(violation)
  }
  t.ok(
    violations.some((violation) => violation.startsWith('I3')),
    'somebody signs twice',
  )
  t.ok(
    violations.some((violation) => violation.startsWith('R14')),
    'somebody meets own votes that it does not know',
  )
})
