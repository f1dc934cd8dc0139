/** What the members contract says of an account: who may send transactions, and who may connect. */
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { isActive, readMemberHead } from '../contracts/membersStorage.js'
import type { Address } from '../core/bytes.js'
import type { StateReader } from '../state/reader.js'
import { readHost } from '../vm/host.js'
import { LruMap } from './lru.js'

const KNOWN_MAX = 65_536

/** `unknown`: never registered. */
export type Standing = 'active' | 'inactive' | 'unknown'

export class Membership {
  readonly #state: () => StateReader
  readonly #active = new LruMap<Address, true>(KNOWN_MAX)

  constructor(state: () => StateReader) {
    this.#state = state
  }

  /** Active members, and accounts that hold a balance, which may be spent at any time. */
  maySend(address: Address): boolean {
    return this.standing(address) === 'active' || (this.#state().account(address)?.balance ?? 0n) > 0n
  }

  standing(address: Address): Standing {
    if (this.#active.get(address)) return 'active'
    const head = readMemberHead(readHost(this.#state(), CONTRACT_ADDRESSES.members), address)
    if (head.role === 0) return 'unknown'
    if (!isActive(head)) return 'inactive'
    this.#active.set(address, true)
    return 'active'
  }

  /** The members contract changed: ask it again. */
  forget(): void {
    this.#active.clear()
  }
}
