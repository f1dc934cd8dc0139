/** What every Network must do. `createCluster` builds n networks that are to connect to each other. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { type Address, ZERO_ADDRESS } from '../../src/core/bytes.js'
import { blocksFrameBytesMax, consensusFrameBytesMax, transactionsQueueBytesMax } from '../../src/core/limits.js'
import { CHANNEL, type Channel, type Network, NetworkError, type NetworkReportCode } from '../../src/p2p/network.js'

export interface Cluster {
  readonly networks: readonly (Network & { reportCounts(): ReadonlyMap<NetworkReportCode, number> })[]
  /** Starts network `index` and makes it known to the others. */
  start(index: number): Promise<void>
  /** Takes the address of `index` off, or puts it back on, every permitted set. */
  setPermitted(index: number, permitted: boolean): void
  /** Where network `index` is reached. */
  multiaddr(index: number): string
  /** How long a ban lasts, in ms. */
  readonly banMs: number
}

export type CreateCluster = (count: number) => Promise<Cluster>

/** Waits for a condition, polling; fails with `what` after 10 s. */
export async function until(what: string, condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`still waiting after ${timeoutMs} ms: ${what}`)
    await delay(2)
  }
}

export interface Received {
  readonly from: Address
  readonly channel: Channel
  readonly frame: Uint8Array
}

/** Everything that arrives at `network` from now on. */
export function collect(network: Network): Received[] {
  const frames: Received[] = []
  network.onFrame((from, channel, frame) => frames.push({ from, channel, frame }))
  return frames
}

const connectedCount = (network: Network): number => network.peers().filter((peer) => peer.connected).length

export async function untilConnected(networks: readonly Network[]): Promise<void> {
  await until('full mesh', () => networks.every((network) => connectedCount(network) === networks.length - 1))
}

function numbered(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + seed * 7 + (i >>> 8)) & 0xff
  return bytes
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

export async function networkCompliance(t: Test, create: CreateCluster): Promise<void> {
  const connected = async (t: Test, count: number): Promise<Cluster> => {
    const cluster = await create(count)
    t.teardown(() => Promise.all(cluster.networks.map((network) => network.stop())))
    for (let i = 0; i < count; i++) await cluster.start(i)
    await untilConnected(cluster.networks)
    return cluster
  }

  await t.test('connects every pair once, and says so', async (t) => {
    const cluster = await create(4)
    t.teardown(() => Promise.all(cluster.networks.map((network) => network.stop())))
    const balance = cluster.networks.map(() => new Map<Address, number>())
    cluster.networks.forEach((network, i) => {
      network.onPeer(({ address, connected }) => {
        balance[i]?.set(address, (balance[i]?.get(address) ?? 0) + (connected ? 1 : -1))
      })
    })
    await Promise.all(cluster.networks.map((_, i) => cluster.start(i)))
    await untilConnected(cluster.networks)
    cluster.networks.forEach((network, i) => {
      t.same([...(balance[i]?.values() ?? [])], [1, 1, 1], 'connects less disconnects is 1 for each peer')
      const addresses = network.peers().map((peer) => peer.address)
      t.same(addresses, [...addresses].sort(), 'peers are in order of address')
      t.notOk(addresses.includes(network.self), 'a node is not its own peer')
      t.ok(network.peers().every((peer) => peer.since > 1.6e12 && peer.queuedBytes === 0))
    })
  })

  await t.test('frames arrive whole, unaltered, in order within a channel, from whom they are', async (t) => {
    const { networks } = await connected(t, 3)
    const [a, b, c] = networks
    const frames = collect(c!)
    const sizes = [0, 1, 5, 100, 32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, 100_000, 1_000_000]
    for (const sender of [a!, b!]) {
      sizes.forEach((size, i) => {
        for (const channel of [1, 2, 3] as const) t.ok(sender.send(c!.self, channel, numbered(size, i + channel)))
      })
    }
    await until('all frames', () => frames.length === 2 * 3 * sizes.length)
    for (const sender of [a!, b!]) {
      for (const channel of [1, 2, 3] as const) {
        const got = frames.filter((frame) => frame.from === sender.self && frame.channel === channel)
        t.ok(
          got.every(({ frame }, i) => same(frame, numbered(sizes[i]!, i + channel))),
          'equal and in order',
        )
      }
    }
  })

  await t.test('the largest frame passes, one byte more is refused', async (t) => {
    const { networks } = await connected(t, 2)
    const [a, b] = networks
    const frames = collect(b!)
    const largest = numbered(blocksFrameBytesMax, 3)
    t.ok(a!.send(b!.self, CHANNEL.blocks, largest))
    const tooLarge = new Uint8Array(consensusFrameBytesMax + 1)
    t.throws(() => a!.send(b!.self, CHANNEL.consensus, tooLarge), { code: 'FRAME_TOO_LARGE' })
    await until('the largest frame', () => frames.length === 1)
    t.ok(same(frames[0]!.frame, largest))
  })

  await t.test('broadcast reaches all peers; strangers and oneself get nothing', async (t) => {
    const { networks } = await connected(t, 4)
    const [a, ...rest] = networks
    const inboxes = rest.map(collect)
    t.equal(a!.broadcast(CHANNEL.consensus, numbered(10, 1)), 3)
    t.notOk(a!.send(ZERO_ADDRESS, CHANNEL.consensus, numbered(10, 1)))
    t.notOk(a!.send(a!.self, CHANNEL.consensus, numbered(10, 1)))
    await until('a frame at each', () => inboxes.every((inbox) => inbox.length === 1))
  })

  await t.test('a received frame is a copy of its own', async (t) => {
    const { networks } = await connected(t, 2)
    const [a, b] = networks
    const frames = collect(b!)
    for (let i = 0; i < 100; i++) a!.send(b!.self, CHANNEL.transactions, numbered(50, i))
    await until('frames', () => frames.length === 100)
    t.ok(
      frames.every(({ frame }) => frame.byteLength === frame.buffer.byteLength),
      'no larger buffer is kept alive',
    )
    frames[0]!.frame.fill(0)
    t.ok(same(frames[1]!.frame, numbered(50, 1)))
  })

  await t.test('a full queue drops and reports, and other channels still pass', async (t) => {
    const { networks } = await connected(t, 2)
    const [a, b] = networks
    const frames = collect(b!)
    const size = 64 * 1024
    let taken = 0
    while (a!.send(b!.self, CHANNEL.transactions, new Uint8Array(size))) taken++
    t.ok(taken * size <= transactionsQueueBytesMax, 'the queue holds no more than its cap')
    t.ok(a!.peers()[0]!.queuedBytes <= transactionsQueueBytesMax)
    t.equal(a!.reportCounts().get('FRAME_DROPPED'), 1)
    t.ok(a!.send(b!.self, CHANNEL.consensus, numbered(5, 5)))
    await until('what was taken', () => frames.length === taken + 1)
    const position = frames.findIndex(({ channel }) => channel === CHANNEL.consensus)
    t.ok(position < 16, `the consensus frame overtook the transactions (arrived as number ${position})`)
    await until('an empty queue', () => a!.peers()[0]!.queuedBytes === 0)
    t.ok(a!.send(b!.self, CHANNEL.transactions, new Uint8Array(size)), 'there is room again')
  })

  await t.test('who is not permitted is refused; who is permitted again returns', async (t) => {
    const cluster = await create(3)
    const { networks } = cluster
    t.teardown(() => Promise.all(networks.map((network) => network.stop())))
    cluster.setPermitted(2, false)
    for (let i = 0; i < 3; i++) await cluster.start(i)
    await untilConnected(networks.slice(0, 2))
    await until('a refusal', () => (networks[0]!.reportCounts().get('STRANGER_REFUSED') ?? 0) > 0)
    t.equal(connectedCount(networks[2]!), 0)
    cluster.setPermitted(2, true)
    await untilConnected(networks)
    cluster.setPermitted(2, false)
    await until('the end of its connections', () => connectedCount(networks[2]!) === 0)
    t.equal(connectedCount(networks[0]!), 1, 'the others stay connected')
  })

  await t.test('a peer is added and removed while the network runs', async (t) => {
    const cluster = await create(3)
    const { networks } = cluster
    t.teardown(() => Promise.all(networks.map((network) => network.stop())))
    for (let i = 0; i < 2; i++) await cluster.start(i)
    await networks[2]!.start()
    const [a, , c] = networks
    c!.addPeer({ multiaddr: cluster.multiaddr(0), name: 'first' })
    c!.addPeer({ multiaddr: cluster.multiaddr(2) })
    await until('the connection', () => c!.peers().some((peer) => peer.connected && peer.address === a!.self))
    t.same(c!.peers().find((peer) => peer.address === a!.self)?.name, 'first')
    t.notOk(
      c!.peers().some((peer) => peer.address === c!.self),
      'never itself',
    )
    c!.removePeer(a!.self)
    t.ok(
      c!.peers().some((peer) => peer.connected && peer.address === a!.self),
      'what is open stays open',
    )
    cluster.setPermitted(2, false)
    await until('the end of the connection', () => !c!.peers().some((peer) => peer.connected))
    t.notOk(
      c!.peers().some((peer) => peer.address === a!.self),
      'and is not asked for again',
    )
    t.throws(() => c!.addPeer({ multiaddr: '/ip4/127.0.0.1/tcp/1' }), { code: 'ADDRESS_INVALID' })
  })

  await t.test('enough faults disconnect a peer for a while', async (t) => {
    const cluster = await connected(t, 2)
    const [a, b] = cluster.networks
    a!.penalize(b!.self, 'one invalid vote')
    t.equal(connectedCount(a!), 1, 'one fault is forgiven')
    for (let i = 0; i < 4; i++) a!.penalize(b!.self, 'an invalid vote')
    t.equal(connectedCount(a!), 0)
    t.equal(a!.reportCounts().get('PEER_BANNED'), 1)
    t.equal(a!.send(b!.self, CHANNEL.consensus, numbered(1, 1)), false)
    await until('the end of the ban', () => connectedCount(a!) === 1)
  })

  await t.test('a peer that stops is noticed; the rest goes on', async (t) => {
    const { networks } = await connected(t, 3)
    const [a, b, c] = networks
    const lost: Address[] = []
    a!.onPeer(({ address, connected }) => {
      if (!connected) lost.push(address)
    })
    await c!.stop()
    await until('the loss', () => lost.length === 1 && connectedCount(b!) === 1)
    t.same(lost, [c!.self])
    const frames = collect(b!)
    t.equal(a!.broadcast(CHANNEL.consensus, numbered(3, 3)), 1)
    await until('a frame', () => frames.length === 1)
  })

  await t.test('after stop nothing is called and nothing is taken', async (t) => {
    const { networks } = await connected(t, 2)
    const [a, b] = networks
    const frames = collect(b!)
    let changes = 0
    b!.onPeer(() => changes++)
    for (let i = 0; i < 100; i++) a!.send(b!.self, CHANNEL.consensus, numbered(1000, i))
    await b!.stop()
    const before = frames.length
    await until('the loss', () => connectedCount(a!) === 0)
    t.equal(frames.length, before)
    t.equal(changes, 0)
    t.notOk(b!.send(a!.self, CHANNEL.consensus, numbered(1, 1)))
    await b!.stop()
    await t.rejects(b!.start(), NetworkError)
  })
}
