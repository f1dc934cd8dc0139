/** Envelopes that travel directly: references in StoreData and requestVerification, holders, erasure. */
import fc from 'fast-check'
import t from 'tap'
import { DELIVERY, ENVELOPE_KIND } from '../../src/contracts/codes.js'
import { decodeReference, encodeReference, isReference } from '../../src/contracts/envelopeReference.js'
import { attributeId } from '../../src/contracts/textId.js'
import { type Address, concatBytes, fromHex, type Hash, toAddress, toHash, uintToWord } from '../../src/core/bytes.js'
import { envelopeBytesMax, envelopeLifetimeBlocksMax, erasureBlocksMax } from '../../src/core/limits.js'
import {
  CAPITAL,
  EMPLOYEES,
  ENTERPRISE,
  ENTERPRISE_ID,
  ENVELOPE,
  FINANCE,
  genesisConfig,
  MARKET,
  OTHER_ENTERPRISE,
  OTHER_ENTERPRISE_ID,
  PATENTS,
  PURPOSE,
  profile,
  World,
  word,
} from './world.js'

/** Their values travel directly; MARKET supervises both, FINANCE the second as well. */
const TURNOVER = attributeId('turnover')
const DEBTS = attributeId('debts')

function world(): World {
  const direct = { delivery: DELIVERY.direct }
  const { attributes } = genesisConfig()
  const own = [profile(TURNOVER, [MARKET], direct), profile(DEBTS, [MARKET, FINANCE], direct)]
  const made = new World(genesisConfig({ attributes: [...attributes, ...own] }))
  made.number = 10
  return made
}

const sound = { hash: word('envelope'), lengthBytes: 300, expiresAt: 1_000n, carrier: PATENTS }
const reference = (changes: Partial<typeof sound> = {}) => encodeReference({ ...sound, ...changes })
const part = (recipient: Address, attributes: readonly Hash[], envelope: Uint8Array) => {
  return { recipient, keyEpoch: 1n, attributes, digests: attributes.map((a) => word(`digest of ${a}`)), envelope }
}
const submission = (...parts: ReturnType<typeof part>[]) => {
  return { enterpriseId: ENTERPRISE_ID, documentHash: word('document'), portraitVersion: 1, parts }
}
const submit = (chain: World, ...parts: ReturnType<typeof part>[]) =>
  chain.must('dataSharing', ENTERPRISE, 'StoreData', submission(...parts))
const refusal = (chain: World, ...parts: ReturnType<typeof part>[]) =>
  chain.refusal('dataSharing', ENTERPRISE, 'StoreData', submission(...parts))

t.test('a reference survives coding and is no envelope', async (t) => {
  const bytes = (n: number) => fc.uint8Array({ minLength: n, maxLength: n })
  const any = fc.record({
    hash: bytes(32).map(toHash),
    lengthBytes: fc.nat(2 ** 31),
    expiresAt: fc.bigInt(0n, 2n ** 64n - 1n),
    carrier: bytes(20).map(toAddress),
  })
  fc.assert(
    fc.property(any, (given) => {
      const coded = encodeReference(given)
      t.ok(isReference(coded))
      t.same(decodeReference(concatBytes(Uint8Array.of(9), coded).subarray(1)), given)
    }),
    { numRuns: 50 },
  )
  // By hand: tag, hash, length, expiry, carrier.
  const words = [uintToWord(300).subarray(28), uintToWord(1_000n).subarray(24)]
  t.same(reference(), concatBytes(Uint8Array.of(0xd1), fromHex(sound.hash), ...words, fromHex(PATENTS)))
  t.notOk(isReference(concatBytes(Uint8Array.of(1), reference().subarray(1))), 'another tag')
  t.notOk(isReference(reference().subarray(0, 64)), 'a byte short')
})

t.test('a submission by reference: only that is announced, and who holds it', async (t) => {
  const chain = world()
  const logs = submit(
    chain,
    part(MARKET, [CAPITAL, EMPLOYEES], ENVELOPE),
    part(MARKET, [TURNOVER, DEBTS], reference()),
    part(FINANCE, [DEBTS], reference({ hash: word('another') })),
  )
  t.same(
    logs.map(([name]) => name),
    ['DataStored', 'DataStored', 'EnvelopeAnnounced', 'DataStored', 'EnvelopeAnnounced'],
  )
  t.same(logs[2]![1], {
    sender: ENTERPRISE,
    hash: sound.hash,
    recipient: MARKET,
    carrier: PATENTS,
    expiresAt: 1_000n,
  })
  t.same(chain.view('delivery', 'envelopeOf', { sender: ENTERPRISE, hash: sound.hash }), {
    recipient: MARKET,
    carrier: PATENTS,
    expiresAt: 1_000n,
    lengthBytes: 300,
    kind: ENVELOPE_KIND.part,
    subject: 1n,
    part: 1,
  })
  t.same(chain.view('delivery', 'envelopesOf', { kind: ENVELOPE_KIND.part, subject: 1n }), {
    sender: ENTERPRISE,
    hashes: [sound.hash, word('another')],
  })
  t.same(chain.view('delivery', 'envelopesOf', { kind: ENVELOPE_KIND.part, subject: 2n }).hashes, [])
})

t.test('a submission is refused', async (t) => {
  const chain = world()
  t.equal(refusal(chain, part(MARKET, [TURNOVER], ENVELOPE)), 'EnvelopeInClear')
  t.equal(refusal(chain, part(MARKET, [CAPITAL], reference())), 'ReferenceNotWanted')
  t.equal(refusal(chain, part(MARKET, [CAPITAL, TURNOVER], reference())), 'MixedDelivery')
  t.equal(refusal(chain, part(MARKET, [TURNOVER, CAPITAL], ENVELOPE)), 'MixedDelivery')
  const two = [part(MARKET, [TURNOVER], reference()), part(MARKET, [DEBTS], reference({ hash: word('b') }))]
  t.equal(refusal(chain, ...two), 'DuplicateRecipient', 'one part for each way to travel')
  const of = (changes: Partial<typeof sound>) => refusal(chain, part(MARKET, [TURNOVER], reference(changes)))
  const latest = 10n + BigInt(envelopeLifetimeBlocksMax)
  t.equal(of({ expiresAt: 10n }), 'InvalidReference', 'expired')
  t.equal(of({ expiresAt: 11n }), 'succeeded')
  t.equal(of({ expiresAt: latest }), 'succeeded')
  t.equal(of({ expiresAt: latest + 1n }), 'InvalidReference', 'kept too long')
  t.equal(of({ lengthBytes: 0 }), 'InvalidReference')
  t.equal(of({ lengthBytes: envelopeBytesMax }), 'succeeded')
  t.equal(of({ lengthBytes: envelopeBytesMax + 1 }), 'InvalidReference')
  submit(chain, part(MARKET, [TURNOVER], reference()))
  t.equal(of({}), 'EnvelopeKnown')
  const other = { ...submission(part(MARKET, [TURNOVER], reference())), enterpriseId: OTHER_ENTERPRISE_ID }
  t.equal(chain.refusal('dataSharing', OTHER_ENTERPRISE, 'StoreData', other), 'succeeded', 'hashes are by sender')
  const announcement = { sender: ENTERPRISE, kind: 1, subject: 1n, part: 0, recipient: MARKET }
  const call = { ...announcement, envelopeReference: reference() }
  t.equal(chain.refusal('delivery', ENTERPRISE, 'announce', call), 'NotDataSharing')
})

const request = (attributes: readonly Hash[], sealed: readonly (readonly [Address, Uint8Array])[]) => ({
  enterpriseId: ENTERPRISE_ID,
  portraitVersion: 1,
  purpose: PURPOSE,
  basis: word('basis'),
  items: attributes.map((attribute) => ({ attribute, digest: word(`digest of ${attribute}`) })),
  sealed: sealed.map(([supervisor, envelope]) => ({ supervisor, keyEpoch: 1n, envelope })),
})

t.test('a question travels directly as a whole when one of its attributes does', async (t) => {
  const chain = world()
  const ask = (...args: Parameters<typeof request>) =>
    chain.refusal('dataSharing', PATENTS, 'requestVerification', request(...args))
  t.equal(ask([CAPITAL], [[MARKET, reference()]]), 'ReferenceNotWanted')
  t.equal(ask([TURNOVER], [[MARKET, ENVELOPE]]), 'EnvelopeInClear')
  t.equal(ask([CAPITAL, TURNOVER], [[MARKET, ENVELOPE]]), 'EnvelopeInClear')
  const logs = chain.must(
    'dataSharing',
    PATENTS,
    'requestVerification',
    request(
      [CAPITAL, DEBTS],
      [
        [FINANCE, reference({ hash: word('for finance') })],
        [MARKET, reference()],
      ],
    ),
  )
  t.equal(logs.filter(([name]) => name === 'EnvelopeAnnounced').length, 2)
  const envelope = chain.view('delivery', 'envelopeOf', { sender: PATENTS, hash: sound.hash })
  t.match(envelope, { kind: ENVELOPE_KIND.question, subject: 1n, part: 1, recipient: MARKET })
})

t.test('erasure: asked by the owner, confirmed by each holder, late ones visible', async (t) => {
  const chain = world()
  submit(chain, part(MARKET, [TURNOVER], reference()))
  const which = { sender: ENTERPRISE, hash: sound.hash }
  const ask = (account: Address, deadline: bigint, hash = sound.hash) =>
    chain.refusal('delivery', account, 'requestErasure', { ...which, hash, deadline })
  const latest = 10n + BigInt(erasureBlocksMax)
  t.equal(ask(MARKET, 20n), 'NotOwner')
  t.equal(ask(OTHER_ENTERPRISE, 20n), 'NotOwner')
  t.equal(ask(ENTERPRISE, 10n), 'DeadlineOutOfRange')
  t.equal(ask(ENTERPRISE, latest), 'succeeded')
  t.equal(ask(ENTERPRISE, latest + 1n), 'DeadlineOutOfRange')
  t.equal(ask(ENTERPRISE, 20n, word('unknown')), 'UnknownEnvelope')
  const confirm = (account: Address) => chain.refusal('delivery', account, 'confirmErasure', which)
  t.equal(confirm(MARKET), 'ErasureNotAsked')
  chain.must('delivery', ENTERPRISE, 'requestErasure', { ...which, deadline: 20n })
  t.equal(ask(ENTERPRISE, 20n), 'ErasureAsked')
  t.equal(confirm(FINANCE), 'NotHolder')
  const confirmed = (account: Address) => chain.must('delivery', account, 'confirmErasure', which)[0]![1]
  t.match(confirmed(MARKET), { holder: MARKET, late: false })
  t.equal(confirm(MARKET), 'AlreadyConfirmed')
  const holders = { recipient: MARKET, carrier: PATENTS }
  const asked = { askedAt: 10n, deadline: 20n, ...holders, recipientAt: 10n }
  t.same(chain.view('delivery', 'erasureOf', which), { ...asked, carrierAt: 0n, complete: false })
  chain.number = 21
  t.match(confirmed(PATENTS), { holder: PATENTS, late: true })
  t.same(chain.view('delivery', 'erasureOf', which), { ...asked, carrierAt: 21n, complete: true })
})

t.test('erasure of a whole submission, and of a question by the enterprise that it is about', async (t) => {
  const chain = world()
  const second = { sender: ENTERPRISE, hash: word('another') }
  submit(chain, part(MARKET, [TURNOVER, DEBTS], reference()), part(FINANCE, [DEBTS], reference(second)))
  chain.must('delivery', ENTERPRISE, 'requestErasure', { ...second, deadline: 20n })
  const all = { submissionId: 1n, deadline: 30n }
  t.equal(chain.refusal('delivery', OTHER_ENTERPRISE, 'requestErasureOf', all), 'NotOwner')
  const logs = chain.must('delivery', ENTERPRISE, 'requestErasureOf', all)
  t.same(logs, [['ErasureRequested', { sender: ENTERPRISE, hash: sound.hash, deadline: 30n }]])
  t.equal(chain.refusal('delivery', ENTERPRISE, 'requestErasureOf', all), 'NothingToErase')
  const none = { ...all, submissionId: 7n }
  t.equal(chain.refusal('delivery', ENTERPRISE, 'requestErasureOf', none), 'NothingToErase')

  chain.must('dataSharing', PATENTS, 'requestVerification', request([TURNOVER], [[MARKET, reference()]]))
  const question = { sender: PATENTS, hash: sound.hash, deadline: 20n }
  t.equal(chain.refusal('delivery', OTHER_ENTERPRISE, 'requestErasure', question), 'NotOwner')
  t.equal(chain.refusal('delivery', PATENTS, 'requestErasure', question), 'succeeded', 'who asked it')
  chain.must('delivery', ENTERPRISE, 'requestErasure', question)
  t.equal(chain.view('delivery', 'erasureOf', question).askedAt, 10n)
  t.equal(chain.view('delivery', 'erasureOf', { ...second, hash: sound.hash }).deadline, 30n, 'the other is another')
})
