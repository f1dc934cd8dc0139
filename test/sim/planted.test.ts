import t from 'tap'
import { hunt } from './run.js'
import type { Bug } from './scenario.js'

/** Each bug with the seeds among which it must show; measured shares per 200 seeds are in README.md beside this file. */
const bugs: readonly (readonly [Bug, number])[] = [
  ['send-before-durable', 20],
  ['block-not-durable', 20],
  ['early-commit', 20],
  ['majority-quorum', 40],
  ['finalize-after-nullify', 60],
  ['forget-votes', 60],
  ['no-resend', 100],
  ['second-vote', 120],
  ['any-proposer', 120],
  ['duplicate-signers', 120],
  ['no-epoch-boundary', 200],
  ['no-tip-demand', 300],
  ['no-skip-check', 400],
  ['no-epoch-in-vote', 400],
]

for (const [bug, seeds] of bugs) {
  t.test(`planted bug is caught: ${bug}`, async (t) => {
    const [found] = hunt(1, seeds, { bug }, 1)
    t.ok(found, `within ${seeds} seeds`)
    t.comment(`seed ${found?.seed}: ${found?.violation?.split('\n')[0]}`)
  })
}
