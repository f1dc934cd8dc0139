/** Rule credit-weighted: supervisors' answers count by their credit at the time of the request. */
import fc from 'fast-check'
import t from 'tap'
import { EXISTENCE, QUORUM, ROLE } from '../../src/contracts/codes.js'
import { type Address, ZERO_HASH } from '../../src/core/bytes.js'
import {
  account,
  CAPITAL,
  ENTERPRISE_ID,
  ENVELOPE,
  genesisConfig,
  LEGAL_REPRESENTATIVE,
  MARKET,
  PATENTS,
  PURPOSE,
  profile,
  World,
  word,
} from './world.js'

const { exists, missing, vacant, refused } = EXISTENCE
const DIGEST = word('digest')
const JOINT = [account(0x51), account(0x52), account(0x53), account(0x54)]

/** Supervisors with these scores: each seals its turns until it has it. */
function worldOf(scores: readonly number[]): World {
  const members = scores.map((_, i) => {
    const id = `joint-${i}`
    return { address: JOINT[i]!, role: ROLE.department, name: id, id, encryptionKey: word(id) }
  })
  const supervisors = members.map(({ address }) => address)
  const base = genesisConfig()
  const world = new World({
    ...base,
    members: [...base.members, ...members],
    attributes: [
      profile(CAPITAL, [MARKET]),
      profile(LEGAL_REPRESENTATIVE, supervisors, { quorum: QUORUM.creditWeighted }),
    ],
    credit: { start: 0, points: { turnSealed: 1 } },
  })
  scores.forEach((score, i) => {
    earn(world, supervisors[i]!, score)
  })
  return world
}

function earn(world: World, sealer: Address, blocks: number): void {
  world.sealer = sealer
  for (let i = 0; i < blocks; i++) world.endBlock()
}

const sealedFor = (supervisors: readonly Address[]) =>
  supervisors.map((supervisor) => ({ supervisor, keyEpoch: 1n, envelope: ENVELOPE }))
const base = { enterpriseId: ENTERPRISE_ID, portraitVersion: 1, purpose: PURPOSE, basis: ZERO_HASH }

function ask(world: World, count: number): void {
  const items = [{ attribute: LEGAL_REPRESENTATIVE, digest: DIGEST }]
  world.must('dataSharing', PATENTS, 'requestVerification', {
    ...base,
    items,
    sealed: sealedFor(JOINT.slice(0, count)),
  })
}
function attest(world: World, supervisor: Address, existence: number, confirmed = false): void {
  const answers = [{ requestId: 1n, attribute: LEGAL_REPRESENTATIVE, existence, confirmed }]
  world.must('dataSharing', supervisor, 'attest', { answers })
}
const itemOf = (world: World) => world.view('dataSharing', 'requestOf', { requestId: 1n }).items[0]!

t.test('an item completes when more than half of the credit has answered', async (t) => {
  const world = worldOf([40, 30, 20, 10])
  ask(world, 4)
  attest(world, JOINT[1]!, exists, true)
  t.match(itemOf(world), { existence: 0, answers: 1, answeredAt: 0n })
  attest(world, JOINT[2]!, exists, true)
  t.match(itemOf(world), { existence: 0, answers: 2 }, 'half is not more than half')
  attest(world, JOINT[3]!, missing)
  t.match(itemOf(world), { existence: exists, confirmed: true, answers: 3 })
  const entry = { enterpriseId: ENTERPRISE_ID, items: [{ attribute: LEGAL_REPRESENTATIVE, digest: DIGEST }] }
  const [hit] = world.view('dataSharing', 'portraitEntries', entry)
  t.match(hit, { hit: true, existence: exists, confirmed: true, attesters: JOINT.slice(1) })
  attest(world, JOINT[0]!, missing)
  t.match(itemOf(world), { existence: exists, answers: 3 }, 'what comes later stands on record and changes nothing')
})

t.test('the answer with the most credit stands, not the one of the most supervisors', async (t) => {
  const world = worldOf([20, 30, 60])
  ask(world, 3)
  attest(world, JOINT[0]!, missing)
  attest(world, JOINT[1]!, missing)
  attest(world, JOINT[2]!, vacant)
  t.match(itemOf(world), { existence: vacant, confirmed: false, answers: 3 })
})

t.test('confirmed by most of the credit that has the value; of equals the worse stands', async (t) => {
  const outcome = (scores: readonly number[], answers: readonly (readonly [number, boolean])[]) => {
    const world = worldOf(scores)
    ask(world, scores.length)
    answers.forEach(([existence, confirmed], i) => {
      attest(world, JOINT[i]!, existence, confirmed)
    })
    const { existence, confirmed } = itemOf(world)
    return [existence, confirmed]
  }
  const [no, yes] = [
    [exists, false],
    [exists, true],
  ] as const
  const absent = [missing, false] as const
  t.same(outcome([10, 20], [no, yes]), [exists, true])
  t.same(outcome([30, 10, 20], [no, yes, yes]), [exists, false], 'the first two had more than half')
  t.same(outcome([10, 10, 30], [yes, no, absent]), [missing, false])
  t.same(outcome([10, 10], [yes, no]), [exists, false])
  t.same(outcome([10, 10], [yes, absent]), [missing, false])
  t.same(outcome([10, 10], [absent, [refused, false]]), [refused, false])
  t.same(outcome([10, 10], [[vacant, false], yes]), [vacant, false])
})

t.test('weights are those of the request, and nobody weighs nothing', async (t) => {
  const world = worldOf([0, 0, 5])
  ask(world, 3)
  earn(world, JOINT[0]!, 50)
  attest(world, JOINT[0]!, exists)
  t.match(itemOf(world), { answeredAt: 0n })
  attest(world, JOINT[1]!, exists)
  t.match(itemOf(world), { answeredAt: 0n }, 'two of seven')
  attest(world, JOINT[2]!, exists)
  t.not(itemOf(world).answeredAt, 0n)
  const poor = worldOf([0, 0])
  ask(poor, 2)
  attest(poor, JOINT[0]!, exists)
  attest(poor, JOINT[1]!, exists)
  t.not(itemOf(poor).answeredAt, 0n)
})

t.test('every item completes when all have answered, whatever they weigh', async (t) => {
  const outcomes = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 30 }), fc.constantFrom(exists, missing, vacant, refused)),
    { minLength: 2, maxLength: 4 },
  )
  fc.assert(
    fc.property(outcomes, (list) => {
      const world = worldOf(list.map(([score]) => score))
      ask(world, list.length)
      list.forEach(([, existence], i) => {
        attest(world, JOINT[i]!, existence)
      })
      const { existence, answeredAt } = itemOf(world)
      t.not(answeredAt, 0n)
      t.ok(list.some(([, given]) => given === existence))
    }),
    { numRuns: 30 },
  )
})

t.test('the rule is for attributes with several supervisors', async (t) => {
  const world = new World()
  const rule = { quorum: QUORUM.creditWeighted }
  const refusal = (supervisors: readonly Address[], quorum: number) =>
    world.refusal('dataPortrait', MARKET, 'SetDataProfile', {
      dataProfile: profile(CAPITAL, supervisors, { ...rule, quorum }),
    })
  t.equal(refusal([MARKET, PATENTS], QUORUM.creditWeighted), 'succeeded')
  t.equal(refusal([MARKET], QUORUM.creditWeighted), 'InvalidRule')
  t.equal(refusal([MARKET, PATENTS], 254), 'InvalidRule')
})
