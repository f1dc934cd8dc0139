import t from 'tap'
import { ROLE, STATUS } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { ZERO_HASH } from '../../src/core/bytes.js'
import { mandateEntriesMax, mandateReasonBytesMax, mandatesPerGranteeMax } from '../../src/core/limits.js'
import {
  AUDITOR,
  account,
  CAPITAL,
  ENTERPRISE_ID,
  genesisConfig,
  MARKET,
  OPERATOR,
  PURPOSE,
  STRANGER,
  World,
  word,
} from './world.js'

const REGULATOR = account(0x51)
const OTHER_REGULATOR = account(0x52)
const EVERYTHING = { enterprises: [], departments: [], attributes: [], purposes: [], fromTime: 0n, toTime: 0n }
const REASON = 'file 12/2026'

function world(): World {
  const plain = genesisConfig()
  const regulator = (address: typeof REGULATOR, id: string) => ({ address, role: ROLE.regulator, name: id, id })
  const members = [...plain.members, regulator(REGULATOR, 'regulator'), regulator(OTHER_REGULATOR, 'regulator-2')]
  return new World({ ...plain, members })
}

const grant = (changes: object = {}) => ({
  grantee: AUDITOR,
  scope: EVERYTHING,
  expiryHeight: 10n,
  expiryTime: 0n,
  reason: REASON,
  ...changes,
})

t.test('a mandate stands as it was granted, and is announced', async (t) => {
  const w = world()
  const scope = {
    enterprises: [ENTERPRISE_ID],
    departments: [MARKET],
    attributes: [CAPITAL],
    purposes: [PURPOSE],
    fromTime: 5n,
    toTime: 9n,
  }
  const logs = w.must('audit', REGULATOR, 'grantMandate', grant({ scope, expiryTime: 2_000_000_000n }))
  const terms = { expiryHeight: 10n, expiryTime: 2_000_000_000n, reason: REASON }
  t.same(logs, [['MandateGranted', { mandateId: 1n, grantee: AUDITOR, by: REGULATOR, ...terms }]])
  const mandate = w.view('audit', 'mandateOf', { mandateId: 1n })
  const state = { grantedAt: 1n, revokedAt: 0n, valid: true }
  t.same(mandate, { grantee: AUDITOR, regulator: REGULATOR, scope, ...terms, ...state })
  t.same(w.view('audit', 'mandatesOf', { grantee: AUDITOR }), [1n])
  t.equal(w.view('audit', 'mandateCount', {}), 1n)
})

t.test('a mandate is valid up to its expiry, by height and by time', async (t) => {
  const w = world()
  const { timestamp } = w.genesis
  w.must('audit', REGULATOR, 'grantMandate', grant({ expiryHeight: 4n }))
  w.must('audit', REGULATOR, 'grantMandate', grant({ expiryHeight: 0n, expiryTime: BigInt(timestamp + 6) }))
  w.must('audit', REGULATOR, 'grantMandate', grant({ expiryHeight: 9n, expiryTime: BigInt(timestamp + 3) }))
  const valid = () => [1n, 2n, 3n].filter((mandateId) => w.view('audit', 'mandateOf', { mandateId }).valid)
  const expected: Readonly<Record<number, readonly bigint[]>> = {
    1: [1n, 2n, 3n],
    3: [1n, 2n, 3n],
    4: [1n, 2n],
    5: [2n],
    6: [2n],
    7: [],
  }
  for (const [number, ids] of Object.entries(expected)) {
    w.number = Number(number)
    t.same(valid(), ids, `at height ${number}`)
    t.same(w.view('audit', 'mandatesOf', { grantee: AUDITOR }), ids, `listed at height ${number}`)
  }
})

t.test('only regulators grant and revoke; any regulator revokes, once', async (t) => {
  const w = world()
  for (const caller of [OPERATOR, AUDITOR, MARKET, STRANGER]) {
    t.equal(w.refusal('audit', caller, 'grantMandate', grant()), 'NotRegulator')
  }
  w.must('audit', REGULATOR, 'grantMandate', grant())
  t.equal(w.refusal('audit', AUDITOR, 'revokeMandate', { mandateId: 1n }), 'NotRegulator')
  t.equal(w.refusal('audit', REGULATOR, 'revokeMandate', { mandateId: 0n }), 'UnknownMandate')
  t.equal(w.refusal('audit', REGULATOR, 'revokeMandate', { mandateId: 2n }), 'UnknownMandate')
  w.number = 3
  t.same(w.must('audit', OTHER_REGULATOR, 'revokeMandate', { mandateId: 1n }), [
    ['MandateRevoked', { mandateId: 1n, grantee: AUDITOR, by: OTHER_REGULATOR }],
  ])
  t.match(w.view('audit', 'mandateOf', { mandateId: 1n }), { revokedAt: 3n, valid: false })
  t.same(w.view('audit', 'mandatesOf', { grantee: AUDITOR }), [])
  t.equal(w.refusal('audit', REGULATOR, 'revokeMandate', { mandateId: 1n }), 'AlreadyRevoked')
  w.must('members', OPERATOR, 'setStatus', { account: REGULATOR, status: STATUS.suspended })
  t.equal(w.refusal('audit', REGULATOR, 'grantMandate', grant()), 'NotRegulator')
})

t.test('auditors, operators and regulators hold mandates, while they are active', async (t) => {
  const w = world()
  for (const grantee of [MARKET, STRANGER])
    t.equal(w.refusal('audit', REGULATOR, 'grantMandate', grant({ grantee })), 'InvalidGrantee')
  for (const grantee of [AUDITOR, OPERATOR, REGULATOR]) w.must('audit', REGULATOR, 'grantMandate', grant({ grantee }))
  w.must('members', OPERATOR, 'setStatus', { account: AUDITOR, status: STATUS.suspended })
  t.equal(w.view('audit', 'mandateOf', { mandateId: 1n }).valid, false, 'the auditor is suspended')
  t.equal(w.refusal('audit', REGULATOR, 'grantMandate', grant()), 'InvalidGrantee')
})

t.test('terms of a mandate have bounds', async (t) => {
  const w = world()
  w.number = 5
  const refusal = (changes: object) => w.refusal('audit', REGULATOR, 'grantMandate', grant(changes))
  const entries = (count: number) =>
    grant({ scope: { ...EVERYTHING, enterprises: Array.from({ length: count }, (_, i) => textId(`e${i}`)) } })
  t.equal(refusal(entries(mandateEntriesMax)), 'succeeded')
  t.equal(refusal(entries(mandateEntriesMax + 1)), 'TooManyEntries')
  t.equal(refusal({ reason: '' }), 'InvalidReason')
  t.equal(refusal({ reason: 'r'.repeat(mandateReasonBytesMax) }), 'succeeded')
  t.equal(refusal({ reason: 'r'.repeat(mandateReasonBytesMax + 1) }), 'InvalidReason')
  t.equal(refusal({ scope: { ...EVERYTHING, fromTime: 7n, toTime: 7n } }), 'succeeded')
  t.equal(refusal({ scope: { ...EVERYTHING, fromTime: 7n, toTime: 6n } }), 'InvalidPeriod')
  t.equal(refusal({ expiryHeight: 0n }), 'ExpiryMissing')
  t.equal(refusal({ expiryHeight: 5n }), 'succeeded')
  t.equal(refusal({ expiryHeight: 4n }), 'ExpiryPassed')
})

t.test('a grantee has so many valid mandates; those that are over make room', async (t) => {
  const w = world()
  for (let i = 0; i < mandatesPerGranteeMax; i++) {
    w.must('audit', REGULATOR, 'grantMandate', grant({ expiryHeight: BigInt(10 + i) }))
  }
  t.equal(w.refusal('audit', REGULATOR, 'grantMandate', grant({ expiryHeight: 100n })), 'TooManyMandates')
  w.number = 11
  w.must('audit', REGULATOR, 'grantMandate', grant({ expiryHeight: 100n }))
  t.equal(w.refusal('audit', REGULATOR, 'grantMandate', grant({ expiryHeight: 100n })), 'TooManyMandates')
})

t.test('heads of read logs go forward, each under the account of its node', async (t) => {
  const w = world()
  const anchor = (sequence: bigint, hash = word('head')) => ({ sequence, hash })
  t.equal(w.refusal('audit', STRANGER, 'anchorReadLog', anchor(1n)), 'NotActiveMember')
  t.equal(w.refusal('audit', MARKET, 'anchorReadLog', anchor(0n)), 'AnchorNotAhead')
  t.equal(w.refusal('audit', MARKET, 'anchorReadLog', anchor(1n, ZERO_HASH)), 'InvalidAnchor')
  w.number = 7
  t.same(w.must('audit', MARKET, 'anchorReadLog', anchor(3n)), [
    ['ReadLogAnchored', { node: MARKET, sequence: 3n, hash: word('head') }],
  ])
  t.equal(w.refusal('audit', MARKET, 'anchorReadLog', anchor(3n)), 'AnchorNotAhead')
  t.equal(w.refusal('audit', MARKET, 'anchorReadLog', anchor(4n)), 'succeeded')
  t.same(w.view('audit', 'readLogAnchorOf', { node: MARKET }), { sequence: 3n, hash: word('head'), height: 7n })
  t.match(w.view('audit', 'readLogAnchorOf', { node: AUDITOR }), { sequence: 0n, hash: ZERO_HASH })
})
