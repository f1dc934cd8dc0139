/** A dozen random SIGKILLs of real nodes under load; `npm run soak` does hundreds. */
import t from 'tap'
import { runKills } from '../soak/killRun.js'

t.test('nothing final is lost, nobody contradicts itself, and the chain goes on after each kill', async (t) => {
  const report = await runKills({ kills: 12, seed: 4, recoveryMsMax: 30_000 })
  t.same(report.faults, [])
  t.equal(report.kills, 12)
  t.ok(report.acknowledged > 20, `${report.acknowledged} transactions acknowledged`)
  t.ok(report.messages > 0, 'the observer heard the nodes')
  t.ok(report.votes > 3 * report.height, `${report.votes} votes for ${report.height} blocks`)
})
