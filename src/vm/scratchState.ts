/** A state in memory over a reader: what a call changes and then forgets. */
import type { Address, Hash } from '../core/bytes.js'
import { type Account, EMPTY_ACCOUNT } from '../state/account.js'
import type { StateReader } from '../state/reader.js'
import type { MutableState } from './state.js'

export class ScratchState implements MutableState {
  readonly #base: StateReader
  readonly #accounts = new Map<Address, Account>()
  readonly #words = new Map<string, Hash>()
  readonly #undo: (() => void)[] = []

  constructor(base: StateReader) {
    this.#base = base
  }

  account(address: Address): Account | undefined {
    return this.#accounts.get(address) ?? this.#base.account(address)
  }

  storage(address: Address, slot: Hash): Hash {
    if (this.#words.size === 0) return this.#base.storage(address, slot)
    return this.#words.get(address + slot) ?? this.#base.storage(address, slot)
  }

  code(address: Address): Uint8Array {
    return this.#base.code(address)
  }

  setNonce(address: Address, nonce: bigint): void {
    this.#setAccount(address, { ...(this.account(address) ?? EMPTY_ACCOUNT), nonce })
  }

  setBalance(address: Address, balance: bigint): void {
    this.#setAccount(address, { ...(this.account(address) ?? EMPTY_ACCOUNT), balance })
  }

  setStorage(address: Address, slot: Hash, word: Hash): void {
    this.#set(this.#words, address + slot, word)
  }

  checkpoint(): number {
    return this.#undo.length
  }

  revert(checkpoint: number): void {
    while (this.#undo.length > checkpoint) this.#undo.pop()!()
  }

  #setAccount(address: Address, account: Account): void {
    this.#set(this.#accounts, address, account)
  }

  #set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const before = map.get(key)
    this.#undo.push(before === undefined ? () => map.delete(key) : () => map.set(key, before))
    map.set(key, value)
  }
}
