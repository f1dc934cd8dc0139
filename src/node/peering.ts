/**
 * Who may connect and who is dialled, as the final chain and the configuration say. Sealers and configured peers always
 * have a place, other active members observe; sealers and volunteers with an address on chain are dialled by everyone, so
 * that whoever knows one peer ends in the full mesh that votes need.
 */
import type { SealerSet } from '../consensus/types.js'
import type { Address } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { parsePeerMultiaddr } from '../p2p/identity.js'
import type { Admission, Network, StaticPeer } from '../p2p/network.js'
import type { Standing } from './membership.js'

export interface PeeringNeeds {
  readonly self: Address
  readonly configured: readonly StaticPeer[]
  /** Sealers of the next block. */
  readonly set: () => SealerSet
  readonly standing: (address: Address) => Standing
  /** Multiaddrs of sealers and volunteers by the final state; each a member's own claim. */
  readonly onChain: () => ReadonlyMap<Address, string>
  readonly log: (message: string, fields: Record<string, unknown>) => void
}

type Dialling = Pick<Network, 'addPeer' | 'removePeer'>

export class Peering {
  readonly #needs: PeeringNeeds
  readonly #configured: ReadonlySet<Address>
  /** Dialled because the chain says so: the multiaddr of each. */
  readonly #dialled = new Map<Address, string>()
  #of: SealerSet | undefined
  #sealers: ReadonlySet<Address> = new Set()

  /** Throws NetworkError ADDRESS_INVALID for a configured peer. */
  constructor(needs: PeeringNeeds) {
    this.#needs = needs
    this.#configured = new Set(needs.configured.map(({ multiaddr }) => parsePeerMultiaddr(multiaddr).address))
  }

  isSealer(address: Address): boolean {
    const set = this.#needs.set()
    if (set !== this.#of) {
      this.#of = set
      this.#sealers = new Set(set.sealers.map((sealer) => sealer.address))
    }
    return this.#sealers.has(address)
  }

  /** A member that was suspended has no place, whatever the configuration says, unless it still seals. */
  admission(address: Address): Admission {
    if (this.isSealer(address)) return 'peer'
    const standing = this.#needs.standing(address)
    if (standing === 'inactive') return 'refused'
    if (this.#configured.has(address)) return 'peer'
    return standing === 'active' ? 'guest' : 'refused'
  }

  /** Dials whom the final state names now, and nobody whom it has ceased to name. Configured multiaddrs go before those on chain. */
  refresh(network: Dialling): void {
    const named = this.#needs.onChain()
    for (const [address, multiaddr] of this.#dialled) {
      if (named.get(address) === multiaddr && this.admission(address) !== 'refused') continue
      network.removePeer(address)
      this.#dialled.delete(address)
    }
    for (const [address, multiaddr] of named) {
      if (address === this.#needs.self || this.#configured.has(address) || this.#dialled.has(address)) continue
      if (this.admission(address) === 'refused') continue
      this.#dialled.set(address, multiaddr)
      this.#dial(network, address, multiaddr)
    }
  }

  #dial(network: Dialling, address: Address, multiaddr: string): void {
    try {
      const peer = parsePeerMultiaddr(multiaddr)
      if (peer.address === address) network.addPeer({ multiaddr })
      else this.#needs.log('the address on chain names the key of another node', { peer: address, multiaddr })
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      this.#needs.log('the address on chain cannot be dialled', { peer: address, reason: error.message })
    }
  }
}
