/** Who may send transactions: active members by the contract, and accounts that hold a balance. */
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { membersAbi } from '../contracts/members.abi.js'
import { type Address, asHeight, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import type { StateReader } from '../state/reader.js'
import { ContractAbi } from '../vm/abi.js'
import { callContract } from '../vm/call.js'
import type { ContractRegistry } from '../vm/contract.js'
import { LruMap } from './lru.js'

const ABI = new ContractAbi(membersAbi)
const KNOWN_MAX = 65_536

export class Membership {
  readonly #state: () => StateReader
  readonly #registry: ContractRegistry
  readonly #chainId: bigint
  readonly #known = new LruMap<Address, true>(KNOWN_MAX)

  constructor(state: () => StateReader, registry: ContractRegistry, chainId: number) {
    this.#state = state
    this.#registry = registry
    this.#chainId = BigInt(chainId)
  }

  maySend(address: Address): boolean {
    if (this.#known.get(address)) return true
    const state = this.#state()
    // A balance may be spent at any time; membership ends only by the contract.
    if ((state.account(address)?.balance ?? 0n) > 0n) return true
    const isMember = this.#isActive(state, address)
    if (isMember) this.#known.set(address, true)
    return isMember
  }

  /** The members contract changed: ask it again. */
  forget(): void {
    this.#known.clear()
  }

  #isActive(state: StateReader, userID: Address): boolean {
    const block = {
      number: asHeight(0),
      timestamp: 0,
      chainId: this.#chainId,
      genesisHash: ZERO_HASH,
      sealer: ZERO_ADDRESS,
      gasLimit: 10_000_000n,
    }
    const data = ABI.encodeCall('IdentityAuth', { userID })
    const result = callContract(
      state,
      block,
      { from: userID, to: CONTRACT_ADDRESSES.members, data, value: 0n, gas: undefined },
      this.#registry,
    )
    return result.ok && ABI.decodeResult('IdentityAuth', result.returnData).active
  }
}
