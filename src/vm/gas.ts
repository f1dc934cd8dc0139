/**
 * Gas: bounds what a block may cost, though nobody pays for it. Figures are Ethereum's where it has one and it is flat here:
 * there are no cold and warm prices, no refunds and no share held back for a caller, so gas used does not depend on history
 * or on the limit.
 */
import { assert } from '../core/assert.js'
import type { Transaction } from '../core/transaction.js'

/** Any transaction (yellow paper, G_transaction). */
export const GAS_TRANSACTION = 21_000
/** Byte of calldata (EIP-2028). */
export const GAS_ZERO_BYTE = 4
export const GAS_NONZERO_BYTE = 16
/** Access list (EIP-2930). */
export const GAS_ACCESS_ADDRESS = 2_400
export const GAS_ACCESS_KEY = 1_900
/** Storage word read: a map lookup, or a database read of about 3 µs. */
export const GAS_LOAD = 200
/** Storage word written: one update of the storage trie, about 10 µs. */
export const GAS_STORE = 5_000
/** Account touched by a transfer of value: one update of the account trie. */
export const GAS_TRANSFER = 9_000
/** Log, each topic of it (bloom and receipt), each byte of data (yellow paper). */
export const GAS_LOG = 375
export const GAS_LOG_TOPIC = 375
export const GAS_LOG_BYTE = 8
/** keccak256 and each 32-byte word of its input (yellow paper). */
export const GAS_KECCAK = 30
export const GAS_KECCAK_WORD = 6
/** Signer of a digest recovered: about 50 µs (yellow paper, the ecrecover precompile). */
export const GAS_RECOVER = 3_000
/** Element of ristretto255 taken from its encoding, or encoded: about 150 µs. */
export const GAS_ELEMENT = 9_000
/** Element of ristretto255 times a scalar: about 1 ms. */
export const GAS_ELEMENT_MULTIPLY = 60_000
/** Call of another contract. */
export const GAS_CALL = 700
/** Word of input that a contract decodes or of output that it returns. */
export const GAS_WORD = 3
/** One step of a loop in contract code (about 100 ns). */
export const GAS_STEP = 20

/** Thrown when a meter is exhausted: the transaction reverts and uses its whole gas limit. */
export class OutOfGas extends Error {
  override readonly name = 'OutOfGas'
}

/** Counts the gas of one transaction or call. */
export class GasMeter {
  #left: number

  /** `limit` in gas, below 2^53. */
  constructor(readonly limit: number) {
    assert(Number.isSafeInteger(limit) && limit >= 0, 'gas limit must be an unsigned integer below 2^53')
    this.#left = limit
  }

  get used(): number {
    return this.limit - this.#left
  }

  charge(gas: number): void {
    this.#left -= gas
    if (this.#left < 0) {
      this.#left = 0
      throw new OutOfGas('out of gas')
    }
  }
}

/** Gas that a transaction uses before any contract runs, in gas. */
export function intrinsicGas(tx: Pick<Transaction, 'data' | 'accessList'>): bigint {
  return BigInt(calldataGas(tx.data) + accessListGas(tx.accessList) + GAS_TRANSACTION)
}

function calldataGas(data: Uint8Array): number {
  let zeros = 0
  for (let i = 0; i < data.length; i++) if (data[i] === 0) zeros++
  return zeros * GAS_ZERO_BYTE + (data.length - zeros) * GAS_NONZERO_BYTE
}

function accessListGas(list: Transaction['accessList']): number {
  let gas = 0
  for (const entry of list) gas += GAS_ACCESS_ADDRESS + entry.storageKeys.length * GAS_ACCESS_KEY
  return gas
}
