/** Contract `credit`: what counts, how far, and who may say so. */
import fc from 'fast-check'
import t from 'tap'
import { CREDIT_REASON, EXISTENCE, QUORUM, STATUS } from '../../src/contracts/codes.js'
import {
  applyReason,
  CREDIT_REASONS,
  creditScoreMax,
  defaultCreditParameters,
  newCreditRecord,
} from '../../src/contracts/creditRules.js'
import { type Address, asEpoch, asView, type Hash, ZERO_HASH } from '../../src/core/bytes.js'
import { encodeSignedVote, type Vote, votePreimage } from '../../src/core/vote.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { privateKeyToAddress, secp256k1 } from '../../src/crypto/secp256k1.js'
import { agree } from './portraitWorld.js'
import {
  account,
  CAPITAL,
  CHAIN_ID,
  EMPLOYEES,
  ENTERPRISE_ID,
  ENVELOPE,
  FINANCE,
  GENESIS_HASH,
  genesisConfig,
  LEGAL_REPRESENTATIVE,
  MARKET,
  OPERATOR,
  PATENTS,
  PURPOSE,
  profile,
  SEALER,
  STRANGER,
  World,
  word,
} from './world.js'

const START = defaultCreditParameters.start
const recordOf = (world: World, member: Address) => world.view('credit', 'recordOf', { member })
const scoreOf = (world: World, member: Address) => world.view('credit', 'scoreOf', { member })

t.test('rules: scores are bounded, counts grow, each reason moves the score its own way', async (t) => {
  const steps = fc.array(fc.tuple(fc.constantFrom(...CREDIT_REASONS), fc.integer({ min: 1, max: 900 })), {
    maxLength: 40,
  })
  fc.assert(
    fc.property(steps, (list) => {
      let record = newCreditRecord(defaultCreditParameters)
      for (const [reason, times] of list) {
        const next = applyReason(record, reason, defaultCreditParameters, times)
        t.ok(next.score >= 0 && next.score <= creditScoreMax)
        t.equal(next.counts[reason], record.counts[reason] + times)
        t.ok(defaultCreditParameters.points[reason] > 0 ? next.score >= record.score : next.score <= record.score)
        record = next
      }
    }),
    { numRuns: 50 },
  )
  const missed = applyReason(newCreditRecord(defaultCreditParameters), 'turnMissed', defaultCreditParameters, 300)
  t.match(missed, { score: 0, missedInRow: 255, counts: { turnMissed: 300 } })
  t.equal(applyReason(missed, 'turnSealed', defaultCreditParameters).missedInRow, 0)
  t.equal(applyReason(missed, 'answeredOnTime', defaultCreditParameters).missedInRow, 255)
  const most = { ...missed, counts: { ...missed.counts, turnMissed: 2 ** 32 - 1 } }
  t.equal(applyReason(most, 'turnMissed', defaultCreditParameters).counts.turnMissed, 2 ** 32 - 1)
})

t.test('everybody starts with the score of genesis, whose parameters can be read', async (t) => {
  const world = new World(genesisConfig({ credit: { start: 700, points: { turnMissed: -3 } } }))
  t.equal(scoreOf(world, STRANGER), 700)
  t.same(world.view('credit', 'parameters', {}), {
    scoreMax: 1_000,
    start: 700,
    points: { ...defaultCreditParameters.points, turnMissed: -3 },
  })
  const refused = { code: 'REFUSED', message: /credit refuses it: InvalidParameter/ }
  for (const credit of [{ start: 1_001 }, { start: -1 }, { start: 0.5 }, { points: { unanswered: -1_001 } }]) {
    t.throws(() => new World(genesisConfig({ credit })), refused)
  }
})

t.test('turns: sealed and missed ones, and how many were missed in a row', async (t) => {
  const world = new World()
  world.endBlock([MARKET, MARKET, SEALER])
  t.match(recordOf(world, MARKET), { score: START - 20, turnMissed: 2, turnSealed: 0, missedInRow: 2 })
  t.match(recordOf(world, SEALER), { score: START - 9, turnMissed: 1, turnSealed: 1, missedInRow: 0 })
  world.sealer = MARKET
  world.endBlock()
  t.match(recordOf(world, MARKET), { score: START - 19, turnMissed: 2, turnSealed: 1, missedInRow: 0 })
  for (let i = 0; i < 60; i++) world.endBlock([SEALER])
  t.equal(scoreOf(world, SEALER), 0)
  t.equal(recordOf(world, SEALER).missedInRow, 60 % 256)
  t.throws(() => world.endBlock(Array.from({ length: 65 }, () => SEALER)), { name: 'InvariantError' })
})

t.test('a score of zero with nothing counted is not the score with which all start', async (t) => {
  const world = new World(genesisConfig({ credit: { start: 0 } }))
  t.equal(scoreOf(world, MARKET), 0)
  world.sealer = MARKET
  world.endBlock()
  t.equal(scoreOf(world, MARKET), 1)
})

const DEADLINE = 5n
const item = (attribute: Hash) => ({ attribute, digest: word('digest') })
const sealed = (...supervisors: Address[]) =>
  supervisors.map((supervisor) => ({ supervisor, keyEpoch: 1n, envelope: ENVELOPE }))
const answer = (requestId: bigint, attribute: Hash) => {
  return { requestId, attribute, existence: EXISTENCE.exists, confirmed: true }
}

function askingWorld(quorum: number = QUORUM.all): World {
  const rule = { deadlineBlocks: DEADLINE }
  return new World(
    genesisConfig({
      attributes: [
        profile(CAPITAL, [MARKET], rule),
        profile(EMPLOYEES, [MARKET], rule),
        profile(LEGAL_REPRESENTATIVE, [MARKET, FINANCE], { ...rule, quorum }),
      ],
    }),
  )
}
function ask(world: World, attributes: readonly Hash[], supervisors: readonly Address[]): void {
  const request = { enterpriseId: ENTERPRISE_ID, portraitVersion: 1, purpose: PURPOSE, basis: ZERO_HASH }
  const args = { ...request, items: attributes.map(item), sealed: sealed(...supervisors) }
  world.must('dataSharing', PATENTS, 'requestVerification', args)
}
const attest = (world: World, sender: Address, ...answers: ReturnType<typeof answer>[]) =>
  world.must('dataSharing', sender, 'attest', { answers })
const close = (world: World, requestId = 1n) => world.must('dataSharing', STRANGER, 'closeRequest', { requestId })
const closeRefusal = (world: World, requestId = 1n) =>
  world.refusal('dataSharing', STRANGER, 'closeRequest', { requestId })

t.test('answers in time count once for each request', async (t) => {
  const world = askingWorld()
  ask(world, [CAPITAL, EMPLOYEES], [MARKET])
  ask(world, [CAPITAL], [MARKET])
  attest(world, MARKET, answer(1n, CAPITAL))
  t.match(recordOf(world, MARKET), { score: START + 1, answeredOnTime: 1 })
  attest(world, MARKET, answer(1n, EMPLOYEES))
  t.match(recordOf(world, MARKET), { answeredOnTime: 1 }, 'the rest of the same request')
  attest(world, MARKET, answer(2n, CAPITAL))
  t.match(recordOf(world, MARKET), { score: START + 2, answeredOnTime: 2 })
  world.number += 6
  t.equal(closeRefusal(world), 'NothingUnanswered')
})

t.test('late answers count once for each request, unless the item has its quorum', async (t) => {
  const world = askingWorld()
  ask(world, [CAPITAL, EMPLOYEES], [MARKET])
  world.number += 6
  attest(world, MARKET, answer(1n, CAPITAL))
  attest(world, MARKET, answer(1n, EMPLOYEES))
  t.match(recordOf(world, MARKET), { score: START - 2, answeredLate: 1, answeredOnTime: 0 })
  t.equal(closeRefusal(world), 'NothingUnanswered', 'late is not missing as well')
  const any = askingWorld(QUORUM.any)
  ask(any, [LEGAL_REPRESENTATIVE], [MARKET, FINANCE])
  attest(any, FINANCE, answer(1n, LEGAL_REPRESENTATIVE))
  any.number += 6
  attest(any, MARKET, answer(1n, LEGAL_REPRESENTATIVE))
  t.equal(scoreOf(any, MARKET), START)
})

t.test('closeRequest records who is missing, once, whoever calls it', async (t) => {
  const world = askingWorld()
  ask(world, [LEGAL_REPRESENTATIVE, CAPITAL], [MARKET, FINANCE])
  attest(world, FINANCE, answer(1n, LEGAL_REPRESENTATIVE))
  world.number += 5
  t.equal(closeRefusal(world), 'DeadlineNotPassed')
  t.equal(closeRefusal(world, 2n), 'UnknownRequest')
  world.number++
  t.same(close(world), [['AnswersMissing', { requestId: 1n, supervisors: [MARKET] }]])
  t.match(recordOf(world, MARKET), { score: START - 20, unanswered: 1 })
  t.match(recordOf(world, FINANCE), { score: START + 1, unanswered: 0, answeredOnTime: 1 })
  t.equal(closeRefusal(world), 'NothingUnanswered')
  attest(world, MARKET, answer(1n, CAPITAL))
  t.match(recordOf(world, MARKET), { unanswered: 1, answeredLate: 0 }, 'missing is not late as well')
})

t.test('closeRequest spares who is not at fault', async (t) => {
  const any = askingWorld(QUORUM.any)
  ask(any, [LEGAL_REPRESENTATIVE], [MARKET, FINANCE])
  attest(any, FINANCE, answer(1n, LEGAL_REPRESENTATIVE))
  any.number += 6
  t.equal(closeRefusal(any), 'NothingUnanswered', 'the item has its quorum')
  const world = askingWorld()
  ask(world, [LEGAL_REPRESENTATIVE], [MARKET, FINANCE])
  world.must('members', OPERATOR, 'setStatus', { account: MARKET, status: STATUS.suspended })
  agree(world, FINANCE, profile(LEGAL_REPRESENTATIVE, [FINANCE], { deadlineBlocks: DEADLINE }))
  world.number += 6
  t.same(close(world)[0]![1], { requestId: 1n, supervisors: [FINANCE] })
  const timeless = new World()
  const request = { enterpriseId: ENTERPRISE_ID, portraitVersion: 1, purpose: PURPOSE, basis: ZERO_HASH }
  timeless.must('dataSharing', PATENTS, 'requestVerification', {
    ...request,
    items: [item(CAPITAL)],
    sealed: sealed(MARKET),
  })
  timeless.number += 1_000
  t.equal(closeRefusal(timeless), 'DeadlineNotPassed', 'there is none')
})

t.test('only dataSharing records answers', async (t) => {
  const world = new World()
  const member = MARKET
  t.equal(world.refusal('credit', MARKET, 'recordAnswers', { member, requests: 9 }), 'NotDataSharing')
  const overdue = { member, requestId: 1n, reason: CREDIT_REASON.unanswered }
  t.equal(world.refusal('credit', OPERATOR, 'recordOverdue', overdue), 'NotDataSharing')
})

const KEY = keccak256(Uint8Array.of(1))
const OTHER_KEY = keccak256(Uint8Array.of(2))
const TWIN = privateKeyToAddress(KEY)
const DOMAIN = { chainId: CHAIN_ID, genesisHash: GENESIS_HASH }

function voteBy(key: Uint8Array, changes: Partial<Vote> = {}, domain = DOMAIN): Uint8Array {
  const vote: Vote = { kind: 'notarize', epoch: asEpoch(0), view: asView(7), block: word('block'), ...changes }
  return encodeSignedVote({ ...vote, signature: secp256k1.sign(keccak256(votePreimage(domain, vote)), key) })
}
const twinWorld = () => new World(genesisConfig({ sealers: [{ address: TWIN, weight: 1 }] }))
const FIRST = voteBy(KEY)
const SECOND = voteBy(KEY, { block: word('other') })

t.test('a proven equivocation takes the score, from whoever it comes', async (t) => {
  const world = twinWorld()
  t.same(world.must('credit', STRANGER, 'reportEquivocation', { first: FIRST, second: SECOND }), [
    ['ScoreChanged', { member: TWIN, reason: CREDIT_REASON.equivocation, delta: -START, score: 0 }],
  ])
  t.match(recordOf(world, TWIN), { score: 0, equivocation: 1 })
  const refusal = (first: Uint8Array, second: Uint8Array) =>
    world.refusal('credit', STRANGER, 'reportEquivocation', { first, second })
  t.equal(refusal(SECOND, FIRST), 'AlreadyReported')
  t.equal(refusal(FIRST, voteBy(KEY, { block: word('third') })), 'AlreadyReported', 'the same view')
  const finalize = (view: number) => voteBy(KEY, { kind: 'finalize', view: asView(view) })
  const nullify = (view: number) => voteBy(KEY, { kind: 'nullify', view: asView(view), block: ZERO_HASH })
  for (let view = 8; view < 11; view++) {
    world.must('credit', STRANGER, 'reportEquivocation', { first: finalize(view), second: nullify(view) })
  }
  t.equal(recordOf(world, TWIN).equivocation, 4)
  t.equal(refusal(finalize(11), nullify(11)), 'TooManyReports')
})

t.test('what is no evidence is refused', async (t) => {
  const world = twinWorld()
  const refusal = (first: Uint8Array, second: Uint8Array) =>
    world.refusal('credit', STRANGER, 'reportEquivocation', { first, second })
  t.equal(refusal(FIRST, SECOND), 'succeeded')
  t.equal(refusal(FIRST, FIRST), 'NotEvidence')
  t.equal(refusal(FIRST, voteBy(KEY, { kind: 'finalize' })), 'NotEvidence')
  t.equal(refusal(FIRST, voteBy(KEY, { kind: 'nullify', block: ZERO_HASH })), 'NotEvidence')
  t.equal(refusal(FIRST, voteBy(OTHER_KEY, { block: word('other') })), 'NotEvidence', 'two signers')
  t.equal(refusal(FIRST, SECOND.subarray(1)), 'NotEvidence', 'malformed')
  const highS = SECOND.slice()
  highS.fill(0xff, 49 + 32, 49 + 64)
  t.equal(refusal(FIRST, highS), 'NotEvidence', 'a signature that fits no key')
  const elsewhere = [
    { ...DOMAIN, chainId: 1n },
    { ...DOMAIN, genesisHash: ZERO_HASH },
  ]
  for (const domain of elsewhere) {
    const [first, second] = [voteBy(KEY, {}, domain), voteBy(KEY, { block: word('other') }, domain)]
    t.not(refusal(first, second), 'succeeded', 'votes of another chain')
  }
  t.equal(refusal(voteBy(OTHER_KEY), voteBy(OTHER_KEY, { block: word('other') })), 'NeverSealed')
  const future = { epoch: asEpoch(1) }
  t.equal(refusal(voteBy(KEY, future), voteBy(KEY, { ...future, block: word('other') })), 'FutureEpoch')
  const other = account(0x77)
  t.equal(scoreOf(world, other), START)
})
