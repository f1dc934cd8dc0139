import fc from 'fast-check'
import t from 'tap'
import { parseTransaction, recoverTransactionAddress } from 'viem'
import { toHex } from '../../src/core/bytes.js'
import { decodeTransaction } from '../../src/core/transaction.js'
import { encodeSigned } from '../../src/core/transactionEncode.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { recoverCount, recoverTransaction, signTransaction } from '../../src/crypto/transaction.js'
import { anyPrivateKey, anyUnsigned } from '../core/arbitraries.js'

t.test('signed here, recovered here and by viem', async (t) => {
  await fc.assert(
    fc.asyncProperty(anyUnsigned, anyPrivateKey, async (unsigned, key) => {
      const tx = signTransaction({ ...unsigned, gasLimit: 21_000n }, key)
      t.equal(tx.sender, privateKeyToAddress(key))
      t.same(recoverTransaction(decodeTransaction(tx.raw)), tx)
      const serializedTransaction = toHex(tx.raw) as `0x02${string}`
      t.equal((await recoverTransactionAddress({ serializedTransaction })).toLowerCase(), tx.sender)
      const parsed = parseTransaction(serializedTransaction)
      t.equal(parsed.value ?? 0n, tx.value)
    }),
    { numRuns: 25 },
  )
})

t.test('the counter counts recovered transactions, one for each', async (t) => {
  const [unsigned] = fc.sample(anyUnsigned, { numRuns: 1, seed: 2 })
  if (unsigned === undefined) return t.fail('no sample')
  const before = recoverCount()
  const tx = signTransaction({ ...unsigned, gasLimit: 1n }, new Uint8Array(32).fill(5))
  t.equal(recoverCount(), before, 'signing recovers nothing')
  recoverTransaction(decodeTransaction(tx.raw))
  t.equal(recoverCount(), before + 1)
})

t.test('a signature that fits no key', async (t) => {
  const [unsigned] = fc.sample(anyUnsigned, { numRuns: 1, seed: 3 })
  if (unsigned === undefined) return t.fail('no sample')
  // r = 5 is no x coordinate on the curve.
  const raw = encodeSigned({ ...unsigned, gasLimit: 1n }, { r: 5n, s: 1n, yParity: 0 })
  t.throws(() => recoverTransaction(decodeTransaction(raw)), { code: 'BAD_SIGNATURE', name: 'TransactionError' })
})
