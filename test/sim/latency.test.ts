import t from 'tap'
import { equalWeights } from '../../src/consensus/weightPolicy.js'
import { genesisSetOf, scenarioOf, strictTurns } from '../../src/sim/draw.js'
import { World } from '../../src/sim/world.js'

/** Equal sealers in strict turns, every message takes exactly 1 ms, everything else no time. */
function quietWorld(nodes: number): World {
  const scenario = {
    ...scenarioOf(1, { nodes, calm: true }),
    genesisSet: genesisSetOf(nodes, equalWeights),
    policy: equalWeights,
    schedule: strictTurns,
    delayMs: [1, 1] as const,
    fsyncMs: 0,
    executeMs: 0,
    commitMs: 0,
    load: [],
    gossip: true,
    throughCodec: false,
  }
  const world = new World(scenario)
  for (const node of world.nodes) node.start()
  world.queue.runUntil(100, () => false)
  return world
}

/** Submits a transaction to node `at` and returns the ms until it is final on each node. */
function finalAfter(world: World, at: number, tx: number): number[] {
  const { queue } = world
  const start = queue.now
  const times = world.nodes.map(() => -1)
  world.checker.onSubmit(tx)
  world.nodes[at]!.submit(tx)
  world.transmit(world.nodes[at]!, null, { type: 'tx', id: tx })
  for (let step = 0; step < 100 && times.includes(-1); step++) {
    world.nodes.forEach((node, i) => {
      if (times[i] === -1 && node.executor.hasFinal(tx)) times[i] = queue.now - start
    })
    queue.runUntil(queue.now + 0.25, () => false)
  }
  return times
}

t.test('final after three message delays at the leader, one more when another node got the transaction', async (t) => {
  const world = quietWorld(4)
  for (let tx = 1; tx <= 8; tx++) {
    const leader = world.nodes[0]!.core.cur % 4
    t.same(
      finalAfter(world, leader, tx),
      [0, 1, 2, 3].map(() => 3),
      `view ${world.nodes[0]!.core.cur - 1}, at the leader`,
    )
    const next = world.nodes[0]!.core.cur % 4
    t.same(
      finalAfter(world, (next + 2) % 4, 100 + tx),
      [0, 1, 2, 3].map(() => 4),
      'at a follower',
    )
  }
})

t.test('a block costs a proposal and two rounds of votes', async (t) => {
  const world = quietWorld(4)
  const before = world.talk
  finalAfter(world, world.nodes[0]!.core.cur % 4, 1)
  t.equal(world.talk - before, 3 + 9 + 12, 'the leader votes with its proposal')
})

t.test('one of four is down: its turn costs a nullification at once when it is known to be cut off', async (t) => {
  const world = quietWorld(4)
  world.nodes[3]!.crash()
  for (const node of world.nodes)
    if (node.up) node.input({ type: 'peer', address: world.nodes[3]!.address, connected: false })
  for (let tx = 1; tx <= 8; tx++) {
    const times = finalAfter(world, 0, tx).slice(0, 3)
    t.ok(Math.max(...times) <= 6, `final after ${times} ms`)
  }
})
