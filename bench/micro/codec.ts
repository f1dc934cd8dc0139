/** RLP, transactions and ABI: our codecs on bytes against @ethereumjs/rlp and viem, each given its own form of the input. */
import { RLP } from '@ethereumjs/rlp'
import { decodeFunctionData, encodeFunctionData, parseTransaction, serializeTransaction } from 'viem'
import { dataSharingInterface } from '../../src/contracts/dataSharing.js'
import { toHex } from '../../src/core/bytes.js'
import { type RlpItem, rlpDecode, rlpEncode } from '../../src/core/rlp.js'
import { decodeTransaction, type Transaction } from '../../src/core/transaction.js'
import { encodeSigned } from '../../src/core/transactionEncode.js'
import { signTransaction } from '../../src/crypto/transaction.js'
import type { Benchmark } from './benchmark.js'
import { callBenchmark } from './calls.js'
import { storeDataArguments, unsignedCall } from './workload.js'

const PARTS = 3
const ATTRIBUTES_EACH = 6
const BLOCK_TRANSACTIONS = 100
const KEY = new Uint8Array(32).fill(7)

/** A value in one form: bytes as hex, integers and chain ids as decimals. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner instanceof Uint8Array) return toHex(inner)
    return typeof inner === 'bigint' || typeof inner === 'number' ? String(inner) : inner
  })
}

const calldata = (n: number) =>
  dataSharingInterface.encodeCall('StoreData', storeDataArguments(n, PARTS, ATTRIBUTES_EACH))

const signed = (n: number) => signTransaction(unsignedCall(n, calldata(n)), KEY)

/** A block's list of wrapped transactions and a transaction's list of fields, as RLP. */
const transactionBytes = () => signed(0).raw.subarray(1)
const blockBytes = () => rlpEncode(Array.from({ length: BLOCK_TRANSACTIONS }, (_, n) => signed(n).raw))

function rlpBenchmarks(what: string, make: () => Uint8Array): Benchmark[] {
  return [
    callBenchmark(`RLP decode, ${what}`, 'a decoding', '@ethereumjs/rlp', () => {
      const bytes = make()
      return [
        { call: () => rlpDecode(bytes), text: plain },
        { call: () => RLP.decode(bytes), text: plain },
      ]
    }),
    callBenchmark(`RLP encode, ${what}`, 'an encoding', '@ethereumjs/rlp', () => {
      const items: RlpItem = rlpDecode(make())
      const mutable = RLP.decode(make())
      return [
        { call: () => rlpEncode(items), text: toHex },
        { call: () => RLP.encode(mutable), text: toHex },
      ]
    }),
  ]
}

/** The fields that both sides decode. */
function ourFields({ chainId, nonce, gasLimit, to, data, yParity, r, s }: Transaction): string {
  return plain([chainId, nonce, gasLimit, to, data, yParity, r, s])
}

function viemFields({ chainId, nonce, gas, to, data, yParity, r, s }: ReturnType<typeof parseTransaction>): string {
  return plain([chainId, nonce ?? 0, gas, to?.toLowerCase(), data, yParity, BigInt(r ?? 0), BigInt(s ?? 0)])
}

const abi = dataSharingInterface.json

export const codecBenchmarks: readonly Benchmark[] = [
  ...rlpBenchmarks('transaction', transactionBytes),
  ...rlpBenchmarks(`${BLOCK_TRANSACTIONS} transactions`, blockBytes),
  callBenchmark('decode a transaction', 'a decoding', 'viem', () => {
    const { raw } = signed(1)
    const hex = toHex(raw)
    return [
      { call: () => decodeTransaction(raw), text: ourFields },
      { call: () => parseTransaction(hex), text: viemFields },
    ]
  }),
  callBenchmark('encode a transaction', 'an encoding', 'viem', () => {
    const tx = signed(1)
    const parsed = parseTransaction(toHex(tx.raw))
    return [
      { call: () => encodeSigned(tx, tx), text: toHex },
      { call: () => serializeTransaction(parsed), text: String },
    ]
  }),
  callBenchmark('ABI decode, StoreData', 'a decoding', 'viem', () => {
    const bytes = calldata(1)
    const data = toHex(bytes)
    return [
      { call: () => dataSharingInterface.decodeCall('StoreData', bytes), text: (call) => lower(Object.values(call)) },
      { call: () => decodeFunctionData({ abi, data }), text: ({ args }) => lower(args) },
    ]
  }),
  callBenchmark('ABI encode, StoreData', 'an encoding', 'viem', () => {
    const call = storeDataArguments(1, PARTS, ATTRIBUTES_EACH)
    const parts = call.parts.map((part) => ({ ...part, envelope: toHex(part.envelope) }))
    const args = [call.enterpriseId, call.documentHash, call.portraitVersion, parts]
    return [
      { call: () => dataSharingInterface.encodeCall('StoreData', call), text: toHex },
      { call: () => encodeFunctionData({ abi, functionName: 'StoreData', args }), text: String },
    ]
  }),
]

/** viem writes addresses with a checksum in their case. */
function lower(value: unknown): string {
  return plain(value).toLowerCase()
}
