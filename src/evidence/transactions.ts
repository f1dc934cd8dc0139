/** A transaction in its block, its receipt, and who signed it. */
import { RLP } from '@ethereumjs/rlp'
import {
  bytesToHex,
  type Hex,
  keccak256,
  parseTransaction,
  recoverTransactionAddress,
  type TransactionSerialized,
} from 'viem'
import { must } from './evidenceError.js'
import type { HeaderChain } from './finality.js'
import type { TransactionPlace } from './format.js'
import { whole } from './header.js'
import type { NodePool } from './proofs.js'

export interface ProvedLog {
  readonly address: Hex
  readonly topics: readonly Hex[]
  readonly data: Hex
}

export interface ProvedTransaction extends TransactionPlace {
  readonly hash: Hex
  /** Address whose key signed it. */
  readonly signer: Hex
  readonly to: Hex | null
  readonly input: Hex
  readonly succeeded: boolean
  readonly logs: readonly ProvedLog[]
}

export async function readTransaction(
  chain: HeaderChain,
  place: TransactionPlace,
  pool: NodePool,
): Promise<ProvedTransaction> {
  const { block, index } = place
  const header = chain.block(block)
  const key = RLP.encode(index)
  const raw = await pool.get(header.transactionsRoot, key, () => `transaction ${index} of block ${block}`)
  const receipt = await pool.get(header.receiptsRoot, key, () => `receipt ${index} of block ${block}`)
  must(raw !== null && receipt !== null, 'CONTENT', () => `block ${block} has no transaction ${index}`)
  const serialized = bytesToHex(raw) as TransactionSerialized
  const { to, data } = parseTransaction(serialized)
  const signer = (await recoverTransactionAddress({ serializedTransaction: serialized as never })).toLowerCase() as Hex
  const hash = keccak256(raw)
  return {
    ...place,
    hash,
    signer,
    to: (to?.toLowerCase() as Hex) ?? null,
    input: data ?? '0x',
    ...readReceipt(receipt),
  }
}

/** Type byte where there is one, then [status, gas, bloom, logs]. */
function readReceipt(bytes: Uint8Array): Pick<ProvedTransaction, 'succeeded' | 'logs'> {
  const [status, , , logs] = RLP.decode(bytes[0]! < 0xc0 ? bytes.subarray(1) : bytes) as [Uint8Array, 0, 0, RawLog[]]
  return {
    succeeded: whole(status) === 1,
    logs: logs.map(([address, topics, data]) => ({
      address: bytesToHex(address),
      topics: topics.map((topic) => bytesToHex(topic)),
      data: bytesToHex(data),
    })),
  }
}

type RawLog = [address: Uint8Array, topics: Uint8Array[], data: Uint8Array]
