/** What `describe` and `explain` say in each state of a view. */
import t from 'tap'
import { withConnections } from '../../src/consensus/describe.js'
import { duration, explain, names } from '../../src/consensus/explain.js'
import type { Address } from '../../src/core/bytes.js'
import { addressOf, machineOf } from '../../src/sim/keys.js'
import { Bench, blockAt, proposalOf } from './harness.js'

const nameOf = (address: Address) => `node${machineOf(address) + 1}`
const why = (bench: Bench, laterMs = 0) => explain(bench.engine.describe(bench.now + laterMs), nameOf)
const awaited = (bench: Bench) =>
  bench.engine
    .describe()
    .sealers.filter((sealer) => sealer.awaited !== null)
    .map(({ address, awaited }) => `${nameOf(address)} ${awaited}`)

t.test('idle, then a proposal is awaited, then votes, then finality', async (t) => {
  const bench = new Bench(2)
  t.equal(why(bench), 'idle: no transaction waits for a block')
  t.same(awaited(bench), [])
  bench.demand()
  t.equal(why(bench, 100), "view 1 waits for node2's proposal since 100 ms, will be skipped in 300 ms")
  t.same(awaited(bench), ['node2 proposal'])
  const block = blockAt(1)
  bench.hear(1, proposalOf(block))
  bench.verified(block)
  t.equal(
    why(bench),
    "view 1 has node2's block and waits for votes since 0 ms: node1 and node4, will be skipped in 400 ms",
  )
  t.same(awaited(bench), ['node1 notarize', 'node4 notarize'])
  bench.step({ type: 'demand', wanted: false })
  bench.vote(3, 'notarize', 1, block.hash)
  t.equal(
    why(bench),
    'the block of view 1 is notarized and waits for votes to finalize it since 0 ms: node1, node2 and node4',
  )
  t.same(awaited(bench), ['node1 finalize', 'node2 finalize', 'node4 finalize'])
  for (const i of [0, 1]) bench.vote(i, 'finalize', 1, block.hash)
  t.equal(why(bench), 'idle: no transaction waits for a block')
})

t.test('a view that is given up waits for votes to skip it', async (t) => {
  const bench = new Bench(2)
  bench.demand()
  bench.pass(400)
  t.match(why(bench), /^view 1 is being skipped and waits for votes to skip it since 400 ms: node1, node2 and node4$/)
  t.same(awaited(bench), ['node1 nullify', 'node2 nullify', 'node4 nullify'])
  t.same(
    bench.engine.describe().sealers.map(({ nullified }) => nullified),
    [false, false, true, false],
  )
})

t.test('without a quorum: who would complete it', async (t) => {
  const view = withConnections(new Bench(2).engine.describe(), (address) => machineOf(address) >= 2)
  t.equal(view.quorum, 'impossible')
  t.equal(view.weightConnected, 2)
  t.equal(
    explain(view, nameOf),
    '2 of 4 sealers can vote (weight 2 of 4, a quorum is 3): no quorum, needs node1 or node2',
  )
})

t.test('halted: the reason', async (t) => {
  const bench = new Bench(2)
  const block = blockAt(1)
  bench.vote(2, 'notarize', 1, block.hash)
  t.match(why(bench), /^does not vote any more: .*key/)
  t.match(bench.engine.describe().haltReason, /key/)
})

t.test('ages count on while no step happens', async (t) => {
  const bench = new Bench(2)
  bench.hear(1, { type: 'status', ...statusOf(bench) })
  const { sealers } = bench.engine.describe(bench.now + 5_000)
  t.equal(bench.now + 5_000 - sealers[1]!.heardAt!, 5_000)
  t.equal(sealers[2]!.heardAt, bench.now + 5_000, 'it hears itself')
  t.equal(sealers[2]!.address, addressOf(2))
})

function statusOf(bench: Bench) {
  const { epoch, view, finalView, finalHeight } = bench.engine.describe()
  return { epoch, view, finalView, finalHeight }
}

t.test('words', async (t) => {
  t.same([0.4, 850, 3_100, 12_400, 240_000, 10_800_000].map(duration), [
    '0 ms',
    '850 ms',
    '3.1 s',
    '12 s',
    '4 min',
    '3 h',
  ])
  t.same([names([]), names(['a']), names(['a', 'b', 'c'])], ['nobody', 'a', 'a, b and c'])
  t.match(names(Array.from({ length: 11 }, (_, i) => `n${i}`)), /n7 and 3 more$/)
})
