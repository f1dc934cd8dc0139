import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { concatBytes, utf8 } from '../../src/core/bytes.js'
import { envelopePlaintextBytesMax, envelopeRecipientsMax, txBytesMax } from '../../src/core/limits.js'
import { aeadSeal } from '../../src/crypto/aead.js'
import { generateEncryptionKey } from '../../src/crypto/encryptionKey.js'
import {
  EnvelopeError,
  envelopeBytes,
  envelopeRecipients,
  openEnvelope,
  sealEnvelope,
} from '../../src/crypto/envelope.js'
import { hmacSha256 } from '../../src/crypto/hkdf.js'
import { hpkeSeal } from '../../src/crypto/hpke.js'

const info = utf8('info')
const aad = utf8('aad')
const keys = Array.from({ length: envelopeRecipientsMax + 1 }, generateEncryptionKey)
const [first, second, third] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]]
const PLAINTEXT = utf8('registeredCapital=1000000')
const sealed = sealEnvelope({ recipients: [first, second], plaintext: PLAINTEXT, info, aad })

t.test('every recipient opens it, finding its own entry or told which', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 1, max: 4 }), (plaintext, count) => {
      const recipients = keys.slice(0, count)
      const envelope = sealEnvelope({ recipients, plaintext, info, aad })
      t.equal(envelope.length, envelopeBytes(count, plaintext.length))
      t.equal(envelopeRecipients(envelope), count)
      for (const [recipientIndex, { privateKey }] of recipients.entries()) {
        t.same(openEnvelope({ envelope, privateKey, info, aad }), plaintext)
        t.same(openEnvelope({ envelope, privateKey, recipientIndex, info, aad }), plaintext)
      }
    }),
    { numRuns: 20 },
  )
})

t.test('nobody else, in no other context', async (t) => {
  const open = (changes: object) =>
    openEnvelope({ envelope: sealed, privateKey: first.privateKey, info, aad, ...changes })
  t.same(open({}), PLAINTEXT)
  t.throws(() => open({ privateKey: third.privateKey }), { code: 'NOT_A_RECIPIENT' })
  t.throws(() => open({ recipientIndex: 2 }), { code: 'NOT_A_RECIPIENT' })
  t.throws(() => open({ recipientIndex: -1 }), { code: 'NOT_A_RECIPIENT' })
  t.throws(() => open({ recipientIndex: 1 }), { code: 'OPEN_FAILED' })
  t.throws(() => open({ info: utf8('other') }), { code: 'OPEN_FAILED' })
  t.throws(() => open({ aad: utf8('other') }), { code: 'OPEN_FAILED' })
})

t.test('any byte changed, cut off or added: refused', async (t) => {
  const open = (envelope: Uint8Array) => () => openEnvelope({ envelope, privateKey: second.privateKey, info, aad })
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice()
    changed[at]! ^= 1 << (at % 8)
    t.throws(open(changed), EnvelopeError, `byte ${at}`)
  }
  for (let length = 0; length < sealed.length; length += 7) t.throws(open(sealed.subarray(0, length)), EnvelopeError)
  t.throws(open(concatBytes(sealed, new Uint8Array(1))), { code: 'MALFORMED' })
  t.throws(open(concatBytes(sealed, new Uint8Array(128))), { code: 'OPEN_FAILED' })
})

t.test('codes of shape', async (t) => {
  const open = (envelope: Uint8Array) => () => openEnvelope({ envelope, privateKey: first.privateKey, info, aad })
  t.throws(open(new Uint8Array(0)), { code: 'MALFORMED' })
  t.throws(open(concatBytes(Uint8Array.of(2), sealed.subarray(1))), { code: 'UNSUPPORTED_SUITE' })
  t.throws(open(concatBytes(Uint8Array.of(1, 0), sealed.subarray(2))), { code: 'MALFORMED' })
  t.throws(open(concatBytes(Uint8Array.of(1, 17), sealed.subarray(2))), { code: 'MALFORMED' })
  t.throws(open(concatBytes(sealed, new Uint8Array(envelopePlaintextBytesMax + 128))), { code: 'TOO_LARGE' })
})

t.test('what may be sealed', async (t) => {
  const seal =
    (recipients: readonly { publicKey: Uint8Array }[], plaintext = PLAINTEXT) =>
    () =>
      sealEnvelope({ recipients, plaintext, info, aad })
  t.throws(seal([]), { code: 'BAD_RECIPIENTS' })
  t.throws(seal([first, second, first]), { code: 'BAD_RECIPIENTS' })
  t.throws(seal(keys), { code: 'BAD_RECIPIENTS' })
  t.throws(seal([{ publicKey: new Uint8Array(32) }]), { code: 'BAD_PUBLIC_KEY' })
  t.throws(seal([first, { publicKey: new Uint8Array(31) }]), { code: 'BAD_PUBLIC_KEY' })
  t.throws(seal([first], new Uint8Array(envelopePlaintextBytesMax + 1)), { code: 'TOO_LARGE' })
  const largest = seal(keys.slice(0, envelopeRecipientsMax), new Uint8Array(envelopePlaintextBytesMax))()
  t.ok(largest.length < txBytesMax)
  t.equal(
    openEnvelope({ envelope: largest, privateKey: first.privateKey, info, aad }).length,
    envelopePlaintextBytesMax,
  )
})

t.test('the length tells no more than the number of 128-byte blocks', async (t) => {
  const lengths = new Set<number>()
  for (let bytes = 0; bytes <= 124; bytes++) lengths.add(envelopeBytes(1, bytes))
  t.equal(lengths.size, 1)
  t.equal(envelopeBytes(1, 125), envelopeBytes(1, 124) + 128)
})

t.test('sealing twice gives different bytes everywhere but in suite, count and key ids', async (t) => {
  const again = sealEnvelope({ recipients: [first, second], plaintext: PLAINTEXT, info, aad })
  t.not(sealed.subarray(180, 240).join(), again.subarray(180, 240).join())
  t.same(sealed.subarray(0, 10), again.subarray(0, 10))
})

/** An envelope for `first`, put together from the documented layout; `committed` is the secret that it claims to use. */
function sealByHand(secret: Uint8Array, committed: Uint8Array): Uint8Array {
  const label = (name: string) => utf8(`concordat envelope v1 ${name}`)
  const { enc, ciphertext } = hpkeSeal('aes-256-gcm', first.publicKey, concatBytes(label('wrap'), info), aad, secret)
  const keyId = createHash('sha256').update(first.publicKey).digest().subarray(0, 8)
  const commitment = hmacSha256(committed, label('commitment'))
  const head = concatBytes(Uint8Array.of(1, 1), keyId, enc, ciphertext, commitment)
  const lengths = Uint8Array.from([0, 0, 0, head.length, 0, 0, 0, info.length])
  const content = {
    aead: 'aes-256-gcm',
    key: hmacSha256(secret, label('key')),
    nonce: new Uint8Array(12),
    aad: concatBytes(label('content'), lengths, head, info, aad),
  } as const
  const padded = new Uint8Array(128)
  padded[3] = PLAINTEXT.length
  padded.set(PLAINTEXT, 4)
  return concatBytes(head, aeadSeal(content, padded))
}

t.test('the layout is as documented', async (t) => {
  const secret = new Uint8Array(32).fill(5)
  const envelope = sealByHand(secret, secret)
  t.same(openEnvelope({ envelope, privateKey: first.privateKey, info, aad }), PLAINTEXT)
})

t.test('a content secret other than the committed one is refused, though everything decrypts', async (t) => {
  const envelope = sealByHand(new Uint8Array(32).fill(5), new Uint8Array(32).fill(6))
  t.throws(() => openEnvelope({ envelope, privateKey: first.privateKey, info, aad }), { code: 'OPEN_FAILED' })
})

t.test('an entry moved from another envelope is refused by every recipient', async (t) => {
  const entryBytes = 8 + 32 + 48
  const other = sealEnvelope({ recipients: [first, second], plaintext: PLAINTEXT, info, aad })
  const mixed = sealed.slice()
  mixed.set(other.subarray(2, 2 + entryBytes), 2)
  t.throws(() => openEnvelope({ envelope: mixed, privateKey: first.privateKey, info, aad }), { code: 'OPEN_FAILED' })
  t.throws(() => openEnvelope({ envelope: mixed, privateKey: second.privateKey, info, aad }), { code: 'OPEN_FAILED' })
})
