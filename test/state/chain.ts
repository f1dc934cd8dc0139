/** Blocks for tests of the chain store. */
import { randomBytes } from 'node:crypto'
import {
  type Address,
  asHeight,
  EMPTY_BYTES,
  type Hash,
  toAddress,
  toHash,
  uintToWord,
  utf8,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '../../src/core/bytes.js'
import { EMPTY_OMMERS_HASH, type Header } from '../../src/core/header.js'
import { encodeReceipt, type Receipt } from '../../src/core/receipt.js'
import { hashHeader } from '../../src/crypto/header.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { type RecoveredTransaction, signTransaction } from '../../src/crypto/transaction.js'
import type { FinalBlock, GenesisBlock } from '../../src/state/chainStore.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { orderedRoot } from '../../src/state/orderedTrie.js'
import { StateOverlay } from '../../src/state/overlay.js'

export const address = (n: number): Address => toAddress(keccak256(uintToWord(n)).subarray(12))
export const word = (n: number): Hash => toHash(uintToWord(n))

export function headerOf(
  parent: { readonly hash: Hash; readonly header: Header } | undefined,
  overlay: StateOverlay,
  transactions: readonly RecoveredTransaction[],
  receipts: readonly Receipt[],
): Header {
  return {
    parentHash: parent?.hash ?? ZERO_HASH,
    ommersHash: EMPTY_OMMERS_HASH,
    miner: ZERO_ADDRESS,
    stateRoot: overlay.root(),
    transactionsRoot: orderedRoot(transactions.map(({ raw }) => raw)),
    receiptsRoot: orderedRoot(receipts.map(encodeReceipt)),
    logsBloom: new Uint8Array(256),
    difficulty: 1n,
    number: asHeight(parent === undefined ? 0 : parent.header.number + 1),
    gasLimit: 30_000_000n,
    gasUsed: 21_000n * BigInt(transactions.length),
    timestamp: 1_700_000_000,
    extraData: new Uint8Array(97),
    mixHash: ZERO_HASH,
    nonce: new Uint8Array(8),
    baseFeePerGas: 0n,
  }
}

export function genesisOf(edit: (overlay: StateOverlay) => void): GenesisBlock {
  const overlay = new StateOverlay(EMPTY_STATE)
  edit(overlay)
  const header = headerOf(undefined, overlay, [], [])
  return { block: { header, transactions: [] }, hash: hashHeader(header), overlay }
}

/** The block after `parent` with the state that `overlay` holds. */
export function blockOn(
  parent: { readonly hash: Hash; readonly header: Header },
  overlay: StateOverlay,
  transactions: readonly RecoveredTransaction[] = [],
  receipts: readonly Receipt[] = transactions.map((_, i) => receiptOf(i)),
): FinalBlock & { readonly header: Header } {
  const header = headerOf(parent, overlay, transactions, receipts)
  const hash = hashHeader(header)
  return {
    header,
    block: { header, transactions },
    hash,
    receipts,
    certificate: utf8(`certificate of ${header.number}`),
    overlay,
  }
}

export function receiptOf(index: number): Receipt {
  return {
    type: 2,
    status: index % 2 === 0 ? 1 : 0,
    cumulativeGasUsed: 21_000n * BigInt(index + 1),
    logsBloom: new Uint8Array(256).fill(index),
    logs: [{ address: address(index), topics: [word(index)], data: utf8(`log ${index}`) }],
  }
}

export function signedTransaction(nonce: number, type: 0 | 2 = 2): RecoveredTransaction {
  return signTransaction(
    {
      type,
      chainId: 7n,
      nonce: BigInt(nonce),
      gasPrice: 0n,
      maxPriorityFeePerGas: 0n,
      gasLimit: 100_000n,
      to: address(1),
      value: 0n,
      data: nonce % 3 === 0 ? EMPTY_BYTES : new Uint8Array(randomBytes(50)),
      accessList: [],
    },
    keccak256(uintToWord(nonce + 1)),
  )
}
