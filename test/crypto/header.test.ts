import fc from 'fast-check'
import t from 'tap'
import { asEpoch, asView, concatBytes, fromHex, utf8 } from '../../src/core/bytes.js'
import { encodeHeader } from '../../src/core/header.js'
import { headerWithoutSeal, sealOf, unsealedExtraData, withSeal } from '../../src/core/seal.js'
import { addToBloom, bloomBytes, bloomMayHold, logsBloom, mergeBloom } from '../../src/crypto/bloom.js'
import { hashHeader, recoverSealer, sealDigest, sealHeader } from '../../src/crypto/header.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { anyAddress, anyHash, anyHeader, anyPrivateKey } from '../core/arbitraries.js'

const CHAIN_ID = 20260n
const anyUnsealed = anyHeader.map((header) => ({
  ...header,
  extraData: unsealedExtraData({ epoch: asEpoch(0), view: asView(header.number), ms: 5 }),
}))

t.test('a sealed header names its sealer', async (t) => {
  fc.assert(
    fc.property(anyUnsealed, anyPrivateKey, (header, key) => {
      const sealed = sealHeader(header, CHAIN_ID, key)
      t.equal(recoverSealer(sealed, CHAIN_ID), privateKeyToAddress(key))
      t.equal(recoverSealer(sealed, Number(CHAIN_ID)), privateKeyToAddress(key))
      t.not(recoverSealer(sealed, CHAIN_ID + 1n), privateKeyToAddress(key), 'another chain')
      t.not(recoverSealer({ ...sealed, timestamp: Math.abs(sealed.timestamp - 1) }, CHAIN_ID), privateKeyToAddress(key))
      t.same(sealDigest(sealed, CHAIN_ID), sealDigest(header, CHAIN_ID), 'the seal is not part of what is sealed')
      t.not(hashHeader(sealed), hashHeader(header), 'but of the identity')
    }),
    { numRuns: 20 },
  )
})

t.test('sealDigest follows the documented layout', async (t) => {
  fc.assert(
    fc.property(anyUnsealed, (header) => {
      const chainId = fromHex('0x0000000000004f24')
      const bytes = concatBytes(utf8('concordat seal v1'), chainId, encodeHeader(headerWithoutSeal(header)))
      t.same(sealDigest(header, CHAIN_ID), keccak256(bytes))
    }),
    { numRuns: 10 },
  )
})

t.test('seals that fit no key', async (t) => {
  const [header] = fc.sample(anyUnsealed, { numRuns: 1, seed: 1 })
  if (header === undefined) return t.fail('no sample')
  t.equal(recoverSealer(header, CHAIN_ID), null, 'no seal')
  const sealed = sealHeader(header, CHAIN_ID, new Uint8Array(32).fill(3))
  const parity = sealOf(sealed).slice()
  parity[64] = 27
  t.equal(recoverSealer(withSeal(sealed, parity), CHAIN_ID), null, 'yParity is 0 or 1')
  t.throws(() => recoverSealer({ ...header, extraData: new Uint8Array(64) }, CHAIN_ID), { code: 'FIELD_LENGTH' })
})

t.test('bloom: what was added may be there, what is absent from it is not', async (t) => {
  fc.assert(
    fc.property(fc.array(anyAddress, { maxLength: 6 }), anyHash, (addresses, absent) => {
      const blooms = addresses.map((address) => logsBloom([{ address, topics: [], data: new Uint8Array(0) }]))
      const all = new Uint8Array(bloomBytes)
      for (const bloom of blooms) mergeBloom(all, bloom)
      for (const address of addresses) t.ok(bloomMayHold(all, address))
      const alone = new Uint8Array(bloomBytes)
      addToBloom(alone, absent)
      const holds = alone.every((byte, i) => (byte & all[i]!) === byte)
      t.equal(bloomMayHold(all, absent), holds)
    }),
    { numRuns: 50 },
  )
})
