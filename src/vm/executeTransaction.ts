/** One transaction on a state: validity, nonce, transfer, contract call, gas. Gas is counted but never paid for. */
import { type Address, EMPTY_BYTES } from '../core/bytes.js'
import type { Log } from '../core/receipt.js'
import type { RecoveredTransaction } from '../crypto/transaction.js'
import type { StateReader } from '../state/reader.js'
import { type BlockContext, type ContractRegistry, ContractRevert } from './contract.js'
import { GAS_TRANSFER, GasMeter, intrinsicGas, OutOfGas } from './gas.js'
import { runCall } from './host.js'
import type { MutableState } from './state.js'

/** Why a transaction cannot be in a block on this state. */
export type InvalidReason =
  | 'WRONG_CHAIN'
  | 'CONTRACT_CREATION'
  | 'NONCE_TOO_LOW'
  | 'NONCE_TOO_HIGH'
  | 'GAS_LIMIT_ABOVE_BLOCK'
  | 'INTRINSIC_GAS'
  | 'INSUFFICIENT_FUNDS'

/** Effects of a valid transaction, which may have failed: then only its nonce and gas count. */
export interface TransactionOutcome {
  readonly status: 0 | 1
  readonly gasUsed: bigint
  readonly logs: readonly Log[]
  /** Output of the contract; empty when the transaction failed. */
  readonly returnData: Uint8Array
  /** ABI-encoded error; with REVERTED. */
  readonly revertData?: Uint8Array
  readonly error?: 'REVERTED' | 'OUT_OF_GAS'
}

const NO_LOGS: readonly Log[] = Object.freeze([])

/**
 * Undefined when the transaction may be executed now. `gasLeft` is what remains of the block's gas limit. Field ranges and
 * the signature have been checked by decoding and recovering.
 */
export function checkTransaction(
  state: StateReader,
  block: BlockContext,
  tx: RecoveredTransaction,
  gasLeft: bigint = block.gasLimit,
  intrinsic: bigint = intrinsicGas(tx),
): InvalidReason | undefined {
  if (tx.chainId !== block.chainId) return 'WRONG_CHAIN'
  if (tx.to === null) return 'CONTRACT_CREATION'
  if (tx.gasLimit > gasLeft) return 'GAS_LIMIT_ABOVE_BLOCK'
  if (tx.gasLimit < intrinsic) return 'INTRINSIC_GAS'
  const account = state.account(tx.sender)
  const nonce = account?.nonce ?? 0n
  if (tx.nonce < nonce) return 'NONCE_TOO_LOW'
  if (tx.nonce > nonce) return 'NONCE_TOO_HIGH'
  if (tx.value > (account?.balance ?? 0n)) return 'INSUFFICIENT_FUNDS'
  return undefined
}

/** Executes a transaction for which checkTransaction gave no reason. */
export function executeTransaction(
  state: MutableState,
  block: BlockContext,
  tx: RecoveredTransaction,
  registry: ContractRegistry,
  intrinsic: bigint = intrinsicGas(tx),
): TransactionOutcome {
  state.setNonce(tx.sender, tx.nonce + 1n)
  return executeMessage(state, block, registry, {
    from: tx.sender,
    to: tx.to as Address,
    value: tx.value,
    data: tx.data,
    gas: Number(tx.gasLimit),
    intrinsic: Number(intrinsic),
  })
}

export interface Message {
  readonly from: Address
  readonly to: Address
  /** In wei; `from` has to have it. */
  readonly value: bigint
  readonly data: Uint8Array
  /** Gas limit, at least `intrinsic`. */
  readonly gas: number
  readonly intrinsic: number
}

/** Transfer and call, without nonce: what transactions and calls share. On failure everything is undone. */
export function executeMessage(
  state: MutableState,
  block: BlockContext,
  registry: ContractRegistry,
  message: Message,
): TransactionOutcome {
  const { from, to, value } = message
  const meter = new GasMeter(message.gas)
  const logs: Log[] = []
  const mark = state.checkpoint()
  try {
    meter.charge(message.intrinsic)
    if (value !== 0n) {
      meter.charge(GAS_TRANSFER)
      transfer(state, from, to, value)
    }
    const execution = { state, block, registry, origin: from, meter, logs }
    const returnData = runCall(execution, { caller: from, to, value, input: message.data, static: false, depth: 0 })
    return { status: 1, gasUsed: BigInt(meter.used), logs, returnData }
  } catch (error) {
    if (!(error instanceof ContractRevert || error instanceof OutOfGas)) throw error
    state.revert(mark)
    const failed = { status: 0, gasUsed: BigInt(meter.used), logs: NO_LOGS, returnData: EMPTY_BYTES } as const
    if (error instanceof OutOfGas) return { ...failed, error: 'OUT_OF_GAS' }
    return { ...failed, error: 'REVERTED', revertData: error.data }
  }
}

function transfer(state: MutableState, from: Address, to: Address, value: bigint): void {
  state.setBalance(from, (state.account(from)?.balance ?? 0n) - value)
  state.setBalance(to, (state.account(to)?.balance ?? 0n) + value)
}
