/** Rounds of a key agreement: who may do what when, and whom the record names when it fails. */
import t from 'tap'
import { AGREEMENT_PHASE, CONTRIBUTION_FLAW, STATUS } from '../../src/contracts/codes.js'
import { groupIdOf } from '../../src/contracts/groupId.js'
import { type Address, type Hash, toHash, ZERO_HASH } from '../../src/core/bytes.js'
import { groupFailuresFreeMax, groupRoundBlocksMax, groupRoundBlocksMin } from '../../src/core/limits.js'
import { groupLink } from '../../src/crypto/groupKey.js'
import { GroupMembers } from './groupMembers.js'
import {
  account,
  CAPITAL,
  FINANCE,
  genesisConfig,
  LEGAL_REPRESENTATIVE,
  MARKET,
  OPERATOR,
  PATENTS,
  profile,
  STRANGER,
  World,
  word,
} from './world.js'

const PHASE = AGREEMENT_PHASE
const THREE = LEGAL_REPRESENTATIVE

function worldOf(departments: readonly Address[]): GroupMembers {
  const attributes = [profile(CAPITAL, [MARKET]), profile(LEGAL_REPRESENTATIVE, departments)]
  return new GroupMembers(new World(genesisConfig({ attributes })), departments, LEGAL_REPRESENTATIVE)
}
const two = () => worldOf([FINANCE, MARKET])
const three = () => worldOf([PATENTS, MARKET, FINANCE])
const names = (logs: readonly (readonly [string, unknown])[]) => [...new Set(logs.map(([name]) => name))]
const named = ({ attempt }: GroupMembers) => {
  const { phase, silent, refused, deviating } = attempt
  return { phase, silent, refused, deviating }
}
const aborted = (faults: { silent?: Address[]; refused?: Address[]; deviating?: Address[] }) => {
  return { phase: PHASE.aborted, silent: [], refused: [], deviating: [], ...faults }
}

for (const [count, group] of [
  [2, two()],
  [3, three()],
] as const) {
  t.test(`${count} supervisors agree; the data portrait shows their key`, async (t) => {
    const { world, roster } = group
    t.throws(() => world.view('keyAgreement', 'groupOf', { group: group.group }), { message: 'UnknownGroup' })
    t.same(names(group.start()), ['AgreementRound'])
    for (const member of roster) t.equal(group.postShare(member)[0]?.[0], 'ContributionPosted')
    t.equal(group.attempt.phase, PHASE.links)
    for (const member of roster) group.postLink(member)
    t.equal(group.attempt.phase, PHASE.confirmations)
    const last = roster.at(-1)!
    for (const member of roster.slice(0, -1)) group.confirm(member)
    t.equal(group.state.keyEpoch, 0n, 'not before all have confirmed')
    t.same(names(group.confirm(last)), ['ContributionPosted', 'GroupKeyAgreed', 'AgreementEnded'])
    const publicKey = toHash(group.key(last).publicKey)
    const { keyEpoch, current, failures } = group.state
    t.same([group.state.publicKey, keyEpoch, current, failures], [publicKey, 1n, true, 0])
    const departments = [...roster].reverse()
    t.same(world.view('keyAgreement', 'KeyAgreement', { departments }), { publicKey, keyEpoch: 1n })
    t.equal(world.view('keyAgreement', 'groupId', { departments }), group.group)
    t.equal(groupIdOf(departments), group.group)
    const shown = world.view('dataPortrait', 'dataProfileOf', { attribute: LEGAL_REPRESENTATIVE })
    t.same([shown.encryptionKey, shown.keyEpoch], [publicKey, 1n])
    t.same(world.view('keyAgreement', 'groupsOf', { department: last }), [group.group])
    t.equal(world.view('keyAgreement', 'groupAt', { index: 0n }), group.group)
    t.throws(() => world.view('keyAgreement', 'groupAt', { index: 1n }), { message: 'UnknownIndex' })
  })
}

t.test('sixteen supervisors agree', async (t) => {
  const departments = Array.from({ length: 16 }, (_, i) => account(0x100 + i))
  const members = departments.map((address, i) => {
    return { address, role: 2, name: `Department ${i}`, id: `department-${i}`, encryptionKey: word(`key ${i}`) }
  })
  const attributes = [profile(LEGAL_REPRESENTATIVE, departments)]
  const genesis = genesisConfig()
  const world = new World({ ...genesis, members: [...genesis.members, ...members], attributes })
  const group = new GroupMembers(world, departments, LEGAL_REPRESENTATIVE)
  group.agree()
  t.equal(group.state.current, true)
  t.same(toHash(group.key(departments[3]!).publicKey), group.state.publicKey)
})

t.test('a renewal starts epoch 2; the key of epoch 1 stays readable and in use meanwhile', async (t) => {
  const group = two()
  const first = group.agree()
  group.start()
  t.same([group.state.publicKey, group.state.current], [first, true])
  for (const member of group.roster) group.postShare(member)
  for (const member of group.roster) group.postLink(member)
  for (const member of group.roster) group.confirm(member)
  const second = group.state.publicKey
  t.not(first, second)
  const at = (keyEpoch: bigint) => group.world.view('keyAgreement', 'groupKeyAt', { group: group.group, keyEpoch })
  t.same([at(1n), at(2n), at(3n)], [first, second, ZERO_HASH])
})

t.test('the key serves only while all members are active and keep their own keys', async (t) => {
  const { world, ...rest } = two()
  const group = Object.assign(new GroupMembers(world, rest.roster, LEGAL_REPRESENTATIVE))
  group.agree()
  const status = (status: number) => world.must('members', OPERATOR, 'setStatus', { account: MARKET, status })
  status(STATUS.suspended)
  t.equal(group.state.current, false)
  t.equal(world.view('dataPortrait', 'dataProfileOf', { attribute: LEGAL_REPRESENTATIVE }).encryptionKey, ZERO_HASH)
  status(STATUS.active)
  t.equal(group.state.current, true)
  world.must('members', FINANCE, 'rotateEncryptionKey', { encryptionKey: word('another key') })
  t.equal(group.state.current, false, 'who changes its key may have lost what stood beside it')
  t.throws(() => world.view('keyAgreement', 'KeyAgreement', { departments: group.roster }), {
    message: 'GroupKeyNotAgreed',
  })
  group.start()
  for (const member of group.roster) group.postShare(member)
  for (const member of group.roster) group.postLink(member)
  for (const member of group.roster) group.confirm(member)
  t.same([group.state.current, group.state.keyEpoch], [true, 2n])
})

t.test('who may start, and when', async (t) => {
  const group = two()
  const { world } = group
  const start = (by: Address, attribute: Hash = LEGAL_REPRESENTATIVE, roundBlocks = 50) =>
    world.refusal('keyAgreement', by, 'startAgreement', { attribute, roundBlocks })
  t.equal(start(PATENTS), 'NotGroupMember')
  t.equal(start(MARKET, CAPITAL), 'NotJoint')
  t.equal(start(MARKET, word('nothing')), 'UnknownAttribute')
  t.equal(start(MARKET, THREE, groupRoundBlocksMin - 1), 'RoundBlocksOutOfRange')
  t.equal(start(MARKET, THREE, groupRoundBlocksMax + 1), 'RoundBlocksOutOfRange')
  t.equal(start(MARKET, THREE, groupRoundBlocksMin), 'succeeded')
  t.equal(start(MARKET, THREE, groupRoundBlocksMax), 'succeeded')
  world.must('members', OPERATOR, 'setStatus', { account: FINANCE, status: STATUS.suspended })
  t.equal(start(MARKET), 'NotActiveDepartment')
  t.equal(start(FINANCE), 'NotActiveDepartment')
  world.must('members', OPERATOR, 'setStatus', { account: FINANCE, status: STATUS.active })
  group.start()
  t.equal(start(MARKET), 'AgreementRunning')
})

t.test('every step has its phase, its member and happens once', async (t) => {
  const group = two()
  const { world, group: id } = group
  group.start()
  const [first, second] = group.roster as [Address, Address]
  const share = group.share(first)
  const post = (by: Address, attempt = 1) =>
    world.refusal('keyAgreement', by, 'postShare', { group: id, attempt, share })
  const link = { element: ZERO_HASH, challenge: ZERO_HASH, response: ZERO_HASH }
  t.equal(post(PATENTS), 'NotGroupMember')
  t.equal(post(STRANGER), 'NotGroupMember')
  t.equal(post(first, 2), 'NotInPhase')
  t.equal(post(first, 0), 'NotInPhase')
  t.equal(world.refusal('keyAgreement', first, 'postLink', { group: id, attempt: 1, link }), 'NotInPhase')
  const confirmation = { group: id, attempt: 1, publicKey: word('a') }
  t.equal(world.refusal('keyAgreement', first, 'confirmKey', confirmation), 'NotInPhase')
  const proof = { group: id, attempt: 1, exponent: word('a') }
  t.equal(world.refusal('keyAgreement', first, 'proveKey', proof), 'NotInPhase')
  t.equal(world.refusal('keyAgreement', first, 'abortAgreement', { group: id, attempt: 1 }), 'DeadlineNotPassed')
  t.equal(world.refusal('keyAgreement', first, 'abortAgreement', { group: PATENTS, attempt: 1 }), 'UnknownGroup')
  group.postShare(first)
  t.equal(post(first), 'AlreadyPosted')
  group.postShare(second)
  t.equal(post(second), 'NotInPhase')
  group.postLink(first)
  const again = { group: id, attempt: 1, link: group.link(first) }
  t.equal(world.refusal('keyAgreement', first, 'postLink', again), 'AlreadyPosted')
  group.postLink(second)
  group.confirm(second)
  t.equal(world.refusal('keyAgreement', second, 'confirmKey', confirmation), 'AlreadyPosted')
})

t.test('a flawed share is on record, ends the attempt and names its sender alone', async (t) => {
  const flaws: readonly [keyof typeof CONTRIBUTION_FLAW, (group: GroupMembers, bad: Address) => object][] = [
    ['encoding', () => ({ element: toHash(new Uint8Array(32).fill(255)) })],
    ['identity', () => ({ element: ZERO_HASH })],
    ['repeated', (group) => group.share(group.roster[0]!)],
    ['proof', () => ({ challenge: word('another') })],
  ]
  for (const [flaw, change] of flaws) {
    const group = three()
    const [honest, bad] = group.roster as [Address, Address]
    group.start()
    group.postShare(honest)
    const logs = group.postShare(bad, { ...group.share(bad), ...change(group, bad) })
    t.same(names(logs), ['ContributionRefused', 'AgreementAborted', 'AgreementEnded'], flaw)
    t.equal(logs[0]![1].flaw, CONTRIBUTION_FLAW[flaw])
    t.same(named(group), aborted({ refused: [bad] }))
    t.equal(group.state.keyEpoch, 0n)
    group.start(honest)
    t.equal(group.state.attempt, 2)
  }
})

t.test('a share copied from another one is no share: the copier cannot know its exponent', async (t) => {
  const group = three()
  const [victim, thief] = group.roster as [Address, Address]
  group.start()
  group.postShare(thief, group.share(victim))
  t.same(named(group), aborted({ refused: [thief] }))
})

t.test('contributions of an earlier attempt do not pass in a later one', async (t) => {
  const group = two()
  const [first, second] = group.roster as [Address, Address]
  group.start()
  const stale = group.share(second)
  group.outwait()
  group.abort(STRANGER)
  group.start()
  group.postShare(first)
  group.postShare(second, stale)
  t.same(named(group), aborted({ refused: [second] }))
})

t.test('a flawed link names its sender, with two members and with three', async (t) => {
  for (const group of [two(), three()]) {
    const [honest, bad] = group.roster as [Address, Address]
    group.start()
    for (const member of group.roster) group.postShare(member)
    group.postLink(honest)
    group.postLink(bad, { ...group.link(bad), response: word('another') })
    t.same(named(group), aborted({ refused: [bad] }))
  }
  const group = three()
  const [, bad] = group.roster as [Address, Address]
  group.start()
  for (const member of group.roster) group.postShare(member)
  const shares = group.attempt.shares as Hash[]
  const swapped = [shares[2]!, shares[1]!, shares[0]!]
  group.postLink(bad, groupLink(group.context, bad, group.exponent(bad), swapped))
  t.same(named(group), aborted({ refused: [bad] }), 'a link over swapped neighbours')
})

t.test('silent members are named in every round, by anyone after the deadline', async (t) => {
  const rounds = ['postShare', 'postLink', 'confirm'] as const
  for (const silentRound of rounds) {
    const group = three()
    const [first, , last] = group.roster as [Address, Address, Address]
    group.start()
    for (const round of rounds) {
      for (const member of group.roster) if (round !== silentRound || member === first) group[round](member)
      if (round === silentRound) break
    }
    const { deadline } = group.attempt
    group.world.number = Number(deadline)
    const abort = { group: group.group, attempt: 1 }
    t.equal(group.world.refusal('keyAgreement', STRANGER, 'abortAgreement', abort), 'DeadlineNotPassed')
    group.outwait()
    const logs = group.abort(STRANGER)
    t.same(logs[0]![1], { ...abort, silent: [group.roster[1], last], refused: [], deviating: [] })
    t.same(named(group), aborted({ silent: [group.roster[1]!, last] }), silentRound)
    t.equal(group.world.refusal('keyAgreement', STRANGER, 'abortAgreement', abort), 'NotInPhase')
  }
})

t.test('a deviating confirmation is settled by an exponent, whoever is in the majority', async (t) => {
  for (const [group, liars] of [
    [two(), [1]],
    [three(), [0]],
    [three(), [0, 2]],
  ] as const) {
    const { world, roster } = group
    group.start()
    for (const member of roster) group.postShare(member)
    for (const member of roster) group.postLink(member)
    const said = roster.map((_, i) => ((liars as readonly number[]).includes(i) ? word('a lie') : undefined))
    for (const [i, member] of roster.entries()) group.confirm(member, said[i])
    t.equal(group.attempt.phase, PHASE.dispute)
    t.equal(group.state.keyEpoch, 0n)
    const honest = roster[1 - (liars[0] as number)] ?? roster[1]!
    const member = (liars as readonly number[]).includes(roster.indexOf(honest)) ? roster[1]! : honest
    const prove = (exponent: Uint8Array) => ({ group: group.group, attempt: 1, exponent: toHash(exponent) })
    const foreign = prove(group.exponent(roster[(roster.indexOf(member) + 1) % roster.length]!))
    t.equal(world.refusal('keyAgreement', member, 'proveKey', foreign), 'NotTheExponent')
    t.equal(
      world.refusal('keyAgreement', PATENTS, 'proveKey', prove(group.exponent(member))),
      roster.length === 2 ? 'NotGroupMember' : 'NotTheExponent',
    )
    world.must('keyAgreement', member, 'proveKey', prove(group.exponent(member)))
    t.same(named(group), aborted({ deviating: liars.map((i) => roster[i]!) }))
  }
})

t.test('a dispute that nobody settles names all', async (t) => {
  const group = two()
  group.start()
  for (const member of group.roster) group.postShare(member)
  for (const member of group.roster) group.postLink(member)
  group.confirm(group.roster[0]!, ZERO_HASH)
  group.confirm(group.roster[1]!)
  group.outwait()
  group.abort(STRANGER)
  t.same(named(group), aborted({ silent: [...group.roster] }))
})

t.test('after some failures in a row attempts have to wait, ever longer; an agreement forgives', async (t) => {
  const group = two()
  const { world } = group
  const fail = () => {
    group.start()
    group.postShare(group.roster[0]!, { ...group.share(group.roster[0]!), element: ZERO_HASH })
  }
  for (let i = 0; i < groupFailuresFreeMax; i++) fail()
  t.equal(group.state.notBefore, BigInt(world.number))
  for (const wait of [1, 2, 4]) {
    fail()
    const { notBefore } = group.state
    t.equal(notBefore, BigInt(world.number + wait * groupRoundBlocksMin))
    world.number = Number(notBefore) - 1
    const start = { attribute: LEGAL_REPRESENTATIVE, roundBlocks: 50 }
    t.equal(world.refusal('keyAgreement', group.roster[0]!, 'startAgreement', start), 'TooEarly')
    world.number++
  }
  group.agree()
  t.same([group.state.failures, group.state.notBefore], [0, 0n])
})
