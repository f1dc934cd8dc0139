/** Signed transactions of types 0 (EIP-155 and before), 1 (EIP-2930) and 2 (EIP-1559): shape and strict decoder. */
import { type Address, type Hash, toHex } from './bytes.js'
import { CodedError } from './codedError.js'
import { txBytesMax } from './limits.js'
import { RlpError, RlpReader } from './rlp.js'

export interface AccessListEntry {
  readonly address: Address
  readonly storageKeys: readonly Hash[]
}

export interface Transaction {
  readonly type: 0 | 1 | 2
  /** null in a type 0 transaction from before EIP-155, which is valid on every chain. */
  readonly chainId: bigint | null
  readonly nonce: bigint
  /** In wei; maxFeePerGas in type 2. */
  readonly gasPrice: bigint
  /** In wei; equals gasPrice in types 0 and 1. */
  readonly maxPriorityFeePerGas: bigint
  readonly gasLimit: bigint
  /** null creates a contract. */
  readonly to: Address | null
  /** In wei. */
  readonly value: bigint
  readonly data: Uint8Array
  readonly accessList: readonly AccessListEntry[]
  readonly yParity: 0 | 1
  readonly r: bigint
  readonly s: bigint
  /** The bytes that are hashed and sent (EIP-2718). */
  readonly raw: Uint8Array
}

export type UnsignedTransaction = Omit<Transaction, 'yParity' | 'r' | 's' | 'raw'>

export type TransactionErrorCode =
  | 'TOO_LARGE'
  | 'UNSUPPORTED_TYPE'
  | 'MALFORMED'
  | 'FIELD_COUNT'
  | 'FIELD_LENGTH'
  | 'NONCE_TOO_LARGE'
  | 'FEE_ORDER'
  | 'FEE_OVERFLOW'
  | 'WRONG_CHAIN'
  | 'BAD_SIGNATURE'
  | 'HIGH_S'

/** A transaction that is not valid on any state; the message says what to change. */
export class TransactionError extends CodedError<TransactionErrorCode> {}

/** Order of the secp256k1 group (SEC 2, 2.4.1). */
export const SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const HALF_N = SECP256K1_N / 2n
/** EIP-2681: a nonce has to stay below. */
const NONCE_END = 2n ** 64n - 1n
const FEE_END = 2n ** 256n
const NO_ACCESS_LIST: readonly AccessListEntry[] = Object.freeze([])

/**
 * Decodes and checks everything that needs neither a state nor a hash. `data` and `raw` are views into `raw`: copy the
 * argument first where the transaction outlives a larger buffer. Throws TransactionError.
 */
export function decodeTransaction(raw: Uint8Array): Transaction {
  if (raw.length > txBytesMax) {
    throw new TransactionError('TOO_LARGE', `transaction has ${raw.length} bytes, at most ${txBytesMax} allowed`)
  }
  try {
    const tx = decodeFields(raw)
    checkFields(tx)
    return tx
  } catch (error) {
    if (error instanceof RlpError) throw new TransactionError('MALFORMED', `transaction is ${error.message}`)
    throw error
  }
}

/** Throws WRONG_CHAIN unless the transaction names this chain. */
export function assertChainId(tx: Pick<Transaction, 'chainId'>, chainId: bigint): void {
  if (tx.chainId === chainId) return
  const named = tx.chainId === null ? 'no chain id (not EIP-155)' : `chain id ${tx.chainId}`
  throw new TransactionError('WRONG_CHAIN', `transaction has ${named}, sign it for chain id ${chainId}`)
}

function decodeFields(raw: Uint8Array): Transaction {
  const first = raw[0]
  if (first === undefined) throw new TransactionError('MALFORMED', 'transaction is empty')
  if (first >= 0xc0) return decodeLegacy(raw)
  if (first === 1) return decodeAccessList(raw)
  if (first === 2) return decodeDynamicFee(raw)
  throw new TransactionError('UNSUPPORTED_TYPE', `transaction type ${first} is not supported, send type 0, 1 or 2`)
}

function decodeLegacy(raw: Uint8Array): Transaction {
  const f = openFields(raw, 0)
  const nonce = f.uint(8)
  const gasPrice = f.uint(32)
  const gasLimit = f.uint(8)
  const to = readTo(f)
  const value = f.uint(32)
  const data = f.string()
  const v = f.uint(32)
  const r = f.uint(32)
  const s = f.uint(32)
  closeFields(f)
  return {
    type: 0,
    chainId: legacyChainId(v),
    nonce,
    gasPrice,
    maxPriorityFeePerGas: gasPrice,
    gasLimit,
    to,
    value,
    data,
    accessList: NO_ACCESS_LIST,
    yParity: (v & 1n) === 1n ? 0 : 1,
    r,
    s,
    raw,
  }
}

function decodeAccessList(raw: Uint8Array): Transaction {
  const f = openFields(raw, 1)
  const chainId = f.uint(32)
  const nonce = f.uint(8)
  const gasPrice = f.uint(32)
  const gasLimit = f.uint(8)
  const to = readTo(f)
  const value = f.uint(32)
  const data = f.string()
  const accessList = readAccessList(f)
  const yParity = readParity(f)
  const r = f.uint(32)
  const s = f.uint(32)
  closeFields(f)
  return {
    type: 1,
    chainId,
    nonce,
    gasPrice,
    maxPriorityFeePerGas: gasPrice,
    gasLimit,
    to,
    value,
    data,
    accessList,
    yParity,
    r,
    s,
    raw,
  }
}

function decodeDynamicFee(raw: Uint8Array): Transaction {
  const f = openFields(raw, 1)
  const chainId = f.uint(32)
  const nonce = f.uint(8)
  const maxPriorityFeePerGas = f.uint(32)
  const gasPrice = f.uint(32)
  const gasLimit = f.uint(8)
  const to = readTo(f)
  const value = f.uint(32)
  const data = f.string()
  const accessList = readAccessList(f)
  const yParity = readParity(f)
  const r = f.uint(32)
  const s = f.uint(32)
  closeFields(f)
  return {
    type: 2,
    chainId,
    nonce,
    gasPrice,
    maxPriorityFeePerGas,
    gasLimit,
    to,
    value,
    data,
    accessList,
    yParity,
    r,
    s,
    raw,
  }
}

function checkFields(tx: Transaction): void {
  if (tx.nonce >= NONCE_END) throw new TransactionError('NONCE_TOO_LARGE', 'nonce must be below 2^64 - 1 (EIP-2681)')
  if (tx.maxPriorityFeePerGas > tx.gasPrice) {
    throw new TransactionError('FEE_ORDER', 'maxPriorityFeePerGas must not exceed maxFeePerGas')
  }
  if (tx.gasPrice !== 0n && tx.gasPrice * tx.gasLimit >= FEE_END) {
    throw new TransactionError('FEE_OVERFLOW', 'gasLimit times gas price must fit in 256 bits')
  }
  if (tx.r === 0n || tx.r >= SECP256K1_N) throw new TransactionError('BAD_SIGNATURE', 'signature r is out of range')
  if (tx.s === 0n || tx.s >= SECP256K1_N) throw new TransactionError('BAD_SIGNATURE', 'signature s is out of range')
  if (tx.s > HALF_N)
    throw new TransactionError('HIGH_S', 'signature s is in the upper half of its range, use n - s (EIP-2)')
}

function openFields(raw: Uint8Array, at: number): RlpReader {
  const outer = new RlpReader(raw, at)
  const fields = outer.list()
  outer.finish()
  return fields
}

function closeFields(fields: RlpReader): void {
  if (!fields.done) throw new TransactionError('FIELD_COUNT', 'transaction has more fields than its type')
}

function readTo(fields: RlpReader): Address | null {
  const bytes = fields.string()
  if (bytes.length === 20) return toHex(bytes) as Address
  if (bytes.length === 0) return null
  throw new TransactionError('FIELD_LENGTH', `to must have 20 bytes or none, got ${bytes.length}`)
}

function readParity(fields: RlpReader): 0 | 1 {
  const parity = fields.number()
  if (parity === 0 || parity === 1) return parity
  throw new TransactionError('BAD_SIGNATURE', `signature yParity must be 0 or 1, got ${parity}`)
}

/** EIP-155: v = 35 + 2 * chainId + yParity; before it v = 27 + yParity. */
function legacyChainId(v: bigint): bigint | null {
  if (v === 27n || v === 28n) return null
  if (v >= 35n) return (v - 35n) / 2n
  throw new TransactionError('BAD_SIGNATURE', `signature v must be 27, 28 or at least 35, got ${v}`)
}

function readAccessList(fields: RlpReader): readonly AccessListEntry[] {
  const entries = fields.list()
  if (entries.done) return NO_ACCESS_LIST
  const list: AccessListEntry[] = []
  while (!entries.done) list.push(readAccessEntry(entries.list()))
  return list
}

function readAccessEntry(entry: RlpReader): AccessListEntry {
  const address = readFixed(entry, 20, 'access list address') as Address
  const keys = entry.list()
  const storageKeys: Hash[] = []
  while (!keys.done) storageKeys.push(readFixed(keys, 32, 'access list storage key') as Hash)
  closeFields(entry)
  return { address, storageKeys }
}

function readFixed(reader: RlpReader, length: number, field: string): string {
  const bytes = reader.string()
  if (bytes.length !== length) {
    throw new TransactionError('FIELD_LENGTH', `${field} must have ${length} bytes, got ${bytes.length}`)
  }
  return toHex(bytes)
}
