import fc from 'fast-check'
import t from 'tap'
import { parseTransaction, serializeTransaction, type TransactionSerializable } from 'viem'
import { fromHex, toHex, uintToBytes } from '../../src/core/bytes.js'
import { txBytesMax } from '../../src/core/limits.js'
import { rlpEncode } from '../../src/core/rlp.js'
import {
  assertChainId,
  decodeTransaction,
  SECP256K1_N,
  TransactionError,
  type UnsignedTransaction,
} from '../../src/core/transaction.js'
import { encodeSigned, signatureOfRaw, signingPayload, signingPayloadOfRaw } from '../../src/core/transactionEncode.js'
import { anyUnsigned } from './arbitraries.js'

const SIGNATURE = { yParity: 1 as const, r: 0x1234n, s: 2n ** 200n + 5n }

function toViem(tx: UnsignedTransaction): TransactionSerializable {
  const common = {
    nonce: Number(tx.nonce),
    gas: tx.gasLimit,
    to: tx.to,
    value: tx.value,
    data: toHex(tx.data),
  }
  const accessList = tx.accessList.map((entry) => ({ address: entry.address, storageKeys: [...entry.storageKeys] }))
  const chainId = Number(tx.chainId)
  if (tx.type === 2) {
    const fees = { maxFeePerGas: tx.gasPrice, maxPriorityFeePerGas: tx.maxPriorityFeePerGas }
    return { ...common, ...fees, type: 'eip1559', chainId, accessList }
  }
  if (tx.type === 1) return { ...common, type: 'eip2930', chainId, gasPrice: tx.gasPrice, accessList }
  const legacy = { ...common, type: 'legacy', gasPrice: tx.gasPrice } as const
  return tx.chainId === null ? legacy : { ...legacy, chainId }
}

t.test('encodes as viem does and decodes to the same fields', async (t) => {
  fc.assert(
    fc.property(anyUnsigned, (unsigned) => {
      const tx = { ...unsigned, gasLimit: unsigned.gasLimit >> 1n }
      t.equal(toHex(signingPayload(tx)), serializeTransaction(toViem(tx)), 'payload')
      const raw = encodeSigned(tx, SIGNATURE)
      const signature = { r: toHex(pad(SIGNATURE.r)), s: toHex(pad(SIGNATURE.s)), yParity: SIGNATURE.yParity }
      const v = { v: tx.type === 0 ? 28n : undefined } as { v: bigint }
      t.equal(toHex(raw), serializeTransaction(toViem(tx), { ...signature, ...v }), 'signed')
      t.same(decodeTransaction(raw), { ...tx, ...SIGNATURE, raw })
      t.same(signingPayloadOfRaw({ type: tx.type, chainId: tx.chainId, raw }), signingPayload(tx), 'cut payload')
      t.same(signatureOfRaw(decodeTransaction(raw)), Uint8Array.from([...pad(SIGNATURE.r), ...pad(SIGNATURE.s), 1]))
      parseTransaction(toHex(raw) as `0x02${string}`)
    }),
    { numRuns: 150 },
  )
})

function pad(value: bigint): Uint8Array {
  const word = new Uint8Array(32)
  const bytes = uintToBytes(value)
  word.set(bytes, 32 - bytes.length)
  return word
}

const BASE: UnsignedTransaction = {
  type: 2,
  chainId: 7n,
  nonce: 1n,
  gasPrice: 10n,
  maxPriorityFeePerGas: 1n,
  gasLimit: 21_000n,
  to: null,
  value: 0n,
  data: new Uint8Array(0),
  accessList: [],
}

const refused: readonly [code: string, raw: Uint8Array][] = [
  ['MALFORMED', new Uint8Array(0)],
  ['MALFORMED', fromHex('0xc0')],
  ['MALFORMED', fromHex('0x02')],
  ['UNSUPPORTED_TYPE', fromHex('0x00')],
  ['UNSUPPORTED_TYPE', fromHex('0x03c0')],
  ['UNSUPPORTED_TYPE', fromHex('0x04c0')],
  ['UNSUPPORTED_TYPE', fromHex('0x7f')],
  ['UNSUPPORTED_TYPE', fromHex('0xb8')],
  ['MALFORMED', Uint8Array.from([...encodeSigned(BASE, SIGNATURE), 0])],
  ['NONCE_TOO_LARGE', encodeSigned({ ...BASE, nonce: 2n ** 64n - 1n }, SIGNATURE)],
  ['MALFORMED', encodeSigned({ ...BASE, nonce: 2n ** 64n }, SIGNATURE)],
  ['MALFORMED', encodeSigned({ ...BASE, value: 2n ** 256n }, SIGNATURE)],
  ['FEE_ORDER', encodeSigned({ ...BASE, maxPriorityFeePerGas: 11n }, SIGNATURE)],
  ['FEE_OVERFLOW', encodeSigned({ ...BASE, gasPrice: 2n ** 255n, gasLimit: 2n }, SIGNATURE)],
  ['BAD_SIGNATURE', encodeSigned(BASE, { ...SIGNATURE, r: 0n })],
  ['BAD_SIGNATURE', encodeSigned(BASE, { ...SIGNATURE, s: 0n })],
  ['BAD_SIGNATURE', encodeSigned(BASE, { ...SIGNATURE, r: SECP256K1_N })],
  ['BAD_SIGNATURE', encodeSigned(BASE, { ...SIGNATURE, s: SECP256K1_N })],
  ['HIGH_S', encodeSigned(BASE, { ...SIGNATURE, s: SECP256K1_N / 2n + 1n })],
  ['BAD_SIGNATURE', encodeSigned({ ...BASE, type: 0, chainId: -2n }, SIGNATURE)],
  [
    'BAD_SIGNATURE',
    Uint8Array.from([1, ...rlpEncode([...new Array(6).fill(EMPTY()), EMPTY(), [], uintToBytes(2), EMPTY(), EMPTY()])]),
  ],
  ['FIELD_LENGTH', Uint8Array.from([1, ...rlpEncode([...new Array(4).fill(EMPTY()), new Uint8Array(19)])])],
  [
    'FIELD_COUNT',
    Uint8Array.from([
      1,
      ...rlpEncode([...new Array(7).fill(EMPTY()), [], EMPTY(), uintToBytes(1), uintToBytes(1), EMPTY()]),
    ]),
  ],
  ['FIELD_LENGTH', Uint8Array.from([1, ...rlpEncode([...new Array(7).fill(EMPTY()), [[new Uint8Array(21), []]]])])],
  [
    'FIELD_LENGTH',
    Uint8Array.from([1, ...rlpEncode([...new Array(7).fill(EMPTY()), [[new Uint8Array(20), [new Uint8Array(31)]]]])]),
  ],
]

function EMPTY(): Uint8Array {
  return new Uint8Array(0)
}

t.test('codes of faults', async (t) => {
  for (const [code, raw] of refused)
    t.throws(() => decodeTransaction(raw), { code, name: 'TransactionError' }, `${code} ${toHex(raw)}`)
})

t.test('size: at the limit and one byte over', async (t) => {
  const room = txBytesMax - encodeSigned({ ...BASE, data: new Uint8Array(70_000) }, SIGNATURE).length + 70_000
  t.equal(decodeTransaction(encodeSigned({ ...BASE, data: new Uint8Array(room) }, SIGNATURE)).raw.length, txBytesMax)
  t.throws(() => decodeTransaction(encodeSigned({ ...BASE, data: new Uint8Array(room + 1) }, SIGNATURE)), {
    code: 'TOO_LARGE',
  })
})

t.test('a transaction names its chain', async (t) => {
  t.doesNotThrow(() => assertChainId(BASE, 7n))
  t.throws(() => assertChainId(BASE, 8n), { code: 'WRONG_CHAIN', message: /chain id 7, sign it for chain id 8/ })
  t.throws(() => assertChainId({ chainId: null }, 8n), { code: 'WRONG_CHAIN', message: /no chain id/ })
})

t.test('mutated bytes are refused or decode to what encodes back', async (t) => {
  fc.assert(
    fc.property(anyUnsigned, fc.nat(), fc.integer({ min: 0, max: 255 }), (unsigned, at, byte) => {
      const raw = encodeSigned({ ...unsigned, gasLimit: 21_000n }, SIGNATURE)
      raw[at % raw.length] = byte
      try {
        const tx = decodeTransaction(raw)
        t.equal(toHex(encodeSigned(tx, tx)), toHex(raw))
      } catch (error) {
        if (!(error instanceof TransactionError)) throw error
      }
    }),
    { numRuns: 500 },
  )
})
