/** Wycheproof over everything that envelopes are made of, in Node's implementation and in that of browsers. */
import t from 'tap'
import { fromHex, toHex } from '../../src/core/bytes.js'
import { type AeadName, aeadOpen, aeadSeal } from '../../src/crypto/aead.js'
import {
  encryptionKeyFromPrivate,
  generateEncryptionKey,
  isEncryptionPublicKey,
  sharedSecret,
} from '../../src/crypto/encryptionKey.js'
import { hkdfBytesMax, hkdfExpand, hkdfExtract } from '../../src/crypto/hkdf.js'
import { noblePrimitives } from '../../src/crypto/noblePrimitives.js'
import { nodePrimitives, primitives } from '../../src/crypto/primitives.js'
import { readVector, skipWithoutVectors } from '../vectors.js'

type Result = 'valid' | 'acceptable' | 'invalid'
interface Wycheproof<Group, Test> {
  readonly testGroups: readonly (Group & {
    readonly tests: readonly (Test & { readonly tcId: number; readonly result: Result })[]
  })[]
}
interface AeadGroup {
  readonly ivSize: number
  readonly keySize: number
}
interface AeadTest {
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
}

const implementations = [nodePrimitives!, noblePrimitives]

t.test("Node's implementation is the one in use", async (t) => {
  t.equal(primitives.name, 'node')
  t.same(noblePrimitives.sha256(new Uint8Array(100)), primitives.sha256(new Uint8Array(100)))
})

const hex = (digits: string) => fromHex(`0x${digits}`)

const aeadFiles: readonly [file: string, name: (keySize: number) => AeadName | undefined][] = [
  ['aes_gcm_test', (size) => (size === 128 ? 'aes-128-gcm' : size === 256 ? 'aes-256-gcm' : undefined)],
  ['chacha20_poly1305_test', () => 'chacha20-poly1305'],
]

for (const [file, nameOf] of aeadFiles) {
  t.test(`Wycheproof ${file}`, { skip: skipWithoutVectors }, async (t) => {
    let seen = 0
    for (const group of readVector<Wycheproof<AeadGroup, AeadTest>>(`wycheproof/${file}.json`).testGroups) {
      const aead = nameOf(group.keySize)
      if (aead === undefined || group.ivSize !== 96) continue
      for (const vector of group.tests) {
        const input = { aead, key: hex(vector.key), nonce: hex(vector.iv), aad: hex(vector.aad) }
        for (const { name, aeadOpen, aeadSeal } of implementations) {
          const opened = aeadOpen(input, hex(vector.ct + vector.tag))
          if (vector.result === 'invalid') t.equal(opened, null, `${name} ${vector.tcId}`)
          else {
            const sealed = toHex(aeadSeal(input, hex(vector.msg)))
            t.equal(opened === null ? null : toHex(opened), `0x${vector.msg}`, `${name} ${vector.tcId} opens`)
            t.equal(sealed, `0x${vector.ct}${vector.tag}`, `${name} ${vector.tcId} seals`)
          }
        }
        seen++
      }
    }
    t.ok(seen > 100, `${seen} vectors`)
  })
}

t.test('AEAD: a ciphertext shorter than its tag, a key of a wrong size', async (t) => {
  const input = {
    aead: 'aes-256-gcm',
    key: new Uint8Array(32),
    nonce: new Uint8Array(12),
    aad: new Uint8Array(0),
  } as const
  t.equal(aeadOpen(input, new Uint8Array(15)), null)
  t.throws(() => aeadSeal({ ...input, key: new Uint8Array(16) }, new Uint8Array(1)), { name: 'InvariantError' })
  t.throws(() => aeadSeal({ ...input, nonce: new Uint8Array(8) }, new Uint8Array(1)), { name: 'InvariantError' })
})

interface XdhTest {
  readonly public: string
  readonly private: string
  readonly shared: string
}

t.test('Wycheproof x25519', { skip: skipWithoutVectors }, async (t) => {
  let lowOrder = 0
  for (const group of readVector<Wycheproof<object, XdhTest>>('wycheproof/x25519_test.json').testGroups) {
    for (const vector of group.tests) {
      const isLowOrder = /^0*$/.test(vector.shared)
      for (const { name, x25519 } of implementations) {
        const secret = x25519(hex(vector.private), hex(vector.public))
        const expected = isLowOrder ? null : `0x${vector.shared}`
        t.equal(secret === null ? null : toHex(secret), expected, `${name} ${vector.tcId}`)
      }
      t.equal(isEncryptionPublicKey(hex(vector.public)), !isLowOrder)
      if (isLowOrder) lowOrder++
    }
  }
  t.ok(lowOrder > 10)
})

t.test('encryption keys', async (t) => {
  const one = generateEncryptionKey()
  const two = generateEncryptionKey()
  t.same(sharedSecret(one.privateKey, two.publicKey), sharedSecret(two.privateKey, one.publicKey))
  t.ok(isEncryptionPublicKey(one.publicKey))
  for (const { x25519PublicKey } of implementations) t.same(x25519PublicKey(one.privateKey), one.publicKey)
  t.notOk(isEncryptionPublicKey(new Uint8Array(32)))
  t.notOk(isEncryptionPublicKey(new Uint8Array(31)))
  t.throws(() => encryptionKeyFromPrivate(new Uint8Array(33)), { code: 'BAD_LENGTH' })
  t.throws(() => sharedSecret(new Uint8Array(32), new Uint8Array(1)), { code: 'BAD_LENGTH' })
})

interface HkdfTest {
  readonly ikm: string
  readonly salt: string
  readonly info: string
  readonly size: number
  readonly okm: string
}

t.test('Wycheproof hkdf_sha256', { skip: skipWithoutVectors }, async (t) => {
  for (const group of readVector<Wycheproof<object, HkdfTest>>('wycheproof/hkdf_sha256_test.json').testGroups) {
    for (const vector of group.tests) {
      const derive = () => hkdfExpand(hkdfExtract(hex(vector.salt), hex(vector.ikm)), vector.size, hex(vector.info))
      if (vector.result === 'invalid') t.throws(derive, { code: 'TOO_LONG' }, `${vector.tcId}`)
      else t.equal(toHex(derive()), `0x${vector.okm}`, `${vector.tcId}`)
    }
  }
  t.equal(hkdfExpand(new Uint8Array(32), hkdfBytesMax).length, hkdfBytesMax)
})

interface MacTest {
  readonly key: string
  readonly msg: string
  readonly tag: string
}

t.test('Wycheproof hmac_sha256', { skip: skipWithoutVectors }, async (t) => {
  for (const group of readVector<Wycheproof<{ tagSize: number }, MacTest>>('wycheproof/hmac_sha256_test.json')
    .testGroups) {
    for (const vector of group.tests) {
      const message = hex(vector.msg)
      const half = message.length >> 1
      for (const { name, hmacSha256 } of implementations) {
        const tag = hmacSha256(hex(vector.key), [message.subarray(0, half), message.subarray(half)])
        const same = toHex(tag.subarray(0, group.tagSize / 8)) === `0x${vector.tag}`
        t.equal(same, vector.result === 'valid', `${name} ${vector.tcId}`)
      }
    }
  }
})
