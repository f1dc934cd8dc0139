/** A scratch state that remembers which storage words were read or written. */
import type { Address, Hash } from '../core/bytes.js'
import type { AccessListEntry } from '../core/transaction.js'
import { ScratchState } from './scratchState.js'

export class TouchedState extends ScratchState {
  readonly #slots = new Map<Address, Set<Hash>>()

  override storage(address: Address, slot: Hash): Hash {
    this.#touch(address, slot)
    return super.storage(address, slot)
  }

  override setStorage(address: Address, slot: Hash, word: Hash): void {
    this.#touch(address, slot)
    super.setStorage(address, slot, word)
  }

  /** What was touched, also by calls that were undone, after what `named` holds already. */
  accessList(named: readonly AccessListEntry[]): AccessListEntry[] {
    const all = new Map<Address, Set<Hash>>()
    const entries = [...named, ...[...this.#slots].map(([address, slots]) => ({ address, storageKeys: [...slots] }))]
    for (const { address, storageKeys } of entries) {
      const slots = all.get(address) ?? new Set()
      for (const slot of storageKeys) slots.add(slot)
      all.set(address, slots)
    }
    return [...all].map(([address, slots]) => ({ address, storageKeys: [...slots] }))
  }

  #touch(address: Address, slot: Hash): void {
    const slots = this.#slots.get(address)
    if (slots === undefined) this.#slots.set(address, new Set([slot]))
    else slots.add(slot)
  }
}
