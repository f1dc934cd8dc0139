/** Submissions and questions sealed to the group of an attribute's supervisors. */
import t from 'tap'
import { ACK_CODE, DELIVERY, EXISTENCE, QUORUM, STATUS } from '../../src/contracts/codes.js'
import { type Address, type Hash, ZERO_HASH } from '../../src/core/bytes.js'
import { GroupMembers } from './groupMembers.js'
import {
  CAPITAL,
  EMPLOYEES,
  ENTERPRISE,
  ENTERPRISE_ID,
  ENVELOPE,
  FINANCE,
  genesisConfig,
  LEGAL_REPRESENTATIVE,
  MARKET,
  OPERATOR,
  PATENTS,
  PURPOSE,
  profile,
  World,
  word,
} from './world.js'

const JOINT = LEGAL_REPRESENTATIVE
const digest = word('digest')

function agreed(rule: Parameters<typeof profile>[2] = {}): GroupMembers {
  const attributes = [
    profile(CAPITAL, [MARKET]),
    profile(JOINT, [MARKET, FINANCE], rule),
    profile(EMPLOYEES, [MARKET, FINANCE, PATENTS]),
  ]
  const group = new GroupMembers(new World(genesisConfig({ attributes })), [MARKET, FINANCE], JOINT)
  group.agree()
  return group
}

const partFor = (recipient: Address, attributes: readonly Hash[], keyEpoch = 1n) => {
  return { recipient, keyEpoch, attributes, digests: attributes.map(() => digest), envelope: ENVELOPE }
}
const submission = (...parts: ReturnType<typeof partFor>[]) => {
  return { enterpriseId: ENTERPRISE_ID, documentHash: word('document'), portraitVersion: 1, parts }
}
const question = (attributes: readonly Hash[], sealed: readonly (readonly [Address, bigint])[]) => ({
  enterpriseId: ENTERPRISE_ID,
  portraitVersion: 1,
  purpose: PURPOSE,
  basis: ZERO_HASH,
  items: attributes.map((attribute) => ({ attribute, digest })),
  sealed: sealed.map(([supervisor, keyEpoch]) => ({ supervisor, keyEpoch, envelope: ENVELOPE })),
})
const acknowledge = (accepted: boolean, code: number = ACK_CODE.ok, part = 0) => ({
  submissionId: 1n,
  part,
  accepted,
  code,
})

t.test('one part goes to the group; it is accepted when all have accepted', async (t) => {
  const { world, group } = agreed()
  const logs = world.must('dataSharing', ENTERPRISE, 'StoreData', submission(partFor(group, [JOINT])))
  t.same(logs[0], ['DataStored', { submissionId: 1n, enterpriseId: ENTERPRISE_ID, recipient: group, part: 0 }])
  const state = () => {
    const { acknowledged, accepted, code } = world.view('dataSharing', 'partOf', { submissionId: 1n, part: 0 })
    const { ackedCount, acceptedCount } = world.view('dataSharing', 'submissionOf', { submissionId: 1n })
    const by = world.view('dataSharing', 'acknowledgedBy', { submissionId: 1n, part: 0 })
    return { acknowledged, accepted, code, ackedCount, acceptedCount, by }
  }
  const nothing = { acknowledged: false, accepted: false, code: 0, ackedCount: 0, acceptedCount: 0, by: [] }
  t.same(state(), nothing)
  t.equal(world.refusal('dataSharing', PATENTS, 'acknowledge', acknowledge(true)), 'NotRecipient')
  const first = world.must('dataSharing', FINANCE, 'acknowledge', acknowledge(true))
  t.equal(first[0]![1].recipient, FINANCE)
  t.same(state(), { ...nothing, by: [FINANCE] })
  t.equal(world.refusal('dataSharing', FINANCE, 'acknowledge', acknowledge(true)), 'AlreadyAcknowledged')
  world.must('dataSharing', MARKET, 'acknowledge', acknowledge(true))
  const done = { acknowledged: true, accepted: true, code: 0, ackedCount: 1, acceptedCount: 1 }
  t.same(state(), { ...done, by: [MARKET, FINANCE] })
})

t.test('one rejection rejects the part, with its code; the others still say what they did', async (t) => {
  const { world, group } = agreed()
  world.must('dataSharing', ENTERPRISE, 'StoreData', submission(partFor(group, [JOINT])))
  world.must('dataSharing', MARKET, 'acknowledge', acknowledge(false, ACK_CODE.invalidValue))
  const state = () => world.view('dataSharing', 'partOf', { submissionId: 1n, part: 0 })
  t.match(state(), { acknowledged: true, accepted: false, code: ACK_CODE.invalidValue })
  world.must('dataSharing', FINANCE, 'acknowledge', acknowledge(true))
  t.match(state(), { acknowledged: true, accepted: false, code: ACK_CODE.invalidValue })
  const { ackedCount, acceptedCount } = world.view('dataSharing', 'submissionOf', { submissionId: 1n })
  t.same([ackedCount, acceptedCount], [1, 0])
})

t.test('parts for a group and for its members beside each other', async (t) => {
  const { world, group } = agreed()
  const parts = [partFor(group, [JOINT]), partFor(MARKET, [CAPITAL]), partFor(PATENTS, [EMPLOYEES])]
  world.must('dataSharing', ENTERPRISE, 'StoreData', submission(...parts))
  world.must('dataSharing', MARKET, 'acknowledge', acknowledge(true, 0, 1))
  world.must('dataSharing', MARKET, 'acknowledge', acknowledge(true, 0, 0))
  world.must('dataSharing', PATENTS, 'acknowledge', acknowledge(true, 0, 2))
  t.same(world.view('dataSharing', 'acknowledgedBy', { submissionId: 1n, part: 1 }), [MARKET])
  t.equal(world.view('dataSharing', 'submissionOf', { submissionId: 1n }).ackedCount, 2)
  const apart = submission(partFor(MARKET, [CAPITAL, JOINT]), partFor(FINANCE, [JOINT]))
  t.equal(world.refusal('dataSharing', ENTERPRISE, 'StoreData', apart), 'succeeded', 'separate envelopes go on')
})

t.test('a group takes only what exactly its members supervise, under its current key', async (t) => {
  const { world, group } = agreed()
  const store = (...parts: ReturnType<typeof partFor>[]) =>
    world.refusal('dataSharing', ENTERPRISE, 'StoreData', submission(...parts))
  t.equal(store(partFor(group, [CAPITAL])), 'NotSupervisor')
  t.equal(store(partFor(group, [EMPLOYEES])), 'NotSupervisor')
  t.equal(store(partFor(group, [JOINT], 0n)), 'StaleKeyEpoch')
  t.equal(store(partFor(group, [JOINT], 2n)), 'StaleKeyEpoch')
  t.equal(store(partFor(word('nobody').slice(0, 42) as Address, [JOINT])), 'NotActiveDepartment')
  t.equal(store(partFor(group, [JOINT]), partFor(group, [JOINT])), 'DuplicateRecipient')
  const other = { ...partFor(MARKET, [JOINT]), digests: [word('another')] }
  t.equal(store(partFor(group, [JOINT]), other), 'ConflictingDigest')
  world.must('members', OPERATOR, 'setStatus', { account: FINANCE, status: STATUS.suspended })
  t.equal(store(partFor(group, [JOINT])), 'StaleKeyEpoch')
  const direct = agreed({ delivery: DELIVERY.direct })
  const args = submission(partFor(direct.group, [JOINT]))
  t.equal(
    direct.world.refusal('dataSharing', ENTERPRISE, 'StoreData', args),
    'NotSupervisor',
    'no group where envelopes go direct',
  )
})

t.test('a question to a group wants an answer from each supervisor; the quorum of the rule decides', async (t) => {
  const { world, group } = agreed({ quorum: QUORUM.all })
  const logs = world.must('dataSharing', PATENTS, 'requestVerification', question([JOINT], [[group, 1n]]))
  const wanted = logs.filter(([name]) => name === 'AnswerWanted').map(([, { supervisor }]) => supervisor)
  t.same([...wanted].sort(), [FINANCE, MARKET].sort())
  const answer = { requestId: 1n, attribute: JOINT, existence: EXISTENCE.exists, confirmed: true }
  world.must('dataSharing', MARKET, 'attest', { answers: [answer] })
  t.equal(world.view('dataSharing', 'requestOf', { requestId: 1n }).completed, false)
  world.must('dataSharing', FINANCE, 'attest', { answers: [answer] })
  t.equal(world.view('dataSharing', 'requestOf', { requestId: 1n }).completed, true)
  const [entry] = world.view('dataSharing', 'GetUserProfile', { enterpriseId: ENTERPRISE_ID })
  t.same(entry?.attesters, [MARKET, FINANCE])
})

t.test('mixed questions: an envelope for the group, one for each supervisor of the rest', async (t) => {
  const { world, group } = agreed()
  const ask = (attributes: readonly Hash[], sealed: readonly (readonly [Address, bigint])[]) =>
    world.refusal('dataSharing', PATENTS, 'requestVerification', question(attributes, sealed))
  const items = [CAPITAL, JOINT]
  const sealed = [
    [group, 1n],
    [MARKET, 1n],
  ] as const
  const logs = world.must('dataSharing', PATENTS, 'requestVerification', question(items, sealed))
  const wanted = logs.filter(([name]) => name === 'AnswerWanted').map(([, args]) => [args.supervisor, args.attributes])
  t.same(wanted[0], [MARKET, [CAPITAL]])
  t.same(
    new Set(wanted.slice(1)),
    new Set([
      [FINANCE, [JOINT]],
      [MARKET, [JOINT]],
    ]),
  )
  t.equal(ask(items, [[group, 1n]]), 'EnvelopeMissing')
  t.equal(ask([JOINT], sealed), 'EnvelopeNotWanted', 'everything that it is asked is sealed to the group')
  t.equal(ask([CAPITAL], sealed), 'EnvelopeNotWanted', 'nothing asked is of the group')
  t.equal(ask([JOINT], [[group, 2n]]), 'StaleKeyEpoch')
  t.equal(
    ask(
      [JOINT],
      [
        [group, 1n],
        [group, 1n],
      ],
    ),
    'DuplicateRecipient',
  )
  const apart = [
    [MARKET, 1n],
    [FINANCE, 1n],
  ] as const
  t.equal(ask([JOINT], apart), 'succeeded', 'separate envelopes go on')
  world.must('members', OPERATOR, 'setStatus', { account: FINANCE, status: STATUS.suspended })
  t.equal(ask([JOINT], [[group, 1n]]), 'StaleKeyEpoch')
  t.equal(ask([JOINT], [[MARKET, 1n]]), 'succeeded', 'who is active answers alone')
})
