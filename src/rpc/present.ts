/** Core structures -> JSON of execution-apis. */
import { type Hash, type Hex, toHex } from '../core/bytes.js'
import type { Header } from '../core/header.js'
import type { Log, Receipt } from '../core/receipt.js'
import type { ChainTransaction, FinalBlock, SyncStatus } from './chainApi.js'
import type { RpcBlock, RpcHeader, RpcLog, RpcReceipt, RpcTransaction } from './wire.js'

export const quantity = (value: number | bigint): Hex => `0x${value.toString(16)}`

/** Gas costs nothing here: this is what a final transaction paid per gas, whatever it offered. */
const PAID_GAS_PRICE: Hex = '0x0'

/** Where a final transaction stands, once for all of its logs. */
export interface Place {
  readonly blockHash: Hash
  readonly blockNumber: Hex
  readonly blockTimestamp: Hex
}

export const placeOf = (hash: Hash, header: Header): Place => ({
  blockHash: hash,
  blockNumber: quantity(header.number),
  blockTimestamp: quantity(header.timestamp),
})

export function presentHeader(hash: Hash, header: Header): RpcHeader {
  return {
    number: quantity(header.number),
    hash,
    parentHash: header.parentHash,
    nonce: toHex(header.nonce),
    mixHash: header.mixHash,
    sha3Uncles: header.ommersHash,
    logsBloom: toHex(header.logsBloom),
    transactionsRoot: header.transactionsRoot,
    stateRoot: header.stateRoot,
    receiptsRoot: header.receiptsRoot,
    miner: header.miner,
    difficulty: quantity(header.difficulty),
    extraData: toHex(header.extraData),
    gasLimit: quantity(header.gasLimit),
    gasUsed: quantity(header.gasUsed),
    timestamp: quantity(header.timestamp),
    ...(header.baseFeePerGas === undefined ? {} : { baseFeePerGas: quantity(header.baseFeePerGas) }),
  }
}

/** `full`: transaction objects in place of hashes. */
export function presentBlock({ hash, block, sizeBytes }: FinalBlock, full: boolean): RpcBlock {
  const place = placeOf(hash, block.header)
  return {
    ...presentHeader(hash, block.header),
    size: quantity(sizeBytes),
    transactions: full
      ? block.transactions.map((tx, index) => presentTransaction(tx, place, index))
      : block.transactions.map((tx) => tx.hash),
    uncles: [],
  }
}

/** Without a place: a transaction that waits in the pool. */
export function presentTransaction(tx: ChainTransaction, place?: Place, index = 0): RpcTransaction {
  return {
    type: quantity(tx.type),
    hash: tx.hash,
    nonce: quantity(tx.nonce),
    from: tx.sender,
    to: tx.to,
    value: quantity(tx.value),
    gas: quantity(tx.gasLimit),
    gasPrice: tx.type === 2 && place ? PAID_GAS_PRICE : quantity(tx.gasPrice),
    input: toHex(tx.data),
    blockHash: place?.blockHash ?? null,
    blockNumber: place?.blockNumber ?? null,
    blockTimestamp: place?.blockTimestamp ?? null,
    transactionIndex: place ? quantity(index) : null,
    ...typeFields(tx),
    r: quantity(tx.r),
    s: quantity(tx.s),
  }
}

type TypeFields = Pick<
  RpcTransaction,
  'v' | 'chainId' | 'accessList' | 'yParity' | 'maxFeePerGas' | 'maxPriorityFeePerGas'
>

function typeFields(tx: ChainTransaction): TypeFields {
  if (tx.type === 0) {
    if (tx.chainId === null) return { v: quantity(27 + tx.yParity) }
    return { v: quantity(tx.chainId * 2n + 35n + BigInt(tx.yParity)), chainId: quantity(tx.chainId) }
  }
  const yParity = quantity(tx.yParity)
  const { accessList } = tx
  const typed = { v: yParity, yParity, accessList, chainId: quantity(tx.chainId ?? 0n) }
  if (tx.type === 1) return typed
  return {
    ...typed,
    maxFeePerGas: quantity(tx.gasPrice),
    maxPriorityFeePerGas: quantity(tx.maxPriorityFeePerGas),
  }
}

export function presentLog(log: Log, place: Place, transactionHash: Hash, index: number, logIndex: number): RpcLog {
  return {
    address: log.address,
    topics: log.topics,
    data: toHex(log.data),
    blockHash: place.blockHash,
    blockNumber: place.blockNumber,
    blockTimestamp: place.blockTimestamp,
    transactionHash,
    transactionIndex: quantity(index),
    logIndex: quantity(logIndex),
    removed: false,
  }
}

/** All receipts of a block; `receipts[i]` belongs to `block.transactions[i]`. */
export function presentReceipts({ hash, block }: FinalBlock, receipts: readonly Receipt[]): RpcReceipt[] {
  const place = placeOf(hash, block.header)
  let firstLog = 0
  return receipts.map((receipt, index) => {
    const presented = presentReceipt(block.transactions[index]!, receipts, index, firstLog, place)
    firstLog += receipt.logs.length
    return presented
  })
}

/** One receipt of a block, without presenting the others. */
export function presentReceiptAt({ hash, block }: FinalBlock, receipts: readonly Receipt[], index: number): RpcReceipt {
  let firstLog = 0
  for (let i = 0; i < index; i++) firstLog += receipts[i]!.logs.length
  return presentReceipt(block.transactions[index]!, receipts, index, firstLog, placeOf(hash, block.header))
}

function presentReceipt(
  tx: ChainTransaction,
  receipts: readonly Receipt[],
  index: number,
  firstLog: number,
  place: Place,
): RpcReceipt {
  const receipt = receipts[index]!
  const gasBefore = index === 0 ? 0n : receipts[index - 1]!.cumulativeGasUsed
  return {
    type: quantity(receipt.type),
    status: receipt.status === 1 ? '0x1' : '0x0',
    transactionHash: tx.hash,
    transactionIndex: quantity(index),
    blockHash: place.blockHash,
    blockNumber: place.blockNumber,
    from: tx.sender,
    to: tx.to,
    contractAddress: null,
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    gasUsed: quantity(receipt.cumulativeGasUsed - gasBefore),
    effectiveGasPrice: PAID_GAS_PRICE,
    logs: receipt.logs.map((log, i) => presentLog(log, place, tx.hash, index, firstLog + i)),
    logsBloom: toHex(receipt.logsBloom),
  }
}

/** As eth_syncing answers. */
export function presentSync(status: SyncStatus) {
  if (!status) return false
  return {
    startingBlock: quantity(status.startingBlock),
    currentBlock: quantity(status.currentBlock),
    highestBlock: quantity(status.highestBlock),
  }
}
