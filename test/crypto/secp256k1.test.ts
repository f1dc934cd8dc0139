import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { privateKeyToAccount } from 'viem/accounts'
import { equalBytes, fromHex, toHex } from '../../src/core/bytes.js'
import { SECP256K1_N } from '../../src/core/transaction.js'
import {
  addressOf,
  isLowS,
  nativeSecp256k1,
  nobleSecp256k1,
  privateKeyToAddress,
  recoverAddress,
  type Secp256k1,
  secp256k1,
} from '../../src/crypto/secp256k1.js'
import { anyPrivateKey } from '../core/arbitraries.js'
import { readVector, skipWithoutVectors } from '../vectors.js'

interface EcdsaFile {
  readonly testGroups: readonly {
    readonly publicKey: { readonly uncompressed: string }
    readonly tests: readonly {
      readonly tcId: number
      readonly comment: string
      readonly msg: string
      readonly sig: string
      readonly result: 'valid' | 'acceptable' | 'invalid'
    }[]
  }[]
}

const anyDigest = fc.uint8Array({ minLength: 32, maxLength: 32 })
const KEY = new Uint8Array(32).fill(7)
const DIGEST = new Uint8Array(32).fill(9)

const implementations: readonly Secp256k1[] =
  nativeSecp256k1 === null ? [nobleSecp256k1] : [nativeSecp256k1, nobleSecp256k1]

t.test('the native implementation loads here and is in use', async (t) => {
  t.not(nativeSecp256k1, null)
  t.equal(secp256k1.name, 'native')
})

t.test(
  'both implementations give the same bytes',
  { skip: nativeSecp256k1 === null && 'no native module' },
  async (t) => {
    const native = nativeSecp256k1 ?? nobleSecp256k1
    fc.assert(
      fc.property(anyPrivateKey, anyDigest, fc.uint8Array({ minLength: 64, maxLength: 64 }), (key, digest, noise) => {
        const signature = native.sign(digest, key)
        t.same(signature, nobleSecp256k1.sign(digest, key))
        t.ok(isLowS(signature))
        const publicKey = native.publicKey(key)
        t.same(publicKey, nobleSecp256k1.publicKey(key))
        t.same(native.recover(digest, signature), publicKey)
        t.same(nobleSecp256k1.recover(digest, signature), publicKey)
        for (const parity of [0, 1]) {
          const random = Uint8Array.from([...noise, parity])
          t.same(native.recover(digest, random), nobleSecp256k1.recover(digest, random), 'signature of random bytes')
        }
      }),
      { numRuns: 40 },
    )
  },
)

for (const implementation of implementations) {
  t.test(`${implementation.name}: Wycheproof, r and s of 32 bytes`, { skip: skipWithoutVectors }, async (t) => {
    const file = readVector<EcdsaFile>('wycheproof/ecdsa_secp256k1_sha256_p1363_test.json')
    let valid = 0
    for (const group of file.testGroups) {
      const publicKey = fromHex(`0x${group.publicKey.uncompressed}`)
      for (const vector of group.tests) {
        const digest = new Uint8Array(
          createHash('sha256')
            .update(fromHex(`0x${vector.msg}`))
            .digest(),
        )
        const compact = fromHex(`0x${vector.sig}`)
        // The chain takes low s only (EIP-2); Wycheproof takes both here.
        const expected = vector.result === 'valid' && compact.length === 64 && isLowS(compact)
        const name = `${vector.tcId} ${vector.comment}`
        t.equal(implementation.verify(digest, Uint8Array.from([...compact, 0]), publicKey), expected, `verify ${name}`)
        const recovered = [0, 1].some((parity) => {
          const key = implementation.recover(digest, Uint8Array.from([...compact, parity]))
          return key !== null && equalBytes(key, publicKey)
        })
        if (expected) t.ok(recovered, `recover ${name}`)
        if (vector.result === 'invalid') t.notOk(recovered, `not recovered ${name}`)
        if (expected) valid++
      }
    }
    t.ok(valid > 80, `${valid} valid low-s signatures`)
  })

  t.test(`${implementation.name}: malformed input`, async (t) => {
    const signature = implementation.sign(DIGEST, KEY)
    const publicKey = implementation.publicKey(KEY)
    t.ok(implementation.verify(DIGEST, signature, publicKey))
    t.notOk(implementation.verify(KEY, signature, publicKey))
    const hybrid = publicKey.slice()
    hybrid[0] = 6 + (publicKey[64]! & 1)
    t.notOk(implementation.verify(DIGEST, signature, hybrid), 'hybrid public key')
    t.notOk(implementation.verify(DIGEST, signature, publicKey.subarray(0, 64)))
    t.notOk(implementation.verify(DIGEST, signature.subarray(0, 64), publicKey))
    t.equal(implementation.recover(DIGEST, signature.subarray(0, 64)), null)
    for (const parity of [2, 3, 4, 27, 255]) {
      const other = signature.slice()
      other[64] = parity
      t.equal(implementation.recover(DIGEST, other), null, `yParity ${parity}`)
    }
    t.equal(implementation.recover(DIGEST, new Uint8Array(65)), null)
    t.equal(implementation.recover(DIGEST, new Uint8Array(65).fill(255, 0, 64)), null)
    for (const key of [new Uint8Array(32), new Uint8Array(31).fill(1), new Uint8Array(32).fill(255)]) {
      t.throws(() => implementation.sign(DIGEST, key), RangeError)
      t.throws(() => implementation.publicKey(key), RangeError)
    }
    t.throws(() => implementation.sign(new Uint8Array(31), KEY), { name: 'InvariantError' })
  })
}

t.test('recoverAddress refuses the high-s twin of a signature', async (t) => {
  const signature = secp256k1.sign(DIGEST, KEY)
  t.equal(recoverAddress(DIGEST, signature), privateKeyToAddress(KEY))
  const s = BigInt(toHex(signature.subarray(32, 64)))
  const twin = signature.slice()
  twin.set(fromHex(`0x${(SECP256K1_N - s).toString(16).padStart(64, '0')}`), 32)
  twin[64] = signature[64]! ^ 1
  t.equal(
    addressOf(secp256k1.recover(DIGEST, twin) ?? new Uint8Array(65)),
    privateKeyToAddress(KEY),
    'it would recover',
  )
  t.equal(recoverAddress(DIGEST, twin), null)
  t.equal(recoverAddress(DIGEST, new Uint8Array(0)), null)
})

t.test('isLowS at n/2 and one above', async (t) => {
  const withS = (s: bigint) => fromHex(`0x${'00'.repeat(32)}${s.toString(16).padStart(64, '0')}`)
  t.ok(isLowS(withS(SECP256K1_N / 2n)))
  t.notOk(isLowS(withS(SECP256K1_N / 2n + 1n)))
})

t.test('addresses as viem makes them', async (t) => {
  fc.assert(
    fc.property(anyPrivateKey, (key) => {
      t.equal(privateKeyToAddress(key), privateKeyToAccount(toHex(key)).address.toLowerCase())
    }),
    { numRuns: 20 },
  )
})
