import t from 'tap'
import { type Bug, bugNames } from '../../src/sim/bugs.js'
import { firstLine } from '../../src/sim/report.js'
import { runSeed } from '../../src/sim/run.js'

/** Sealers, the first seed, and how many seeds from there on must show the bug; docs/simulator.md has how often they do. */
const hunts: Readonly<Partial<Record<Bug, readonly [nodes: number, from: number, seeds: number]>>> = {
  'send-before-durable': [4, 1, 10],
  'forget-votes': [4, 1, 20],
  'block-not-durable': [4, 1, 10],
  'early-commit': [4, 1, 10],
  'majority-quorum': [7, 1, 10],
  'head-count': [7, 1, 40],
  'duplicate-signers': [4, 1, 100],
  'stale-certificate': [7, 1, 60],
  'no-epoch-boundary': [7, 1, 40],
  'early-set-change': [4, 1, 30],
  'unchecked-sync': [7, 1, 100],
  'no-skip-check': [7, 1, 100],
  'drop-lock': [4, 1, 60],
  'any-proposer': [4, 1, 100],
  'second-vote': [4, 1, 80],
  'notarize-after-nullify': [4, 1, 30],
  'finalize-after-nullify': [4, 1, 30],
  'drop-evidence': [4, 1, 40],
  'no-resend': [4, 1, 60],
}

for (const bug of bugNames) {
  const [nodes, from, seeds] = hunts[bug] ?? []
  if (nodes === undefined || from === undefined || seeds === undefined) continue
  t.test(`planted bug is caught: ${bug}`, async (t) => {
    for (let seed = from; seed < from + seeds; seed++) {
      const { violation } = runSeed(seed, { nodes, bug })
      if (violation === null) continue
      t.pass(`seed ${seed}: ${firstLine(violation)}`)
      return
    }
    t.fail(`none of ${seeds} seeds shows it`)
  })
}
