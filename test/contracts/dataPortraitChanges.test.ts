/** Changes of the data portrait by approval: who has to approve what, when it is in force, and what stays readable. */
import fc from 'fast-check'
import t from 'tap'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { BASIS, CHANGE_STATUS, ROLE, STATUS, VALUE_TYPE } from '../../src/contracts/codes.js'
import { NO_DETAILS } from '../../src/contracts/dataPortraitContent.js'
import { readEntryHead, readRule, readSupervisors } from '../../src/contracts/dataPortraitStorage.js'
import { contentInForce } from '../../src/contracts/dataPortraitVersions.js'
import type { DataProfile, PortraitConfig, Rule } from '../../src/contracts/genesisTypes.js'
import { NO_TERMS, readTerms, type Terms } from '../../src/contracts/sharingTerms.js'
import { attributeId, textId } from '../../src/contracts/textId.js'
import { type Address, ZERO_ADDRESS, ZERO_HASH } from '../../src/core/bytes.js'
import {
  changeReasonBytesMax,
  openProfileChangesPerAttributeMax,
  openProfileChangesPerProposerMax,
  profileChangeBlocksAheadMax,
  termsAskersMax,
  termsCodesMax,
} from '../../src/core/limits.js'
import { readHost, systemHost } from '../../src/vm/host.js'
import {
  agree,
  approve,
  changeOf,
  DEPARTMENTS,
  profileOf,
  propose,
  refusesProposal,
  statusOf,
  type Wish,
} from './portraitWorld.js'
import {
  AUDITOR,
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
} from './world.js'

const { open, approved, settled, refused, lapsed, withdrawn, superseded } = CHANGE_STATUS
const NEW = attributeId('inventionPatents')
const worldWith = (portrait: Partial<PortraitConfig>) => new World(genesisConfig({ portrait }))
const suspend = (world: World, account: Address) =>
  world.must('members', OPERATOR, 'setStatus', { account, status: STATUS.suspended })
const approves = (world: World, by: Address, id: bigint) => world.refusal('dataPortrait', by, 'approveChange', { id })
const refuses = (world: World, by: Address, id: bigint, reason = '') =>
  world.refusal('dataPortrait', by, 'refuseChange', { id, reason })
const withdraws = (world: World, by: Address, id: bigint) => world.refusal('dataPortrait', by, 'withdrawChange', { id })
const refuse = (world: World, by: Address, id: bigint, reason = '') =>
  world.must('dataPortrait', by, 'refuseChange', { id, reason })
const versions = (world: World, attribute = CAPITAL) => world.view('dataPortrait', 'versionCount', { attribute })
const termsOf = (world: World, attribute = CAPITAL) => world.view('dataPortrait', 'termsOf', { attribute })

t.test('a joint change needs every present and every new supervisor', async (t) => {
  const world = new World()
  const id = propose(world, MARKET, profile(LEGAL_REPRESENTATIVE, [FINANCE, PATENTS]), { reason: 'file 12' })
  t.match(changeOf(world, id), { status: open, missing: [FINANCE, PATENTS], votesNeeded: 0, reason: 'file 12' })
  t.equal(approves(world, MARKET, id), 'AlreadyApproved')
  for (const stranger of [STRANGER, AUDITOR, OPERATOR]) t.equal(approves(world, stranger, id), 'NotActiveDepartment')
  approve(world, PATENTS, id)
  t.same(profileOf(world, LEGAL_REPRESENTATIVE).supervisors, [MARKET, FINANCE], 'not yet')
  approve(world, FINANCE, id)
  t.same(profileOf(world, LEGAL_REPRESENTATIVE).supervisors, [FINANCE, PATENTS])
  t.equal(statusOf(world, id), settled)
  t.equal(approves(world, FINANCE, id), 'ChangeNotOpen')
  t.equal(approves(world, MARKET, 99n), 'UnknownChange')
})

t.test('any department may propose; whose word is not needed gives none', async (t) => {
  const world = new World()
  const id = propose(world, PATENTS, profile(CAPITAL, [MARKET], { validityBlocks: 9n }))
  t.same(changeOf(world, id).approvals, [])
  t.equal(approves(world, FINANCE, id), 'NotSupervisor')
  t.equal(refuses(world, FINANCE, id), 'NotSupervisor')
  t.equal(approves(world, PATENTS, id), 'NotSupervisor')
  approve(world, MARKET, id)
  t.equal(profileOf(world, CAPITAL).rule.validityBlocks, 9n)
})

t.test('what opens data up needs more than half of the departments as well', async (t) => {
  const base = profile(CAPITAL, [MARKET], { basis: BASIS.consent, digestBudget: 4 })
  const terms: Terms = {
    askers: [FINANCE],
    purposes: [textId('p')],
    statutes: [textId('s')],
    exceptions: [],
  }
  const opening: [string, Partial<Rule>, Partial<Terms>][] = [
    ['askerRoles', { askerRoles: (1 << ROLE.department) | (1 << ROLE.auditor) }, {}],
    ['basis', { basis: BASIS.none }, {}],
    ['basis', { basis: BASIS.required }, {}],
    ['basis', { basis: BASIS.statute }, {}],
    ['digestBudget', { digestBudget: 5 }, {}],
    ['digestBudget', { digestBudget: 0 }, {}],
    ['askers', {}, { askers: [FINANCE, PATENTS] }],
    ['askers', {}, { askers: [PATENTS] }],
    ['askers', {}, { askers: [] }],
    ['purposes', {}, { purposes: [textId('p'), textId('q')] }],
    ['purposes', {}, { purposes: [] }],
    ['statutes', {}, { statutes: [textId('s'), textId('r')] }],
    ['exceptions', {}, { exceptions: [textId('p')] }],
  ]
  const world = new World(genesisConfig({ attributes: [{ ...base, terms, details: NO_DETAILS }] }))
  t.same(termsOf(world), terms, 'terms of genesis')
  for (const [field, rule, more] of opening) {
    const id = propose(world, MARKET, { ...base, rule: { ...base.rule, ...rule } }, { terms: { ...terms, ...more } })
    t.match(changeOf(world, id), { status: open, opens: [field], votes: 1, votesNeeded: 2, missing: [] }, field)
    world.must('dataPortrait', MARKET, 'withdrawChange', { id })
  }
  const id = propose(world, MARKET, { ...base, rule: { ...base.rule, basis: BASIS.none } }, { terms })
  t.equal(approves(world, OPERATOR, id), 'NotActiveDepartment', 'an operator has no vote')
  approve(world, PATENTS, id)
  t.equal(profileOf(world, CAPITAL).rule.basis, BASIS.none)

  const closing: [Partial<Rule>, Partial<Terms>][] = [
    [{ basis: BASIS.consent }, {}],
    [{ basis: BASIS.consent, digestBudget: 3 }, {}],
    [{ basis: BASIS.consent, digestBudget: 3 }, { statutes: [] }],
    [{ basis: BASIS.consent, digestBudget: 3, quorum: 1, validityBlocks: 8n, deadlineBlocks: 3n }, { statutes: [] }],
  ]
  for (const [rule, more] of closing) {
    const done = propose(world, MARKET, { ...base, rule: { ...base.rule, ...rule } }, { terms: { ...terms, ...more } })
    t.equal(statusOf(world, done), settled, 'what closes needs the supervisor alone')
  }
})

t.test('genesis may ask for a larger share', async (t) => {
  const world = worldWith({ changeThreshold: { numerator: 2, denominator: 3 } })
  const id = propose(world, MARKET, profile(CAPITAL, [MARKET], { askerRoles: 6 }))
  t.equal(changeOf(world, id).votesNeeded, 3)
  approve(world, FINANCE, id)
  suspend(world, PATENTS)
  t.match(changeOf(world, id), { status: open, votes: 2, votesNeeded: 2 }, 'departments are counted as they are')
  t.equal(approves(world, MARKET, id), 'succeeded', 'who has approved may complete it')
  t.throws(() => worldWith({ changeThreshold: { numerator: 1, denominator: 3 } }), /InvalidParameter/)
  t.throws(() => worldWith({ changeThreshold: { numerator: 2, denominator: 2 } }), /InvalidParameter/)
  t.throws(() => worldWith({ noticeBlocks: -1 }), /InvalidParameter/)
  t.throws(() => worldWith({ changeBlocksMax: 0 }), /InvalidParameter/)
})

t.test('an inactive supervisor does not block, and does not lose its attribute silently', async (t) => {
  const world = new World()
  suspend(world, FINANCE)
  const kept = propose(world, MARKET, profile(LEGAL_REPRESENTATIVE, [MARKET, FINANCE], { validityBlocks: 3n }))
  t.equal(statusOf(world, kept), settled)
  const dropped = propose(world, MARKET, profile(LEGAL_REPRESENTATIVE, [MARKET]))
  t.match(changeOf(world, dropped), { status: open, opens: ['supervisors'], votesNeeded: 2 })
  approve(world, PATENTS, dropped)
  t.same(profileOf(world, LEGAL_REPRESENTATIVE).supervisors, [MARKET])

  const other = new World()
  suspend(other, MARKET)
  const taken = propose(other, PATENTS, profile(CAPITAL, [PATENTS]))
  t.match(changeOf(other, taken), { status: open, opens: ['supervisors'], missing: [], votesNeeded: 2 })
  approve(other, FINANCE, taken)
  t.same(profileOf(other, CAPITAL).supervisors, [PATENTS])
})

t.test('approvals of who was suspended since do not count', async (t) => {
  const world = new World()
  const id = propose(world, MARKET, profile(LEGAL_REPRESENTATIVE, [MARKET, PATENTS]))
  approve(world, PATENTS, id)
  suspend(world, PATENTS)
  t.equal(approves(world, FINANCE, id), 'NotActiveDepartment', 'a new supervisor has to be active in the end')
})

t.test('refusals end a change: a supervisor at once, others when the rest is too few', async (t) => {
  const world = new World()
  const first = propose(world, MARKET, profile(LEGAL_REPRESENTATIVE, [MARKET, FINANCE], { validityBlocks: 3n }))
  refuse(world, FINANCE, first, 'no legal basis')
  t.match(changeOf(world, first), { status: refused, refusals: [FINANCE], refusal: 'no legal basis' })
  const wide = propose(world, MARKET, profile(CAPITAL, [MARKET], { askerRoles: 6 }))
  refuse(world, FINANCE, wide)
  t.equal(statusOf(world, wide), open, 'one of three may still be left out')
  t.equal(refuses(world, FINANCE, wide), 'AlreadyRefused')
  approve(world, FINANCE, wide)
  t.equal(statusOf(world, wide), settled, 'a refusal can be taken back')
  const next = propose(world, MARKET, profile(CAPITAL, [MARKET], { askerRoles: 14 }))
  refuse(world, FINANCE, next)
  refuse(world, PATENTS, next)
  t.equal(statusOf(world, next), refused)
  t.equal(refuses(world, MARKET, next), 'ChangeNotOpen')
  t.equal(refuses(world, OPERATOR, next), 'NotActiveDepartment')
})

t.test('withdrawn, lapsed, superseded', async (t) => {
  const world = worldWith({ changeBlocksMax: 10 })
  const joint = (validityBlocks: bigint) => profile(LEGAL_REPRESENTATIVE, [MARKET, FINANCE], { validityBlocks })
  const mine = propose(world, MARKET, joint(1n))
  t.equal(withdraws(world, FINANCE, mine), 'NotProposer')
  world.must('dataPortrait', MARKET, 'withdrawChange', { id: mine })
  t.equal(statusOf(world, mine), withdrawn)
  t.equal(withdraws(world, MARKET, mine), 'ChangeNotOpen')
  const old = propose(world, MARKET, joint(2n))
  const other = propose(world, FINANCE, joint(3n))
  world.number += 10
  t.equal(statusOf(world, old), open, 'at the last block')
  approve(world, MARKET, other)
  t.equal(statusOf(world, old), superseded)
  t.equal(approves(world, FINANCE, old), 'ChangeNotOpen', 'what it was to change is no longer there')
  const late = propose(world, MARKET, joint(4n))
  world.number += 11
  t.equal(statusOf(world, late), lapsed)
  t.equal(approves(world, FINANCE, late), 'ChangeNotOpen')
})

t.test('a change is in force from its height on, not a block before', async (t) => {
  const world = worldWith({ noticeBlocks: 5 })
  const before = profile(LEGAL_REPRESENTATIVE, [MARKET, FINANCE])
  const schema = { ...before.schema, lengthMax: 50 }
  const after: DataProfile = { ...profile(LEGAL_REPRESENTATIVE, [PATENTS, FINANCE, MARKET]), schema, schemaVersion: 2 }
  const wish: Wish = { terms: { purposes: [textId('p')] }, details: { description: 'who signs' }, effectiveAt: 4n }
  const id = propose(world, MARKET, after, wish)
  world.number = 7
  approve(world, FINANCE, id)
  t.same(approve(world, PATENTS, id).at(-1), ['ChangeScheduled', { id, attribute: LEGAL_REPRESENTATIVE, from: 12n }])
  t.equal(statusOf(world, id), approved)
  t.equal(world.view('dataPortrait', 'nextChangeAt', {}), 12n)
  const seen = () => {
    const host = systemHost(world.state, CONTRACT_ADDRESSES.dataSharing, world.block)
    const head = readEntryHead(host, LEGAL_REPRESENTATIVE)!
    return {
      supervisors: readSupervisors(host, LEGAL_REPRESENTATIVE, head),
      quorum: readRule(host, LEGAL_REPRESENTATIVE).quorum,
      purposes: readTerms(host, LEGAL_REPRESENTATIVE).purposes,
      schemaVersion: profileOf(world, LEGAL_REPRESENTATIVE).schemaVersion,
      lengthMax: profileOf(world, LEGAL_REPRESENTATIVE).schema.lengthMax,
      all: world.view('dataPortrait', 'GetDataProfile', {}).find((one) => one.attribute === LEGAL_REPRESENTATIVE)!
        .supervisors,
    }
  }
  const then = { supervisors: [MARKET, FINANCE], quorum: 0, purposes: [], schemaVersion: 1, lengthMax: 100 }
  const now = { supervisors: [PATENTS, FINANCE, MARKET], quorum: 0, purposes: [textId('p')], schemaVersion: 2 }
  for (const height of [7, 11]) {
    world.number = height
    t.match(seen(), { ...then, all: then.supervisors }, `block ${height}`)
  }
  const blocked = { ...before, rule: { ...before.rule, validityBlocks: 1n } }
  t.equal(refusesProposal(world, MARKET, blocked), 'AlreadyScheduled')
  for (const height of [12, 13]) {
    world.number = height
    t.match(seen(), { ...now, lengthMax: 50, all: now.supervisors }, `block ${height}`)
  }
  t.equal(world.view('dataPortrait', 'nextChangeAt', {}), 0n)
  t.throws(() => readEntryHead(readHost(world.state, ZERO_ADDRESS), LEGAL_REPRESENTATIVE), 'a host without a block')
  // The next write puts it in place: the words are those of an entry that was always so.
  const next = agree(world, PATENTS, { ...after, rule: { ...after.rule, validityBlocks: 2n } }, wish)
  world.number = 30
  t.equal(statusOf(world, next), settled)
  t.match(seen(), { ...now, all: now.supervisors })
  t.equal(profileOf(world, LEGAL_REPRESENTATIVE).rule.validityBlocks, 2n)
  t.match(
    [1n, 12n, 17n, 18n, 99n].map((height) => {
      const { number, from } = world.view('dataPortrait', 'profileAt', { attribute: LEGAL_REPRESENTATIVE, height })
      return [number, from]
    }),
    [
      [1, 0n],
      [2, 12n],
      [2, 12n],
      [3, 18n],
      [3, 18n],
    ],
  )
})

t.test('a requested height beyond the notice counts; a sole supervisor needs no notice', async (t) => {
  const world = worldWith({ noticeBlocks: 5 })
  const rule = { validityBlocks: 6n }
  const at = (height: bigint, changes: Partial<Rule> = rule) =>
    propose(world, MARKET, profile(CAPITAL, [MARKET], changes), { effectiveAt: height })
  const id = at(20n)
  t.match(changeOf(world, id), { status: approved, effectiveAt: 20n })
  t.equal(profileOf(world, CAPITAL).rule.validityBlocks, 0n)
  world.number = 20
  t.equal(profileOf(world, CAPITAL).rule.validityBlocks, 6n)
  at(0n, { validityBlocks: 7n })
  t.equal(profileOf(world, CAPITAL).rule.validityBlocks, 7n, 'at once')
  const heightMax = BigInt(20 + profileChangeBlocksAheadMax)
  const wish = (effectiveAt: bigint) => ({ effectiveAt })
  t.equal(refusesProposal(world, MARKET, profile(CAPITAL, [MARKET]), wish(heightMax)), 'succeeded')
  t.equal(refusesProposal(world, MARKET, profile(CAPITAL, [MARKET]), wish(heightMax + 1n)), 'InvalidHeight')
  t.equal(refusesProposal(world, MARKET, profile(NEW, [MARKET]), wish(21n)), 'InvalidHeight')
  t.equal(refusesProposal(world, MARKET, profile(NEW, [MARKET]), wish(20n)), 'succeeded')
})

t.test('a scheduled change can be stopped by a supervisor until it is in force', async (t) => {
  const world = worldWith({ noticeBlocks: 5 })
  const after = profile(LEGAL_REPRESENTATIVE, [MARKET, FINANCE], { validityBlocks: 6n })
  const stopped = agree(world, MARKET, after)
  t.equal(refuses(world, PATENTS, stopped), 'NotSupervisor')
  refuse(world, FINANCE, stopped, 'too early')
  t.match(changeOf(world, stopped), { status: refused, refusal: 'too early' })
  world.number = 6
  t.equal(profileOf(world, LEGAL_REPRESENTATIVE).rule.validityBlocks, 0n, 'it never comes into force')
  t.equal(versions(world, LEGAL_REPRESENTATIVE), 1)
  const taken = agree(world, MARKET, after)
  world.must('dataPortrait', MARKET, 'withdrawChange', { id: taken })
  t.equal(statusOf(world, taken), withdrawn)
  const done = agree(world, MARKET, after)
  world.number = 11
  t.equal(refuses(world, FINANCE, done), 'ChangeNotOpen', 'in force')
  t.equal(profileOf(world, LEGAL_REPRESENTATIVE).rule.validityBlocks, 6n)
})

t.test('every version stays readable, with who brought it and why', async (t) => {
  const world = new World()
  world.number = 4
  propose(world, MARKET, profile(CAPITAL, [MARKET], { validityBlocks: 1n }), { reason: 'one' })
  world.number = 9
  const id = propose(world, PATENTS, profile(CAPITAL, [PATENTS]), {
    reason: 'two',
    details: { description: 'in yuan' },
  })
  approve(world, MARKET, id)
  t.equal(versions(world), 3)
  const version = (number: number) => world.view('dataPortrait', 'versionOf', { attribute: CAPITAL, number })
  t.match(version(1), {
    from: 0n,
    proposer: ZERO_ADDRESS,
    approvals: [],
    reason: '',
    profile: profile(CAPITAL, [MARKET]),
  })
  t.match(version(2), { from: 4n, proposer: MARKET, approvals: [MARKET], reason: 'one' })
  t.match(version(3), { from: 9n, proposer: PATENTS, reason: 'two', details: { description: 'in yuan' } })
  t.same(version(3).profile.supervisors, [PATENTS])
  for (const number of [0, 4]) t.throws(() => version(number), { message: 'UnknownVersion' })
  propose(world, MARKET, profile(NEW, [MARKET]))
  const at = (height: bigint) => world.view('dataPortrait', 'profileAt', { attribute: NEW, height })
  t.throws(() => at(8n), { message: 'UnknownVersion' }, 'not registered yet')
  t.equal(at(9n).number, 1)
})

t.test('bounds, at the last that is taken and one more', async (t) => {
  const world = new World()
  const joint = (validityBlocks: number) =>
    profile(LEGAL_REPRESENTATIVE, [MARKET, FINANCE], { validityBlocks: BigInt(validityBlocks) })
  for (let i = 1; i <= openProfileChangesPerAttributeMax; i++) propose(world, MARKET, joint(i))
  t.equal(refusesProposal(world, FINANCE, joint(1)), 'DuplicateChange')
  t.equal(refusesProposal(world, FINANCE, joint(99)), 'TooManyChangesOfAttribute')
  for (let i = openProfileChangesPerAttributeMax; i < openProfileChangesPerProposerMax; i++) {
    propose(world, MARKET, profile(attributeId(`joint${i}`), [MARKET, FINANCE]))
  }
  t.equal(refusesProposal(world, MARKET, profile(NEW, [MARKET, FINANCE])), 'TooManyOpenChanges')
  t.equal(refusesProposal(world, FINANCE, profile(NEW, [MARKET, FINANCE])), 'succeeded', 'others may')
  refuse(world, FINANCE, 1n)
  t.equal(refusesProposal(world, MARKET, joint(99)), 'succeeded', 'a closed one makes room')
  t.equal(world.view('dataPortrait', 'openChanges', { before: 0n }).ids.length, openProfileChangesPerProposerMax - 1)

  const base = profile(CAPITAL, [MARKET])
  t.equal(refusesProposal(world, MARKET, base), 'NothingChanges')
  const reason = 'x'.repeat(changeReasonBytesMax)
  const changed = profile(CAPITAL, [MARKET], { validityBlocks: 2n })
  t.equal(refusesProposal(world, MARKET, changed, { reason }), 'succeeded')
  t.equal(refusesProposal(world, MARKET, changed, { reason: `${reason}x` }), 'TextTooLong')
  t.equal(refusesProposal(world, STRANGER, changed), 'NotActiveDepartment')
})

t.test('what terms and details may say', async (t) => {
  const world = new World()
  const base = profile(NEW, [MARKET])
  const given = (wish: Wish) => refusesProposal(world, MARKET, base, wish)
  const many = (count: number) => Array.from({ length: count }, (_, i) => textId(`code${i}`))
  t.equal(given({ terms: { purposes: many(termsCodesMax), statutes: many(1), exceptions: many(1) } }), 'succeeded')
  const wrong: Partial<Terms>[] = [
    { purposes: many(termsCodesMax + 1) },
    { purposes: [textId('p'), textId('p')] },
    { statutes: [ZERO_HASH] },
    { askers: [STRANGER] },
    { askers: Array.from({ length: termsAskersMax + 1 }, (_, i) => account(0x1000 + i)) },
    { exceptions: [textId('p')] },
    { purposes: [textId('p')], statutes: [textId('s')], exceptions: [textId('q')] },
  ]
  for (const terms of wrong) t.equal(given({ terms }), 'InvalidTerms', JSON.stringify(Object.keys(terms)))
  t.equal(given({ details: { description: '密'.repeat(170) } }), 'succeeded')
  t.equal(given({ details: { description: '密'.repeat(171) } }), 'InvalidSchema')
  t.equal(given({ details: { codes: [textId('A')] } }), 'InvalidSchema', 'a text has no codes')
  const coded: DataProfile = { ...base, schema: { ...base.schema, valueType: VALUE_TYPE.code, caseRule: 1 } }
  const codes = (...list: string[]) =>
    refusesProposal(world, MARKET, coded, { details: { codes: list.map((one) => textId(one)) } })
  t.equal(codes('A1', 'B2'), 'succeeded')
  t.equal(codes('A1', 'A1'), 'InvalidSchema')
  t.equal(codes('a1'), 'InvalidSchema', 'not as the schema writes it')
  propose(world, MARKET, coded, { details: { description: 'kind', codes: [textId('A1')] } })
  t.same(world.view('dataPortrait', 'detailsOf', { attribute: NEW }), { description: 'kind', codes: [textId('A1')] })
  t.same(world.view('dataPortrait', 'codeLists', {}), [{ attribute: NEW, codes: [textId('A1')] }])
  world.must('dataPortrait', MARKET, 'SetDataProfile', { dataProfile: { ...coded, schemaVersion: 2 } })
  t.equal(world.view('dataPortrait', 'detailsOf', { attribute: NEW }).description, 'kind', 'SetDataProfile leaves them')
})

/** One random step; members and choices by small numbers. */
type Step = readonly [kind: number, who: number, what: number, more: number]
const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(11), fc.nat(2), fc.nat(11), fc.nat(7))

t.test('no version is in force without the approvals that it needed', async (t) => {
  let enacted = 0
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), fc.nat(3), (steps, noticeBlocks) => {
      const world = worldWith({ noticeBlocks, changeBlocksMax: 6 })
      const known = new Map<bigint, number>()
      for (const [kind, who, what, more] of steps) {
        const by = DEPARTMENTS[who]!
        const { ids } = world.view('dataPortrait', 'openChanges', { before: 0n })
        const id = ids[more % (ids.length + 1)] ?? 1n
        if (kind < 3) {
          const supervisors = DEPARTMENTS.filter((_, i) => ((1 + (what % 7)) >> i) & 1)
          const terms = more % 2 === 0 ? NO_TERMS : { ...NO_TERMS, purposes: [textId(`p${more}`)] }
          const entry = profile(CAPITAL, supervisors, { digestBudget: more, validityBlocks: BigInt(what) })
          world.send('dataPortrait', by, 'proposeChange', {
            ...{ dataProfile: entry, terms, details: NO_DETAILS, reason: '' },
            effectiveAt: BigInt(world.number + (what % 4)),
          })
        } else if (kind < 8) world.send('dataPortrait', by, 'approveChange', { id })
        else if (kind === 8) world.send('dataPortrait', by, 'refuseChange', { id, reason: '' })
        else if (kind === 9) {
          const status = more % 3 === 0 ? STATUS.suspended : STATUS.active
          world.send('members', OPERATOR, 'setStatus', { account: by, status })
        } else world.number++
        enacted += checkVersions(world, known)
      }
    }),
    { numRuns: 60, seed: 23 },
  )
  t.ok(enacted > 40, `${enacted} changes came about`)
})

type Version = ReturnType<typeof versionOf>
const versionOf = (world: World, number: number) =>
  world.view('dataPortrait', 'versionOf', { attribute: CAPITAL, number })
const isActive = (world: World, account: Address): boolean =>
  world.view('members', 'getMember', { account }).status === STATUS.active

/** Whose approvals the rules ask for, worked out from the two versions alone, for what the steps above vary. */
function wanted(world: World, before: Version, after: Version) {
  const [old, fresh] = [before.profile.supervisors, after.profile.supervisors]
  const [budget, next] = [before.profile.rule.digestBudget, after.profile.rule.digestBudget]
  const [purposes, others] = [before.terms.purposes, after.terms.purposes]
  const idle = old.filter((account) => !isActive(world, account))
  const opens =
    (budget > 0 && (next === 0 || next > budget)) ||
    (purposes.length > 0 && (others.length === 0 || others.some((one) => !purposes.includes(one)))) ||
    idle.length === old.length ||
    idle.some((account) => !fresh.includes(account))
  const departments = DEPARTMENTS.filter((account) => isActive(world, account)).length
  const supervisors = [...old, ...fresh].filter((account) => isActive(world, account))
  return { supervisors, votes: opens ? Math.floor(departments / 2) + 1 : 0 }
}

/** Versions that appeared with the last step had their approvals; those in force never change. Returns how many appeared. */
function checkVersions(world: World, known: Map<bigint, number>): number {
  const host = systemHost(world.state, CONTRACT_ADDRESSES.dataPortrait, world.block)
  let fresh = 0
  const count = versions(world)
  for (let number = 2; number <= count; number++) {
    const version = versionOf(world, number)
    const { changeId, from, approvals } = version
    if (known.has(changeId)) continue
    known.set(changeId, Number(from))
    fresh++
    if (from < BigInt(world.number)) throw new Error(`version ${number} begins in the past`)
    const before = versionOf(world, number - 1)
    const needed = wanted(world, before, version)
    if (!needed.supervisors.every((account) => approvals.includes(account)))
      throw new Error('a supervisor was not asked')
    if (approvals.filter((account) => isActive(world, account)).length < needed.votes)
      throw new Error('too few departments')
  }
  const current = contentInForce(host, CAPITAL)!
  const height = BigInt(world.number)
  const inForce = world.view('dataPortrait', 'profileAt', { attribute: CAPITAL, height })
  t.same(current.rule, inForce.profile.rule)
  t.same(current.supervisors, inForce.profile.supervisors)
  t.same(current.terms, inForce.terms)
  return fresh
}
