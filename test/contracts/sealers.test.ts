/** Contract `sealers`: the set changes by vote, at the end of a block, and never into one that could not go on. */
import t from 'tap'
import { CHANGE_KIND, CHANGE_STATUS, STATUS } from '../../src/contracts/codes.js'
import { defaultCreditParameters } from '../../src/contracts/creditRules.js'
import { type Address, ZERO_ADDRESS } from '../../src/core/bytes.js'
import { changeReasonBytesMax, multiaddrBytesMax, openChangesPerVoterMax, sealersMax } from '../../src/core/limits.js'
import { dept, runner, SealerWorld } from './sealerWorld.js'
import { genesisConfig, OPERATOR, STRANGER, World } from './world.js'

const { add, remove, replace } = CHANGE_KIND
const suspend = (world: World, account: Address, status: number = STATUS.suspended) =>
  world.must('members', OPERATOR, 'setStatus', { account, status })

t.test('the rules of the set are those of genesis', async (t) => {
  const world = new SealerWorld({ sealers: 5, consensus: { weightPolicy: 'credit', epochBlocks: 7, sealersMin: 3 } })
  t.equal(world.view('sealers', 'weightPolicy', {}), 'credit')
  t.equal(world.view('sealers', 'leaderSchedule', {}), 'round-robin')
  t.same(world.view('sealers', 'parameters', {}), {
    epochBlocks: 7n,
    changeBlocksMax: 100_000n,
    sealersMin: 3,
    sealersMax,
    thresholdNumerator: 2,
    thresholdDenominator: 3,
  })
  const refused = (consensus: NonNullable<Parameters<typeof genesisConfig>[0]>['consensus']) =>
    t.throws(() => new World(genesisConfig({ ...(consensus && { consensus }) })), {
      code: 'REFUSED',
      message: /InvalidParameter/,
    })
  refused({ epochBlocks: -1 })
  refused({ epochBlocks: 1.5 })
  refused({ changeBlocksMax: 0 })
  refused({ sealersMin: 0 })
  refused({ sealersMin: 3 })
  refused({ changeThreshold: { numerator: 4, denominator: 3 } })
  refused({ changeThreshold: { numerator: 0, denominator: 3 } })
})

t.test('a node comes forward, is added by vote, and seals from the next epoch on', async (t) => {
  const world = new SealerWorld({ sealers: 4 })
  const node = runner(0)
  t.same(world.view('sealers', 'volunteerOf', { account: node }), { height: 0n, multiaddr: '', valid: false })
  world.volunteer(node, '/dns4/node.example/tcp/30301')
  t.same(world.view('sealers', 'volunteerOf', { account: node }), {
    height: 1n,
    multiaddr: '/dns4/node.example/tcp/30301',
    valid: true,
  })
  t.equal(world.view('sealers', 'p2pAddressOf', { account: node }), '/dns4/node.example/tcp/30301')
  const id = world.propose(dept(0), 'add', node)
  t.same(world.view('sealers', 'openChanges', {}), [id])
  t.equal(world.step(), null)
  world.approve(id, dept(1))
  t.match(world.change(id), {
    kind: add,
    sealer: node,
    replacement: ZERO_ADDRESS,
    proposer: dept(0),
    reason: 'decision 12/2026',
    proposedAt: 1n,
    status: CHANGE_STATUS.open,
    approvals: [dept(0), dept(1)],
    needed: 3,
  })
  t.equal(world.step(), null)
  world.approve(id, dept(2))
  t.match(world.change(id), { status: CHANGE_STATUS.approved })
  t.same(world.view('sealers', 'openChanges', {}), [])
  t.equal(world.set.epoch, 0, 'nothing changes before the block ends')
  const next = world.step()
  t.same(
    next?.sealers,
    [dept(0), dept(1), dept(2), dept(3), node].map((address) => ({ address, weight: 1 })),
  )
  t.equal(next?.epoch, 1)
  t.same(world.set, next)
  t.equal(world.step(), null)
  t.match(world.change(id), { status: CHANGE_STATUS.settled, settledAt: 3n, refusal: '' }, 'once')
})

t.test('removal, replacement and leaving; who left keeps no weight', async (t) => {
  const world = new SealerWorld({ sealers: 5 })
  const removal = world.propose(dept(0), 'remove', dept(4))
  world.approve(removal, dept(1), dept(2), dept(3))
  t.same(world.step()?.sealers.length, 4)
  t.equal(world.view('sealers', 'isSealer', { account: dept(4) }), false)
  world.volunteer(runner(0))
  const replacement = world.propose(dept(1), 'replace', dept(2), runner(0))
  world.approve(replacement, dept(0), dept(3), dept(4))
  t.same(
    world.step()?.sealers.map(({ address }) => address),
    [dept(0), dept(1), runner(0), dept(3)],
    'in its place',
  )
  t.equal(world.refusal('sealers', dept(0), 'leave', {}), 'TooFewSealers')
  world.volunteer(runner(1))
  const addition = world.propose(dept(1), 'add', runner(1))
  world.approve(addition, dept(0), dept(2), dept(3), dept(4))
  world.step()
  t.equal(world.refusal('sealers', STRANGER, 'leave', {}), 'NotSealer')
  const logs = world.must('sealers', dept(0), 'leave', {})
  t.same(
    logs.map(([name]) => name),
    ['ChangeProposed', 'ChangeDue'],
  )
  t.same(
    world.step()?.sealers.map(({ address }) => address),
    [dept(1), runner(0), dept(3), runner(1)],
  )
  t.equal(world.set.epoch, 4)
})

t.test('a seat is handed to another key: the old one offers, the new one takes', async (t) => {
  const world = new SealerWorld({ sealers: 4 })
  const [old, fresh] = [dept(3), runner(0)]
  for (let i = 0; i < 8; i++) world.step()
  const scoreOf = (member: Address) => world.view('credit', 'scoreOf', { member })
  const take = (by: Address) => world.refusal('sealers', by, 'takeSeat', { predecessor: old })
  const offer = (successor: Address) => world.must('sealers', old, 'offerSeat', { successor })
  t.equal(world.refusal('sealers', fresh, 'offerSeat', { successor: fresh }), 'NotSealer')
  t.equal(take(fresh), 'SeatNotOffered')
  offer(fresh)
  t.equal(take(runner(1)), 'SeatNotOffered')
  t.equal(take(fresh), 'succeeded')
  offer(ZERO_ADDRESS)
  t.equal(take(fresh), 'SeatNotOffered', 'taken back')
  offer(STRANGER)
  t.equal(take(STRANGER), 'UnknownMember')
  offer(dept(0))
  t.equal(take(dept(0)), 'AlreadySealer')
  offer(fresh)
  world.must('sealers', fresh, 'takeSeat', { predecessor: old })
  t.equal(take(fresh), 'SeatNotOffered', 'once')
  t.same(
    world.step()?.sealers.map(({ address }) => address),
    [dept(0), dept(1), dept(2), fresh],
  )
  t.equal(scoreOf(fresh), defaultCreditParameters.start, 'not better than the record of the new key')
  world.down.add(fresh)
  world.steps(4)
  world.down.clear()
  const poor = scoreOf(fresh)
  t.ok(poor < defaultCreditParameters.start)
  world.must('sealers', fresh, 'offerSeat', { successor: runner(1) })
  world.must('sealers', runner(1), 'takeSeat', { predecessor: fresh })
  world.step()
  t.equal(scoreOf(runner(1)), poor, 'a new key does not wash a bad record away')
})

t.test('a new key is no way out of a removal, and an offer ends with the seat', async (t) => {
  const world = new SealerWorld({ sealers: 5 })
  const old = dept(4)
  const handOver = (from: Address, to: Address) => {
    world.must('sealers', from, 'offerSeat', { successor: to })
    world.must('sealers', to, 'takeSeat', { predecessor: from })
  }
  const open = world.propose(dept(0), 'remove', old)
  handOver(old, runner(0))
  world.step()
  t.equal(world.change(open).sealer, runner(0), 'the votes stay with the seat')
  world.approve(open, dept(1), dept(2), dept(3))
  handOver(runner(0), runner(1))
  world.approve(open, dept(4))
  t.same(
    world.step()?.sealers.map(({ address }) => address),
    [dept(0), dept(1), dept(2), dept(3)],
    'also in the block of the last vote',
  )
  t.match(world.change(open), { sealer: runner(1), status: CHANGE_STATUS.settled })
  world.must('sealers', dept(3), 'offerSeat', { successor: runner(0) })
  world.volunteer(runner(1))
  const swap = world.propose(dept(0), 'replace', dept(3), runner(1))
  world.approve(swap, dept(1), dept(2), dept(4))
  world.step()
  world.volunteer(dept(3))
  const back = world.propose(dept(0), 'replace', runner(1), dept(3))
  world.approve(back, dept(1), dept(2), dept(3), dept(4))
  world.step()
  t.equal(world.addresses[3], dept(3))
  t.equal(world.refusal('sealers', runner(0), 'takeSeat', { predecessor: dept(3) }), 'SeatNotOffered')
})

t.test('proposals are refused with the reason', async (t) => {
  const world = new SealerWorld({ sealers: 4, others: 1 })
  const by = dept(0)
  world.volunteer(runner(0))
  const refusal = (kind: number, sealer: Address, replacement = ZERO_ADDRESS) =>
    world.proposalRefused(by, kind, sealer, replacement)
  t.equal(refusal(add, runner(0)), 'succeeded')
  t.equal(world.proposalRefused(STRANGER, add, runner(0)), 'NotVoter')
  t.equal(world.proposalRefused(runner(0), add, runner(0)), 'NotVoter', 'a node without seat has no vote')
  t.equal(world.proposalRefused(OPERATOR, add, runner(0)), 'NotVoter')
  for (const kind of [0, CHANGE_KIND.leave, CHANGE_KIND.handOver, 9]) t.equal(refusal(kind, dept(1)), 'InvalidKind')
  t.equal(refusal(add, STRANGER), 'UnknownMember')
  t.equal(refusal(add, dept(1)), 'AlreadySealer')
  t.equal(refusal(add, runner(1)), 'NotVolunteered')
  t.equal(refusal(add, runner(0), dept(1)), 'ReplacementNotWanted')
  t.equal(refusal(remove, runner(0)), 'NotSealer')
  t.equal(refusal(remove, dept(1), runner(0)), 'ReplacementNotWanted')
  t.equal(refusal(remove, dept(1)), 'TooFewSealers')
  t.equal(refusal(replace, runner(0), dept(4)), 'NotSealer')
  t.equal(refusal(replace, dept(1), dept(2)), 'AlreadySealer')
  t.equal(refusal(replace, dept(1), dept(4)), 'NotVolunteered')
  t.equal(refusal(replace, dept(1), runner(0)), 'succeeded')
  suspend(world, runner(0))
  t.equal(refusal(add, runner(0)), 'NotActiveMember')
  t.equal(world.refusal('sealers', runner(0), 'volunteer', { multiaddr: '' }), 'NotActiveMember')
  t.equal(world.refusal('sealers', STRANGER, 'volunteer', { multiaddr: '' }), 'UnknownMember')
  const long = { multiaddr: 'x'.repeat(multiaddrBytesMax + 1) }
  t.equal(world.refusal('sealers', runner(1), 'volunteer', long), 'TextTooLong')
  t.equal(world.refusal('sealers', runner(1), 'volunteer', { multiaddr: 'x'.repeat(multiaddrBytesMax) }), 'succeeded')
  const reason = 'x'.repeat(changeReasonBytesMax + 1)
  const tooLong = { kind: replace, sealer: dept(1), replacement: dept(4), reason }
  t.equal(world.refusal('sealers', by, 'proposeChange', tooLong), 'TextTooLong')
})

t.test('no more sealers than sealersMax', async (t) => {
  const world = new SealerWorld({ sealers: sealersMax })
  world.volunteer(runner(0))
  t.equal(world.proposalRefused(dept(0), add, runner(0)), 'TooManySealers')
  t.equal(world.proposalRefused(dept(0), replace, dept(3), runner(0)), 'succeeded')
})

t.test('votes: each once, taken back, of voters alone, lapsing', async (t) => {
  const world = new SealerWorld({ sealers: 4, consensus: { changeBlocksMax: 10 } })
  world.volunteer(runner(0))
  const id = world.propose(dept(0), 'add', runner(0))
  const approval = (by: Address, of = id) => world.refusal('sealers', by, 'approveChange', { id: of })
  const withdrawal = (by: Address, of = id) => world.refusal('sealers', by, 'withdrawApproval', { id: of })
  t.equal(approval(dept(0)), 'AlreadyApproved')
  t.equal(approval(STRANGER), 'NotVoter')
  t.equal(approval(runner(0)), 'NotVoter')
  t.equal(approval(dept(1), 9n), 'UnknownChange')
  t.equal(withdrawal(dept(1)), 'NotApproved')
  t.equal(withdrawal(dept(1), 9n), 'UnknownChange')
  t.throws(() => world.change(9n), { message: 'UnknownChange' })
  world.approve(id, dept(1))
  world.must('sealers', dept(1), 'withdrawApproval', { id })
  world.approve(id, dept(2))
  world.step()
  t.equal(world.change(id).status, CHANGE_STATUS.open, 'two votes of four')
  world.must('sealers', dept(2), 'withdrawApproval', { id })
  world.must('sealers', dept(0), 'withdrawApproval', { id })
  t.equal(world.change(id).status, CHANGE_STATUS.withdrawn, 'nobody wants it')
  t.equal(approval(dept(1)), 'ChangeNotOpen')
  t.equal(withdrawal(dept(1)), 'ChangeNotOpen')
  const second = world.propose(dept(0), 'add', runner(0))
  world.approve(second, dept(1))
  world.steps(10)
  t.equal(world.change(second).status, CHANGE_STATUS.open)
  world.step()
  t.equal(world.change(second).status, CHANGE_STATUS.lapsed)
  t.same(world.view('sealers', 'openChanges', {}), [])
  t.equal(approval(dept(2), second), 'ChangeNotOpen')
  t.equal(world.view('sealers', 'volunteerOf', { account: runner(0) }).valid, false, 'so did the candidacy')
  t.equal(world.proposalRefused(dept(0), add, runner(0)), 'NotVolunteered')
})

t.test('one voter cannot fill the list, and votes for one change are not scattered', async (t) => {
  const world = new SealerWorld({ sealers: 4, runners: openChangesPerVoterMax + 1 })
  for (let i = 0; i <= openChangesPerVoterMax; i++) world.volunteer(runner(i))
  for (let i = 0; i < openChangesPerVoterMax; i++) world.propose(dept(0), 'add', runner(i))
  t.equal(world.proposalRefused(dept(0), add, runner(openChangesPerVoterMax)), 'TooManyOpenChanges')
  t.equal(world.proposalRefused(dept(1), add, runner(0)), 'DuplicateChange')
  t.equal(world.proposalRefused(dept(1), add, runner(openChangesPerVoterMax)), 'succeeded')
})

t.test('who was suspended votes no more, and no longer counts', async (t) => {
  const world = new SealerWorld({ sealers: 4, others: 2 })
  world.volunteer(runner(0))
  const id = world.propose(dept(4), 'add', runner(0))
  world.approve(id, dept(5), dept(0))
  t.equal(world.change(id).needed, 5, 'of six')
  suspend(world, dept(4))
  t.equal(world.change(id).needed, 4, 'of five')
  world.approve(id, dept(1))
  world.step()
  t.equal(world.change(id).status, CHANGE_STATUS.open, 'three votes that count')
  t.equal(world.refusal('sealers', dept(4), 'approveChange', { id }), 'NotVoter')
  suspend(world, dept(5), STATUS.revoked)
  world.approve(id, dept(2))
  t.equal(world.step()?.epoch, 1, 'three of four')
  suspend(world, dept(4), STATUS.active)
  t.equal(world.change(id).needed, 5, 'of six again: the new sealer votes')
})

t.test('the threshold of genesis counts where it asks for more', async (t) => {
  const needed = (plan: ConstructorParameters<typeof SealerWorld>[0]) => {
    const world = new SealerWorld(plan)
    world.volunteer(runner(0))
    return world.change(world.propose(dept(0), 'add', runner(0))).needed
  }
  const threshold = (numerator: number, denominator: number) => ({ changeThreshold: { numerator, denominator } })
  t.equal(needed({ sealers: 4, others: 6 }), 7)
  t.equal(needed({ sealers: 4, others: 6, consensus: threshold(1, 2) }), 7, 'never below two thirds')
  t.equal(needed({ sealers: 4, others: 6, consensus: threshold(3, 4) }), 8)
  t.equal(needed({ sealers: 4, others: 6, consensus: threshold(1, 1) }), 10)
  t.equal(needed({ sealers: 3 }), 3)
})

t.test('a change that the sealers who are up could not carry is refused', async (t) => {
  const world = new SealerWorld({ sealers: 5, consensus: { sealersMin: 1 } })
  world.volunteer(runner(0))
  world.down.add(dept(4))
  const early = world.propose(dept(0), 'remove', dept(1))
  world.steps(16)
  t.equal(world.proposalRefused(dept(0), remove, dept(4)), 'succeeded', 'removing the one that is down helps')
  t.equal(world.proposalRefused(dept(0), remove, dept(2)), 'succeeded', 'three of four are up')
  world.down.add(dept(3))
  world.steps(12)
  t.equal(world.proposalRefused(dept(0), remove, dept(2)), 'QuorumImpossible')
  world.approve(early, dept(1), dept(2), dept(3))
  t.equal(world.step(), null, 'what was possible when it was proposed is looked at again')
  t.match(world.change(early), { status: CHANGE_STATUS.refused, refusal: 'QuorumImpossible' })
  t.equal(world.proposalRefused(dept(0), replace, dept(4), runner(0)), 'succeeded')
  world.must('sealers', dept(3), 'volunteer', { multiaddr: '' })
  t.equal(world.proposalRefused(dept(0), remove, dept(2)), 'succeeded', 'it came forward again')
  world.steps(4)
  t.equal(world.proposalRefused(dept(0), remove, dept(2)), 'QuorumImpossible', 'and missed its turn again')
})

t.test('changes of one block are settled one after the other', async (t) => {
  const world = new SealerWorld({ sealers: 5 })
  world.volunteer(runner(0))
  const swap = world.propose(dept(0), 'replace', dept(4), runner(0))
  const removal = world.propose(dept(1), 'remove', dept(4))
  const others = [dept(2), dept(3)]
  world.approve(swap, dept(1), ...others)
  world.approve(removal, dept(0), ...others)
  world.must('sealers', dept(0), 'leave', {})
  world.must('sealers', dept(1), 'leave', {})
  t.same(
    world.step()?.sealers.map(({ address }) => address),
    [dept(1), dept(2), dept(3), runner(0)],
  )
  t.equal(world.set.epoch, 1, 'one epoch for all of them')
  t.match(world.change(removal), { status: CHANGE_STATUS.refused, refusal: 'NotSealer' })
  t.match(world.change(4n), { status: CHANGE_STATUS.refused, refusal: 'TooFewSealers', kind: CHANGE_KIND.leave })
})

t.test('from one sealer on', async (t) => {
  const world = new SealerWorld({ sealers: 1, runners: 4 })
  for (let i = 0; i < 4; i++) {
    world.volunteer(runner(i))
    const id = world.propose(dept(0), 'add', runner(i))
    world.approve(id, ...Array.from({ length: Math.max(0, world.change(id).needed - 1) }, (_, n) => runner(n)))
    const next = world.step()
    t.same(
      next?.sealers.map(({ weight }) => weight),
      Array(i + 2).fill(1),
    )
    t.equal(next?.epoch, i + 1)
  }
})
