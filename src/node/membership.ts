/** What the members contract says of an account: who may send transactions, and who may connect. */
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { SIGNER_KIND } from '../contracts/codes.js'
import { isActive, isReplaced, memberOf, readSigner } from '../contracts/membersStorage.js'
import type { Address } from '../core/bytes.js'
import type { StateReader } from '../state/reader.js'
import type { ContractHost } from '../vm/contract.js'
import { readHost } from '../vm/host.js'
import { LruMap } from './lru.js'

const KNOWN_MAX = 65_536

/** `sender`: acts for an active member, but is none of its nodes. `inactive`: suspended, revoked or replaced. `unknown`: never registered. */
export type Standing = 'active' | 'sender' | 'inactive' | 'unknown'

export class Membership {
  readonly #state: () => StateReader
  readonly #active = new LruMap<Address, 'active' | 'sender'>(KNOWN_MAX)

  constructor(state: () => StateReader) {
    this.#state = state
  }

  /** Keys of active members, and accounts that hold a balance, which may be spent at any time. */
  maySend(address: Address): boolean {
    const standing = this.standing(address)
    return standing === 'active' || standing === 'sender' || (this.#state().account(address)?.balance ?? 0n) > 0n
  }

  standing(address: Address): Standing {
    const kept = this.#active.get(address)
    if (kept !== undefined) return kept
    const standing = standingOf(readHost(this.#state(), CONTRACT_ADDRESSES.members), address)
    if (standing === 'active' || standing === 'sender') this.#active.set(address, standing)
    return standing
  }

  /** The members contract changed: ask it again. */
  forget(): void {
    this.#active.clear()
  }
}

function standingOf(host: ContractHost, address: Address): Standing {
  if (isReplaced(host, address)) return 'inactive'
  const { account, head } = memberOf(host, address)
  if (head.role === 0) return 'unknown'
  if (!isActive(head)) return 'inactive'
  return account !== address && readSigner(host, address).kind === SIGNER_KIND.service ? 'sender' : 'active'
}
