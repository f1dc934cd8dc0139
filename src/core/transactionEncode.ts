/** Encoding of transactions: the bytes to sign and the signed bytes (EIP-155, EIP-2930, EIP-1559, EIP-2718). */
import { EMPTY_BYTES, fromHex, uintToBytes } from './bytes.js'
import { type RlpItem, RlpReader, rlpEncode, rlpHeaderBytes, writeListHeader } from './rlp.js'
import type { Transaction, UnsignedTransaction } from './transaction.js'

export interface TransactionSignature {
  readonly yParity: 0 | 1
  readonly r: bigint
  readonly s: bigint
}

/** EIP-155 appends (chainId, 0, 0) to what is signed. */
const EMPTY_PAIR: readonly RlpItem[] = [EMPTY_BYTES, EMPTY_BYTES]

/** Bytes whose keccak256 the sender signs. */
export function signingPayload(tx: UnsignedTransaction): Uint8Array {
  const items = fieldItems(tx)
  if (tx.type === 0 && tx.chainId !== null) items.push(uintToBytes(tx.chainId), ...EMPTY_PAIR)
  return envelope(tx.type, items)
}

/** Signed bytes, as `eth_sendRawTransaction` takes them. */
export function encodeSigned(tx: UnsignedTransaction, signature: TransactionSignature): Uint8Array {
  const items = fieldItems(tx)
  items.push(uintToBytes(signatureV(tx, signature)), uintToBytes(signature.r), uintToBytes(signature.s))
  return envelope(tx.type, items)
}

/** `signingPayload` of a decoded transaction, cut out of its raw bytes instead of encoded again. */
export function signingPayloadOfRaw(tx: Pick<Transaction, 'type' | 'chainId' | 'raw'>): Uint8Array {
  const { raw } = tx
  const typeBytes = tx.type === 0 ? 0 : 1
  const fields = new RlpReader(raw, typeBytes).list()
  const from = fields.at
  for (let left = FIELDS[tx.type]; left > 0; left--) fields.skip()
  const kept = fields.at - from
  const suffix =
    tx.type === 0 && tx.chainId !== null ? rlpEncode([uintToBytes(tx.chainId), ...EMPTY_PAIR]).subarray(1) : EMPTY_BYTES
  const length = kept + suffix.length
  const out = new Uint8Array(typeBytes + rlpHeaderBytes(length) + length)
  if (typeBytes === 1) out[0] = tx.type
  const at = writeListHeader(out, typeBytes, length)
  out.set(raw.subarray(from, from + kept), at)
  out.set(suffix, at + kept)
  return out
}

/** Fields in front of the signature. */
const FIELDS = { 0: 6, 1: 8, 2: 9 } as const

function fieldItems(tx: UnsignedTransaction): RlpItem[] {
  const items: RlpItem[] = []
  if (tx.type !== 0) items.push(uintToBytes(tx.chainId ?? 0n))
  items.push(uintToBytes(tx.nonce))
  if (tx.type === 2) items.push(uintToBytes(tx.maxPriorityFeePerGas))
  items.push(
    uintToBytes(tx.gasPrice),
    uintToBytes(tx.gasLimit),
    tx.to === null ? EMPTY_BYTES : fromHex(tx.to),
    uintToBytes(tx.value),
    tx.data,
  )
  if (tx.type !== 0) {
    items.push(tx.accessList.map((entry) => [fromHex(entry.address), entry.storageKeys.map((key) => fromHex(key))]))
  }
  return items
}

function signatureV(tx: UnsignedTransaction, signature: TransactionSignature): bigint {
  const parity = BigInt(signature.yParity)
  if (tx.type !== 0) return parity
  return tx.chainId === null ? 27n + parity : 35n + 2n * tx.chainId + parity
}

function envelope(type: 0 | 1 | 2, items: readonly RlpItem[]): Uint8Array {
  const body = rlpEncode(items)
  if (type === 0) return body
  const out = new Uint8Array(1 + body.length)
  out[0] = type
  out.set(body, 1)
  return out
}

/** Signature of a decoded transaction, cut out of its raw bytes: r 32 | s 32 | yParity 1. */
export function signatureOfRaw(tx: Pick<Transaction, 'type' | 'yParity' | 'raw'>): Uint8Array {
  const fields = new RlpReader(tx.raw, tx.type === 0 ? 0 : 1).list()
  for (let left = FIELDS[tx.type] + 1; left > 0; left--) fields.skip()
  const signature = new Uint8Array(65)
  const r = fields.string()
  signature.set(r, 32 - r.length)
  const s = fields.string()
  signature.set(s, 64 - s.length)
  signature[64] = tx.yParity
  return signature
}
