/** Sends messages of the envelopes channel to nodes, past a sealer where there is no connection; passes on those of others. */
import type { Address } from '../../core/bytes.js'
import { CHANNEL, type Network } from '../../p2p/network.js'
import type { DeliveryChain } from './deliveryChain.js'
import { type DeliveryMessage, encodeDeliveryMessage } from './messages.js'

export interface RoutesNeeds {
  readonly network: Pick<Network, 'self' | 'send' | 'peers'>
  readonly chain: Pick<DeliveryChain, 'relays'>
}

export class Routes {
  readonly #needs: RoutesNeeds
  #turn = 0

  constructor(needs: RoutesNeeds) {
    this.#needs = needs
  }

  /** False when it could be handed to nobody now. `via`: the peer by which its question came. */
  send(message: DeliveryMessage, via?: Address): boolean {
    const { network, chain } = this.#needs
    const frame = encodeDeliveryMessage(message)
    const connected = network.peers().flatMap((peer) => (peer.connected ? [peer.address] : []))
    if (connected.includes(message.to)) return network.send(message.to, CHANNEL.envelopes, frame)
    if (via !== undefined && connected.includes(via)) return network.send(via, CHANNEL.envelopes, frame)
    const relays = connected.filter((peer) => chain.relays(peer))
    const relay = relays[this.#turn++ % Math.max(1, relays.length)]
    return relay !== undefined && network.send(relay, CHANNEL.envelopes, frame)
  }

  /** One hop: a frame is passed on only when it came from who sent it, or goes to whom this node is connected to. */
  passOn(peer: Address, message: DeliveryMessage, frame: Uint8Array): void {
    if (message.from === peer) this.#needs.network.send(message.to, CHANNEL.envelopes, frame)
  }
}
