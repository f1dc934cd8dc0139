/** What execution and queries may ask of a state. */
import type { Address, Hash } from '../core/bytes.js'
import type { Account } from './account.js'

export interface StateReader {
  /** Undefined when the account does not exist. */
  account(address: Address): Account | undefined
  /** 32-byte word; ZERO_HASH when the slot was never set or was cleared. */
  storage(address: Address, slot: Hash): Hash
  /** Empty when the account has no code. The bytes are shared: do not change them. */
  code(address: Address): Uint8Array
}
