import t from 'tap'
import { fromHex, toHex } from '../../src/core/bytes.js'
import { keystoreBytesMax } from '../../src/core/limits.js'
import { decryptKeystore, encryptKeystore, type Keystore, parseKeystore } from '../../src/crypto/keystore.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { readVector, skipWithoutVectors } from '../vectors.js'

interface KeystoreVector {
  readonly json: object
  readonly password: string
  readonly priv: string
}

const KEY = new Uint8Array(32).fill(7)
const CHEAP = { scryptN: 4 }

t.test('ethereum-tests and geth vectors', { skip: skipWithoutVectors }, async (t) => {
  const seen = new Set<string>()
  for (const file of ['ethereum-tests/KeyStoreTests/basic_tests.json', 'geth/v3_test_vector.json']) {
    for (const [name, vector] of Object.entries(readVector<Record<string, KeystoreVector>>(file))) {
      // Both publishers have the same two examples, one of which takes seconds.
      const { mac } = parseKeystore(JSON.stringify(vector.json)).crypto
      if (seen.has(mac)) continue
      seen.add(mac)
      const key = await decryptKeystore(JSON.stringify(vector.json), vector.password)
      t.equal(toHex(key), `0x${vector.priv.padStart(64, '0')}`, name)
    }
  }
  t.ok(seen.size >= 5, `${seen.size} keystores`)
  const old = readVector<Record<string, KeystoreVector>>('geth/v1_test_vector.json')
  for (const { json, password } of Object.values(old)) {
    await t.rejects(decryptKeystore(JSON.stringify(json), password), { code: 'UNSUPPORTED_VERSION' })
  }
})

t.test('encrypt and decrypt', async (t) => {
  const keystore = await encryptKeystore(KEY, 'pässword', CHEAP)
  t.equal(`0x${keystore.address}`, privateKeyToAddress(KEY))
  t.same(await decryptKeystore(JSON.stringify(keystore), 'pässword'), KEY)
  await t.rejects(decryptKeystore(JSON.stringify(keystore), 'password'), {
    code: 'WRONG_PASSWORD',
    name: 'KeystoreError',
  })
  const again = await encryptKeystore(KEY, 'pässword', CHEAP)
  t.not(again.crypto.ciphertext, keystore.crypto.ciphertext, 'salt and iv are fresh')
  t.equal((await encryptKeystore(KEY, '', { ...CHEAP, withAddress: false })).address, undefined)
  await t.rejects(encryptKeystore(new Uint8Array(31), ''), RangeError)
})

t.test('the default strength opens again', async (t) => {
  const keystore = await encryptKeystore(KEY, 'p')
  t.match(keystore.crypto.kdfparams, { n: 2 ** 17, r: 8, p: 1 })
  t.same(await decryptKeystore(JSON.stringify(keystore), 'p'), KEY)
})

t.test('a changed file does not open', async (t) => {
  const keystore = await encryptKeystore(KEY, 'p', CHEAP)
  const ciphertext = toHex(fromHex(`0x${keystore.crypto.ciphertext}`).map((byte) => byte ^ 1)).slice(2)
  const changed = { ...keystore, crypto: { ...keystore.crypto, ciphertext } }
  await t.rejects(decryptKeystore(JSON.stringify(changed), 'p'), { code: 'WRONG_PASSWORD' })
})

t.test('faults name the field and never the secret', async (t) => {
  const good = await encryptKeystore(KEY, 'p', CHEAP)
  const withParams = (kdfparams: object) => ({
    ...good,
    crypto: { ...good.crypto, kdfparams: { ...good.crypto.kdfparams, ...kdfparams } },
  })
  const cases: readonly [code: string, message: RegExp, json: string][] = [
    ['TOO_LARGE', /at most/, ' '.repeat(keystoreBytesMax + 1)],
    ['MALFORMED', /not JSON/, '{'],
    ['UNSUPPORTED_VERSION', /got none/, 'null'],
    ['UNSUPPORTED_VERSION', /got none/, '[]'],
    ['UNSUPPORTED_VERSION', /got 4/, '{"version":4}'],
    ['MALFORMED', /field crypto/, '{"version":3}'],
    ['MALFORMED', /crypto.cipher:/, JSON.stringify({ ...good, crypto: { ...good.crypto, cipher: 'aes-128-cbc' } })],
    ['MALFORMED', /crypto.mac/, JSON.stringify({ ...good, crypto: { ...good.crypto, mac: '00' } })],
    ['MALFORMED', /crypto.ciphertext/, JSON.stringify({ ...good, crypto: { ...good.crypto, ciphertext: 'zz' } })],
    ['MALFORMED', /crypto.kdfparams.n/, JSON.stringify(withParams({ n: 1000 }))],
    ['MALFORMED', /crypto.kdfparams.n/, JSON.stringify(withParams({ n: 1.5 }))],
    ['MALFORMED', /crypto.kdfparams.dklen/, JSON.stringify(withParams({ dklen: 16 }))],
    ['TOO_COSTLY', /scrypt/, JSON.stringify(withParams({ n: 2 ** 20, r: 8 }))],
    ['TOO_COSTLY', /scrypt/, JSON.stringify(withParams({ n: 2 ** 40, r: 2 ** 40 }))],
    ['TOO_COSTLY', /PBKDF2/, JSON.stringify(pbkdf2(good, 10 ** 9))],
  ]
  for (const [code, message, json] of cases)
    await t.rejects(decryptKeystore(json, 'p'), { code, message }, `${code} ${message}`)
  t.equal(parseKeystore(JSON.stringify({ version: 3, Crypto: good.crypto })).crypto.kdf, 'scrypt', 'old spelling')
})

function pbkdf2(keystore: Keystore, c: number): object {
  const kdfparams = { c, prf: 'hmac-sha256', dklen: 32, salt: keystore.crypto.kdfparams.salt }
  return { ...keystore, crypto: { ...keystore.crypto, kdf: 'pbkdf2', kdfparams } }
}
