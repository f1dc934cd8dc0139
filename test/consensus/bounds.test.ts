import t from 'tap'
import { nextEpochVotesMax, peersRememberedMax, requestsServedMax, viewWindow } from '../../src/consensus/bounds.js'
import type { Core } from '../../src/consensus/core.js'
import { asView } from '../../src/core/bytes.js'
import { addressOf } from '../../src/sim/keys.js'
import { Bench, blockAt, genesis, names, proposalOf, timers, voteBy } from './harness.js'

const coreOf = (bench: Bench): Core => Reflect.get(bench.engine, 'core') as Core

t.test('R12: votes far ahead are dropped, so a flood of views stays in the window', async (t) => {
  const bench = new Bench(0)
  for (let view = 1; view <= 5000; view++) bench.vote(3, 'notarize', view, blockAt(view).hash)
  t.ok(coreOf(bench).views.size <= viewWindow + 1)
})

t.test('R12: one vote per kind, sealer and view, one proposal per view', async (t) => {
  const bench = new Bench(0)
  for (let salt = 0; salt < 100; salt++) {
    const block = blockAt(1, genesis, salt)
    bench.vote(3, 'notarize', 1, block.hash)
    bench.hear(1, proposalOf(block))
    bench.hear(2, { type: 'block', block })
  }
  const core = coreOf(bench)
  t.equal(core.blocks.size, 1)
  t.equal(core.views.get(asView(1))?.ballots.notarize.votes.size, 2, 'sealers 1 and 3')
})

t.test('R12: of views left far behind only certificates and own votes stay', async (t) => {
  const bench = new Bench(0)
  const views = 3 * viewWindow
  for (let view = 1; view <= views; view++) for (const from of [1, 2, 3]) bench.vote(from, 'nullify', view)
  const core = coreOf(bench)
  t.equal(core.cur, views + 1)
  const old = core.views.get(asView(10))
  t.equal(old?.ballots.nullify.votes.size, 0)
  t.ok(old?.certificates.nullify && old.own.nullify)
  bench.vote(3, 'notarize', 10, blockAt(10).hash)
  t.equal(core.views.get(asView(10))?.ballots.notarize.votes.size, 0)
  bench.demand()
  t.equal(bench.engine.describe().leader, addressOf((views + 1) % 4))
})

t.test('R12: votes of the next epoch, strangers and requests are bounded', async (t) => {
  const bench = new Bench(0)
  for (let view = 1; view <= 100; view++)
    bench.hear(3, { type: 'vote', vote: voteBy(3, 'nullify', view, undefined, 1) })
  t.equal(coreOf(bench).peers.get(addressOf(3))?.early.length, nextEpochVotesMax)
  const status = { type: 'requestBlock', hash: blockAt(1).hash } as const
  for (let i = 0; i < 2 * peersRememberedMax; i++) {
    const from = `0x${(i + 1000).toString(16).padStart(40, '0')}` as ReturnType<typeof addressOf>
    bench.step({ type: 'message', from, message: status })
  }
  t.ok(coreOf(bench).peers.size <= peersRememberedMax)
  bench.hear(1, proposalOf(blockAt(1)))
  const answers = Array.from({ length: 100 }, () => names(bench.hear(2, status).effects)).flat()
  t.equal(answers.filter((name) => name === 'send block').length, requestsServedMax)
  bench.now += timers.resendMs
  t.ok(names(bench.hear(2, status).effects).includes('send block'), 'again in the next period')
})
