import { shake128 } from '@noble/hashes/sha3.js'
import t from 'tap'
import { concatBytes, fromHex, toHex, utf8 } from '../../src/core/bytes.js'
import { generateEncryptionKey } from '../../src/crypto/encryptionKey.js'
import {
  deriveEncryptionKey,
  type HpkeAead,
  hpkeOpen,
  hpkeSeal,
  hpkeSetupRecipient,
  hpkeSetupSender,
} from '../../src/crypto/hpke.js'
import { readVector, skipWithoutVectors } from '../vectors.js'

interface HpkeVector {
  readonly mode: number
  readonly kem_id: number
  readonly kdf_id: number
  readonly aead_id: number
  readonly info: string
  readonly ikmE: string
  readonly ikmR: string
  readonly skRm: string
  readonly pkRm: string
  readonly enc: string
  readonly encryptions_accumulated?: string
  readonly exports_accumulated: string
}

const AEAD = new Map<number, HpkeAead>([
  [1, 'aes-128-gcm'],
  [2, 'aes-256-gcm'],
  [3, 'chacha20-poly1305'],
  [0xffff, 'export-only'],
])
const NONE = new Uint8Array(0)
const hex = (digits: string) => fromHex(`0x${digits}`)

/** Pseudo-random inputs of the accumulated vectors: a length byte and so many bytes, drawn from SHAKE128 of nothing. */
function randomInputs() {
  const source = shake128.create({})
  return () => source.xof(source.xof(1)[0]!)
}

for (const aead of AEAD.values()) {
  t.test(`RFC 9180, base mode, X25519, HKDF-SHA256, ${aead}`, { skip: skipWithoutVectors }, async (t) => {
    const rows = readVector<HpkeVector[]>('hpke/rfc9180-accumulated.json').filter(
      (row) => row.mode === 0 && row.kem_id === 0x20 && row.kdf_id === 1 && AEAD.get(row.aead_id) === aead,
    )
    t.equal(rows.length, 1)
    for (const row of rows) {
      const recipient = deriveEncryptionKey(hex(row.ikmR))
      t.same(recipient, { privateKey: hex(row.skRm), publicKey: hex(row.pkRm) }, 'DeriveKeyPair')
      const sender = hpkeSetupSender(aead, recipient.publicKey, hex(row.info), deriveEncryptionKey(hex(row.ikmE)))
      t.equal(toHex(sender.enc), `0x${row.enc}`)
      const receiver = hpkeSetupRecipient(aead, sender.enc, recipient, hex(row.info))

      if (row.encryptions_accumulated) {
        const draw = randomInputs()
        const sealed = shake128.create({})
        for (let i = 0; i < 1000; i++) {
          const aad = draw()
          const plaintext = draw()
          const ciphertext = sender.context.seal(aad, plaintext)
          sealed.update(ciphertext)
          if (toHex(receiver.open(aad, ciphertext)) !== toHex(plaintext)) t.fail(`message ${i} does not open`)
        }
        t.equal(toHex(sealed.xof(16)), `0x${row.encryptions_accumulated}`, '1000 encryptions')
      }

      const draw = randomInputs()
      const exported = shake128.create({})
      for (let length = 0; length < 1000; length++) {
        const context = draw()
        const secret = sender.context.export(context, length)
        exported.update(secret)
        if (toHex(receiver.export(context, length)) !== toHex(secret)) t.fail(`export of ${length} bytes differs`)
      }
      t.equal(toHex(exported.xof(16)), `0x${row.exports_accumulated}`, '1000 exports, many above 256 bytes')
    }
  })
}

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
