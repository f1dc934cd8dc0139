/** A transaction in its block, its receipt, and who signed it. */
import { RLP } from '@ethereumjs/rlp'
import { bytesToHex, concat, type Hex, keccak256, pad } from 'viem'
import { must } from './evidenceError.js'
import type { HeaderChain } from './finality.js'
import type { TransactionPlace } from './format.js'
import { type Recover, whole } from './header.js'
import type { Proofs } from './proofs.js'
import { bytesOf, decodeRlp, itemsOf, type RlpItem } from './rlp.js'

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

export function readTransaction(
  chain: HeaderChain,
  place: TransactionPlace,
  proofs: Proofs,
  recover: Recover,
): ProvedTransaction {
  const { block, index } = place
  const header = chain.block(block)
  const key = RLP.encode(index)
  const raw = proofs.get(header.transactionsRoot, key, () => `transaction ${index} of block ${block}`)
  const receipt = proofs.get(header.receiptsRoot, key, () => `receipt ${index} of block ${block}`)
  must(raw !== null && receipt !== null, 'CONTENT', () => `block ${block} has no transaction ${index}`)
  return { ...place, hash: keccak256(raw), ...readRaw(raw, recover), ...readReceipt(receipt) }
}

/** Where the fields of each type stand: to, data, and how many are signed (EIP-155, EIP-2930, EIP-1559). */
const TYPES = [
  { to: 3, data: 5, signed: 6 },
  { to: 4, data: 6, signed: 8 },
  { to: 5, data: 7, signed: 9 },
] as const

function readRaw(raw: Uint8Array, recover: Recover): Pick<ProvedTransaction, 'signer' | 'to' | 'input'> {
  const type = raw[0]! < 0xc0 ? raw[0]! : 0
  const fields = itemsOf(decodeRlp(type === 0 ? raw : raw.subarray(1), 'a transaction'), 'a transaction')
  const places = TYPES[type]
  must(places !== undefined && fields.length === places.signed + 3, 'MALFORMED', () => 'a transaction has another form')
  const [v, r, s] = fields.slice(places.signed).map((field) => bytesOf(field, "a transaction's signature", 32))
  const signed: (RlpItem | number)[] = fields.slice(0, places.signed)
  let parity = whole(v!)
  if (type === 0 && parity >= 35) signed.push(Math.floor((parity - 35) / 2), 0, 0)
  if (type === 0) parity = (parity + 1) % 2
  must(parity <= 1, 'MALFORMED', () => "a transaction's signature has no parity")
  const digest = keccak256(type === 0 ? RLP.encode(signed) : concat([raw.subarray(0, 1), RLP.encode(signed)]), 'bytes')
  const signer = recover(digest, concat([pad(r!, { size: 32 }), pad(s!, { size: 32 }), Uint8Array.of(parity)]))
  must(signer !== null, 'MALFORMED', () => "a transaction's signature fits no key")
  const to = bytesOf(fields[places.to], "a transaction's receiver", 20)
  const input = bytesToHex(bytesOf(fields[places.data], "a transaction's data"))
  return { signer, to: to.length === 0 ? null : bytesToHex(to), input }
}

/** Type byte where there is one, then [status, gas, bloom, logs]. */
function readReceipt(bytes: Uint8Array): Pick<ProvedTransaction, 'succeeded' | 'logs'> {
  const fields = itemsOf(decodeRlp(bytes[0]! < 0xc0 ? bytes.subarray(1) : bytes, 'a receipt'), 'a receipt')
  const logs = itemsOf(fields[3], "a receipt's logs").map((log): ProvedLog => {
    const [address, topics, data] = itemsOf(log, 'a log')
    return {
      address: hexOf(address),
      topics: itemsOf(topics, "a log's topics").map(hexOf),
      data: hexOf(data),
    }
  })
  return { succeeded: whole(bytesOf(fields[0], "a receipt's status")) === 1, logs }
}

const hexOf = (item: RlpItem | undefined): Hex => bytesToHex(bytesOf(item, 'a part of a log'))
