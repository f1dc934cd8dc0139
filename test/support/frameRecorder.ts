/** A peer with a permitted key that keeps every frame it hears: what a member's node on the network can see. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { NetworkFile } from '../../src/cli/network/file.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { listenMultiaddr, nodeMultiaddr } from '../../src/p2p/identity.js'
import { createLibp2pNetwork, type Libp2pNetwork } from '../../src/p2p/libp2pNetwork.js'

export class FrameRecorder {
  readonly frames: Uint8Array[] = []
  readonly #key = randomBytes(32)
  #host: Libp2pNetwork | undefined

  constructor(
    private readonly network: NetworkFile,
    private readonly port: number,
  ) {}

  /** Permits the recorder in the nodes' configurations. Before the nodes start. */
  install(dir: string): void {
    const address = privateKeyToAddress(this.#key)
    const multiaddr = nodeMultiaddr('127.0.0.1', this.port, this.#key)
    for (const { name } of this.network.nodes) {
      const path = join(dir, name, 'config.yaml')
      const config = parse(readFileSync(path, 'utf8')) as { p2p: { peers: unknown[] } }
      config.p2p.peers.push({ name: 'recorder', address, multiaddr })
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
    this.#host.onFrame((_from, _channel, frame) => void this.frames.push(frame.slice()))
    await this.#host.start()
  }

  async stop(): Promise<void> {
    await this.#host?.stop()
  }
}
