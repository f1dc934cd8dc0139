import t from 'tap'
import { type Bug, bugNames } from '../../src/sim/bugs.js'
import { firstLine } from '../../src/sim/report.js'
import { runSeed } from '../../src/sim/run.js'

/** Sealers, a first seed close to one that shows the bug, and how many from there on must show it when the code has changed. */
const hunts: Readonly<Record<Bug, readonly [nodes: number, from: number, seeds: number]>> = {
  'send-before-durable': [4, 1, 20],
  'forget-votes': [4, 1, 20],
  'block-not-durable': [4, 1, 20],
  'prune-early': [4, 95, 300],
  'trust-lost-journal': [7, 1, 110],
  'early-commit': [4, 1, 20],
  'majority-quorum': [4, 1, 20],
  'head-count': [7, 15, 30],
  'duplicate-signers': [7, 5, 70],
  'no-epoch-in-vote': [4, 114, 300],
  'stale-certificate': [4, 24, 190],
  'no-epoch-boundary': [4, 7, 90],
  'early-set-change': [4, 1, 20],
  'unchecked-sync': [7, 5, 100],
  'no-skip-check': [4, 11, 280],
  'drop-lock': [4, 71, 160],
  'any-proposer': [4, 28, 200],
  'second-vote': [7, 6, 50],
  'unexecuted-vote': [7, 3, 300],
  'notarize-after-nullify': [4, 1, 20],
  'finalize-after-nullify': [4, 1, 20],
  'repeated-txs': [4, 122, 300],
  'drop-evidence': [4, 5, 30],
  'no-view-window': [4, 6, 300],
  'no-resend': [4, 4, 40],
  'no-tip-demand': [4, 21, 300],
  'no-backoff': [4, 6, 200],
  'timer-never-reset': [4, 6, 70],
}

for (const bug of bugNames) {
  const [nodes, from, seeds] = hunts[bug]
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
