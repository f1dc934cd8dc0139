/** requestVerification, attest and the user portrait (paper 4.3, Fig. 7). */
import t from 'tap'
import { EXISTENCE, QUORUM, QUORUM_OF, REFUSAL, ROLE, STATUS } from '../../src/contracts/codes.js'
import { type Hash, ZERO_HASH } from '../../src/core/bytes.js'
import { requestItemsMax } from '../../src/core/limits.js'
import { agree } from './portraitWorld.js'
import {
  AUDITOR,
  account,
  BANK_ACCOUNT,
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
  OTHER_ENTERPRISE_ID,
  PATENTS,
  PURPOSE,
  profile,
  STRANGER,
  World,
  word,
} from './world.js'

type Who = typeof MARKET
type Rule = Parameters<typeof profile>[2]

const D1 = word('digest 1')
const D2 = word('digest 2')
const item = (attribute: Hash, digest = D1) => ({ attribute, digest })
const sealed = (...supervisors: Who[]) =>
  supervisors.map((supervisor) => ({ supervisor, keyEpoch: 1n, envelope: ENVELOPE }))
const base = { enterpriseId: ENTERPRISE_ID, portraitVersion: 1, purpose: PURPOSE, basis: ZERO_HASH }
const SIMPLE = { ...base, items: [item(CAPITAL), item(EMPLOYEES, D2)], sealed: sealed(MARKET) }
const JOINT = { ...base, items: [item(LEGAL_REPRESENTATIVE)], sealed: sealed(MARKET, FINANCE) }
const refusalOf = (requester: Who, attribute: Hash) => {
  return { enterpriseId: ENTERPRISE_ID, requester, attribute, purpose: PURPOSE, basis: ZERO_HASH }
}
const { exists, missing, vacant, refused } = EXISTENCE

const answer = (attribute: Hash, existence: number, confirmed = false, requestId = 1n) => {
  return { requestId, attribute, existence, confirmed }
}
const ask = (world: World, args: typeof SIMPLE = SIMPLE, sender = PATENTS) =>
  world.must('dataSharing', sender, 'requestVerification', args)
const attest = (world: World, sender: Who, ...answers: ReturnType<typeof answer>[]) =>
  world.must('dataSharing', sender, 'attest', { answers })
const refusesAttest = (world: World, sender: Who, ...answers: ReturnType<typeof answer>[]) =>
  world.refusal('dataSharing', sender, 'attest', { answers })
const requestOf = (world: World, requestId = 1n) => world.view('dataSharing', 'requestOf', { requestId })
const entries = (world: World, ...items: ReturnType<typeof item>[]) =>
  world.view('dataSharing', 'portraitEntries', {
    enterpriseId: ENTERPRISE_ID,
    items,
  })
const userProfile = (world: World) =>
  world.view('dataSharing', 'GetUserProfile', {
    enterpriseId: ENTERPRISE_ID,
  })
const existence = (world: World, dataParam: Hash) =>
  world.view('dataSharing', 'GetExistence', {
    userID: ENTERPRISE_ID,
    dataParam,
  })
const confirm = (world: World, dataParam: Hash, digest: Hash) =>
  world.view('dataSharing', 'GetConfirm', {
    userID: ENTERPRISE_ID,
    dataParam,
    digest,
  })
/** A world in which the attributes have this rule; the quorum is that of the joint one. */
const worldWith = (rule: Rule, joint: readonly Who[] = [MARKET, FINANCE]) =>
  new World(
    genesisConfig({
      attributes: [
        profile(CAPITAL, [MARKET], { ...rule, quorum: QUORUM.all }),
        profile(EMPLOYEES, [MARKET], { ...rule, quorum: QUORUM.all }),
        profile(BANK_ACCOUNT, [FINANCE], { ...rule, quorum: QUORUM.all }),
        profile(LEGAL_REPRESENTATIVE, joint, rule),
      ],
    }),
  )
const names = (logs: readonly (readonly [string, unknown])[]) => logs.map(([name]) => name)

t.test('a request names who has to answer what', async (t) => {
  const world = new World()
  world.number = 5
  const items = [item(CAPITAL), item(BANK_ACCOUNT), item(EMPLOYEES, D2)]
  const logs = ask(world, { ...base, items, sealed: sealed(FINANCE, MARKET) })
  t.same(logs, [
    ['VerificationRequested', { requestId: 1n, enterpriseId: ENTERPRISE_ID, requester: PATENTS, purpose: PURPOSE }],
    ['AnswerWanted', { requestId: 1n, supervisor: MARKET, attributes: [CAPITAL, EMPLOYEES] }],
    ['AnswerWanted', { requestId: 1n, supervisor: FINANCE, attributes: [BANK_ACCOUNT] }],
  ])
  const unanswered = { existence: 0, confirmed: false, answers: 0, answeredAt: 0n }
  t.same(requestOf(world), {
    enterpriseId: ENTERPRISE_ID,
    requester: PATENTS,
    purpose: PURPOSE,
    height: 5n,
    deadline: 0n,
    completed: false,
    items: items.map((asked) => ({ ...asked, ...unanswered })),
  })
  t.throws(() => requestOf(world, 2n), { message: 'UnknownRequest' })
})

t.test('requestVerification refuses', async (t) => {
  const world = new World()
  const refusal = (changes: Partial<typeof SIMPLE>, sender: Who = PATENTS) =>
    world.refusal('dataSharing', sender, 'requestVerification', { ...SIMPLE, ...changes })
  t.equal(refusal({}), 'succeeded')
  t.equal(refusal({}, STRANGER), 'NotActiveMember')
  t.equal(refusal({ items: [] }), 'CountOutOfRange')
  const many = Array.from({ length: requestItemsMax + 1 }, () => item(CAPITAL))
  t.equal(refusal({ items: many }), 'CountOutOfRange')
  t.equal(refusal({ items: [item(CAPITAL), item(CAPITAL, D2)] }), 'DuplicateAttribute')
  t.equal(refusal({ items: [item(word('x'))] }), 'UnknownAttribute')
  t.equal(refusal({ items: [item(CAPITAL, ZERO_HASH)] }), 'ZeroDigest')
  t.equal(refusal({ sealed: [] }), 'CountOutOfRange')
  t.equal(refusal({ sealed: sealed(FINANCE) }), 'EnvelopeNotWanted')
  t.equal(refusal({ sealed: sealed(MARKET, MARKET) }), 'DuplicateRecipient')
  t.equal(refusal({ items: [item(CAPITAL), item(BANK_ACCOUNT)] }), 'EnvelopeMissing')
  t.equal(refusal({ sealed: [{ ...sealed(MARKET)[0]!, keyEpoch: 2n }] }), 'StaleKeyEpoch')
  t.equal(refusal({ sealed: [{ ...sealed(MARKET)[0]!, envelope: new Uint8Array() }] }), 'CountOutOfRange')
  t.equal(refusal({ portraitVersion: 9 }), 'succeeded', 'the enterprise has named no version yet')
  const shares = [{ recipient: PATENTS, keyEpoch: 1n, envelope: ENVELOPE }]
  const shared = { enterpriseId: ENTERPRISE_ID, portraitVersion: 2, shares }
  world.must('dataSharing', ENTERPRISE, 'sharePortraitKey', shared)
  t.equal(refusal({}), 'PortraitVersionMismatch')
  t.equal(refusal({ portraitVersion: 2 }), 'succeeded')
  world.must('members', OPERATOR, 'setStatus', { account: MARKET, status: STATUS.suspended })
  t.equal(refusal({ portraitVersion: 2 }), 'NoActiveSupervisor')
  world.must('members', OPERATOR, 'setStatus', { account: PATENTS, status: STATUS.suspended })
  t.equal(refusal({ portraitVersion: 2 }), 'NotActiveMember')
})

t.test('a rule allows roles; who may not ask is on record, and nothing else happens', async (t) => {
  const world = worldWith({ askerRoles: 1 << ROLE.auditor })
  for (const requester of [PATENTS, ENTERPRISE, OPERATOR]) {
    t.same(ask(world, SIMPLE, requester), [
      ['VerificationRefused', { ...refusalOf(requester, CAPITAL), reason: REFUSAL.role }],
    ])
  }
  t.equal(world.view('dataSharing', 'requestCount', {}), 0n)
  t.equal(names(ask(world, SIMPLE, AUDITOR))[0], 'VerificationRequested')
})

t.test('the sole supervisor answers, and the next question is a portrait hit', async (t) => {
  const world = new World()
  ask(world)
  world.number = 3
  t.same(attest(world, MARKET, answer(CAPITAL, exists, true)), [
    ['Attested', { requestId: 1n, attribute: CAPITAL, supervisor: MARKET, existence: exists, confirmed: true }],
    [
      'UserProfileSet',
      { enterpriseId: ENTERPRISE_ID, attribute: CAPITAL, digest: D1, existence: exists, confirmed: true },
    ],
  ])
  t.equal(requestOf(world).completed, false)
  t.same(names(attest(world, MARKET, answer(EMPLOYEES, missing))), [
    'Attested',
    'UserProfileSet',
    'VerificationCompleted',
  ])
  const { completed, items } = requestOf(world)
  t.equal(completed, true)
  t.match(items, [
    { existence: exists, confirmed: true, answers: 1, answeredAt: 3n },
    { existence: missing, confirmed: false, answers: 1, answeredAt: 3n },
  ])
  const none = { hit: false, existence: 0, confirmed: false, height: 0n, attesters: [] }
  t.same(entries(world, item(CAPITAL), item(CAPITAL, D2), item(EMPLOYEES, D2), item(BANK_ACCOUNT)), [
    { hit: true, existence: exists, confirmed: true, height: 3n, attesters: [MARKET] },
    none,
    { hit: true, existence: missing, confirmed: false, height: 3n, attesters: [MARKET] },
    none,
  ])
  t.same(
    [existence(world, CAPITAL), existence(world, BANK_ACCOUNT)],
    [
      { known: true, existence: exists },
      { known: false, existence: 0 },
    ],
  )
  t.same(
    [confirm(world, CAPITAL, D1), confirm(world, CAPITAL, D2)],
    [
      { known: true, confirmed: true },
      { known: false, confirmed: false },
    ],
  )
  t.same(userProfile(world), [
    {
      attribute: CAPITAL,
      digest: D1,
      existence: exists,
      confirmed: true,
      height: 3n,
      validUntil: 0n,
      attesters: [MARKET],
    },
    {
      attribute: EMPLOYEES,
      digest: D2,
      existence: missing,
      confirmed: false,
      height: 3n,
      validUntil: 0n,
      attesters: [MARKET],
    },
  ])
})

t.test('attest refuses, and then nothing of it counts', async (t) => {
  const world = new World()
  ask(world)
  ask(world, { ...SIMPLE, items: [item(BANK_ACCOUNT)], sealed: sealed(FINANCE) })
  const good = answer(CAPITAL, exists, true)
  t.equal(refusesAttest(world, STRANGER, good), 'NotActiveDepartment')
  t.equal(refusesAttest(world, ENTERPRISE, good), 'NotActiveDepartment')
  t.equal(refusesAttest(world, FINANCE, good), 'NotNamed')
  t.equal(refusesAttest(world, MARKET), 'CountOutOfRange')
  t.equal(refusesAttest(world, MARKET, answer(CAPITAL, exists, true, 3n)), 'UnknownRequest')
  t.equal(refusesAttest(world, MARKET, answer(BANK_ACCOUNT, exists)), 'NotAsked')
  t.equal(refusesAttest(world, MARKET, answer(CAPITAL, 0)), 'InvalidExistence')
  t.equal(refusesAttest(world, MARKET, answer(CAPITAL, 5)), 'InvalidExistence')
  t.equal(refusesAttest(world, MARKET, answer(CAPITAL, vacant, true)), 'InvalidConfirmation')
  t.equal(refusesAttest(world, MARKET, good, good), 'AlreadyAttested')
  t.match(world.send('dataSharing', MARKET, 'attest', { answers: [good, answer(CAPITAL, 0)] }), { status: 0, logs: [] })
  t.equal(requestOf(world).items[0]!.answers, 0)
  attest(world, MARKET, good)
  t.equal(refusesAttest(world, MARKET, good), 'AlreadyAttested')
  agree(world, MARKET, profile(EMPLOYEES, [PATENTS]))
  t.equal(refusesAttest(world, MARKET, answer(EMPLOYEES, exists)), 'NotSupervisor', 'no longer its attribute')
})

t.test('one transaction answers several requests', async (t) => {
  const world = new World()
  ask(world)
  ask(world, { ...SIMPLE, enterpriseId: OTHER_ENTERPRISE_ID })
  const logs = attest(
    world,
    MARKET,
    answer(CAPITAL, exists, true, 1n),
    answer(CAPITAL, vacant, false, 2n),
    answer(EMPLOYEES, exists, false, 1n),
    answer(EMPLOYEES, exists, true, 2n),
  )
  t.equal(names(logs).filter((name) => name === 'VerificationCompleted').length, 2)
  t.match(requestOf(world, 2n), {
    completed: true,
    items: [{ existence: vacant }, { existence: exists, confirmed: true }],
  })
  const count = world.view('dataSharing', 'requestCount', {})
  t.equal(count, 2n)
})

t.test('quorum of all: the worst answer counts', async (t) => {
  const order = [exists, vacant, missing, refused]
  for (const first of order) {
    for (const second of order) {
      const world = new World()
      ask(world, JOINT)
      attest(world, MARKET, answer(LEGAL_REPRESENTATIVE, first, first === exists))
      t.match(requestOf(world).items[0], { existence: 0, answers: 1, answeredAt: 0n }, 'open until both have answered')
      t.equal(entries(world, item(LEGAL_REPRESENTATIVE))[0]!.hit, false)
      attest(world, FINANCE, answer(LEGAL_REPRESENTATIVE, second, second === exists))
      const worst = order.indexOf(first) > order.indexOf(second) ? first : second
      const confirmed = first === exists && second === exists
      t.match(requestOf(world), { completed: true, items: [{ existence: worst, confirmed, answers: 2 }] })
      const [entry] = entries(world, item(LEGAL_REPRESENTATIVE))
      if (worst === refused) t.equal(entry!.hit, false, 'a refusal is not kept')
      else t.match(entry, { hit: true, existence: worst, confirmed, attesters: [MARKET, FINANCE] })
    }
  }
})

t.test('quorum of any: the first answer decides, later ones stand on record', async (t) => {
  const world = worldWith({ quorum: QUORUM.any })
  ask(world, JOINT)
  t.ok(names(attest(world, FINANCE, answer(LEGAL_REPRESENTATIVE, exists, true))).includes('VerificationCompleted'))
  t.same(names(attest(world, MARKET, answer(LEGAL_REPRESENTATIVE, missing))), ['Attested'])
  t.match(requestOf(world).items, [{ existence: exists, confirmed: true, answers: 1 }])
  t.match(entries(world, item(LEGAL_REPRESENTATIVE)), [{ existence: exists, attesters: [FINANCE] }])
  const given = (supervisor: Who) =>
    world.view('dataSharing', 'answerOf', {
      requestId: 1n,
      attribute: LEGAL_REPRESENTATIVE,
      supervisor,
    })
  t.same(given(MARKET), { named: true, existence: missing, confirmed: false })
  t.same(given(FINANCE), { named: true, existence: exists, confirmed: true })
  t.same(given(PATENTS), { named: false, existence: 0, confirmed: false })
})

t.test('quorum of two among three', async (t) => {
  const world = worldWith({ quorum: QUORUM_OF(2) }, [MARKET, FINANCE, PATENTS])
  ask(world, { ...JOINT, sealed: sealed(MARKET, FINANCE, PATENTS) })
  attest(world, PATENTS, answer(LEGAL_REPRESENTATIVE, exists, true))
  t.equal(requestOf(world).completed, false)
  attest(world, FINANCE, answer(LEGAL_REPRESENTATIVE, exists, true))
  t.equal(requestOf(world).completed, true)
  t.match(entries(world, item(LEGAL_REPRESENTATIVE)), [{ confirmed: true, attesters: [FINANCE, PATENTS] }])
})

t.test('a suspended supervisor is neither asked nor waited for', async (t) => {
  const world = new World()
  world.must('members', OPERATOR, 'setStatus', { account: FINANCE, status: STATUS.suspended })
  t.equal(world.refusal('dataSharing', PATENTS, 'requestVerification', JOINT), 'EnvelopeNotWanted')
  ask(world, { ...JOINT, sealed: sealed(MARKET) })
  attest(world, MARKET, answer(LEGAL_REPRESENTATIVE, exists, true))
  t.equal(requestOf(world).completed, true)
})

t.test('an answer after the deadline is noted and does not count', async (t) => {
  const world = worldWith({ deadlineBlocks: 10n })
  world.number = 5
  ask(world)
  t.equal(requestOf(world).deadline, 15n)
  world.number = 15
  attest(world, MARKET, answer(CAPITAL, exists, true))
  world.number = 16
  t.same(attest(world, MARKET, answer(EMPLOYEES, exists, true)), [
    ['AnswerLate', { requestId: 1n, attribute: EMPLOYEES, supervisor: MARKET }],
  ])
  t.match(requestOf(world), { completed: false, items: [{ existence: exists }, { existence: 0, answers: 0 }] })
})

t.test('entries expire after the validity of the rule and can be renewed', async (t) => {
  const world = worldWith({ validityBlocks: 10n })
  ask(world)
  attest(world, MARKET, answer(CAPITAL, exists, true))
  world.number = 11
  t.equal(entries(world, item(CAPITAL))[0]!.hit, true)
  world.number = 12
  t.equal(entries(world, item(CAPITAL))[0]!.hit, false)
  t.same([confirm(world, CAPITAL, D1).known, existence(world, CAPITAL).known, userProfile(world)], [false, false, []])
  ask(world)
  attest(world, MARKET, answer(CAPITAL, exists, true, 2n))
  t.match(userProfile(world), [{ attribute: CAPITAL, validUntil: 22n }])
})

t.test('a wrong guess never displaces a confirmed value', async (t) => {
  const world = new World()
  ask(world)
  attest(world, MARKET, answer(CAPITAL, exists, true))
  ask(world, { ...SIMPLE, items: [item(CAPITAL, D2)] })
  attest(world, MARKET, answer(CAPITAL, exists, false, 2n))
  t.match(entries(world, item(CAPITAL), item(CAPITAL, D2)), [{ confirmed: true }, { hit: true, confirmed: false }])
  t.equal(userProfile(world).length, 2)
})

t.test('a supervisor reports a change: the entries are gone', async (t) => {
  const world = new World()
  ask(world)
  attest(world, MARKET, answer(CAPITAL, exists, true), answer(EMPLOYEES, exists, true))
  const report = (sender: Who, ...attributes: Hash[]) =>
    world.refusal('dataSharing', sender, 'reportChange', { enterpriseId: ENTERPRISE_ID, attributes })
  t.equal(report(FINANCE, CAPITAL), 'NotSupervisor')
  t.equal(report(ENTERPRISE, CAPITAL), 'NotActiveDepartment')
  t.equal(report(MARKET, word('x')), 'UnknownAttribute')
  t.equal(report(MARKET), 'CountOutOfRange')
  const args = { enterpriseId: ENTERPRISE_ID, attributes: [CAPITAL] }
  t.same(names(world.must('dataSharing', MARKET, 'reportChange', args)), ['UserProfileDropped'])
  t.same(names(world.must('dataSharing', MARKET, 'reportChange', args)), [], 'nothing left to drop')
  t.match(entries(world, item(CAPITAL), item(EMPLOYEES, D2)), [{ hit: false }, { hit: true }])
  t.same(
    userProfile(world).map((entry) => entry.attribute),
    [EMPLOYEES],
  )
})

t.test('answers from before and after a change do not make an entry together', async (t) => {
  const world = new World()
  ask(world, JOINT)
  attest(world, MARKET, answer(LEGAL_REPRESENTATIVE, exists, true))
  const args = { enterpriseId: ENTERPRISE_ID, attributes: [LEGAL_REPRESENTATIVE] }
  t.same(names(world.must('dataSharing', MARKET, 'reportChange', args)), ['UserProfileDropped'])
  t.notOk(names(attest(world, FINANCE, answer(LEGAL_REPRESENTATIVE, exists, true))).includes('UserProfileSet'))
  t.equal(requestOf(world).completed, true)
  t.equal(entries(world, item(LEGAL_REPRESENTATIVE))[0]!.hit, false)
})

t.test('a sole supervisor sets an entry by itself', async (t) => {
  const world = new World()
  const finding: { existence: number; confirmed: boolean } = { existence: exists, confirmed: true }
  const entry = { enterpriseId: ENTERPRISE_ID, attribute: CAPITAL, digest: D1, ...finding }
  const refusal = (changes: Partial<typeof entry>, sender: Who = MARKET) =>
    world.refusal('dataSharing', sender, 'SetUserProfile', { ...entry, ...changes })
  t.equal(refusal({}), 'succeeded')
  t.equal(refusal({}, FINANCE), 'NotSoleSupervisor')
  t.equal(refusal({}, ENTERPRISE), 'NotActiveDepartment')
  t.equal(refusal({ attribute: LEGAL_REPRESENTATIVE }), 'NotSoleSupervisor')
  t.equal(refusal({ attribute: word('x') }), 'UnknownAttribute')
  t.equal(refusal({ digest: ZERO_HASH }), 'ZeroDigest')
  t.equal(refusal({ existence: refused, confirmed: false }), 'InvalidExistence')
  t.equal(refusal({ existence: missing }), 'InvalidConfirmation')
})

t.test('guessing stops at the budget', async (t) => {
  const world = worldWith({ digestBudget: 2 })
  const guess = (n: number, sender: Who = PATENTS) =>
    world.send('dataSharing', sender, 'requestVerification', {
      ...SIMPLE,
      items: [item(CAPITAL, word(`guess ${n}`))],
    }).logs.length === 2
      ? 1
      : 0
  const left = (requester: Who) =>
    world.view('dataSharing', 'digestBudgetLeft', {
      requester,
      enterpriseId: ENTERPRISE_ID,
      attribute: CAPITAL,
    })
  t.same([left(PATENTS), guess(1), guess(2), left(PATENTS), guess(3)], [2, 1, 1, 0, 0])
  t.equal(guess(1), 1, 'asking again about the same value is free')
  t.same([left(FINANCE), guess(3, FINANCE)], [2, 1], 'each requester has its own')
  const refused = { ...SIMPLE, items: [item(CAPITAL, word('guess 4'))] }
  t.same(ask(world, refused), [
    ['VerificationRefused', { ...refusalOf(PATENTS, CAPITAL), reason: REFUSAL.budgetSpent }],
  ])
  attest(world, MARKET, answer(CAPITAL, exists))
  world.must('dataSharing', MARKET, 'reportChange', { enterpriseId: ENTERPRISE_ID, attributes: [CAPITAL] })
  t.same([left(PATENTS), guess(4)], [2, 1], 'a changed value is a new question')
  t.equal(left(account(0x77)), 2)
})
