import t from 'tap'
import type { Address } from '../../src/core/bytes.js'
import { addressOfPrivateKey, nodeMultiaddr } from '../../src/p2p/identity.js'
import { MemoryHub, MemoryNetwork } from '../../src/p2p/memoryNetwork.js'
import { CHANNEL } from '../../src/p2p/network.js'
import { type Cluster, collect, networkCompliance, until, untilConnected } from '../compliance/network.js'

const keyOf = (index: number): Uint8Array => new Uint8Array(32).fill(index + 1)
const addressOf = (index: number): Address => addressOfPrivateKey(keyOf(index))

function createCluster(count: number): Cluster & { hub: MemoryHub } {
  const hub = new MemoryHub()
  const permitted = new Set(Array.from({ length: count }, (_, i) => addressOf(i)))
  const networks = Array.from({ length: count }, (_, i) => {
    return new MemoryNetwork(hub, {
      self: addressOf(i),
      networkId: 'test',
      admission: (address) => (permitted.has(address) ? 'peer' : 'refused'),
      banMs: 50,
    })
  })
  return {
    hub,
    networks,
    banMs: 50,
    multiaddr: (index) => nodeMultiaddr('127.0.0.1', 7_000 + index, keyOf(index)),
    start: (index) => networks[index]!.start(),
    setPermitted(index, isPermitted) {
      if (isPermitted) permitted.add(addressOf(index))
      else permitted.delete(addressOf(index))
      hub.refresh()
    },
  }
}

t.test('memory network', (t) => networkCompliance(t, async (count) => createCluster(count)))

t.test('a link can be cut and healed', async (t) => {
  const { hub, networks } = createCluster(3)
  for (const network of networks) await network.start()
  const [a, b] = networks
  const frames = collect(b!)
  a!.send(b!.self, CHANNEL.consensus, new Uint8Array(3))
  hub.cut(a!.self, b!.self)
  t.equal(a!.broadcast(CHANNEL.consensus, new Uint8Array(1)), 1, 'only the third is reached')
  hub.heal(a!.self, b!.self)
  await untilConnected(networks)
  a!.send(b!.self, CHANNEL.consensus, new Uint8Array(2))
  await until('the frame after the cut', () => frames.length > 0)
  t.same(
    frames.map(({ frame }) => frame.length),
    [2],
    'what was under way is lost',
  )
})
