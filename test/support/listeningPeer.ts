/** A peer with a permitted key that hears what the nodes of a local network send to each other, and says nothing. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { NetworkFile } from '../../src/cli/network/file.js'
import type { Address } from '../../src/core/bytes.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { listenMultiaddr, nodeMultiaddr } from '../../src/p2p/identity.js'
import { createLibp2pNetwork, type Libp2pNetwork } from '../../src/p2p/libp2pNetwork.js'
import type { Channel } from '../../src/p2p/network.js'

export abstract class ListeningPeer {
  readonly #key = randomBytes(32)
  #host: Libp2pNetwork | undefined

  constructor(
    protected readonly network: NetworkFile,
    private readonly port: number,
  ) {}

  /** A frame, valid for the time of the call. */
  protected abstract hear(from: Address, channel: Channel, frame: Uint8Array): void

  /** Permits this peer in the nodes' configurations. Before the nodes start. */
  install(dir: string): void {
    const address = privateKeyToAddress(this.#key)
    const multiaddr = nodeMultiaddr('127.0.0.1', this.port, this.#key)
    for (const { name } of this.network.nodes) {
      const path = join(dir, name, 'config.yaml')
      const config = parse(readFileSync(path, 'utf8')) as { p2p: { peers: unknown[] } }
      config.p2p.peers.push({ name: 'listener', address, multiaddr })
      writeFileSync(path, stringify(config))
    }
  }

  async start(): Promise<void> {
    const known = new Set(this.network.nodes.map(({ address }) => address))
    this.#host = await createLibp2pNetwork({
      privateKey: this.#key,
      networkId: this.network.genesisHash,
      listen: [listenMultiaddr('127.0.0.1', this.port)],
      peers: this.network.nodes.map(({ name, p2p }) => ({ name, multiaddr: p2p })),
      admission: (address) => (known.has(address) ? 'peer' : 'refused'),
    })
    this.#host.onFrame((from, channel, frame) => this.hear(from, channel, frame))
    await this.#host.start()
  }

  async stop(): Promise<void> {
    await this.#host?.stop()
  }
}
