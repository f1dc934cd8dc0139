import fc from 'fast-check'
import t from 'tap'
import { ROLE, STATUS } from '../../src/contracts/codes.js'
import type { AdmissionConfig } from '../../src/contracts/genesisTypes.js'
import { textId } from '../../src/contracts/textId.js'
import type { Address } from '../../src/core/bytes.js'
import { memberReasonBytesMax, openDecisionsPerApproverMax } from '../../src/core/limits.js'
import { Membership } from '../../src/node/membership.js'
import { addressOf, proofOf } from './signerKeys.js'
import {
  AUDITOR,
  account,
  ENTERPRISE,
  FINANCE,
  genesisConfig,
  MARKET,
  OPERATOR,
  PATENTS,
  STRANGER,
  World,
  word,
} from './world.js'

/** Two of the departments decide on departments, the audit office and operators on enterprises, any two of them. */
const ADMISSION: readonly AdmissionConfig[] = [
  { role: ROLE.department, threshold: 2, roles: 1 << ROLE.department, approvers: [] },
  { role: ROLE.enterprise, threshold: 2, roles: 1 << ROLE.operator, approvers: [AUDITOR, MARKET] },
]
const worldOf = (admission = ADMISSION) =>
  new World(genesisConfig({ membership: { admission, decisionBlocksMax: 100 } }))

const newMember = (n: number, role: number = ROLE.department) => ({
  account: account(0x60 + n),
  role,
  id: textId(`new-${n}`),
  name: `New ${n}`,
  encryptionKey: word(`key ${n}`),
})
const NEW = newMember(0)
const statusOf = (world: World, who: Address) => world.view('members', 'getMember', { account: who }).status
const pending = (world: World) => world.view('members', 'pendingDecisions', {})
const change = (who: Address, status: number, reason = '') => ({ account: who, status, reason })

t.test('a registration that takes two', async (t) => {
  const world = worldOf()
  world.number = 5
  t.equal(world.refusal('members', OPERATOR, 'registerMember', { member: NEW }), 'NotApprover')
  const member = NEW
  const [proposed, approved] = world.must('members', MARKET, 'registerMember', { member })
  const open = { account: NEW.account, status: STATUS.active, by: MARKET }
  t.same(proposed, ['DecisionProposed', { ...open, role: ROLE.department, reason: '' }])
  t.same(approved, ['DecisionApproved', { ...open, approvals: 1, needed: 2 }])
  t.throws(() => statusOf(world, NEW.account), { message: 'UnknownMember' })
  t.same(pending(world), [
    {
      ...{ account: NEW.account, status: 1, role: 2, proposer: MARKET, proposedAt: 5n },
      ...{ id: NEW.id, name: NEW.name, reason: '', approvals: [MARKET], declines: [], needed: 2 },
    },
  ])
  t.equal(world.refusal('members', FINANCE, 'registerMember', { member }), 'DecisionPending')
  const approve = (sender: Address) => world.refusal('members', sender, 'approveMember', { account: NEW.account })
  t.same([approve(MARKET), approve(ENTERPRISE), approve(OPERATOR)], ['AlreadyApproved', 'NotApprover', 'NotApprover'])
  const events = world.must('members', FINANCE, 'approveMember', { account: NEW.account })
  t.same(
    events.map(([name]) => name),
    ['DecisionApproved', 'DecisionClosed', 'MemberRegistered'],
  )
  t.match(world.view('members', 'getMember', { account: NEW.account }), { ...NEW, keyEpoch: 1n, since: 5n })
  t.same(pending(world), [])
  t.equal(approve(PATENTS), 'NoDecision')
})

t.test('approvals of those who were suspended since do not count', async (t) => {
  const world = worldOf()
  world.must('members', MARKET, 'registerMember', { member: NEW })
  world.must('members', FINANCE, 'setStatus', change(MARKET, STATUS.suspended))
  world.must('members', FINANCE, 'approveMember', { account: NEW.account })
  t.equal(pending(world).length, 1)
  t.equal(world.refusal('members', PATENTS, 'approveMember', { account: NEW.account }), 'succeeded')
})

t.test('an application is declined, withdrawn or lapses', async (t) => {
  const world = worldOf()
  const place = { account: NEW.account, status: STATUS.active }
  const decline = (sender: Address, reason = 'no licence') =>
    world.must('members', sender, 'declineDecision', { ...place, reason })
  world.must('members', MARKET, 'registerMember', { member: NEW })
  t.same(decline(FINANCE), [['DecisionDeclined', { ...place, by: FINANCE, reason: 'no licence' }]])
  t.equal(world.refusal('members', FINANCE, 'declineDecision', { ...place, reason: '' }), 'AlreadyDeclined')
  t.equal(world.refusal('members', OPERATOR, 'declineDecision', { ...place, reason: '' }), 'NotApprover')
  const long = 'x'.repeat(memberReasonBytesMax + 1)
  t.equal(world.refusal('members', PATENTS, 'declineDecision', { ...place, reason: long }), 'ReasonTooLong')
  t.match(decline(PATENTS).at(-1), ['DecisionClosed', { outcome: 2 }], 'one of three is left, it takes two')
  t.same(pending(world), [])

  world.must('members', MARKET, 'registerMember', { member: NEW })
  t.equal(world.refusal('members', FINANCE, 'withdrawDecision', place), 'NotApproved')
  t.match(world.must('members', MARKET, 'withdrawDecision', place).at(-1), ['DecisionClosed', { outcome: 3 }])
  t.equal(world.refusal('members', MARKET, 'withdrawDecision', place), 'NoDecision')

  world.must('members', MARKET, 'registerMember', { member: NEW })
  world.number += 100
  t.equal(pending(world).length, 1)
  world.number++
  t.same([pending(world), world.refusal('members', FINANCE, 'approveMember', place)], [[], 'NoDecision'])
  world.must('members', FINANCE, 'registerMember', { member: { ...NEW, name: 'Again' } })
  t.match(pending(world), [{ name: 'Again', approvals: [FINANCE], declines: [] }])
})

t.test('one approver cannot fill the list', async (t) => {
  const world = worldOf()
  for (let n = 0; n < openDecisionsPerApproverMax; n++) {
    world.must('members', MARKET, 'registerMember', { member: newMember(n) })
  }
  const next = { member: newMember(openDecisionsPerApproverMax) }
  t.same(
    [
      world.refusal('members', MARKET, 'registerMember', next),
      world.refusal('members', FINANCE, 'registerMember', next),
    ],
    ['TooManyDecisions', 'succeeded'],
  )
})

t.test('one suspends at once; the way back and revocation take two', async (t) => {
  const world = worldOf()
  world.number = 7
  world.must('members', MARKET, 'changeStatus', change(PATENTS, STATUS.suspended, 'file 7'))
  t.equal(statusOf(world, PATENTS), STATUS.suspended)
  world.number = 9
  t.equal(world.refusal('members', PATENTS, 'setStatus', change(PATENTS, STATUS.active)), 'NotApprover')
  world.must('members', MARKET, 'changeStatus', change(PATENTS, STATUS.active, 'cleared'))
  t.equal(statusOf(world, PATENTS), STATUS.suspended)
  t.match(pending(world), [{ account: PATENTS, status: STATUS.active, reason: 'cleared', role: ROLE.department }])
  world.must('members', FINANCE, 'setStatus', change(PATENTS, STATUS.active))
  t.equal(statusOf(world, PATENTS), STATUS.active)
  world.number = 11
  world.must('members', MARKET, 'setStatus', change(PATENTS, STATUS.revoked))
  world.must('members', FINANCE, 'setStatus', change(PATENTS, STATUS.revoked))
  t.equal(world.refusal('members', FINANCE, 'setStatus', change(PATENTS, STATUS.active)), 'MemberRevoked')
  const statusAt = (height: bigint) => world.view('members', 'statusAt', { account: PATENTS, height })
  t.same([0n, 6n, 7n, 8n, 9n, 10n, 11n, 99n].map(statusAt), [1, 1, 2, 2, 1, 1, 3, 3])
  t.same(world.view('members', 'statusHistory', { account: PATENTS, from: 0n }), [
    { status: 2, height: 7n, by: MARKET, reason: 'file 7' },
    { status: 1, height: 9n, by: FINANCE, reason: 'cleared' },
    { status: 3, height: 11n, by: FINANCE, reason: '' },
  ])
  t.equal(world.view('members', 'statusHistory', { account: PATENTS, from: 3n }).length, 0)
  world.must('members', OPERATOR, 'registerMember', { member: newMember(1, ROLE.auditor) })
  t.same(
    [10n, 11n].map((height) => world.view('members', 'statusAt', { account: newMember(1).account, height })),
    [0, 1],
    'none before the registration',
  )
})

t.test('as many as it takes stay', async (t) => {
  const world = worldOf()
  world.must('members', MARKET, 'setStatus', change(PATENTS, STATUS.suspended))
  t.equal(world.refusal('members', FINANCE, 'setStatus', change(MARKET, STATUS.suspended)), 'LastApprover')
  t.equal(world.refusal('members', OPERATOR, 'setStatus', change(OPERATOR, STATUS.suspended)), 'LastOperator')
  world.must('members', OPERATOR, 'setStatus', change(AUDITOR, STATUS.suspended))
  t.equal(world.refusal('members', OPERATOR, 'changeStatus', change(AUDITOR, 9)), 'InvalidStatus')
  t.equal(world.refusal('members', OPERATOR, 'changeStatus', change(STRANGER, 2)), 'UnknownMember')
})

t.test('genesis that nobody could decide by is refused', async (t) => {
  const bad = (changes: Partial<AdmissionConfig>) => () => worldOf([{ ...ADMISSION[0]!, ...changes }])
  t.doesNotThrow(bad({ threshold: 3 }))
  const refused = { code: 'REFUSED', message: /InvalidAdmission/ }
  t.throws(bad({ threshold: 4 }), refused)
  t.throws(bad({ threshold: 0 }), refused)
  t.throws(bad({ roles: 1 << ROLE.auditor, threshold: 1 }), refused, 'auditors are not counted')
  t.throws(bad({ roles: 0, approvers: [STRANGER], threshold: 1 }), refused)
  t.same(worldOf().view('members', 'admissionOf', { role: ROLE.enterprise }), {
    threshold: 2,
    roles: 1 << ROLE.operator,
    approvers: [AUDITOR, MARKET],
  })
})

t.test('whatever is decided, the counts match and nobody is the last to go', async () => {
  const accounts = [
    OPERATOR,
    MARKET,
    FINANCE,
    PATENTS,
    AUDITOR,
    ENTERPRISE,
    ...[0, 1, 2].map((n) => newMember(n).account),
  ]
  const step = fc.record({ act: fc.nat(4), by: fc.nat(8), who: fc.nat(8), status: fc.integer({ min: 1, max: 3 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = worldOf()
      for (const { act, by, who, status } of steps) {
        const [sender, target] = [accounts[by]!, accounts[who]!]
        const place = { account: target, status }
        if (act === 0 && who > 5) world.send('members', sender, 'registerMember', { member: newMember(who - 6) })
        else if (act === 1) world.send('members', sender, 'approveMember', { account: target })
        else if (act === 2) world.send('members', sender, 'declineDecision', { ...place, reason: '' })
        else if (act === 3) world.send('members', sender, 'withdrawDecision', place)
        else world.send('members', sender, 'changeStatus', { ...place, reason: 'r' })
        world.number++
        check(world)
      }
    }),
    { numRuns: 60 },
  )
})

function check(world: World): void {
  const count = Number(world.view('members', 'memberCount', {}))
  const all = Array.from({ length: count }, (_, i) => world.view('members', 'memberAt', { index: BigInt(i) }))
  const active = all.filter((who) => statusOf(world, who) === STATUS.active)
  const roleOf = (who: Address) => world.view('members', 'getMember', { account: who }).role
  const departments = active.filter((who) => roleOf(who) === ROLE.department).length
  const operators = active.filter((who) => roleOf(who) === ROLE.operator).length
  if (operators < 1 || departments < 2) throw new Error('too few are left to decide')
  if (operators + [AUDITOR, MARKET].filter((who) => active.includes(who)).length < 2) throw new Error('enterprises')
  for (const who of all) {
    const now = world.view('members', 'statusAt', { account: who, height: BigInt(world.number) })
    if (now !== statusOf(world, who)) throw new Error('history and register differ')
  }
}

t.test('a node takes transactions of every key of an active member, and connects its nodes', async (t) => {
  const world = new World()
  const kinds = [2, 3]
  kinds.forEach((kind, n) => {
    world.must('members', MARKET, 'addSigner', { signer: addressOf(n), kind, proof: proofOf(n, MARKET, kind) })
  })
  const membership = new Membership(() => world.state)
  const standings = () =>
    [MARKET, addressOf(0), addressOf(1), addressOf(2), STRANGER].map((who) => membership.standing(who))
  t.same(standings(), ['active', 'active', 'sender', 'unknown', 'unknown'])
  t.ok([MARKET, addressOf(0), addressOf(1)].every((who) => membership.maySend(who)))
  world.must('members', MARKET, 'rotateAccountKey', { newSigner: addressOf(2), proof: proofOf(2, MARKET, 1) })
  world.must('members', addressOf(2), 'removeSigner', { signer: addressOf(0) })
  membership.forget()
  t.same(standings(), ['inactive', 'inactive', 'sender', 'active', 'unknown'])
  t.notOk(membership.maySend(MARKET), 'the replaced key sends nothing')
  world.must('members', OPERATOR, 'setStatus', change(MARKET, STATUS.suspended))
  membership.forget()
  t.same(standings(), ['inactive', 'inactive', 'inactive', 'inactive', 'unknown'])
})
