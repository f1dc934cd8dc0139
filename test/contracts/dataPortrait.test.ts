import t from 'tap'
import { BASIS, CHECKSUM, QUORUM, QUORUM_OF, ROLE, STATUS, VALUE_TYPE } from '../../src/contracts/codes.js'
import type { DataProfile } from '../../src/contracts/genesisTypes.js'
import { attributeId, textId } from '../../src/contracts/textId.js'
import { ZERO_HASH } from '../../src/core/bytes.js'
import { agree, approve, propose } from './portraitWorld.js'
import {
  AUDITOR,
  account,
  BANK_ACCOUNT,
  CAPITAL,
  EMPLOYEES,
  ENTERPRISE,
  FINANCE,
  LEGAL_REPRESENTATIVE,
  MARKET,
  OPERATOR,
  PATENTS,
  profile,
  STRANGER,
  World,
  word,
} from './world.js'

const NEW = attributeId('inventionPatents')
const set = (world: World, sender: typeof MARKET, dataProfile: DataProfile) =>
  world.refusal('dataPortrait', sender, 'SetDataProfile', { dataProfile })
const must = (world: World, sender: typeof MARKET, dataProfile: DataProfile) =>
  world.must('dataPortrait', sender, 'SetDataProfile', { dataProfile })
const read = (world: World, attribute: typeof NEW) => world.view('dataPortrait', 'dataProfileOf', { attribute })

t.test('a department publishes an attribute and its key comes from KeyAgreement', async (t) => {
  const world = new World()
  const schema = {
    valueType: VALUE_TYPE.decimal,
    checksum: 0,
    caseRule: 0,
    scale: 2,
    lengthMax: 30,
    min: -5n,
    max: 10n ** 30n,
  }
  const rule = {
    quorum: QUORUM.any,
    askerRoles: 6,
    basis: BASIS.required,
    delivery: 0,
    validityBlocks: 2n ** 64n - 1n,
    deadlineBlocks: 9n,
    digestBudget: 65535,
  }
  const entry = { ...profile(NEW, [PATENTS, MARKET, FINANCE]), schema, rule, schemaVersion: 4_000_000_000 }
  const id = propose(world, PATENTS, entry)
  approve(world, MARKET, id)
  t.throws(() => read(world, NEW), { message: 'UnknownAttribute' }, 'not before all of them have approved')
  t.same(approve(world, FINANCE, id).at(-1), [
    'DataProfileSet',
    { attribute: NEW, schemaVersion: 4_000_000_000, by: FINANCE },
  ])
  t.same(read(world, NEW), entry, 'every field is kept; several supervisors have no key yet')
  t.same(read(world, BANK_ACCOUNT), {
    ...profile(BANK_ACCOUNT, [FINANCE]),
    encryptionKey: word('key of finance'),
    keyEpoch: 1n,
  })
  world.must('members', FINANCE, 'rotateEncryptionKey', { encryptionKey: word('new') })
  t.same([read(world, BANK_ACCOUNT).encryptionKey, read(world, BANK_ACCOUNT).keyEpoch], [word('new'), 2n])
  const all = world.view('dataPortrait', 'GetDataProfile', {})
  t.same(
    all.map((e) => e.attribute),
    [...world.genesis.attributes.map((e) => e.attribute), NEW],
  )
  const count = world.view('dataPortrait', 'attributeCount', {})
  t.equal(count, 5n)
  t.throws(() => read(world, word('x')), { message: 'UnknownAttribute' })
})

t.test('who may write an entry', async (t) => {
  const world = new World()
  for (const sender of [STRANGER, ENTERPRISE, AUDITOR, OPERATOR]) {
    t.equal(set(world, sender, profile(NEW, [MARKET])), 'NotActiveDepartment')
  }
  t.same(
    must(world, MARKET, profile(NEW, [MARKET])).map(([name]) => name),
    ['ChangeProposed', 'ChangeApproved', 'ChangeScheduled', 'DataProfileSet'],
    'a new one of its own at once',
  )
  must(world, MARKET, profile(CAPITAL, [MARKET], { validityBlocks: 5n }))
  t.equal(read(world, CAPITAL).rule.validityBlocks, 5n, 'its own at once')
  const others = [
    [FINANCE, profile(CAPITAL, [FINANCE])],
    [MARKET, profile(CAPITAL, [MARKET, FINANCE])],
    [MARKET, profile(EMPLOYEES, [FINANCE])],
    [MARKET, profile(LEGAL_REPRESENTATIVE, [MARKET])],
    [MARKET, profile(attributeId('forOthers'), [FINANCE])],
  ] as const
  for (const [sender, entry] of others) {
    const events = must(world, sender, entry).map(([name]) => name)
    t.notOk(events.includes('DataProfileSet'), 'what concerns others is only proposed')
    t.equal(events[0], 'ChangeProposed')
  }
  world.must('members', OPERATOR, 'setStatus', { account: MARKET, status: STATUS.suspended })
  t.equal(set(world, MARKET, profile(CAPITAL, [MARKET])), 'NotActiveDepartment')
})

t.test('what an entry may say', async (t) => {
  const world = new World()
  const base = profile(NEW, [MARKET])
  const refusal = (changes: Partial<DataProfile>) => set(world, MARKET, { ...base, ...changes })
  t.equal(refusal({ attribute: ZERO_HASH }), 'InvalidAttribute')
  t.equal(refusal({ supervisors: [MARKET, STRANGER] }), 'NotActiveDepartment')
  t.equal(refusal({ supervisors: [MARKET, MARKET] }), 'InvalidSupervisors')
  t.equal(refusal({ schemaVersion: 0 }), 'SchemaVersionTooLow')
  t.equal(refusal({ encryptionKey: word('x') }), 'EncryptionKeyMismatch')
  t.equal(refusal({ encryptionKey: word('key of market-regulation') }), 'succeeded')
  t.equal(refusal({ supervisors: [] }), 'InvalidSupervisors')
  const many = Array.from({ length: 17 }, (_, i) => account(0x100 + i))
  t.equal(refusal({ supervisors: many }), 'InvalidSupervisors')
  const keyless = {
    account: STRANGER,
    role: ROLE.department,
    id: textId('keyless'),
    name: 'K',
    encryptionKey: ZERO_HASH,
  }
  world.must('members', OPERATOR, 'registerMember', { member: keyless })
  t.equal(refusal({ supervisors: [MARKET, STRANGER] }), 'EncryptionKeyMissing')

  const schemas = [
    { valueType: 0 },
    { valueType: 6 },
    { checksum: 3 },
    { checksum: CHECKSUM.gb32100 },
    { valueType: VALUE_TYPE.code, checksum: CHECKSUM.gb32100, lengthMax: 17 },
    { caseRule: 3 },
    { scale: 1 },
    { valueType: VALUE_TYPE.decimal, scale: 19 },
    { lengthMax: 0 },
    { lengthMax: 1025 },
    { max: 1n },
    { valueType: VALUE_TYPE.integer, min: 1n, max: 0n },
  ]
  for (const changes of schemas) {
    t.equal(refusal({ schema: { ...base.schema, ...changes } }), 'InvalidSchema', JSON.stringify(Object.keys(changes)))
  }
  const rules = [
    { quorum: 3 },
    { askerRoles: 0 },
    { askerRoles: 1 },
    { askerRoles: 1 << 7 },
    { basis: 4 },
    { delivery: 2 },
  ]
  for (const changes of rules) {
    t.equal(refusal({ rule: { ...base.rule, ...changes } }), 'InvalidRule', JSON.stringify(changes))
  }
  t.equal(refusal({ rule: { ...base.rule, quorum: QUORUM_OF(1) } }), 'succeeded')
})

t.test('a changed schema needs a new version, a changed rule does not', async (t) => {
  const world = new World()
  const base = profile(CAPITAL, [MARKET])
  const schema = { ...base.schema, lengthMax: 50 }
  t.equal(set(world, MARKET, { ...base, schema }), 'SchemaVersionTooLow')
  t.equal(set(world, MARKET, { ...base, rule: { ...base.rule, digestBudget: 3 } }), 'succeeded')
  must(world, MARKET, { ...base, schema, schemaVersion: 5 })
  t.equal(read(world, CAPITAL).schemaVersion, 5)
  t.equal(set(world, MARKET, { ...base, schema, schemaVersion: 4 }), 'SchemaVersionTooLow')
  t.equal(set(world, MARKET, { ...base, schema, schemaVersion: 5 }), 'NothingChanges')
  t.equal(set(world, MARKET, { ...base, schema, schemaVersion: 6 }), 'succeeded')
})

t.test('fewer supervisors leave nothing behind', async (t) => {
  const world = new World()
  agree(world, MARKET, profile(LEGAL_REPRESENTATIVE, [PATENTS]))
  t.same(read(world, LEGAL_REPRESENTATIVE).supervisors, [PATENTS])
  agree(world, PATENTS, profile(LEGAL_REPRESENTATIVE, [PATENTS, MARKET, FINANCE]))
  t.same(read(world, LEGAL_REPRESENTATIVE).supervisors, [PATENTS, MARKET, FINANCE])
})
