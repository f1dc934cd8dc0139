/** The state that execution works on; state/overlay.ts is one, ScratchState (call.ts) another. */
import type { Address, Hash } from '../core/bytes.js'
import type { StateReader } from '../state/reader.js'

export interface MutableState extends StateReader {
  /** Creates the account when it does not exist. */
  setNonce(address: Address, nonce: bigint): void
  /** In wei. Creates the account when it does not exist. */
  setBalance(address: Address, balance: bigint): void
  /** ZERO_HASH clears the slot. */
  setStorage(address: Address, slot: Hash, word: Hash): void
  /** Mark to which `revert` goes back; marks nest. */
  checkpoint(): number
  /** Undoes every change since the mark. */
  revert(checkpoint: number): void
}
