/** Consents: EIP-712 against viem and ethers, grant, use, revocation; and what a question needs as its basis. */
import { TypedDataEncoder, Wallet } from 'ethers'
import fc from 'fast-check'
import t from 'tap'
import { hashTypedData } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { BASIS, EXISTENCE, nameOf, REFUSAL, SIGNER_KIND, STATUS } from '../../src/contracts/codes.js'
import {
  CONSENT_TYPES,
  type Consent,
  consentDigest,
  consentDomain,
  REVOCATION_TYPES,
  revocationDigest,
} from '../../src/contracts/consentHash.js'
import { loadContent, storeContent } from '../../src/contracts/dataPortraitContent.js'
import { mainPlace } from '../../src/contracts/dataPortraitStorage.js'
import type { Terms } from '../../src/contracts/sharingTerms.js'
import { signerConsentDigest } from '../../src/contracts/signerConsent.js'
import { textId } from '../../src/contracts/textId.js'
import {
  type Address,
  asAddress,
  fromHex,
  type Hash,
  toHash,
  toHex,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '../../src/core/bytes.js'
import { consentAttributesMax } from '../../src/core/limits.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { privateKeyToAddress, secp256k1 } from '../../src/crypto/secp256k1.js'
import { systemHost } from '../../src/vm/host.js'
import {
  AUDITOR,
  CAPITAL,
  CHAIN_ID,
  EMPLOYEES,
  ENTERPRISE_ID,
  ENVELOPE,
  FINANCE,
  genesisConfig,
  MARKET,
  OPERATOR,
  OTHER_ENTERPRISE,
  OTHER_ENTERPRISE_ID,
  PATENTS,
  PURPOSE,
  profile,
  STRANGER,
  World,
  word,
} from './world.js'

const KEY = new Uint8Array(32).fill(3)
const OWNER = privateKeyToAddress(KEY)
const STATUTE = textId('GB-2020-17')
const NO_SIGNATURE: Uint8Array = new Uint8Array()
const { exists } = EXISTENCE
const D1 = word('digest 1')

type Rules = Readonly<Record<'capital' | 'employees', number>>

/** The enterprise signs with KEY; capital and employees want a basis. */
function worldOf(rules: Rules = { capital: BASIS.consent, employees: BASIS.consent }): World {
  const genesis = genesisConfig()
  return new World({
    ...genesis,
    members: genesis.members.map((member) =>
      member.id === '91440300708461136T' ? { ...member, address: OWNER } : member,
    ),
    attributes: [
      profile(CAPITAL, [MARKET], { basis: rules.capital, deadlineBlocks: 20n }),
      profile(EMPLOYEES, [MARKET], { basis: rules.employees, deadlineBlocks: 20n }),
    ],
  })
}

function setTerms(world: World, attribute: Hash, terms: Partial<Terms>): void {
  const host = systemHost(world.state, CONTRACT_ADDRESSES.dataPortrait, world.block)
  const place = mainPlace(host, attribute)
  const content = loadContent(host, place, attribute)
  storeContent(host, place, { ...content, terms: { ...content.terms, ...terms } })
}

const consentWith = (world: World, changes: Partial<Consent> = {}): Consent => ({
  requester: PATENTS,
  enterpriseId: ENTERPRISE_ID,
  attributes: [CAPITAL, EMPLOYEES],
  purpose: PURPOSE,
  notAfter: BigInt(world.genesis.timestamp + 1_000),
  uses: 0,
  salt: word('salt'),
  ...changes,
})
const idOf = (consent: Consent): Hash => consentDigest(keccak256, CHAIN_ID, consent)
const signed = (digest: Hash, key: Uint8Array = KEY) => secp256k1.sign(fromHex(digest), key)

function grant(world: World, changes: Partial<Consent> = {}): Hash {
  const consent = consentWith(world, changes)
  world.must('consents', STRANGER, 'grant', { consent, signature: signed(idOf(consent)) })
  return idOf(consent)
}
const revoke = (world: World, id: Hash) =>
  world.must('consents', STRANGER, 'revoke', {
    id,
    signature: signed(revocationDigest(keccak256, CHAIN_ID, id)),
  })

const asking = (basis: Hash, attributes: readonly Hash[] = [CAPITAL]) => ({
  enterpriseId: ENTERPRISE_ID,
  portraitVersion: 1,
  purpose: PURPOSE,
  basis,
  items: attributes.map((attribute) => ({ attribute, digest: D1 })),
  sealed: [{ supervisor: MARKET, keyEpoch: 1n, envelope: ENVELOPE }],
})
type Asked = ReturnType<typeof asking>

/** 'asked', or why the question was refused and for which attribute. */
function ask(world: World, args: Asked, sender: Address = PATENTS): string {
  const logs = world.must('dataSharing', sender, 'requestVerification', args)
  const refused = logs.find(([name]) => name === 'VerificationRefused')?.[1]
  if (refused === undefined) return 'asked'
  t.equal(logs.length, 1, 'a refusal has no other effect')
  return `${nameOf(REFUSAL, refused.reason as number)} ${refused.attribute === CAPITAL ? 'capital' : 'employees'}`
}
const names = (logs: readonly (readonly [string, unknown])[]) => logs.map(([name]) => name)
const attest = (world: World, requestId: bigint, attribute = CAPITAL) =>
  names(
    world.must('dataSharing', MARKET, 'attest', {
      answers: [{ requestId, attribute, existence: exists, confirmed: true }],
    }),
  )

t.test('typed data hashes as viem and ethers hash it', async (t) => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const hash = bytes(32).map(toHash)
  const consents = fc.record({
    requester: bytes(20).map((raw) => asAddress(toHex(raw))),
    enterpriseId: hash,
    attributes: fc.array(hash, { maxLength: 5 }),
    purpose: hash,
    notAfter: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    uses: fc.integer({ min: 0, max: 0xffffffff }),
    salt: hash,
  })
  fc.assert(
    fc.property(consents, fc.integer({ min: 1, max: 2 ** 31 }), (consent, chainId) => {
      const domain = consentDomain(chainId)
      const types = { Consent: [...CONSENT_TYPES.Consent] }
      const own = consentDigest(keccak256, BigInt(chainId), consent)
      const viem = hashTypedData({ domain, types: CONSENT_TYPES, primaryType: 'Consent', message: consent })
      return own === viem && own === TypedDataEncoder.hash(domain, types, consent)
    }),
    { numRuns: 60 },
  )
  const domain = consentDomain(7)
  const message = { consent: word('id') }
  const own = revocationDigest(keccak256, 7n, message.consent)
  t.equal(own, hashTypedData({ domain, types: REVOCATION_TYPES, primaryType: 'Revocation', message }))
  t.equal(own, TypedDataEncoder.hash(domain, { Revocation: [...REVOCATION_TYPES.Revocation] }, message))
})

t.test('wallets sign consents, and the contract knows their signer', async (t) => {
  const world = worldOf()
  const domain = consentDomain(Number(CHAIN_ID))
  const byViem = consentWith(world)
  const account = privateKeyToAccount(toHex(KEY))
  const signature = await account.signTypedData({
    domain,
    types: CONSENT_TYPES,
    primaryType: 'Consent',
    message: byViem,
  })
  const granted = { id: idOf(byViem), enterpriseId: ENTERPRISE_ID, requester: PATENTS, purpose: PURPOSE }
  t.match(world.must('consents', STRANGER, 'grant', { consent: byViem, signature: fromHex(signature) }), [
    ['ConsentGranted', { ...granted, notAfter: byViem.notAfter, uses: 0 }],
  ])
  const byEthers = consentWith(world, { salt: word('other') })
  const wallet = new Wallet(toHex(KEY))
  const other = await wallet.signTypedData(domain, { Consent: [...CONSENT_TYPES.Consent] }, byEthers)
  world.must('consents', STRANGER, 'grant', { consent: byEthers, signature: fromHex(other) })
  world.must('consents', OWNER, 'grant', {
    consent: consentWith(world, { salt: word('own') }),
    signature: NO_SIGNATURE,
  })
  t.equal(world.view('consents', 'consentId', { consent: byEthers }), idOf(byEthers))
  t.equal(world.view('consents', 'consentCount', { enterpriseId: ENTERPRISE_ID }), 3n)
  const page = (from: bigint, count: bigint) =>
    world.view('consents', 'consentsOf', { enterpriseId: ENTERPRISE_ID, from, count }).map(({ id }) => id)
  t.same(page(0n, 2n), [idOf(byViem), idOf(byEthers)])
  t.equal(page(2n, 64n).length, 1)
  t.same(page(9n, 1n), [])
  t.throws(() => page(0n, 65n), { message: 'CountOutOfRange' })
  const { salt: _, ...kept } = byViem
  const state = { id: idOf(byViem), used: 0, grantedAt: 1n, revokedAt: 0n }
  t.same(world.view('consents', 'consentOf', { id: idOf(byViem) }), { ...kept, ...state })
})

t.test('grant refuses', async (t) => {
  const world = worldOf()
  const refusal = (changes: Partial<Consent>, signature?: Uint8Array, sender: Address = STRANGER) => {
    const consent = consentWith(world, changes)
    return world.refusal('consents', sender, 'grant', { consent, signature: signature ?? signed(idOf(consent)) })
  }
  t.equal(refusal({}), 'succeeded')
  t.equal(refusal({}, NO_SIGNATURE), 'NotActiveEnterprise', 'a stranger without a signature')
  t.equal(refusal({}, NO_SIGNATURE, OWNER), 'succeeded')
  t.equal(refusal({}, new Uint8Array(64)), 'InvalidSignature')
  t.equal(refusal({}, new Uint8Array(65)), 'InvalidSignature')
  t.equal(refusal({}, signed(idOf(consentWith(world)), new Uint8Array(32).fill(4))), 'NotActiveEnterprise')
  t.equal(refusal({ uses: 9 }, signed(idOf(consentWith(world)))), 'NotActiveEnterprise', 'signed for something else')
  t.equal(refusal({ enterpriseId: OTHER_ENTERPRISE_ID }), 'NotActiveEnterprise')
  t.equal(refusal({ attributes: [] }), 'CountOutOfRange')
  const many = (count: number) => Array.from({ length: count }, (_, i) => word(`attribute ${i}`))
  t.equal(refusal({ attributes: many(consentAttributesMax) }), 'succeeded')
  t.equal(refusal({ attributes: many(consentAttributesMax + 1) }), 'CountOutOfRange')
  t.equal(refusal({ purpose: ZERO_HASH }), 'PurposeMissing')
  const now = BigInt(world.block.timestamp)
  t.equal(refusal({ notAfter: now }), 'succeeded')
  t.equal(refusal({ notAfter: now - 1n }), 'ConsentExpired')
  t.equal(refusal({ notAfter: 0n }), 'ConsentExpired', 'every consent ends')
  grant(world)
  t.equal(refusal({}), 'AlreadyGranted')
  world.must('members', OPERATOR, 'setStatus', { account: OWNER, status: STATUS.suspended })
  t.equal(refusal({ salt: word('x') }), 'NotActiveEnterprise')
})

t.test('a consent that was handed out can be taken back before it is on chain', async (t) => {
  const world = worldOf()
  const consent = consentWith(world)
  const id = idOf(consent)
  const args = { consent, signature: signed(id) }
  world.must('consents', OTHER_ENTERPRISE, 'revoke', { id, signature: NO_SIGNATURE })
  t.equal(world.refusal('consents', STRANGER, 'grant', args), 'succeeded', 'another enterprise takes back nothing')
  t.same(revoke(world, id), [['ConsentRevoked', { id, enterpriseId: ENTERPRISE_ID }]])
  t.equal(world.refusal('consents', STRANGER, 'grant', args), 'AlreadyRevoked')
  t.equal(world.refusal('consents', OWNER, 'revoke', { id, signature: NO_SIGNATURE }), 'AlreadyRevoked')
})

t.test('revoke refuses', async (t) => {
  const world = worldOf()
  const id = grant(world)
  const refusal = (sender: Address, signature = NO_SIGNATURE) =>
    world.refusal('consents', sender, 'revoke', { id, signature })
  t.equal(refusal(STRANGER), 'NotActiveEnterprise')
  t.equal(refusal(MARKET), 'NotActiveEnterprise')
  t.equal(refusal(OTHER_ENTERPRISE), 'NotActiveEnterprise')
  t.equal(refusal(STRANGER, signed(id)), 'NotActiveEnterprise', 'the consent itself is no revocation')
  t.equal(refusal(OWNER), 'succeeded')
  revoke(world, id)
  t.equal(refusal(OWNER), 'AlreadyRevoked')
  t.throws(() => world.view('consents', 'consentOf', { id: word('x') }), { message: 'UnknownConsent' })
})

t.test('uses are counted by dataSharing alone', async (t) => {
  const world = worldOf()
  const id = grant(world, { uses: 2 })
  const use = { id, requester: PATENTS, enterpriseId: ENTERPRISE_ID, attributes: [CAPITAL], purpose: PURPOSE }
  for (const sender of [PATENTS, OWNER, OPERATOR]) {
    t.equal(world.refusal('consents', sender, 'consume', use), 'NotDataSharing')
  }
  t.same(
    [1, 2, 3].map(() => ask(world, asking(id))),
    ['asked', 'asked', 'consentUsedUp capital'],
  )
  t.equal(world.view('consents', 'consentOf', { id }).used, 2)
  t.equal(world.view('consents', 'mayUse', use), REFUSAL.consentUsedUp)
})

t.test('a question with a consent as its basis', async (t) => {
  const world = worldOf()
  const id = grant(world)
  const logs = world.must('dataSharing', PATENTS, 'requestVerification', asking(id, [CAPITAL, EMPLOYEES]))
  t.same(names(logs), ['ConsentUsed', 'VerificationRequested', 'BasisUsed', 'AnswerWanted'])
  t.same(logs[2]![1], { requestId: 1n, enterpriseId: ENTERPRISE_ID, basis: id, consent: true })
  const ofRequest = (requestId: bigint) => world.view('dataSharing', 'consentOfRequest', { requestId })
  t.same(ofRequest(1n), { consent: id, withdrawn: false })
  t.equal(ask(world, asking(ZERO_HASH)), 'basisMissing capital')
  t.equal(ask(world, asking(word('no consent'))), 'basisUnknown capital')
  t.equal(ask(world, asking(STATUTE)), 'basisUnknown capital')
  t.equal(ask(world, asking(id), FINANCE), 'consentRequester capital')
  t.equal(ask(world, { ...asking(id), enterpriseId: OTHER_ENTERPRISE_ID }), 'consentEnterprise capital')
  t.equal(ask(world, { ...asking(id), purpose: textId('other') }), 'consentPurpose capital')
  const narrow = grant(world, { attributes: [CAPITAL], salt: word('narrow') })
  t.equal(ask(world, asking(narrow, [CAPITAL, EMPLOYEES])), 'consentAttribute employees')
  t.equal(ask(world, asking(narrow, [CAPITAL])), 'asked')
  const open = grant(world, { requester: ZERO_ADDRESS, salt: word('open') })
  t.same([ask(world, asking(open)), ask(world, asking(open), FINANCE)], ['asked', 'asked'])
  t.equal(ask(world, asking(open), AUDITOR), 'role capital', 'the rule still says who may ask')
})

t.test('a question that needs no basis spends none', async (t) => {
  const world = worldOf({ capital: BASIS.none, employees: BASIS.consent })
  const id = grant(world, { uses: 1 })
  t.equal(ask(world, asking(id)), 'asked')
  t.equal(ask(world, asking(word('anything'))), 'asked')
  t.same(world.view('dataSharing', 'consentOfRequest', { requestId: 1n }), { consent: ZERO_HASH, withdrawn: false })
  t.equal(world.view('consents', 'consentOf', { id }).used, 0)
  t.equal(ask(world, asking(id, [CAPITAL, EMPLOYEES])), 'asked')
  t.equal(ask(world, asking(id, [CAPITAL, EMPLOYEES])), 'consentUsedUp employees')
})

t.test('an expired consent covers neither questions nor answers', async (t) => {
  const world = worldOf()
  const notAfter = BigInt(world.genesis.timestamp + 5)
  const id = grant(world, { notAfter })
  world.number = 5
  t.equal(ask(world, asking(id)), 'asked', 'its last second')
  t.equal(ask(world, asking(id)), 'asked')
  t.same(attest(world, 1n), ['Attested', 'UserProfileSet', 'VerificationCompleted'])
  world.number = 6
  t.equal(ask(world, asking(id)), 'consentExpired capital')
  t.same(attest(world, 2n), ['AnswerVoid'])
})

t.test('a revocation binds from the next block, for open requests too', async (t) => {
  const world = worldOf()
  const id = grant(world)
  for (let i = 0; i < 3; i++) ask(world, asking(id, [CAPITAL, EMPLOYEES]))
  const free = grant(world, { salt: word('other') })
  ask(world, asking(free))
  world.number = 4
  revoke(world, id)
  t.equal(ask(world, asking(id)), 'asked', 'still in its block')
  t.same(attest(world, 1n), ['Attested', 'UserProfileSet'])
  world.number = 5
  t.equal(ask(world, asking(id)), 'consentRevoked capital')
  const before = world.view('credit', 'recordOf', { member: MARKET }).answeredOnTime
  const answer = { existence: exists, confirmed: true }
  const logs = world.must('dataSharing', MARKET, 'attest', {
    answers: [
      { requestId: 1n, attribute: EMPLOYEES, ...answer },
      { requestId: 4n, attribute: CAPITAL, ...answer },
      { requestId: 2n, attribute: CAPITAL, ...answer },
    ],
  })
  t.same(
    names(logs).filter((name) => name !== 'ScoreChanged'),
    ['AnswerVoid', 'Attested', 'UserProfileSet', 'VerificationCompleted', 'AnswerVoid'],
    'what goes along with it counts',
  )
  t.equal(world.view('credit', 'recordOf', { member: MARKET }).answeredOnTime, before + 1)
  t.same(world.view('dataSharing', 'consentOfRequest', { requestId: 1n }), { consent: id, withdrawn: true })
  const { completed, items } = world.view('dataSharing', 'requestOf', { requestId: 2n })
  t.same([completed, items[0]!.answers], [false, 0])
  const held = { enterpriseId: ENTERPRISE_ID, items: [{ attribute: EMPLOYEES, digest: D1 }] }
  t.same(world.view('dataSharing', 'portraitHeld', held), [false], 'nothing of it enters the portrait')
  world.number = 50
  t.equal(world.refusal('dataSharing', PATENTS, 'closeRequest', { requestId: 2n }), 'NothingUnanswered')
  t.same(attest(world, 2n), ['AnswerVoid'], 'void, not late')
  t.equal(world.view('credit', 'recordOf', { member: MARKET }).answeredLate, 0)
})

t.test('statutes, and purposes for which they stand in for consent', async (t) => {
  const rules = { capital: BASIS.statute, employees: BASIS.consent }
  const world = worldOf(rules)
  const id = grant(world)
  const exception = textId('tax-audit')
  const terms = { statutes: [STATUTE, textId('other')], exceptions: [exception] }
  setTerms(world, CAPITAL, terms)
  setTerms(world, EMPLOYEES, terms)
  const logs = world.must('dataSharing', PATENTS, 'requestVerification', asking(STATUTE))
  t.same(logs[1], ['BasisUsed', { requestId: 1n, enterpriseId: ENTERPRISE_ID, basis: STATUTE, consent: false }])
  t.same(world.view('dataSharing', 'consentOfRequest', { requestId: 1n }), { consent: ZERO_HASH, withdrawn: false })
  t.equal(ask(world, asking(textId('unlisted'))), 'basisUnknown capital')
  t.equal(ask(world, asking(id)), 'statuteNeeded capital')
  t.equal(ask(world, asking(STATUTE, [CAPITAL, EMPLOYEES])), 'consentNeeded employees')
  t.equal(ask(world, { ...asking(STATUTE, [CAPITAL, EMPLOYEES]), purpose: exception }), 'asked')
  t.equal(ask(world, asking(id, [EMPLOYEES])), 'asked')
  t.equal(ask(world, asking(id, [CAPITAL, EMPLOYEES])), 'statuteNeeded capital', 'one basis for all')
  const either = worldOf({ capital: BASIS.required, employees: BASIS.consent })
  setTerms(either, CAPITAL, { statutes: [STATUTE] })
  const consent = grant(either)
  t.same([ask(either, asking(STATUTE)), ask(either, asking(consent))], ['asked', 'asked'])
  t.equal(ask(either, asking(consent, [CAPITAL, EMPLOYEES])), 'asked')
})

t.test('terms say which members may ask, and for what', async (t) => {
  const world = worldOf({ capital: BASIS.none, employees: BASIS.none })
  setTerms(world, CAPITAL, { askers: [PATENTS], purposes: [PURPOSE] } as unknown as Partial<Terms>)
  t.equal(ask(world, asking(ZERO_HASH)), 'asked')
  t.equal(ask(world, asking(ZERO_HASH), FINANCE), 'asker capital')
  t.equal(ask(world, { ...asking(ZERO_HASH), purpose: textId('other') }), 'purpose capital')
  t.equal(ask(world, asking(ZERO_HASH, [EMPLOYEES]), FINANCE), 'asked')
  t.equal(ask(world, asking(ZERO_HASH, [EMPLOYEES, CAPITAL]), FINANCE), 'asker capital')
})

t.test('a malformed question reverts, also when it would be refused', async (t) => {
  const world = worldOf()
  const refusal = (changes: Partial<Asked>) =>
    world.refusal('dataSharing', PATENTS, 'requestVerification', { ...asking(ZERO_HASH), ...changes })
  t.equal(refusal({}), 'succeeded')
  const twice = [CAPITAL, CAPITAL].map((attribute) => ({ attribute, digest: D1 }))
  t.equal(refusal({ items: twice }), 'DuplicateAttribute')
  t.equal(refusal({ sealed: [] }), 'CountOutOfRange')
})

t.test('the portrait answers on a basis only, where the rule wants one', async (t) => {
  const world = worldOf()
  const id = grant(world, { uses: 2 })
  ask(world, asking(id))
  world.number = 2
  attest(world, 1n)
  const items = [{ attribute: CAPITAL, digest: D1 }]
  const place = { enterpriseId: ENTERPRISE_ID, items }
  const use = { ...place, purpose: PURPOSE, basis: id }
  const hit = { hit: true, existence: exists, confirmed: true, height: 2n, attesters: [MARKET] }
  t.equal(world.view('dataSharing', 'portraitEntries', place)[0]!.hit, false, 'not without a basis')
  const asked = { userID: ENTERPRISE_ID, dataParam: CAPITAL }
  t.equal(world.view('dataSharing', 'GetExistence', asked).known, false)
  t.equal(world.view('dataSharing', 'GetConfirm', { ...asked, digest: D1 }).known, false)
  t.same(world.view('dataSharing', 'portraitHeld', place), [true])
  const refused = world.must('dataSharing', FINANCE, 'usePortrait', use)
  t.match(refused, [['VerificationRefused', { requester: FINANCE, reason: REFUSAL.consentRequester }]])
  const used = world.must('dataSharing', PATENTS, 'usePortrait', use)
  t.same(names(used), ['ConsentUsed', 'PortraitUsed'])
  const record = { enterpriseId: ENTERPRISE_ID, requester: PATENTS, basis: id, purpose: PURPOSE, items }
  t.same(used[1]![1], { ...record, entries: [hit] })
  t.match(world.must('dataSharing', PATENTS, 'usePortrait', use), [
    ['VerificationRefused', { reason: REFUSAL.consentUsedUp }],
  ])
  const unheard = { ...use, items: [{ attribute: CAPITAL, digest: word('other') }] }
  t.same(world.must('dataSharing', PATENTS, 'usePortrait', unheard), [], 'where there is no answer nothing is counted')
  const refusal = (changes: Partial<typeof use>, sender: Address = PATENTS) =>
    world.refusal('dataSharing', sender, 'usePortrait', { ...use, ...changes })
  t.equal(refusal({}, STRANGER), 'NotActiveMember')
  t.equal(refusal({ items: [] }), 'CountOutOfRange')
  t.equal(refusal({ items: [...items, ...items] }), 'DuplicateAttribute')
  t.equal(refusal({ items: [{ attribute: word('x'), digest: D1 }] }), 'UnknownAttribute')
  t.equal(refusal({ items: [{ attribute: CAPITAL, digest: ZERO_HASH }] }), 'ZeroDigest')
})

const CHILD = new Uint8Array(32).fill(5)
const proofBy = (key: Uint8Array, member: Address, kind: number) => {
  const signer = privateKeyToAddress(key)
  const digest = signerConsentDigest({ chainId: CHAIN_ID, member, signer, kind })
  return { signer, proof: secp256k1.sign(digest, key) }
}

t.test('keys that act for the enterprise sign its consents; a replaced one no more', async (t) => {
  const world = worldOf()
  const before = consentWith(world, { salt: word('before') })
  const { signer, proof } = proofBy(CHILD, OWNER, SIGNER_KIND.account)
  world.must('members', OWNER, 'rotateAccountKey', { newSigner: signer, proof })
  const grants = (consent: Consent, key: Uint8Array) =>
    world.refusal('consents', STRANGER, 'grant', { consent, signature: signed(idOf(consent), key) })
  t.equal(grants(before, KEY), 'NotActiveEnterprise', 'a consent in hand dies with its key')
  t.equal(grants(before, CHILD), 'succeeded')
  world.must('consents', signer, 'grant', { consent: before, signature: NO_SIGNATURE })
  t.equal(
    world.refusal('consents', OWNER, 'revoke', { id: idOf(before), signature: NO_SIGNATURE }),
    'NotActiveEnterprise',
  )
  t.equal(world.refusal('consents', signer, 'revoke', { id: idOf(before), signature: NO_SIGNATURE }), 'succeeded')
})

t.test('further keys of a department share its budget and its consents', async (t) => {
  const genesis = genesisConfig()
  const rule = { basis: BASIS.consent, digestBudget: 3 }
  const members = genesis.members.map((one) => (one.id === '91440300708461136T' ? { ...one, address: OWNER } : one))
  const world = new World({ ...genesis, members, attributes: [profile(CAPITAL, [MARKET], rule)] })
  const basis = grant(world)
  const keys = [5, 6, 7].map((byte) => {
    const given = proofBy(new Uint8Array(32).fill(byte), PATENTS, SIGNER_KIND.service)
    world.must('members', PATENTS, 'addSigner', { ...given, kind: SIGNER_KIND.service })
    return given.signer
  })
  const guess = (n: number, sender: Address) =>
    ask(world, { ...asking(basis), items: [{ attribute: CAPITAL, digest: word(`guess ${n}`) }] }, sender)
  t.same(
    keys.map((key, i) => guess(i, key)),
    ['asked', 'asked', 'asked'],
  )
  t.same(
    [...keys, PATENTS].map((key, i) => guess(10 + i, key)),
    Array.from({ length: 4 }, () => 'budgetSpent capital'),
  )
  const left = { requester: PATENTS, enterpriseId: ENTERPRISE_ID, attribute: CAPITAL }
  t.equal(world.view('dataSharing', 'digestBudgetLeft', left), 0)
  t.equal(world.view('dataSharing', 'requestOf', { requestId: 1n }).requester, PATENTS)
})

t.test('a bot that guesses by halving is stopped at its budget, whatever consents it has', async (t) => {
  const genesis = genesisConfig()
  const rule = { basis: BASIS.consent, digestBudget: 5 }
  const members = genesis.members.map((one) => (one.id === '91440300708461136T' ? { ...one, address: OWNER } : one))
  const world = new World({ ...genesis, members, attributes: [profile(CAPITAL, [MARKET], rule)] })
  const secret = 687
  const digestOf = (value: number) => word(`value ${value}`)
  let low = 0
  let high = 1_000
  let requests = 0n
  const answers: boolean[] = []
  const reasons = new Set<string>()
  for (let i = 0; i < 40 && low < high; i++) {
    const guess = (low + high) >> 1
    const basis = grant(world, { salt: word(`salt ${i}`), uses: 1 })
    const items = [{ attribute: CAPITAL, digest: digestOf(guess) }]
    const said = ask(world, { ...asking(basis), items })
    world.number++
    if (said === 'asked') {
      requests++
      attest(world, requests)
      answers.push(guess === secret)
    } else reasons.add(said)
    // The bot's best case: each answer would tell it which half.
    if (guess < secret) low = guess + 1
    else high = guess
  }
  t.equal(answers.length, 5, 'distinct values that got an answer')
  t.same([...reasons], ['budgetSpent capital'])
  t.notOk(answers.includes(true))
  const basis = grant(world, { salt: word('portrait') })
  const known = { enterpriseId: ENTERPRISE_ID, purpose: PURPOSE, basis }
  const others = world.must('dataSharing', PATENTS, 'usePortrait', {
    ...known,
    items: [{ attribute: CAPITAL, digest: digestOf(500) }],
  })
  t.same(names(others), ['ConsentUsed', 'PortraitUsed'], 'a value that it has tried is free')
  world.must('dataSharing', MARKET, 'SetUserProfile', {
    enterpriseId: ENTERPRISE_ID,
    attribute: CAPITAL,
    digest: digestOf(secret),
    existence: exists,
    confirmed: true,
  })
  const guessed = world.must('dataSharing', PATENTS, 'usePortrait', {
    ...known,
    items: [{ attribute: CAPITAL, digest: digestOf(secret) }],
  })
  t.match(guessed, [['VerificationRefused', { reason: REFUSAL.budgetSpent }]], 'nor does the portrait tell it')
})
