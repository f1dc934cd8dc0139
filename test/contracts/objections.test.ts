/** Objections to entries of the user portrait, and what they do to it and to credit. */
import t from 'tap'
import { EXISTENCE, OBJECTION_STATUS, QUORUM, QUORUM_OF, STATUS } from '../../src/contracts/codes.js'
import type { Hash } from '../../src/core/bytes.js'
import { consentPageMax, objectionSecondsMax } from '../../src/core/limits.js'
import {
  CAPITAL,
  ENTERPRISE,
  ENTERPRISE_ID,
  ENVELOPE,
  FINANCE,
  genesisConfig,
  LEGAL_REPRESENTATIVE,
  MARKET,
  OPERATOR,
  OTHER_ENTERPRISE,
  PATENTS,
  PURPOSE,
  profile,
  STRANGER,
  World,
  word,
} from './world.js'

type Who = typeof MARKET

const { exists, missing } = EXISTENCE
const { open, upheld, rejected, lapsed } = OBJECTION_STATUS
const D1 = word('digest 1')
const REASON = word('letter')

const ENTRY = { enterpriseId: ENTERPRISE_ID, attribute: CAPITAL, digest: D1 }
const JOINT = { ...ENTRY, attribute: LEGAL_REPRESENTATIVE }
type Place = typeof ENTRY

/** A world in which the joint attribute has this quorum and supervisors. */
const worldOf = (quorum: number, supervisors: readonly Who[] = [MARKET, FINANCE, PATENTS]) =>
  new World(
    genesisConfig({
      attributes: [profile(CAPITAL, [MARKET]), profile(LEGAL_REPRESENTATIVE, supervisors, { quorum })],
    }),
  )

/** An entry that these supervisors have answered for. */
function answered(world: World, place: Place, ...by: Who[]): void {
  const asked = place.attribute === CAPITAL ? [MARKET] : [MARKET, FINANCE, PATENTS]
  const sealed = asked.map((supervisor) => ({ supervisor, keyEpoch: 1n, envelope: ENVELOPE }))
  const items = [{ attribute: place.attribute, digest: place.digest }]
  const basis = `0x${'00'.repeat(32)}` as Hash
  const request = { enterpriseId: ENTERPRISE_ID, portraitVersion: 1, purpose: PURPOSE, basis, items, sealed }
  world.must('dataSharing', PATENTS, 'requestVerification', request)
  const requestId = world.view('dataSharing', 'requestCount', {})
  const answer = { requestId, attribute: place.attribute, existence: exists, confirmed: false }
  for (const supervisor of by) world.must('dataSharing', supervisor, 'attest', { answers: [answer] })
}

const contest = (world: World, place: Place = ENTRY) =>
  world.must('dataSharing', ENTERPRISE, 'contest', { ...place, reasonHash: REASON })
const decide = (world: World, supervisor: Who, said: boolean, objectionId = 1n) =>
  world.must('dataSharing', supervisor, 'decideObjection', { objectionId, upheld: said })
const refusal = (world: World, supervisor: Who, objectionId = 1n) =>
  world.refusal('dataSharing', supervisor, 'decideObjection', { objectionId, upheld: true })
const objectionOf = (world: World, objectionId = 1n) => world.view('dataSharing', 'objectionOf', { objectionId })
const statusOf = (world: World) => objectionOf(world).status
const hit = (world: World, place: Place = ENTRY) =>
  world.view('dataSharing', 'portraitEntries', {
    enterpriseId: ENTERPRISE_ID,
    items: [{ attribute: place.attribute, digest: place.digest }],
  })[0]!.hit
const listed = (world: World) => world.view('dataSharing', 'GetUserProfile', { enterpriseId: ENTERPRISE_ID }).length
const disputes = (world: World, member: Who) => world.view('credit', 'recordOf', { member }).disputeUpheld
const names = (logs: readonly (readonly [string, unknown])[]) => logs.map(([name]) => name)

t.test('while it is contested an entry answers nothing', async (t) => {
  const world = new World()
  answered(world, ENTRY, MARKET)
  world.number = 9
  const deadline = BigInt(world.block.timestamp + objectionSecondsMax)
  t.same(contest(world), [['ObjectionRaised', { objectionId: 1n, ...ENTRY, reasonHash: REASON, deadline }]])
  t.same(objectionOf(world), {
    objectionId: 1n,
    ...ENTRY,
    reasonHash: REASON,
    height: 9n,
    deadline,
    status: open,
    existence: exists,
    confirmed: false,
    attesters: [MARKET],
    upheldBy: [],
    rejectedBy: [],
  })
  t.equal(world.view('dataSharing', 'objectionAgainst', ENTRY), 1n)
  t.same([hit(world), listed(world)], [false, 0])
  const asked = { userID: ENTERPRISE_ID, dataParam: CAPITAL }
  t.equal(world.view('dataSharing', 'GetExistence', asked).known, false)
  t.equal(world.view('dataSharing', 'GetConfirm', { ...asked, digest: D1 }).known, false)
  const items = [{ attribute: CAPITAL, digest: D1 }]
  t.same(world.view('dataSharing', 'portraitHeld', { enterpriseId: ENTERPRISE_ID, items }), [false])
  answered(world, ENTRY, MARKET)
  t.equal(hit(world), false, 'answering anew does not end it')
  const finding = { existence: exists, confirmed: true }
  world.must('dataSharing', MARKET, 'SetUserProfile', { ...ENTRY, ...finding })
  t.equal(hit(world), false, 'nor does setting it')
})

t.test('contest refuses', async (t) => {
  const world = new World()
  answered(world, ENTRY, MARKET)
  const attempt = (sender: Who, changes: Partial<Place> = {}) =>
    world.refusal('dataSharing', sender, 'contest', { ...ENTRY, reasonHash: REASON, ...changes })
  t.equal(attempt(ENTERPRISE), 'succeeded')
  for (const sender of [OTHER_ENTERPRISE, MARKET, OPERATOR, STRANGER]) {
    t.equal(attempt(sender), 'NotActiveEnterprise')
  }
  t.equal(attempt(ENTERPRISE, { digest: word('other') }), 'NotContestable')
  t.equal(attempt(ENTERPRISE, { attribute: word('x') }), 'NotContestable')
  contest(world)
  t.equal(attempt(ENTERPRISE), 'NotContestable', 'it is contested')
  t.throws(() => objectionOf(world, 2n), { message: 'UnknownObjection' })
  t.throws(() => objectionOf(world, 0n), { message: 'UnknownObjection' })
  const page = (from: bigint, count: bigint) =>
    world.view('dataSharing', 'objectionsFrom', { from, count }).map(({ objectionId }) => objectionId)
  t.same([page(0n, 5n), page(1n, BigInt(consentPageMax)), page(2n, 1n)], [[1n], [1n], []])
  t.throws(() => page(1n, BigInt(consentPageMax + 1)), { message: 'CountOutOfRange' })
})

t.test('upheld: the entry is gone, its attesters lose credit, once', async (t) => {
  const world = new World()
  answered(world, ENTRY, MARKET)
  contest(world)
  const before = world.view('credit', 'scoreOf', { member: MARKET })
  t.same(names(decide(world, MARKET, true)), ['ObjectionVoted', 'ObjectionDecided'])
  t.same([statusOf(world), hit(world), disputes(world, MARKET)], [upheld, false, 1])
  t.equal(world.view('credit', 'scoreOf', { member: MARKET }), before - 100)
  t.equal(refusal(world, MARKET), 'ObjectionClosed')
  t.equal(world.refusal('credit', OPERATOR, 'recordDispute', { member: FINANCE, objectionId: 1n }), 'NotDataSharing')
  answered(world, ENTRY, MARKET)
  t.equal(hit(world), true, 'a new answer takes its place')
  t.equal(listed(world), 1)
})

t.test('rejected: the entry stands again, and can be contested once it is renewed', async (t) => {
  const world = new World()
  answered(world, ENTRY, MARKET)
  world.number = 2
  contest(world)
  decide(world, MARKET, false)
  t.same([statusOf(world), hit(world), disputes(world, MARKET)], [rejected, true, 0])
  const again = () => world.refusal('dataSharing', ENTERPRISE, 'contest', { ...ENTRY, reasonHash: REASON })
  t.equal(again(), 'AlreadyContested')
  world.number = 3
  answered(world, ENTRY, MARKET)
  t.equal(again(), 'succeeded')
})

t.test('nobody decides: the entry stays gone, credit as it is', async (t) => {
  const world = new World()
  answered(world, ENTRY, MARKET)
  contest(world)
  world.number += objectionSecondsMax
  t.equal(statusOf(world), open, 'in its last second')
  world.number++
  t.equal(statusOf(world), lapsed)
  t.equal(refusal(world, MARKET), 'ObjectionClosed')
  t.same([hit(world), disputes(world, MARKET)], [false, 0])
  answered(world, ENTRY, MARKET)
  t.equal(hit(world), true)
})

t.test('the supervisors decide by the quorum of the rule', async (t) => {
  const runs: [number, (readonly [Who, boolean])[], number][] = [
    [
      QUORUM.all,
      [
        [MARKET, true],
        [FINANCE, true],
        [PATENTS, true],
      ],
      upheld,
    ],
    [
      QUORUM.all,
      [
        [MARKET, true],
        [FINANCE, false],
      ],
      rejected,
    ],
    [QUORUM.any, [[FINANCE, true]], upheld],
    [
      QUORUM.any,
      [
        [FINANCE, false],
        [MARKET, true],
      ],
      upheld,
    ],
    [
      QUORUM.any,
      [
        [FINANCE, false],
        [MARKET, false],
        [PATENTS, false],
      ],
      rejected,
    ],
    [
      QUORUM_OF(2),
      [
        [FINANCE, true],
        [MARKET, false],
        [PATENTS, true],
      ],
      upheld,
    ],
    [
      QUORUM_OF(2),
      [
        [FINANCE, false],
        [MARKET, false],
      ],
      rejected,
    ],
    [
      QUORUM.creditWeighted,
      [
        [FINANCE, true],
        [MARKET, true],
      ],
      upheld,
    ],
    [
      QUORUM.creditWeighted,
      [
        [FINANCE, false],
        [MARKET, false],
      ],
      rejected,
    ],
  ]
  for (const [quorum, votes, outcome] of runs) {
    const world = worldOf(quorum)
    answered(world, JOINT, MARKET, FINANCE, PATENTS)
    contest(world, JOINT)
    for (const [i, [supervisor, said]] of votes.entries()) {
      t.equal(statusOf(world), open, `open after ${i}`)
      decide(world, supervisor, said)
    }
    t.equal(statusOf(world), outcome, `quorum ${quorum}`)
    t.equal(hit(world, JOINT), outcome === rejected)
    const attesters = objectionOf(world).attesters
    t.same(
      [MARKET, FINANCE, PATENTS].map((member) => disputes(world, member)),
      [MARKET, FINANCE, PATENTS].map((member) => (outcome === upheld && attesters.includes(member) ? 1 : 0)),
    )
  }
})

t.test('who decides', async (t) => {
  const world = worldOf(QUORUM.all, [MARKET, FINANCE])
  const sealed = [MARKET, FINANCE].map((supervisor) => ({ supervisor, keyEpoch: 1n, envelope: ENVELOPE }))
  const items = [{ attribute: LEGAL_REPRESENTATIVE, digest: D1 }]
  const basis = `0x${'00'.repeat(32)}` as Hash
  const request = { enterpriseId: ENTERPRISE_ID, portraitVersion: 1, purpose: PURPOSE, basis, items, sealed }
  world.must('dataSharing', PATENTS, 'requestVerification', request)
  for (const supervisor of [MARKET, FINANCE]) {
    const answer = { requestId: 1n, attribute: LEGAL_REPRESENTATIVE, existence: missing, confirmed: false }
    world.must('dataSharing', supervisor, 'attest', { answers: [answer] })
  }
  contest(world, JOINT)
  t.match(objectionOf(world), { existence: missing, attesters: [MARKET, FINANCE] })
  t.equal(refusal(world, PATENTS), 'NotSupervisor')
  t.equal(refusal(world, ENTERPRISE), 'NotActiveDepartment')
  t.equal(refusal(world, MARKET, 2n), 'UnknownObjection')
  decide(world, MARKET, true)
  t.equal(refusal(world, MARKET), 'AlreadyDecided')
  t.match(objectionOf(world), { status: open, upheldBy: [MARKET], rejectedBy: [] })
  world.must('members', OPERATOR, 'setStatus', { account: FINANCE, status: STATUS.suspended })
  t.equal(refusal(world, FINANCE), 'NotActiveDepartment')
  world.must('members', OPERATOR, 'setStatus', { account: FINANCE, status: STATUS.active })
  decide(world, FINANCE, true)
  t.match(objectionOf(world), { status: upheld, upheldBy: [MARKET, FINANCE] })
})

t.test('a change that the supervisor reports leaves the objection to be decided', async (t) => {
  const world = new World()
  answered(world, ENTRY, MARKET)
  contest(world)
  world.must('dataSharing', MARKET, 'reportChange', { enterpriseId: ENTERPRISE_ID, attributes: [CAPITAL] })
  answered(world, ENTRY, MARKET)
  t.equal(hit(world), true, 'an answer about the changed value')
  decide(world, MARKET, true)
  t.same([statusOf(world), hit(world), disputes(world, MARKET)], [upheld, true, 1])
})
