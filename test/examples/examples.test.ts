/** The examples keep what the ports ask for, and their experiments run. */
import { readdirSync } from 'node:fs'
import t from 'tap'
import { availability } from '../../examples/policies/availability.js'
import { shuffledRounds } from '../../examples/schedules/shuffledRounds.js'
import { builtinExtensions, withExtension } from '../../src/consensus/extensions.js'
import { builtinSchedules } from '../../src/consensus/schedule.js'
import { readConfig } from '../../src/node/configFile.js'
import { runVariant } from '../../src/sim/experiment/drive.js'
import { experimentSchema } from '../../src/sim/experiment/file.js'
import { planOf } from '../../src/sim/experiment/plan.js'
import { policyCompliance, scheduleCompliance } from '../compliance/consensusExtension.js'

for (const policy of [...builtinExtensions.policies.values(), availability]) policyCompliance(t, policy)
for (const schedule of [...builtinSchedules, shuffledRounds]) scheduleCompliance(t, schedule)

const extensions = withExtension(builtinExtensions, { policies: [availability], schedules: [shuffledRounds] })

for (const file of readdirSync('examples/experiments')) {
  t.test(`examples/experiments/${file} runs`, async (t) => {
    const plan = planOf(readConfig(experimentSchema, `examples/experiments/${file}`, { env: {} }), extensions, true)
    for (const variant of plan.variants) {
      const { blocks, transactions } = runVariant(variant, plan.seeds[0]!, plan.durationMs)
      t.ok(blocks.length > 10, `${variant.name}: blocks`)
      t.equal(transactions.filter(({ finalMs }) => finalMs === null).length, 0, `${variant.name}: everything is final`)
    }
  })
}
