/** StoreData, acknowledge, sharePortraitKey (paper 4.3, Fig. 6). */
import t from 'tap'
import { ACK_CODE, STATUS } from '../../src/contracts/codes.js'
import { type Hash, ZERO_HASH } from '../../src/core/bytes.js'
import { envelopeBytesMax, partAttributesMax, submissionPartsMax } from '../../src/core/limits.js'
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
  LEGAL_REPRESENTATIVE,
  MARKET,
  OPERATOR,
  OTHER_ENTERPRISE,
  OTHER_ENTERPRISE_ID,
  PATENTS,
  STRANGER,
  World,
  word,
} from './world.js'

interface Part {
  readonly recipient: typeof MARKET
  readonly keyEpoch: bigint
  readonly attributes: readonly Hash[]
  readonly digests: readonly Hash[]
  readonly envelope: Uint8Array
}

const part = (recipient: typeof MARKET, attributes: readonly Hash[], changes: Partial<Part> = {}): Part => ({
  recipient,
  keyEpoch: 1n,
  attributes,
  digests: attributes.map((attribute) => word(`digest of ${attribute}`)),
  envelope: ENVELOPE,
  ...changes,
})

const MARKET_PART = part(MARKET, [CAPITAL, EMPLOYEES])
const FINANCE_PART = part(FINANCE, [BANK_ACCOUNT])
const base = { enterpriseId: ENTERPRISE_ID, documentHash: word('document'), portraitVersion: 1 }
const submission = (...parts: Part[]) => ({ ...base, parts })

const read = (world: World, submissionId: bigint) => world.view('dataSharing', 'submissionOf', { submissionId })
const readPart = (world: World, submissionId: bigint, index: number) =>
  world.view('dataSharing', 'partOf', { submissionId, part: index })
const versionOf = (world: World, enterpriseId: Hash) => world.view('dataSharing', 'portraitVersionOf', { enterpriseId })

t.test('a submission is recorded and told to each recipient', async (t) => {
  const world = new World()
  world.number = 12
  const first = world.must('dataSharing', ENTERPRISE, 'StoreData', submission(MARKET_PART, FINANCE_PART))
  const common = { submissionId: 1n, enterpriseId: ENTERPRISE_ID }
  t.same(first, [
    ['DataStored', { ...common, recipient: MARKET, part: 0 }],
    ['DataStored', { ...common, recipient: FINANCE, part: 1 }],
  ])
  t.same(read(world, 1n), { ...base, height: 12n, partCount: 2, ackedCount: 0, acceptedCount: 0 })
  t.same(readPart(world, 1n, 0), {
    recipient: MARKET,
    attributes: [CAPITAL, EMPLOYEES],
    acknowledged: false,
    accepted: false,
    code: 0,
  })
  world.must('dataSharing', ENTERPRISE, 'StoreData', submission(MARKET_PART))
  const count = world.view('dataSharing', 'submissionCount', {})
  t.equal(count, 2n)
  t.throws(() => read(world, 3n), { message: 'UnknownSubmission' })
  t.throws(() => readPart(world, 1n, 2), { message: 'UnknownPart' })
})

t.test('StoreData refuses', async (t) => {
  const world = new World()
  const refusal = (args: ReturnType<typeof submission>, sender = ENTERPRISE) =>
    world.refusal('dataSharing', sender, 'StoreData', args)
  for (const sender of [OTHER_ENTERPRISE, MARKET, OPERATOR, AUDITOR, STRANGER]) {
    t.equal(refusal(submission(MARKET_PART), sender), 'NotActiveEnterprise', sender)
  }
  const withPart = (changes: Partial<Part>) => refusal(submission({ ...MARKET_PART, ...changes }))
  t.equal(refusal(submission()), 'CountOutOfRange')
  t.equal(refusal(submission(...Array.from({ length: submissionPartsMax + 1 }, () => MARKET_PART))), 'CountOutOfRange')
  t.equal(refusal({ ...submission(MARKET_PART), portraitVersion: 0 }), 'PortraitVersionMismatch')
  t.equal(withPart({ recipient: STRANGER }), 'NotActiveDepartment')
  t.equal(withPart({ recipient: FINANCE }), 'NotSupervisor')
  t.equal(withPart({ keyEpoch: 0n }), 'StaleKeyEpoch')
  t.equal(withPart({ keyEpoch: 2n }), 'StaleKeyEpoch')
  t.equal(withPart({ attributes: [word('x'), CAPITAL] }), 'UnknownAttribute')
  t.equal(withPart({ attributes: [], digests: [] }), 'CountOutOfRange')
  const many = Array.from({ length: partAttributesMax + 1 }, () => CAPITAL)
  t.equal(withPart({ attributes: many, digests: many }), 'CountOutOfRange')
  t.equal(withPart({ attributes: [CAPITAL, CAPITAL] }), 'DuplicateAttribute')
  t.equal(withPart({ digests: [word('x')] }), 'LengthMismatch')
  t.equal(withPart({ digests: [word('x'), ZERO_HASH] }), 'ZeroDigest')
  t.equal(withPart({ envelope: new Uint8Array() }), 'CountOutOfRange')
  t.equal(withPart({ envelope: new Uint8Array(envelopeBytesMax) }), 'succeeded')
  t.equal(withPart({ envelope: new Uint8Array(envelopeBytesMax + 1) }), 'CountOutOfRange')
  t.equal(refusal(submission(MARKET_PART, part(MARKET, [CAPITAL]))), 'DuplicateRecipient')
  world.must('members', OPERATOR, 'setStatus', { account: ENTERPRISE, status: STATUS.suspended })
  t.equal(refusal(submission(MARKET_PART)), 'NotActiveEnterprise')
})

t.test('supervisors of one attribute are given the same value', async (t) => {
  const world = new World()
  const one = part(MARKET, [LEGAL_REPRESENTATIVE])
  const same = part(FINANCE, [LEGAL_REPRESENTATIVE])
  const other = { ...same, digests: [word('another value')] }
  t.equal(world.refusal('dataSharing', ENTERPRISE, 'StoreData', submission(one, other)), 'ConflictingDigest')
  t.equal(world.refusal('dataSharing', ENTERPRISE, 'StoreData', submission(one, same)), 'succeeded')
})

t.test('the recipient acknowledges its part, once', async (t) => {
  const world = new World()
  world.must('dataSharing', ENTERPRISE, 'StoreData', submission(MARKET_PART, FINANCE_PART))
  const ack = { submissionId: 1n, part: 0, accepted: true, code: ACK_CODE.ok }
  const refusal = (changes: Partial<typeof ack>, sender = MARKET) =>
    world.refusal('dataSharing', sender, 'acknowledge', { ...ack, ...changes })
  t.equal(refusal({}, FINANCE), 'NotRecipient')
  t.equal(refusal({}, ENTERPRISE), 'NotActiveDepartment')
  t.equal(refusal({}, STRANGER), 'NotActiveDepartment')
  t.equal(refusal({ submissionId: 2n }), 'UnknownSubmission')
  t.equal(refusal({ submissionId: 2n ** 256n - 1n }), 'UnknownSubmission')
  t.equal(refusal({ part: 2 }), 'UnknownPart')
  t.same(world.must('dataSharing', MARKET, 'acknowledge', ack), [['DataAcknowledged', { ...ack, recipient: MARKET }]])
  t.equal(refusal({}), 'AlreadyAcknowledged')
  const rejected = { ...ack, part: 1, accepted: false, code: ACK_CODE.digestMismatch }
  world.must('dataSharing', FINANCE, 'acknowledge', rejected)
  t.match(read(world, 1n), { partCount: 2, ackedCount: 2, acceptedCount: 1 })
  t.match(readPart(world, 1n, 0), { acknowledged: true, accepted: true, code: 0 })
  t.match(readPart(world, 1n, 1), { acknowledged: true, accepted: false, code: ACK_CODE.digestMismatch })
})

t.test('an accepted value drops the portrait of its attributes, a rejected one does not', async (t) => {
  const world = new World()
  const entry = { enterpriseId: ENTERPRISE_ID, attribute: CAPITAL, digest: word('v'), existence: 1, confirmed: true }
  const known = () =>
    world.view('dataSharing', 'GetConfirm', {
      userID: ENTERPRISE_ID,
      dataParam: CAPITAL,
      digest: word('v'),
    }).known
  world.must('dataSharing', MARKET, 'SetUserProfile', entry)
  world.must('dataSharing', ENTERPRISE, 'StoreData', submission(MARKET_PART))
  world.must('dataSharing', ENTERPRISE, 'StoreData', submission(MARKET_PART))
  t.equal(known(), true)
  const ack = { submissionId: 1n, part: 0, accepted: false, code: ACK_CODE.invalidValue }
  world.must('dataSharing', MARKET, 'acknowledge', ack)
  t.equal(known(), true)
  t.same(world.must('dataSharing', MARKET, 'acknowledge', { ...ack, submissionId: 2n, accepted: true, code: 0 })[1], [
    'UserProfileDropped',
    { enterpriseId: ENTERPRISE_ID, attribute: CAPITAL, generation: 1 },
  ])
  t.equal(known(), false)
})

t.test('an enterprise shares its portrait key', async (t) => {
  const world = new World()
  const shares = [PATENTS, MARKET].map((recipient) => ({ recipient, keyEpoch: 1n, envelope: ENVELOPE }))
  const args = { enterpriseId: ENTERPRISE_ID, portraitVersion: 3, shares }
  const event = { enterpriseId: ENTERPRISE_ID, portraitVersion: 3 }
  t.same(world.must('dataSharing', ENTERPRISE, 'sharePortraitKey', args), [
    ['PortraitKeyShared', { ...event, recipient: PATENTS }],
    ['PortraitKeyShared', { ...event, recipient: MARKET }],
  ])
  const sharedAt = (recipient: typeof MARKET) =>
    world.view('dataSharing', 'portraitKeySharedAt', { enterpriseId: ENTERPRISE_ID, recipient })
  t.equal(sharedAt(MARKET), BigInt(world.block.number), 'the block of the share is on record')
  t.equal(sharedAt(ENTERPRISE), 0n)
  t.same([versionOf(world, ENTERPRISE_ID), versionOf(world, OTHER_ENTERPRISE_ID)], [3, 0])
  const refusal = (changes: Partial<typeof args>, sender = ENTERPRISE) =>
    world.refusal('dataSharing', sender, 'sharePortraitKey', { ...args, ...changes })
  t.equal(refusal({ portraitVersion: 2 }), 'PortraitVersionMismatch')
  t.equal(refusal({ portraitVersion: 3 }), 'succeeded')
  t.equal(refusal({}, OTHER_ENTERPRISE), 'NotActiveEnterprise')
  t.equal(refusal({ shares: [] }), 'CountOutOfRange')
  t.equal(refusal({ shares: [shares[0]!, shares[0]!] }), 'DuplicateRecipient')
  t.equal(refusal({ shares: [{ ...shares[0]!, recipient: account(0x77) }] }), 'NotActiveMember')
  t.equal(refusal({ shares: [{ ...shares[0]!, keyEpoch: 9n }] }), 'StaleKeyEpoch')
  t.equal(refusal({ shares: [{ ...shares[0]!, envelope: new Uint8Array() }] }), 'CountOutOfRange')
  const old = world.refusal('dataSharing', ENTERPRISE, 'StoreData', submission(MARKET_PART))
  t.equal(old, 'PortraitVersionMismatch', 'StoreData keeps to the version too')
})
