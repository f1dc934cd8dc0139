import t from 'tap'
import { asView } from '../../src/core/bytes.js'
import { SimBlock } from '../../src/sim/blocks.js'
import { addressOf } from '../../src/sim/keys.js'
import {
  Bench,
  blockAt,
  certificateBy,
  genesis,
  keys,
  names,
  proposalOf,
  root,
  setOf,
  timers,
  voteBy,
} from './harness.js'

t.test('idle: nothing but a status now and then', async (t) => {
  const bench = new Bench(1)
  t.same(names(bench.effects), ['tip 0', 'broadcast status'])
  t.equal(bench.wakeAt, bench.now + timers.idleStatusMs)
  t.same(names(bench.pass(timers.idleStatusMs - 1).effects), [])
  t.same(names(bench.pass(1).effects), ['broadcast status'])
  t.equal(bench.journal.length, 0)
})

t.test('R3: a leader with demand builds at once, journals block and vote, then proposes', async (t) => {
  const bench = new Bench(1)
  t.same(names(bench.demand().effects), ['build 1 height 1'])
  const block = blockAt(1)
  const ready = bench.built(block)
  t.same(
    ready.journal.map((record) => record.type),
    ['block', 'vote'],
    'P2: the block first',
  )
  t.same(names(ready.effects), ['broadcast proposal'])
  t.same(names(bench.demand().effects), [], 'once a view')
})

t.test('R3: nothing to build ends the demand', async (t) => {
  const bench = new Bench(1)
  bench.demand()
  t.same(names(bench.step({ type: 'built', view: asView(1), block: null, verdict: { ok: true } }).effects), [])
  t.equal(bench.engine.describe().waiting, false)
  t.same(names(bench.demand().effects), ['build 1 height 1'], 'until it is said again')
})

t.test('R4: a follower executes the proposal before it votes', async (t) => {
  const bench = new Bench(2)
  const block = blockAt(1)
  t.same(names(bench.hear(1, proposalOf(block)).effects), ['verify'])
  t.same(names(bench.hear(1, proposalOf(blockAt(1, genesis, 9))).effects), ['evidence'], 'only the first proposal')
  const ready = bench.verified(block)
  t.same(
    ready.journal.map((record) => record.type),
    ['block', 'vote'],
  )
  t.same(names(ready.effects), ['broadcast notarize 1'])
})

t.test('R1, R6: a notarize quorum enters the next view, finalizes and builds in one step', async (t) => {
  const bench = new Bench(2)
  const block = blockAt(1)
  bench.demand()
  bench.hear(1, proposalOf(block))
  bench.verified(block)
  const ready = bench.vote(3, 'notarize', 1, block.hash)
  t.same(names(ready.effects), ['broadcast finalize 1', 'tip 1', 'build 2 height 2'])
  t.same(
    ready.journal.map((record) => record.type),
    ['certificate', 'vote'],
  )
  bench.vote(0, 'finalize', 1, block.hash)
  t.same(names(bench.vote(3, 'finalize', 1, block.hash).effects), ['commit 1'])
  t.equal(bench.engine.describe().finalHeight, 1)
})

t.test('R4: what breaks a rule is nullified at once (R5)', async (t) => {
  const cases = {
    'a block of another view': proposalOf(new SimBlock(keys, { ...draft(5), leader: addressOf(1) }), { view: 1 }),
    'a block of another leader': proposalOf(new SimBlock(keys, { ...draft(1), leader: addressOf(3) })),
    'a parent that is not certified': proposalOf(blockAt(1, blockAt(1)), { parentView: 0 }),
  }
  for (const [name, proposal] of Object.entries(cases)) {
    t.same(names(new Bench(2).hear(1, proposal).effects), ['broadcast nullify 1'], name)
  }
  const gap = new SimBlock(keys, { ...draft(1), height: 2 })
  t.same(names(new Bench(2).hear(1, proposalOf(gap)).effects), ['broadcast nullify 1'], 'a height left out')
  const bench = new Bench(2)
  const block = blockAt(1)
  bench.hear(1, proposalOf(block))
  t.same(
    names(bench.verified(block, { ok: false, reason: 'root' }).effects),
    ['broadcast nullify 1'],
    'execution fails',
  )
  t.same(
    names(
      new Bench(2).hear(3, proposalOf(new SimBlock(keys, { ...draft(1), leader: addressOf(3) }), { by: 3 })).effects,
    ),
    [],
    'out of turn',
  )
})

function draft(view: number) {
  const { hash: parent } = genesis
  return { parent, height: 1, epoch: 0, view, leader: addressOf(view % 4), timeMs: 0, txs: [], root, salt: 0 }
}

t.test('R4, R6: never to notarize or finalize a view after nullifying it', async (t) => {
  const bench = new Bench(2)
  const block = blockAt(1)
  bench.demand()
  t.same(names(bench.pass(timers.viewTimeoutMs).effects).includes('broadcast nullify 1'), true)
  t.same(names(bench.hear(1, proposalOf(block)).effects), [])
  bench.vote(0, 'notarize', 1, block.hash)
  const ready = bench.vote(3, 'notarize', 1, block.hash)
  t.equal(bench.engine.describe().view, 2, 'the certificate moves it nevertheless')
  t.same(names(ready.effects), ['verify'])
  t.same(names(bench.verified(block).effects), ['tip 1', 'build 2 height 2'], 'no finalize vote')
})

t.test('R5: refused proposals end views at once only until n/3 views have passed without finality', async (t) => {
  const bench = new Bench(0)
  for (const view of [1, 2, 3]) {
    const block = blockAt(view)
    bench.hear(view, proposalOf(block, { parentView: 0 }))
    const { effects } = bench.verified(block, { ok: false, reason: 'clock' })
    const paused = view === 3
    t.same(names(effects), paused ? [] : [`broadcast nullify ${view}`])
    if (paused) t.same(names(bench.pass(timers.viewTimeoutMs - 1).effects).includes('broadcast nullify 3'), false)
    if (paused) t.ok(names(bench.pass(1).effects).includes('broadcast nullify 3'), 'half of the doubled time-out')
    for (const sealer of [1, 2, 3]) bench.vote(sealer, 'nullify', view)
    t.equal(bench.engine.describe().view, view + 1)
  }
})

t.test('R11: an observer that alone saw a notarization shows it to the sealers, which gave up the view', async (t) => {
  const bench = new Bench(5)
  const block = blockAt(1)
  for (const sealer of [0, 1, 3]) bench.vote(sealer, 'notarize', 1, block.hash)
  for (const sealer of [0, 1, 2]) bench.vote(sealer, 'nullify', 1)
  t.notOk(names(bench.pass(timers.finalizeGraceMs - 1).effects).includes('broadcast certificate'))
  t.ok(names(bench.pass(timers.resendMs).effects).includes('broadcast certificate'))
  const sealer = new Bench(2)
  for (const other of [0, 1, 3]) sealer.vote(other, 'nullify', 1)
  sealer.hear(5, { type: 'certificate', certificate: certificateBy([0, 1, 3], 'notarize', 1, block.hash) })
  sealer.hear(5, { type: 'block', block })
  sealer.verified(block)
  t.ok(names(sealer.pass(timers.finalizeGraceMs).effects).includes('build 2 height 2'), 'the tip needs a child')
})

t.test('R5: joins nullify votes of more than a third, or of the leader', async (t) => {
  const bench = new Bench(2)
  t.same(names(bench.vote(0, 'nullify', 1).effects), [])
  t.same(names(bench.vote(3, 'nullify', 1).effects), ['broadcast nullify 1'])
  t.equal(bench.engine.describe().view, 2, 'three of four')
  t.same(names(new Bench(2).vote(1, 'nullify', 1).effects), ['broadcast nullify 1'], 'the leader gave up')
})

t.test('T1: the clock runs only while something is expected; it doubles without finality, to a cap', async (t) => {
  const bench = new Bench(3)
  t.same(names(bench.pass(timers.viewTimeoutMs * 4).effects).includes('broadcast nullify 1'), false)
  const waits: number[] = []
  for (let view = 1; view <= 12; view++) {
    bench.demand()
    const { overdueAt } = bench.engine.describe()
    waits.push((overdueAt ?? 0) - bench.now)
    for (const i of [0, 1, 2]) bench.vote(i, 'nullify', view)
  }
  t.same(waits, [400, 400, 800, 800, 1600, 1600, 3200, 3200, 3200, 3200, 3200, 3200])
})

t.test('T3: a leader known to be cut off is skipped without waiting', async (t) => {
  const bench = new Bench(2)
  bench.step({ type: 'peer', address: addressOf(1), connected: false })
  t.same(names(bench.demand().effects), ['broadcast nullify 1'])
  const silent = new Bench(2)
  for (let i = 0; i < 4; i++) {
    silent.now += 1900
    for (const from of [0, 3]) silent.hear(from, { type: 'requestBlock', hash: blockAt(9).hash })
  }
  t.same(names(silent.demand().effects), ['broadcast nullify 1'], 'silent while a quorum is heard')
})

t.test('D3: an unfinal tip calls for a child, which may be empty', async (t) => {
  const bench = new Bench(2)
  const block = blockAt(1)
  bench.notarize(block)
  t.equal(bench.wakeAt, bench.now + timers.finalizeGraceMs)
  const { effects } = bench.pass(timers.finalizeGraceMs)
  t.match(effects, [{ type: 'build', view: 2, mayBeEmpty: true, parent: block.hash }])
})

t.test('R2, R3: a proposal carries what justifies its parent and so moves its receivers', async (t) => {
  const first = blockAt(1)
  const leader = new Bench(3)
  leader.notarize(first)
  for (const i of [0, 1, 2]) leader.vote(i, 'nullify', 2)
  leader.demand()
  const second = blockAt(3, first)
  const [effect] = leader.built(second).effects
  const proposal = effect?.type === 'broadcast' ? effect.message : null
  t.match(proposal, {
    type: 'proposal',
    parentView: 1,
    justification: [
      { kind: 'notarize', view: 1 },
      { kind: 'nullify', view: 2 },
    ],
  })
  const follower = new Bench(2)
  if (proposal) follower.hear(3, proposal)
  t.equal(follower.engine.describe().view, 3)
  t.same(names(follower.effects), ['send requestBlock'], 'its parent is missing here (R9)')
  follower.hear(3, { type: 'block', block: first })
  t.same(names(follower.effects), ['verify'])
  t.same(names(follower.verified(first).effects), ['broadcast finalize 1', 'tip 1', 'verify'])
  t.same(names(follower.verified(second).effects), ['broadcast notarize 3'])
})

t.test('R2: a view left out must be shown to be nullified', async (t) => {
  const bench = new Bench(0)
  const block = blockAt(3)
  bench.hear(3, { type: 'certificate', certificate: certificateBy([1, 2, 3], 'nullify', 2) })
  t.same(names(bench.hear(3, proposalOf(block, { parentView: 0 })).effects), [], 'view 1 is unknown: no vote')
  t.match(bench.pass(timers.resendMs).effects, [
    { type: 'send', message: { type: 'requestCertificates', from: 1, to: 1 } },
    {},
  ])
  bench.hear(1, { type: 'certificate', certificate: certificateBy([1, 2, 3], 'nullify', 1) })
  t.same(names(bench.effects), ['verify'])
})

t.test('R7: finality fetches and executes what is missing, then commits in order', async (t) => {
  const bench = new Bench(0)
  const first = blockAt(1)
  const second = blockAt(2, first)
  bench.hear(1, { type: 'certificate', certificate: certificateBy([1, 2, 3], 'finalize', 2, second.hash) })
  t.same(names(bench.pass(timers.resendMs).effects).includes('send requestBlock'), true)
  t.same(names(bench.hear(1, { type: 'block', block: second }).effects), ['send requestBlock'])
  t.same(names(bench.hear(1, { type: 'block', block: first }).effects), ['verify'])
  t.same(names(bench.verified(first).effects), ['verify'])
  const { effects } = bench.verified(second)
  t.match(effects[0], { type: 'commit', blocks: [first, second], parentViews: [0, 1], certificate: { view: 2 } })
  t.equal(bench.engine.describe().view, 3)
})

t.test('R9: a block nobody asked for is ignored', async (t) => {
  const bench = new Bench(0)
  t.equal(bench.engine.needs({ type: 'block', block: blockAt(1) }), false)
  t.same(names(bench.hear(1, { type: 'block', block: blockAt(1) }).effects), [])
})

t.test('R10, R11: who lags is helped; what is open is said again', async (t) => {
  const bench = new Bench(2)
  const block = blockAt(1)
  bench.notarize(block)
  const status = {
    type: 'status',
    epoch: setOf(4).epoch,
    view: asView(1),
    finalView: asView(0),
    finalHeight: genesis.height,
  } as const
  t.same(names(bench.hear(3, status).effects), ['send status', 'send certificate'])
  t.same(names(bench.hear(3, status).effects), [], 'once per half resend period')
  const again = names(bench.pass(timers.resendMs).effects)
  t.same(
    again.filter((name) => name !== 'build 2 height 2'),
    ['broadcast status', 'broadcast finalize 1'],
  )
  t.same(
    names(bench.hear(3, { ...status, view: asView(9) }).effects),
    ['send requestCertificates'],
    'who is ahead is asked',
  )
})

t.test('a peer with more final blocks leads to range sync', async (t) => {
  const bench = new Bench(2)
  const block = blockAt(40)
  const status = {
    type: 'status',
    epoch: setOf(4).epoch,
    view: asView(41),
    finalView: asView(40),
    finalHeight: 30,
  } as const
  const { effects } = bench.hear(3, status as Parameters<typeof bench.hear>[1])
  t.match(effects[0], { type: 'lagging', peer: addressOf(3), height: 30 })
  const certificate = certificateBy([0, 1, 3], 'finalize', 40, block.hash)
  bench.step({ type: 'synced', block: { ...block, height: 30 as typeof block.height }, certificate, set: setOf(4) })
  t.match(bench.engine.describe(), { view: 41, finalHeight: 30, finalView: 40 })
})

t.test('R13: both votes are handed out, once', async (t) => {
  const bench = new Bench(2)
  bench.vote(3, 'notarize', 1, blockAt(1).hash)
  const { effects } = bench.vote(3, 'notarize', 1, blockAt(1, genesis, 1).hash)
  t.match(effects, [{ type: 'evidence', first: { signer: addressOf(3) }, second: { signer: addressOf(3) } }])
  bench.vote(0, 'nullify', 5)
  t.match(bench.vote(0, 'finalize', 5, blockAt(5).hash).effects, [{ type: 'evidence' }])
  t.same(names(bench.vote(0, 'notarize', 5, blockAt(5).hash).effects), [])
})

t.test('R14: a vote with the own key that is not in the journal stops voting', async (t) => {
  const bench = new Bench(2)
  t.same(names(bench.hear(3, { type: 'vote', vote: voteBy(2, 'nullify', 1) }).effects), ['halt stop-voting'])
  t.same(names(bench.hear(1, proposalOf(blockAt(1))).effects), [], 'no vote any more')
  const inside = new Bench(2)
  const certificate = certificateBy([1, 2, 3], 'nullify', 1)
  t.same(names(inside.hear(3, { type: 'certificate', certificate }).effects), ['halt stop-voting'])
  t.equal(inside.engine.describe().view, 2, 'it still follows')
})

t.test('R15: contradicting certificates and a final block that fails stop the node', async (t) => {
  const two = new Bench(2)
  two.hear(3, { type: 'certificate', certificate: certificateBy([0, 1, 3], 'notarize', 1, blockAt(1).hash) })
  const other = certificateBy([0, 1, 3], 'notarize', 1, blockAt(1, genesis, 1).hash)
  t.ok(names(two.hear(3, { type: 'certificate', certificate: other }).effects).includes('halt stop-node'))
  t.same(two.pass(10_000).effects, [])
  const bad = new Bench(2)
  const block = blockAt(1)
  bad.hear(1, proposalOf(block))
  bad.hear(3, { type: 'certificate', certificate: certificateBy([0, 1, 3], 'finalize', 1, block.hash) })
  t.same(names(bad.verified(block, { ok: false, reason: 'clock' }).effects), ['verify'], 'once more, certified')
  t.same(names(bad.verified(block, { ok: false, reason: 'root' }).effects), ['halt stop-node'])
})

t.test('P1, P2: after a restart the journal says what was said', async (t) => {
  const bench = new Bench(1)
  bench.demand()
  const block = blockAt(1)
  bench.built(block)
  const again = new Bench(1, { recovery: { journal: bench.journal } })
  again.demand()
  t.same(names(again.effects), [], 'no second proposal')
  const { effects } = again.pass(timers.resendMs)
  t.same(names(effects), ['broadcast status', 'broadcast proposal'], 'R11: the same proposal')
  const nullified = new Bench(2)
  nullified.demand()
  nullified.pass(timers.viewTimeoutMs)
  const restarted = new Bench(2, { recovery: { journal: nullified.journal } })
  t.same(names(restarted.hear(1, proposalOf(block)).effects), [], 'R4 across a restart')
})

t.test('the journal shrinks to what the database does not cover', async (t) => {
  const bench = new Bench(2)
  const first = blockAt(1)
  bench.notarize(first)
  for (const i of [0, 3]) bench.vote(i, 'finalize', 1, first.hash)
  const kinds = (hash: typeof first.hash) =>
    bench.engine.liveRecords(hash)?.map((record) => (record.type === 'vote' ? record.vote.kind : record.type))
  t.same(kinds(first.hash), ['abstain'])
  t.same(
    kinds(genesis.hash),
    ['abstain', 'certificate', 'notarize', 'finalize', 'block'],
    'the commit may still be lost',
  )
  t.equal(kinds(blockAt(9).hash), undefined, 'a block it does not remember')
  bench.vote(1, 'nullify', 2)
  bench.vote(3, 'nullify', 2)
  t.match(bench.engine.liveRecords(first.hash), [
    { type: 'abstain', below: 2 },
    { type: 'certificate', certificate: { kind: 'nullify', view: 2 } },
    { type: 'vote', vote: { kind: 'nullify', view: 2 } },
  ])
  const journal = bench.engine.liveRecords(genesis.hash) ?? []
  const again = new Bench(2, { recovery: { journal } })
  t.match(again.engine.describe(), { view: 3, finalHeight: 0 })
  t.same(names(again.effects).includes('halt stop-voting'), false)
})

t.test('R8: the closing block is proposed again, then the next epoch starts after its view', async (t) => {
  const bench = new Bench(2)
  const closing = blockAt(1)
  bench.hear(1, proposalOf(closing))
  bench.verified(closing, { ok: true, nextSet: setOf(4, 1) })
  bench.demand()
  const { effects } = bench.vote(3, 'notarize', 1, closing.hash)
  t.same(names(effects), ['broadcast finalize 1', 'tip 1', 'broadcast proposal'])
  t.match(effects[2], { message: { type: 'proposal', block: closing, parentView: 1, vote: { view: 2 } } })
  bench.vote(0, 'finalize', 1, closing.hash)
  const last = bench.vote(3, 'finalize', 1, closing.hash)
  t.ok(names(last.effects).includes('commit 1'))
  t.match(bench.engine.describe(), { epoch: 1, view: 2, finalHeight: 1 })
})

t.test('R8: no child of a closing block in its epoch', async (t) => {
  const bench = new Bench(0)
  const closing = blockAt(1)
  bench.hear(1, proposalOf(closing))
  bench.verified(closing, { ok: true, nextSet: setOf(4, 1) })
  const justification = [certificateBy([1, 2, 3], 'notarize', 1, closing.hash)]
  const { effects } = bench.hear(2, proposalOf(blockAt(2, closing), { justification }))
  t.ok(names(effects).includes('broadcast nullify 2'))
})

t.test('a lone sealer finalizes by itself', async (t) => {
  const bench = new Bench(0, { count: 1 })
  const effects = bench.demand().effects
  t.same(names(effects), ['build 1 height 1'])
  const block = new SimBlock(keys, { ...draft(1), leader: addressOf(0) })
  const done = bench.built(block)
  t.same(names(done.effects), ['broadcast proposal', 'broadcast finalize 1', 'tip 1', 'build 2 height 2', 'commit 1'])
})

t.test('needs: redundant votes and certificates are not worth verifying, conflicting ones are', async (t) => {
  const bench = new Bench(2)
  const block = blockAt(1)
  const vote = (from: number, hash = block.hash) => ({ type: 'vote', vote: voteBy(from, 'notarize', 1, hash) }) as const
  t.equal(bench.engine.needs(vote(3)), true)
  bench.hear(3, vote(3))
  t.equal(bench.engine.needs(vote(3)), false, 'known')
  t.equal(bench.engine.needs(vote(3, blockAt(2).hash)), true, 'evidence')
  bench.hear(0, vote(0))
  bench.hear(1, vote(1))
  t.equal(bench.engine.needsCertificate(certificateBy([0, 1, 3], 'notarize', 1, block.hash)), false, 'formed here')
  t.equal(bench.engine.needsCertificate(certificateBy([0, 1, 3], 'nullify', 1)), true)
  t.equal(bench.engine.needs({ type: 'vote', vote: voteBy(3, 'nullify', 500) }), false, 'far ahead')
  t.equal(bench.engine.needs({ type: 'vote', vote: voteBy(9, 'nullify', 2) }), false, 'not a sealer')
})
