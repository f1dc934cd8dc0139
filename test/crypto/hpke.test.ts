import t from 'tap'
import { concatBytes, utf8 } from '../../src/core/bytes.js'
import { generateEncryptionKey } from '../../src/crypto/encryptionKey.js'
import { hpkeOpen, hpkeSeal, hpkeSetupRecipient, hpkeSetupSender } from '../../src/crypto/hpke.js'
import { readVector, skipWithoutVectors } from '../vectors.js'
import { AEAD, expectedOf, type HpkeVector, isOurs, runVector } from './hpkeVectors.js'

const NONE = new Uint8Array(0)

t.test('RFC 9180, base mode, X25519, HKDF-SHA256', { skip: skipWithoutVectors }, async (t) => {
  const rows = readVector<HpkeVector[]>('hpke/rfc9180-accumulated.json').filter(isOurs)
  t.equal(rows.length, AEAD.size)
  for (const row of rows) t.same(runVector(row), expectedOf(row), `AEAD ${row.aead_id}`)
})

t.test('a message opens only with its key, info, associated data and place', async (t) => {
  const recipient = generateEncryptionKey()
  const other = generateEncryptionKey()
  const info = utf8('info')
  const aad = utf8('aad')
  const message = hpkeSeal('aes-256-gcm', recipient.publicKey, info, aad, utf8('hello'))
  t.same(hpkeOpen('aes-256-gcm', message, recipient, info, aad), utf8('hello'))
  const refused = { code: 'OPEN_FAILED', name: 'HpkeError' }
  t.throws(() => hpkeOpen('aes-256-gcm', message, other, info, aad), refused)
  t.throws(() => hpkeOpen('aes-256-gcm', message, recipient, NONE, aad), refused)
  t.throws(() => hpkeOpen('aes-256-gcm', message, recipient, info, NONE), refused)
  t.throws(() => hpkeOpen('chacha20-poly1305', message, recipient, info, aad), refused)
  const flipped = message.ciphertext.slice()
  flipped[0]! ^= 1
  t.throws(() => hpkeOpen('aes-256-gcm', { ...message, ciphertext: flipped }, recipient, info, aad), refused)
  t.throws(() => hpkeOpen('aes-256-gcm', { ...message, ciphertext: NONE }, recipient, info, aad), refused)
  t.throws(() => hpkeOpen('aes-256-gcm', { ...message, enc: other.publicKey }, recipient, info, aad), refused)
})

t.test('messages open in order; one that fails leaves the context where it was', async (t) => {
  const recipient = generateEncryptionKey()
  const { enc, context } = hpkeSetupSender('aes-128-gcm', recipient.publicKey, NONE)
  const receiver = hpkeSetupRecipient('aes-128-gcm', enc, recipient, NONE)
  const [first, second] = [context.seal(NONE, utf8('1')), context.seal(NONE, utf8('2'))]
  t.throws(() => receiver.open(NONE, second), { code: 'OPEN_FAILED' })
  t.same(concatBytes(receiver.open(NONE, first), receiver.open(NONE, second)), utf8('12'))
})

t.test('unusable public keys', async (t) => {
  for (const key of [new Uint8Array(32), new Uint8Array(31), new Uint8Array(33)]) {
    t.throws(() => hpkeSetupSender('aes-128-gcm', key, NONE), { code: 'BAD_PUBLIC_KEY' })
    t.throws(() => hpkeSetupRecipient('aes-128-gcm', key, generateEncryptionKey(), NONE), { code: 'BAD_PUBLIC_KEY' })
  }
  const exporter = hpkeSetupSender('export-only', generateEncryptionKey().publicKey, NONE).context
  t.throws(() => exporter.seal(NONE, NONE), { code: 'EXPORT_ONLY' })
  t.throws(() => exporter.export(NONE, 255 * 32 + 1), { code: 'TOO_LONG' })
})
