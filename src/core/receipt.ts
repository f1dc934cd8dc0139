/** Transaction receipts (EIP-2718 envelope, EIP-658 status). */
import { type Address, concatBytes, fromHex, type Hash, uintToBytes } from './bytes.js'
import {
  addressField,
  bytesField,
  CodecError,
  fixedField,
  hashField,
  listField,
  numberField,
  uintField,
} from './codec.js'
import { blockBytesMax } from './limits.js'
import { type RlpItem, rlpDecode, rlpEncode } from './rlp.js'

export interface Log {
  readonly address: Address
  /** Up to 4. */
  readonly topics: readonly Hash[]
  readonly data: Uint8Array
}

export interface Receipt {
  /** Type of the transaction. */
  readonly type: 0 | 1 | 2
  /** 1 success, 0 reverted. */
  readonly status: 0 | 1
  /** Gas used in the block up to and with this transaction. */
  readonly cumulativeGasUsed: bigint
  /** 256 bytes. */
  readonly logsBloom: Uint8Array
  readonly logs: readonly Log[]
}

const TYPE_PREFIX = [new Uint8Array(0), Uint8Array.of(1), Uint8Array.of(2)] as const

/** Consensus encoding: what the receipts trie holds. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const body = rlpEncode([
    uintToBytes(receipt.status),
    uintToBytes(receipt.cumulativeGasUsed),
    receipt.logsBloom,
    receipt.logs.map((log) => [fromHex(log.address), log.topics.map((topic) => fromHex(topic)), log.data]),
  ])
  return receipt.type === 0 ? body : concatBytes(TYPE_PREFIX[receipt.type], body)
}

/** Throws RlpError or CodecError. Byte fields are views into `bytes`. */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  const first = bytes[0] ?? 0
  const type = first >= 0xc0 ? 0 : first
  if (type !== 0 && type !== 1 && type !== 2)
    throw new CodecError('UNSUPPORTED', 'receipt.type', `${type} is not 0, 1 or 2`)
  const item = rlpDecode(type === 0 ? bytes : bytes.subarray(1), { depthMax: 4 })
  const f = listField(item, 'receipt', 4)
  return {
    type,
    status: numberField(f[0], 'receipt.status', 1) as 0 | 1,
    cumulativeGasUsed: uintField(f[1], 'receipt.cumulativeGasUsed', 8),
    logsBloom: fixedField(f[2], 'receipt.logsBloom', 256),
    logs: listField(f[3], 'receipt.logs', 0, blockBytesMax).map(logFromItem),
  }
}

function logFromItem(item: RlpItem): Log {
  const f = listField(item, 'log', 3)
  return {
    address: addressField(f[0], 'log.address'),
    topics: listField(f[1], 'log.topics', 0, 4).map((topic) => hashField(topic, 'log.topic')),
    data: bytesField(f[2], 'log.data', blockBytesMax),
  }
}
