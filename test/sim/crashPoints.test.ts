import t from 'tap'
import { scenarioOf } from './scenario.js'
import { World } from './world.js'

const syncs = 24

/** A short run in which the power of node 0 fails at one chosen point; it comes back after 30 ms. */
function violationAt(sync: number, sent: number): { violation: string | null; reached: boolean } {
  const base = scenarioOf(5, { nodes: 4, calm: true })
  const scenario = {
    ...base,
    txs: 6,
    epochs: 1,
    chaosMs: 300,
    commitMs: 5,
    fsyncMs: 0.2,
    weightedSchedule: false,
    gossip: true,
  }
  const world = new World(scenario)
  const node = world.nodes[0]!
  node.crashPoint = { sync, sent }
  let reached = false
  const watch = (): void => {
    if (!node.up && node.syncs >= sync) {
      reached = true
      world.queue.after(30, () => {
        node.crashPoint = null
        if (!node.up) world.guard(() => node.start())
      })
    } else world.queue.after(1, watch)
  }
  world.queue.after(60, watch)
  const { violation } = world.run()
  return { violation, reached }
}

for (const sent of [-1, 0, 1, 2]) {
  const what = sent === -1 ? 'before it is durable' : `after ${sent} of its messages left`
  t.test(
    `power fails at each of ${syncs} group commits ${what}: nothing is signed twice, all becomes final`,
    async (t) => {
      let reached = 0
      for (let sync = 1; sync <= syncs; sync++) {
        const result = violationAt(sync, sent)
        if (result.violation !== null) t.fail(`group commit ${sync}: ${result.violation}`)
        if (result.reached) reached++
      }
      t.ok(reached >= syncs * 0.9, `${reached} crash points were reached`)
    },
  )
}
