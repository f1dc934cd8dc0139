import t from 'tap'
import { ROLE, STATUS } from '../../src/contracts/codes.js'
import { GenesisError } from '../../src/contracts/genesis.js'
import { idText, textId } from '../../src/contracts/textId.js'
import { ZERO_ADDRESS, ZERO_HASH } from '../../src/core/bytes.js'
import {
  AUDITOR,
  account,
  ENTERPRISE,
  ENTERPRISE_ID,
  FINANCE,
  genesisConfig,
  MARKET,
  OPERATOR,
  PATENTS,
  SEALER,
  STRANGER,
  World,
  word,
} from './world.js'

const identity = (world: World, userID: typeof MARKET) => world.view('members', 'IdentityAuth', { userID })
const member = (world: World, who: typeof MARKET) => world.view('members', 'getMember', { account: who })

const NEW = { account: account(0x50), role: ROLE.department, id: textId('labour'), name: '人力资源和社会保障局' }

t.test('IdentityAuth knows active members only', async (t) => {
  const world = new World()
  const { active, role, id, keyEpoch, encryptionKey } = identity(world, MARKET)
  t.same([active, role, idText(id), keyEpoch], [true, ROLE.department, 'market-regulation', 1n])
  t.equal(encryptionKey, word('key of market-regulation'))
  t.same(identity(world, STRANGER), {
    active: false,
    role: 0,
    id: ZERO_HASH,
    encryptionKey: ZERO_HASH,
    keyEpoch: 0n,
  })
  world.must('members', OPERATOR, 'setStatus', { account: MARKET, status: STATUS.suspended })
  t.equal(identity(world, MARKET).active, false)
})

t.test('operators register members', async (t) => {
  const world = new World()
  world.number = 7
  const added = { ...NEW, encryptionKey: word('k') }
  t.same(world.must('members', OPERATOR, 'registerMember', { member: added }), [
    ['MemberRegistered', { account: NEW.account, role: NEW.role, id: NEW.id, name: NEW.name }],
  ])
  const expected = { ...added, status: STATUS.active, keyEpoch: 1n, since: 7n }
  t.same(member(world, NEW.account), expected)
  const byId = world.view('members', 'memberById', { id: NEW.id })
  t.same(byId, expected)
  const count = world.view('members', 'memberCount', {})
  t.equal(count, 8n)
  const last = world.view('members', 'memberAt', { index: 7n })
  t.equal(last, NEW.account)
  t.throws(() => world.view('members', 'memberAt', { index: 8n }), { message: 'UnknownIndex' })
  t.throws(() => member(world, STRANGER), { message: 'UnknownMember' })
  t.throws(() => world.view('members', 'memberById', { id: word('x') }), { message: 'UnknownMemberId' })
})

t.test('registerMember refuses', async (t) => {
  const world = new World()
  const base = { ...NEW, encryptionKey: ZERO_HASH }
  const refusal = (changes: Partial<typeof base>, sender = OPERATOR) =>
    world.refusal('members', sender, 'registerMember', { member: { ...base, ...changes } })
  for (const sender of [MARKET, ENTERPRISE, AUDITOR, STRANGER]) t.equal(refusal({}, sender), 'NotOperator', sender)
  t.equal(refusal({ account: MARKET }), 'AccountRegistered')
  t.equal(refusal({ id: ENTERPRISE_ID }), 'IdRegistered')
  t.equal(refusal({ role: 0 as never }), 'InvalidRole')
  t.equal(refusal({ role: 7 as never }), 'InvalidRole')
  t.equal(refusal({ account: ZERO_ADDRESS }), 'InvalidAccount')
  t.equal(refusal({ id: ZERO_HASH }), 'InvalidId')
  t.equal(refusal({ id: word('not text') }), 'InvalidId')
  t.equal(refusal({ name: '' }), 'InvalidName')
  t.equal(refusal({ name: 'x'.repeat(129) }), 'InvalidName')
  t.equal(refusal({ name: 'x'.repeat(128) }), 'succeeded')
})

t.test('setStatus', async (t) => {
  const world = new World()
  const set = (who: typeof MARKET, status: number, sender = OPERATOR) =>
    world.refusal('members', sender, 'setStatus', { account: who, status })
  for (const sender of [MARKET, ENTERPRISE, STRANGER]) t.equal(set(MARKET, 2, sender), 'NotOperator')
  t.equal(set(MARKET, 0), 'InvalidStatus')
  t.equal(set(MARKET, 4), 'InvalidStatus')
  t.equal(set(STRANGER, STATUS.suspended), 'UnknownMember')
  t.equal(set(OPERATOR, STATUS.suspended), 'LastOperator')
  world.must('members', OPERATOR, 'setStatus', { account: MARKET, status: STATUS.revoked })
  t.equal(set(MARKET, STATUS.active), 'MemberRevoked')

  const second = { account: STRANGER, role: ROLE.operator, id: textId('second'), name: 'B', encryptionKey: ZERO_HASH }
  world.must('members', OPERATOR, 'registerMember', { member: second })
  world.must('members', STRANGER, 'setStatus', { account: OPERATOR, status: STATUS.suspended })
  t.equal(set(STRANGER, STATUS.suspended, STRANGER), 'LastOperator')
  t.equal(set(MARKET, STATUS.suspended, OPERATOR), 'NotOperator', 'a suspended operator has no say')
  world.must('members', STRANGER, 'setStatus', { account: OPERATOR, status: STATUS.active })
  world.must('members', OPERATOR, 'setStatus', { account: STRANGER, status: STATUS.revoked })
})

t.test('rotateEncryptionKey starts an epoch and keeps the former key', async (t) => {
  const world = new World()
  t.same(world.must('members', MARKET, 'rotateEncryptionKey', { encryptionKey: word('new') }), [
    ['EncryptionKeyRotated', { account: MARKET, encryptionKey: word('new'), keyEpoch: 2n }],
  ])
  const keyAt = (keyEpoch: bigint) =>
    world.view('members', 'encryptionKeyAt', {
      account: MARKET,
      keyEpoch,
    })
  t.same([keyAt(1n), keyAt(2n), keyAt(3n)], [word('key of market-regulation'), word('new'), ZERO_HASH])
  t.same([member(world, MARKET).keyEpoch, identity(world, MARKET).encryptionKey], [2n, word('new')])
  const rotate = (sender: typeof MARKET, encryptionKey = word('x')) =>
    world.refusal('members', sender, 'rotateEncryptionKey', { encryptionKey })
  t.equal(rotate(STRANGER), 'NotActiveMember')
  t.equal(rotate(MARKET, ZERO_HASH), 'InvalidEncryptionKey')
})

t.test('KeyAgreement gives a single department its own key', async (t) => {
  const world = new World()
  const agree = (departments: (typeof MARKET)[]) => world.view('keyAgreement', 'KeyAgreement', { departments })
  t.same(agree([FINANCE]), { publicKey: word('key of finance'), keyEpoch: 1n })
  t.throws(() => agree([]), { message: 'NoDepartments' })
  t.throws(() => agree([ENTERPRISE]), { message: 'NotActiveDepartment' })
  t.throws(() => agree([FINANCE, MARKET]), { message: 'GroupKeyNotAgreed' })
  const keyless = { ...NEW, encryptionKey: ZERO_HASH }
  world.must('members', OPERATOR, 'registerMember', { member: keyless })
  t.throws(() => agree([NEW.account]), { message: 'EncryptionKeyMissing' })
  world.must('members', OPERATOR, 'setStatus', { account: PATENTS, status: STATUS.suspended })
  t.throws(() => agree([PATENTS]), { message: 'NotActiveDepartment' })
})

t.test('sealers are those of genesis', async (t) => {
  const world = new World()
  const set = world.view('sealers', 'sealers', {})
  t.same(set, { addresses: [SEALER, MARKET], weights: [1n, 3n], epoch: 0n })
  const isSealer = (who: typeof MARKET) => world.view('sealers', 'isSealer', { account: who })
  t.same([isSealer(SEALER), isSealer(FINANCE)], [true, false])
  const policy = world.view('sealers', 'weightPolicy', {})
  t.equal(policy, 'equal')
})

t.test('a genesis that a contract refuses says why', async (t) => {
  const { members } = genesisConfig()
  const twice = genesisConfig({ members: [...members, members[1]!] })
  t.throws(() => new World(twice), { code: 'REFUSED', message: /members refuses it: AccountRegistered/ })
  t.throws(() => new World(genesisConfig({ members: [] })), GenesisError, 'attributes need their departments')
})
