/** fast-check arbitraries of the core structures. */
import fc from 'fast-check'
import { asHeight, toAddress, toHash } from '../../src/core/bytes.js'
import type { Header } from '../../src/core/header.js'
import type { Receipt } from '../../src/core/receipt.js'
import type { UnsignedTransaction } from '../../src/core/transaction.js'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const uint = (bits: number) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n })

export const anyAddress = bytes(20).map(toAddress)
export const anyHash = bytes(32).map(toHash)
export const anyPrivateKey = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((key) => {
  // Below the group order, and not 0.
  key[0] = key[0]! & 0x7f
  key[31] = key[31]! | 1
  return key
})

export const anyUnsigned: fc.Arbitrary<UnsignedTransaction> = fc
  .record({
    type: fc.constantFrom(0 as const, 1 as const, 2 as const),
    chainId: fc.option(fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }), { nil: null, freq: 5 }),
    nonce: fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
    gasPrice: uint(128),
    tip: uint(64),
    gasLimit: uint(64),
    to: fc.option(anyAddress, { nil: null }),
    value: uint(256),
    data: fc.uint8Array({ maxLength: 300 }),
    accessList: fc.array(fc.record({ address: anyAddress, storageKeys: fc.array(anyHash, { maxLength: 3 }) }), {
      maxLength: 3,
    }),
  })
  .map(({ tip, ...tx }) => ({
    ...tx,
    chainId: tx.type === 0 ? tx.chainId : (tx.chainId ?? 1n),
    maxPriorityFeePerGas: tx.type === 2 && tip < tx.gasPrice ? tip : tx.gasPrice,
    accessList: tx.type === 0 ? [] : tx.accessList,
  }))

export const anyHeader: fc.Arbitrary<Header> = fc.record({
  parentHash: anyHash,
  ommersHash: anyHash,
  miner: anyAddress,
  stateRoot: anyHash,
  transactionsRoot: anyHash,
  receiptsRoot: anyHash,
  logsBloom: bytes(256),
  difficulty: uint(256),
  number: fc.maxSafeNat().map(asHeight),
  gasLimit: uint(63),
  gasUsed: uint(63),
  timestamp: fc.maxSafeNat(),
  extraData: fc.uint8Array({ maxLength: 120 }),
  mixHash: anyHash,
  nonce: bytes(8),
  baseFeePerGas: fc.option(uint(256), { nil: undefined }),
})

export const anyReceipt: fc.Arbitrary<Receipt> = fc.record({
  type: fc.constantFrom(0 as const, 1 as const, 2 as const),
  status: fc.constantFrom(0 as const, 1 as const),
  cumulativeGasUsed: uint(63),
  logsBloom: bytes(256),
  logs: fc.array(
    fc.record({
      address: anyAddress,
      topics: fc.array(anyHash, { maxLength: 4 }),
      data: fc.uint8Array({ maxLength: 100 }),
    }),
    { maxLength: 4 },
  ),
})
