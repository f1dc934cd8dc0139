/** Networks over libp2p on the loopback, for tests. */
import { createHash } from 'node:crypto'
import type { Address } from '../../src/core/bytes.js'
import { addressOfPrivateKey } from '../../src/p2p/identity.js'
import { createLibp2pNetwork, type Libp2pNetwork } from '../../src/p2p/libp2pNetwork.js'
import type { NetworkReport } from '../../src/p2p/network.js'
import type { NetworkTuning } from '../../src/p2p/tuning.js'
import type { Cluster } from '../compliance/network.js'

/** A private key for tests, the same in every run. */
export function testKey(index: number): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`p2p test key ${index}`).digest())
}

export const fastTuning: Partial<NetworkTuning> = {
  pingIntervalMs: 100,
  handshakeTimeoutMs: 2_000,
  redialMs: 10,
  redialMsMax: 100,
  banMs: 200,
}

export interface Libp2pCluster extends Cluster {
  readonly networks: readonly Libp2pNetwork[]
  readonly reports: NetworkReport[][]
  readonly permitted: Set<Address>
}

export interface ClusterOptions {
  readonly tuning?: Partial<NetworkTuning>
  /** By index; 'test' when left out. */
  readonly networkIds?: readonly string[]
}

export async function createLibp2pCluster(count: number, options: ClusterOptions = {}): Promise<Libp2pCluster> {
  const tuning = { ...fastTuning, ...options.tuning }
  const permitted = new Set(Array.from({ length: count }, (_, i) => addressOfPrivateKey(testKey(i))))
  const reports: NetworkReport[][] = []
  const networks = await Promise.all(
    Array.from({ length: count }, (_, i) => {
      const seen: NetworkReport[] = []
      reports.push(seen)
      return createLibp2pNetwork({
        privateKey: testKey(i),
        networkId: options.networkIds?.[i] ?? 'test',
        listen: ['/ip4/127.0.0.1/tcp/0'],
        peers: [],
        admission: (address) => (permitted.has(address) ? 'peer' : 'refused'),
        report: (report) => seen.push(report),
        tuning,
      })
    }),
  )
  const started: Libp2pNetwork[] = []
  return {
    networks,
    reports,
    permitted,
    banMs: tuning.banMs ?? 0,
    multiaddr: (index) => networks[index]!.addresses()[0]!,
    async start(index) {
      const network = networks[index]!
      await network.start()
      for (const other of started) {
        other.addPeer({ multiaddr: network.addresses()[0]!, name: `node${index}` })
        network.addPeer({ multiaddr: other.addresses()[0]! })
      }
      started.push(network)
    },
    setPermitted(index, isPermitted) {
      const address = addressOfPrivateKey(testKey(index))
      if (isPermitted) permitted.add(address)
      else permitted.delete(address)
    },
  }
}
