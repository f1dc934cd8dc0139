/** How a final block is laid out in the store. */
import { assert } from '../../core/assert.js'
import { type Block, decodeRawBlock, encodeBlock } from '../../core/block.js'
import { type Address, concatBytes, fromHex, type Hash, toAddress, toHash } from '../../core/bytes.js'
import { decodeHeader, encodeHeader, type Header } from '../../core/header.js'
import { decodeReceipt, encodeReceipt, type Receipt } from '../../core/receipt.js'
import { RlpReader, rlpEncode, rlpHeaderBytes, writeListHeader } from '../../core/rlp.js'
import { decodeTransaction } from '../../core/transaction.js'
import { keccakHash } from '../../crypto/keccak.js'
import type { RecoveredTransaction } from '../../crypto/transaction.js'

/** hash | header RLP: listing headers needs no hashing. */
export function headerRecord(hash: Hash, header: Header): Uint8Array {
  return concatBytes(fromHex(hash), encodeHeader(header))
}

export function readHeaderRecord(record: Uint8Array): { hash: Hash; header: Header } {
  return { hash: toHash(record.subarray(0, 32)), header: decodeHeader(record.subarray(32)) }
}

/** count u32 | senders, 20 bytes each | RLP list of transactions: reading a block needs no signature recovery. */
export function bodyRecord(block: Block<RecoveredTransaction>): Uint8Array {
  const count = block.transactions.length
  const list = transactionsOfBlock(encodeBlock(block))
  const record = new Uint8Array(4 + 20 * count + list.length)
  new DataView(record.buffer).setUint32(0, count)
  for (let i = 0; i < count; i++) record.set(fromHex(block.transactions[i]!.sender), 4 + 20 * i)
  record.set(list, 4 + 20 * count)
  return record
}

/** The block's RLP, as it travels between nodes. */
export function readRawBlock(headerRecordBytes: Uint8Array, body: Uint8Array): Uint8Array {
  const header = headerRecordBytes.subarray(32)
  const list = body.subarray(4 + 20 * senderCount(body))
  const length = header.length + list.length + 1
  const out = new Uint8Array(rlpHeaderBytes(length) + length)
  const at = writeListHeader(out, 0, length)
  out.set(header, at)
  out.set(list, at + header.length)
  out[out.length - 1] = 0xc0
  return out
}

export function readBlock(headerRecordBytes: Uint8Array, body: Uint8Array): Block<RecoveredTransaction> {
  const { header, transactions } = decodeRawBlock(readRawBlock(headerRecordBytes, body))
  assert(senderCount(body) === transactions.length, 'a stored block has one sender for each transaction')
  return {
    header,
    transactions: transactions.map((raw, i) => ({
      ...decodeTransaction(raw),
      hash: keccakHash(raw),
      sender: senderAt(body, i),
    })),
  }
}

export function receiptsRecord(receipts: readonly Receipt[]): Uint8Array {
  return rlpEncode(receipts.map(encodeReceipt))
}

export function readReceipts(record: Uint8Array): Receipt[] {
  const list = new RlpReader(record).list()
  const receipts: Receipt[] = []
  while (!list.done) receipts.push(decodeReceipt(list.string()))
  return receipts
}

function senderCount(body: Uint8Array): number {
  return new DataView(body.buffer, body.byteOffset).getUint32(0)
}

function senderAt(body: Uint8Array, index: number): Address {
  return toAddress(body.subarray(4 + 20 * index, 24 + 20 * index))
}

function transactionsOfBlock(block: Uint8Array): Uint8Array {
  const parts = new RlpReader(block).list()
  parts.skip()
  return parts.item()
}
