/** R16: a node whose journal may lack own votes. */
import t from 'tap'
import { explain } from '../../src/consensus/explain.js'
import type { JournalRecord, Recovery, Status } from '../../src/consensus/types.js'
import { asEpoch, asHeight, asView } from '../../src/core/bytes.js'
import { Bench, blockAt, certificateBy, names, proposalOf, setOf, voteBy } from './harness.js'

const inDoubt: JournalRecord = { type: 'abstain', epoch: asEpoch(0), below: null, first: false }

const statusAt = (view: number, finalHeight = 0): Status => ({
  type: 'status',
  epoch: asEpoch(0),
  view: asView(view),
  finalView: asView(0),
  finalHeight: asHeight(finalHeight),
})

/** The first sealer, in doubt. */
const doubting = (recovery: Partial<Recovery> = {}, count = 4) =>
  new Bench(0, { count, recovery: { journal: [inDoubt], ...recovery } })

/** The first sealer, without a database. */
const unborn = (count = 4) => doubting({ journal: [{ ...inDoubt, first: true }] }, count)

const nullification = (view: number) => certificateBy([1, 2, 3], 'nullify', view)
const nullified = (bench: Bench, view: number) =>
  bench.hear(1, { type: 'certificate', certificate: nullification(view) })
const votes = (bench: Bench) => bench.journal.flatMap((record) => (record.type === 'vote' ? [record.vote] : []))
const why = (bench: Bench) => explain(bench.engine.describe(), String)
const abstentions = (bench: Bench) => bench.journal.filter((record) => record.type === 'abstain')

t.test('it is silent until it cannot have voted', async (t) => {
  const bench = doubting()
  for (let view = 1; view <= 5; view++) nullified(bench, view)
  for (const peer of [1, 2]) bench.hear(peer, statusAt(6))
  bench.demand()
  bench.pass(60_000)
  t.match(why(bench), /^does not vote until the other sealers have said where they are: /)
  t.same(abstentions(bench), [], 'two of the three others are not enough')
  bench.hear(3, statusAt(8))
  t.same(abstentions(bench), [], 'one is further than this node')
  for (const view of [6, 7]) nullified(bench, view)
  t.same(
    abstentions(bench),
    [{ type: 'abstain', epoch: 0, below: 10, first: false }],
    'as far as all: two views above its own',
  )
  t.match(why(bench), /^does not vote until view 10: votes of this sealer may be missing/)
  bench.pass(60_000)
  nullified(bench, 8)
  bench.pass(60_000)
  t.same(votes(bench), [], 'not in view 8 or 9')
  nullified(bench, 9)
  bench.pass(60_000)
  t.match(votes(bench), [{ kind: 'nullify', view: 10 }])
})

t.test('it follows the chain all the same, and casts no vote to finalize either', async (t) => {
  const bench = doubting()
  const block = blockAt(1)
  bench.hear(1, proposalOf(block))
  for (const peer of [1, 2, 3]) bench.vote(peer, 'notarize', 1, block.hash)
  for (const peer of [1, 2, 3]) bench.vote(peer, 'finalize', 1, block.hash)
  bench.verified(block)
  t.match(names(bench.effects), ['commit 1'])
  t.same(votes(bench), [])
})

t.test('own votes from before are no clone; above the doubt they are', async (t) => {
  const bench = doubting()
  bench.hear(1, { type: 'certificate', certificate: certificateBy([0, 1, 2], 'nullify', 1) })
  t.notOk(names(bench.effects).some((name) => name.startsWith('halt')))
  for (const peer of [1, 2, 3]) bench.hear(peer, statusAt(2))
  t.match(abstentions(bench), [{ below: 4 }])
  bench.hear(1, { type: 'vote', vote: voteBy(0, 'nullify', 3) })
  t.notOk(names(bench.effects).some((name) => name.startsWith('halt')))
  bench.hear(1, { type: 'vote', vote: voteBy(0, 'nullify', 4) })
  t.match(names(bench.effects), ['halt stop-voting'])
})

t.test('a chain without any certificate begins as soon as a quorum is there', async (t) => {
  const bench = unborn()
  bench.demand()
  bench.pass(60_000)
  bench.hear(1, statusAt(1))
  bench.pass(60_000)
  t.same(votes(bench), [], 'two of four')
  bench.hear(2, statusAt(1))
  t.match(abstentions(bench), [{ below: 0 }])
  bench.pass(60_000)
  t.match(votes(bench), [{ kind: 'nullify', view: 1 }])

  const late = unborn()
  late.hear(1, statusAt(1))
  late.hear(2, statusAt(2))
  t.same(abstentions(late), [], 'somebody has gone on')

  const alone = unborn(1)
  t.match(abstentions(alone), [{ below: 0 }], 'a single sealer')

  const robbed = doubting()
  for (const peer of [1, 2, 3]) robbed.hear(peer, statusAt(1))
  t.match(abstentions(robbed), [{ below: 3 }], 'with a database it may have voted in view 1')
})

t.test('a restart does not end the doubt, nor what followed from it', async (t) => {
  const again = doubting()
  again.pass(60_000)
  t.same(abstentions(again), [])
  const settled = doubting({
    journal: [inDoubt, { type: 'abstain', epoch: asEpoch(0), below: asView(3), first: false }],
  })
  settled.demand()
  for (const view of [1, 2]) {
    settled.pass(60_000)
    t.same(votes(settled), [], `view ${view}`)
    nullified(settled, view)
  }
  settled.pass(60_000)
  t.match(votes(settled), [{ view: 3 }])
})

t.test('a rewritten journal says where its votes begin, for a database that is older than it', async (t) => {
  const bench = new Bench(0)
  const block = blockAt(1)
  bench.notarize(block)
  for (const peer of [1, 2, 3]) bench.vote(peer, 'finalize', 1, block.hash)
  const kept = bench.engine.liveRecords(block.hash)!
  t.same(kept[0], { type: 'abstain', epoch: 0, below: 2, first: false })

  const older = new Bench(0, { recovery: { journal: kept, set: setOf(4) } })
  older.demand()
  older.pass(60_000)
  t.same(votes(older), [], 'not in view 1, whose votes are gone from the journal')

  const stillInDoubt = doubting()
  stillInDoubt.notarize(block)
  for (const peer of [1, 2, 3]) stillInDoubt.vote(peer, 'finalize', 1, block.hash)
  stillInDoubt.verified(block)
  t.match(stillInDoubt.engine.liveRecords(block.hash), [{ type: 'abstain', below: null }])
})
