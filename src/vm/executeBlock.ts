/** The transactions of a block, in order, on one state: the same code builds a block and checks one. */
import { CodedError } from '../core/codedError.js'
import { blockBytesMax, headerBytesMax } from '../core/limits.js'
import type { Receipt } from '../core/receipt.js'
import { bloomBytes, logsBloom, mergeBloom } from '../crypto/bloom.js'
import type { RecoveredTransaction } from '../crypto/transaction.js'
import type { BlockContext, ContractRegistry } from './contract.js'
import {
  checkTransaction,
  executeTransaction,
  type InvalidReason,
  type TransactionOutcome,
} from './executeTransaction.js'
import { GAS_TRANSACTION, intrinsicGas } from './gas.js'
import type { MutableState } from './state.js'

/** Why a proposer leaves a transaction out: BLOCK_... may fit another block, the rest is as in checkTransaction. */
export type SkipReason = InvalidReason | 'BLOCK_GAS' | 'BLOCK_BYTES'

export type Attempt =
  | { readonly ok: true; readonly outcome: TransactionOutcome }
  | { readonly ok: false; readonly skip: SkipReason }

export interface BlockResult {
  readonly receipts: readonly Receipt[]
  readonly outcomes: readonly TransactionOutcome[]
  readonly gasUsed: bigint
  /** 256 bytes: all bits of the receipts' blooms. */
  readonly logsBloom: Uint8Array
}

export interface BlockErrorData {
  /** Place of the transaction in the block. */
  readonly index: number
  readonly reason: SkipReason
}

/** A block whose transactions cannot be executed in its order. */
export class BlockError extends CodedError<'INVALID_TRANSACTION'> {
  constructor(
    readonly data: BlockErrorData,
    tx: RecoveredTransaction,
  ) {
    super('INVALID_TRANSACTION', `transaction ${data.index} (${tx.hash}) is not valid here: ${data.reason}`)
  }
}

/** RLP framing of one transaction in a block, in bytes. */
const FRAMING_BYTES = 4
/** Transactions of one block, in bytes: what the header and the framing of the block leave. */
export const blockTransactionsBytesMax = blockBytesMax - headerBytesMax - 16

/** A block in the making on `state`, which takes the effects of every transaction that fits. */
export class BlockExecution {
  readonly transactions: RecoveredTransaction[] = []
  readonly #receipts: Receipt[] = []
  readonly #outcomes: TransactionOutcome[] = []
  readonly #bloom = new Uint8Array(bloomBytes)
  #gasUsed = 0n
  #bytes = 0

  /** `bytesMax`: cap on the transactions' bytes, framing included. */
  constructor(
    readonly state: MutableState,
    readonly block: BlockContext,
    readonly registry: ContractRegistry,
    readonly bytesMax: number = blockTransactionsBytesMax,
  ) {}

  get gasUsed(): bigint {
    return this.#gasUsed
  }

  /** RLP bytes of the transactions so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** True when not even the smallest transaction fits any more. */
  get full(): boolean {
    return this.block.gasLimit - this.#gasUsed < GAS_TRANSACTION || this.bytesMax - this.#bytes < 100
  }

  /** Executes and takes the transaction, or says why not and leaves everything as it was. */
  tryTransaction(tx: RecoveredTransaction): Attempt {
    const intrinsic = intrinsicGas(tx)
    const skip = this.#check(tx, intrinsic)
    if (skip !== undefined) return { ok: false, skip }
    const outcome = executeTransaction(this.state, this.block, tx, this.registry, intrinsic)
    this.#gasUsed += outcome.gasUsed
    this.#bytes += tx.raw.length + FRAMING_BYTES
    const bloom = logsBloom(outcome.logs)
    mergeBloom(this.#bloom, bloom)
    this.transactions.push(tx)
    this.#outcomes.push(outcome)
    this.#receipts.push({
      type: tx.type,
      status: outcome.status,
      cumulativeGasUsed: this.#gasUsed,
      logsBloom: bloom,
      logs: outcome.logs,
    })
    return { ok: true, outcome }
  }

  result(): BlockResult {
    return { receipts: this.#receipts, outcomes: this.#outcomes, gasUsed: this.#gasUsed, logsBloom: this.#bloom }
  }

  #check(tx: RecoveredTransaction, intrinsic: bigint): SkipReason | undefined {
    if (this.#bytes + tx.raw.length + FRAMING_BYTES > this.bytesMax) return 'BLOCK_BYTES'
    const gasLeft = this.block.gasLimit - this.#gasUsed
    const reason = checkTransaction(this.state, this.block, tx, gasLeft, intrinsic)
    return reason === 'GAS_LIMIT_ABOVE_BLOCK' && tx.gasLimit <= this.block.gasLimit ? 'BLOCK_GAS' : reason
  }
}

/** Executes a whole block on `state`. Throws BlockError naming the first transaction that is not valid in its place. */
export function executeBlock(
  state: MutableState,
  block: BlockContext,
  transactions: readonly RecoveredTransaction[],
  registry: ContractRegistry,
): BlockResult {
  const execution = new BlockExecution(state, block, registry)
  transactions.forEach((tx, index) => {
    const attempt = execution.tryTransaction(tx)
    if (!attempt.ok) throw new BlockError({ index, reason: attempt.skip }, tx)
  })
  return execution.result()
}
