import { createServer, type Socket, connect as tcpConnect } from 'node:net'
import t from 'tap'
import { addressOfPrivateKey, nodeMultiaddr } from '../../src/p2p/identity.js'
import { createLibp2pNetwork, type Libp2pNetworkOptions } from '../../src/p2p/libp2pNetwork.js'
import { CHANNEL } from '../../src/p2p/network.js'
import { collect, networkCompliance, until, untilConnected } from '../compliance/network.js'
import { createLibp2pCluster, fastTuning, testKey } from './cluster.js'

const portOf = (multiaddr: string): number => Number(multiaddr.split('/')[4])

t.test('libp2p network', (t) => networkCompliance(t, createLibp2pCluster))

t.test('one connection remains where both sides dial at once, again and again', async (t) => {
  for (let round = 0; round < 4; round++) {
    const { networks, start } = await createLibp2pCluster(2)
    await Promise.all([start(0), start(1)])
    await untilConnected(networks)
    const frames = networks.map(collect)
    const [a, b] = networks
    await until('frames both ways', () => {
      a!.send(b!.self, CHANNEL.consensus, new Uint8Array(1))
      b!.send(a!.self, CHANNEL.consensus, new Uint8Array(1))
      return frames.every((list) => list.length > 0)
    })
    await Promise.all(networks.map((network) => network.stop()))
  }
  t.pass('four rounds')
})

t.test('a node that comes back under another port and the same key is reached again', async (t) => {
  const { networks, start, permitted } = await createLibp2pCluster(2)
  t.teardown(() => networks[0]!.stop())
  await start(0)
  await start(1)
  await untilConnected(networks)
  await networks[1]!.stop()
  const again = await createLibp2pNetwork({
    privateKey: testKey(1),
    networkId: 'test',
    listen: ['/ip4/127.0.0.1/tcp/0'],
    peers: [{ multiaddr: networks[0]!.addresses()[0]! }],
    admission: (address) => (permitted.has(address) ? 'peer' : 'refused'),
    tuning: fastTuning,
  })
  t.teardown(() => again.stop())
  await again.start()
  await untilConnected([networks[0]!, again])
})

t.test('sustained load in both directions loses nothing and keeps the connection', async (t) => {
  const { networks, start } = await createLibp2pCluster(2)
  t.teardown(() => Promise.all(networks.map((network) => network.stop())))
  await start(0)
  await start(1)
  await untilConnected(networks)
  const inboxes = networks.map(collect)
  let losses = 0
  for (const network of networks) network.onPeer(() => losses++)
  const largeCount = 12
  const smallCount = 20_000
  const pump = async (from: number): Promise<void> => {
    const network = networks[from]!
    const to = networks[1 - from]!.self
    let large = 0
    let small = 0
    await until(
      'room for everything',
      () => {
        while (large < largeCount && network.send(to, CHANNEL.blocks, new Uint8Array(2 * 1024 * 1024))) large++
        while (small < smallCount && network.send(to, CHANNEL.transactions, new Uint8Array(200))) small++
        return large === largeCount && small === smallCount
      },
      60_000,
    )
  }
  await Promise.all([pump(0), pump(1)])
  await until('all frames', () => inboxes.every((inbox) => inbox.length === largeCount + smallCount), 60_000)
  t.equal(losses, 0)
})

t.test('round trips are measured', async (t) => {
  const { networks, start } = await createLibp2pCluster(2)
  t.teardown(() => Promise.all(networks.map((network) => network.stop())))
  await start(0)
  await start(1)
  await until('a measured round trip', () => networks.every((network) => (network.peers()[0]?.rttMs ?? -1) >= 0))
})

t.test('nodes of different chains do not talk, and say why', async (t) => {
  const { networks, start, reports } = await createLibp2pCluster(2, { networkIds: ['chain one', 'chain two'] })
  t.teardown(() => Promise.all(networks.map((network) => network.stop())))
  await start(0)
  await start(1)
  await until('a failed dial', () => reports.flat().some((report) => report.code === 'DIAL_FAILED'))
  const failure = reports.flat().find((report) => report.code === 'DIAL_FAILED')
  t.match(failure?.message, /another chain or version/)
  t.notOk(networks.some((network) => network.peers().some((peer) => peer.connected)))
})

t.test('a peer with another key than its multiaddr names is not connected', async (t) => {
  const { networks, start, reports, permitted } = await createLibp2pCluster(2)
  t.teardown(() => Promise.all(networks.map((network) => network.stop())))
  await start(0)
  await networks[1]!.start()
  permitted.add(addressOfPrivateKey(testKey(7)))
  const port = portOf(networks[1]!.addresses()[0]!)
  networks[0]!.addPeer({ multiaddr: nodeMultiaddr('127.0.0.1', port, testKey(7)) })
  await until('a failed dial', () => reports[0]!.some((report) => report.code === 'DIAL_FAILED'))
  t.notOk(networks[0]!.peers().some((peer) => peer.connected))
})

interface Proxy {
  readonly port: number
  silence(): void
  restore(): void
  close(): void
}

/** Forwards TCP to `port` until told to swallow everything in both directions, as a cut cable does. */
async function createProxy(port: number): Promise<Proxy> {
  const sockets: Socket[] = []
  let isSilent = false
  const server = createServer((inbound) => {
    const outbound = tcpConnect(port, '127.0.0.1')
    sockets.push(inbound, outbound)
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      from.on('data', (data) => {
        if (!isSilent) to.write(data)
      })
      from.on('error', () => {})
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    silence: () => {
      isSilent = true
    },
    restore: () => {
      isSilent = false
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

t.test('a connection that falls silent is closed on both sides though TCP stays open', async (t) => {
  const { networks, reports } = await createLibp2pCluster(2, { tuning: { pingTimeoutMs: 500 } })
  const [a, b] = networks
  t.teardown(() => Promise.all([a!.stop(), b!.stop()]))
  await a!.start()
  await b!.start()
  const proxy = await createProxy(portOf(b!.addresses()[0]!))
  t.teardown(() => proxy.close())
  a!.addPeer({ multiaddr: nodeMultiaddr('127.0.0.1', proxy.port, testKey(1)) })
  await untilConnected(networks)
  proxy.silence()
  await until('two timeouts', () => reports.every((seen) => seen.some(({ code }) => code === 'PING_TIMEOUT')))
  t.notOk(networks.some((network) => network.peers().some((peer) => peer.connected)))
  proxy.restore()
  await untilConnected(networks)
})

t.test('addresses that cannot be used are named', async (t) => {
  const options: Libp2pNetworkOptions = {
    privateKey: testKey(0),
    networkId: 'test',
    listen: [],
    peers: [],
    admission: () => 'refused',
  }
  const withPeer = (multiaddr: string): Promise<unknown> => createLibp2pNetwork({ ...options, peers: [{ multiaddr }] })
  await t.rejects(withPeer('/ip4/127.0.0.1/tcp/1'), { code: 'ADDRESS_INVALID', message: /add \/p2p\// })
  await t.rejects(withPeer('nonsense'), { code: 'ADDRESS_INVALID', message: /nonsense/ })
  await t.rejects(withPeer('/ip4/127.0.0.1/udp/1/p2p/16Uiu2'), { code: 'ADDRESS_INVALID' })
  const ed25519 = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
  await t.rejects(withPeer(`/ip4/127.0.0.1/tcp/1/p2p/${ed25519}`), { code: 'ADDRESS_INVALID', message: /secp256k1/ })
  await t.rejects(createLibp2pNetwork({ ...options, privateKey: new Uint8Array(32) }), { code: 'ADDRESS_INVALID' })
  await t.rejects(createLibp2pNetwork({ ...options, listen: ['/dns/x'] }), { code: 'ADDRESS_INVALID' })
})

t.test('a port that is taken is named', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const network = await createLibp2pNetwork({
    privateKey: testKey(0),
    networkId: 'test',
    listen: [`/ip4/127.0.0.1/tcp/${port}`],
    peers: [],
    admission: () => 'refused',
  })
  await t.rejects(network.start(), { code: 'LISTEN_FAILED', message: new RegExp(String(port)) })
  await network.stop()
})
