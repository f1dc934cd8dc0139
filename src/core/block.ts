/** Blocks: RLP [header, transactions, ommers = []]; transactions of types 1 and 2 are wrapped as byte strings (EIP-2718). */
import { CodecError } from './codec.js'
import { encodeHeader, type Header, headerFromItem } from './header.js'
import { blockBytesMax } from './limits.js'
import { RlpReader, rlpDecode, rlpHeaderBytes, writeListHeader, writeStringHeader } from './rlp.js'
import { decodeTransaction, type Transaction } from './transaction.js'

export interface Block<T extends Pick<Transaction, 'raw'> = Transaction> {
  readonly header: Header
  readonly transactions: readonly T[]
}

/** Encoded from each transaction's raw bytes. */
export function encodeBlock(block: Block<Pick<Transaction, 'raw'>>): Uint8Array {
  const header = encodeHeader(block.header)
  let txsBytes = 0
  for (const tx of block.transactions) txsBytes += wrappedBytes(tx.raw)
  const length = header.length + rlpHeaderBytes(txsBytes) + txsBytes + 1
  const out = new Uint8Array(rlpHeaderBytes(length) + length)
  let at = writeListHeader(out, 0, length)
  out.set(header, at)
  at = writeListHeader(out, at + header.length, txsBytes)
  for (const tx of block.transactions) at = writeWrapped(out, at, tx.raw)
  out[at] = 0xc0
  return out
}

/** Bytes that a transaction adds to a block: its raw bytes and, in types 1 and 2, the string header around them. */
export function wrappedBytes(raw: Uint8Array): number {
  return raw[0]! >= 0xc0 ? raw.length : raw.length + rlpHeaderBytes(raw.length)
}

/** A block whose transactions are still raw bytes. */
export interface RawBlock {
  readonly header: Header
  /** EIP-2718 bytes of each transaction, as hashed. */
  readonly transactions: readonly Uint8Array[]
}

/** Throws RlpError or CodecError. Transactions and byte fields are views into `bytes`. */
export function decodeRawBlock(bytes: Uint8Array): RawBlock {
  if (bytes.length > blockBytesMax) {
    throw new CodecError('TOO_LARGE', 'block', `must have at most ${blockBytesMax} bytes, got ${bytes.length}`)
  }
  const outer = new RlpReader(bytes)
  const parts = outer.list()
  outer.finish()
  const header = headerFromItem(rlpDecode(parts.item(), { depthMax: 2, itemsMax: 32 }))
  const transactions = readTransactions(parts.list())
  if (!parts.list().done) throw new CodecError('UNSUPPORTED', 'block.ommers', 'must be empty')
  if (!parts.done) throw new CodecError('FIELD_COUNT', 'block', 'must have 3 entries')
  return { header, transactions }
}

/** Throws RlpError, CodecError or TransactionError. Transactions and byte fields are views into `bytes`. */
export function decodeBlock(bytes: Uint8Array): Block {
  const { header, transactions } = decodeRawBlock(bytes)
  return { header, transactions: transactions.map((raw) => decodeTransaction(raw)) }
}

function readTransactions(list: RlpReader): Uint8Array[] {
  const transactions: Uint8Array[] = []
  while (!list.done) {
    const legacy = list.nextIsList()
    const raw = legacy ? list.item() : list.string()
    if (raw.length === 0) {
      throw new CodecError('FIELD_LENGTH', `block.transactions[${transactions.length}]`, 'must not be empty')
    }
    if (!legacy && raw[0]! >= 0xc0) {
      throw new CodecError('FIELD_KIND', `block.transactions[${transactions.length}]`, 'of type 0 must not be wrapped')
    }
    transactions.push(raw)
  }
  return transactions
}

function writeWrapped(out: Uint8Array, at: number, raw: Uint8Array): number {
  const next = raw[0]! >= 0xc0 ? at : writeStringHeader(out, at, raw.length)
  out.set(raw, next)
  return next + raw.length
}
