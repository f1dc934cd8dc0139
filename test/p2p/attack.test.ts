/** Hostile peers against a node that talks to an honest one: each attack ends refused, the honest pair never notices. */
import { connect, type Socket } from 'node:net'
import v8 from 'node:v8'
import vm from 'node:vm'
import t, { type Test } from 'tap'
import { blocksFrameBytesMax } from '../../src/core/limits.js'
import { addressOfPrivateKey } from '../../src/p2p/identity.js'
import { CHANNEL, type NetworkReportCode } from '../../src/p2p/network.js'
import { until, untilConnected } from '../compliance/network.js'
import { type Attacker, createAttacker, frameHeader, yamuxHeader } from './attacker.js'
import { createLibp2pCluster, type Libp2pCluster, testKey } from './cluster.js'

const attackerKey = testKey(66)
const attackerAddress = addressOfPrivateKey(attackerKey)

interface Stage {
  readonly cluster: Libp2pCluster
  /** Where the victim listens. */
  readonly target: string
  readonly port: number
  reports(code: NetworkReportCode): number
  /** The honest pair still talks, on its first connection. */
  requireHonestPair(): Promise<void>
  /** Ends the test: the honest pair still talks, and memory is where it was. */
  settle(): Promise<void>
}

v8.setFlagsFromString('--expose-gc')
const collectGarbage = vm.runInNewContext('gc') as () => void

function usedBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function createStage(t: Test, isAttackerPermitted: boolean): Promise<Stage> {
  const cluster = await createLibp2pCluster(2, { tuning: { handshakeTimeoutMs: 500, banMs: 60_000 } })
  const [victim, honest] = cluster.networks
  t.teardown(() => Promise.all(cluster.networks.map((network) => network.stop())))
  if (isAttackerPermitted) cluster.permitted.add(attackerAddress)
  await cluster.start(0)
  await cluster.start(1)
  await untilConnected(cluster.networks)
  let losses = 0
  victim!.onPeer(({ address, connected }) => {
    if (address === honest!.self && !connected) losses++
  })
  let heard = 0
  victim!.onFrame((from) => {
    if (from === honest!.self) heard++
  })
  const requireHonestPair = async (): Promise<void> => {
    const heardBefore = heard
    t.ok(honest!.send(victim!.self, CHANNEL.consensus, Uint8Array.of(42)))
    await until('a frame of the honest peer', () => heard > heardBefore)
    t.equal(losses, 0, 'the honest peer stayed connected')
  }
  const before = usedBytes()
  const target = victim!.addresses()[0]!
  return {
    cluster,
    target,
    port: Number(target.split('/')[4]),
    reports: (code) => victim!.reportCounts().get(code) ?? 0,
    requireHonestPair,
    async settle() {
      await requireHonestPair()
      const grownMiB = (usedBytes() - before) / 2 ** 20
      t.ok(grownMiB < 24, `memory grew by ${grownMiB.toFixed(1)} MiB`)
    },
  }
}

async function withAttacker(t: Test): Promise<Attacker> {
  const attacker = await createAttacker(attackerKey)
  t.teardown(() => attacker.stop())
  return attacker
}

const isConnected = (stage: Stage): boolean => {
  return stage.cluster.networks[0]!.peers().some(({ address, connected }) => connected && address === attackerAddress)
}

function openSockets(
  port: number,
  count: number,
  onOpen: (socket: Socket) => void,
): { closed: () => number; destroy: () => void } {
  let closed = 0
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => onOpen(socket))
    socket.on('error', () => {})
    socket.on('close', () => closed++)
    return socket
  })
  return { closed: () => closed, destroy: () => sockets.forEach((socket) => void socket.destroy()) }
}

t.test('strangers with good keys are refused before they can send', async (t) => {
  const stage = await createStage(t, false)
  const attacker = await withAttacker(t)
  for (let i = 0; i < 10; i++) {
    const connection = await attacker.dial(stage.target).catch(() => undefined)
    if (connection !== undefined) await t.rejects(attacker.openStream(connection))
  }
  t.ok(stage.reports('STRANGER_REFUSED') >= 10)
  t.notOk(isConnected(stage))
  await stage.settle()
})

t.test('slow handshakes are cut off', async (t) => {
  const stage = await createStage(t, false)
  const sockets = openSockets(stage.port, 60, (socket) => socket.write('\x13'))
  t.teardown(sockets.destroy)
  await until('all slow sockets closed', () => sockets.closed() === 60)
  await stage.settle()
})

t.test(
  'more connections than may be pending are refused at once, a permitted peer comes through afterwards',
  async (t) => {
    const stage = await createStage(t, true)
    const sockets = openSockets(stage.port, 300, () => {})
    t.teardown(sockets.destroy)
    await until('a refusal', () => sockets.closed() > 100)
    await until('the end of the flood', () => sockets.closed() === 300)
    const attacker = await withAttacker(t)
    // The rate of new connections is exhausted for up to a second; until then dials are refused.
    let isOpen = false
    while (!isOpen) {
      const connection = await attacker.dial(stage.target).catch(() => undefined)
      isOpen = connection !== undefined && (await attacker.openStream(connection).catch(() => undefined)) !== undefined
    }
    await until('a session', () => isConnected(stage))
    await stage.settle()
  },
)

t.test('garbage instead of a handshake', async (t) => {
  const stage = await createStage(t, false)
  const garbage = new Uint8Array(100_000).map((_, i) => (i * 7919) & 0xff)
  const sockets = openSockets(stage.port, 20, (socket) => socket.write(garbage))
  t.teardown(sockets.destroy)
  await until('all sockets closed', () => sockets.closed() === 20)
  await stage.settle()
})

/** Runs `attack` on a fresh frame stream and expects the connection to end with a FRAME_INVALID report. */
async function expectInvalid(
  t: Test,
  attack: (attacker: Attacker, send: (bytes: Uint8Array) => void) => void,
): Promise<void> {
  const stage = await createStage(t, true)
  const attacker = await withAttacker(t)
  const stream = await attacker.openStream(await attacker.dial(stage.target))
  await until('a session', () => isConnected(stage))
  attack(attacker, (bytes) => void stream.send(bytes))
  await until('a report', () => stage.reports('FRAME_INVALID') === 1)
  await until('the end of the connection', () => stream.status !== 'open' && !isConnected(stage))
  await stage.settle()
}

t.test('a frame length of 4 GiB', (t) => expectInvalid(t, (_, send) => send(frameHeader(1, 0xffffffff))))
t.test('a frame one byte too large', (t) =>
  expectInvalid(t, (_, send) => send(frameHeader(3, blocksFrameBytesMax + 1))),
)
t.test('an unknown channel', (t) => expectInvalid(t, (_, send) => send(frameHeader(77, 1))))
t.test('garbage on the frame stream', (t) => expectInvalid(t, (_, send) => send(new Uint8Array(1000).fill(0x99))))
t.test('a transport frame length of 4 GiB', (t) => {
  return expectInvalid(t, (attacker) => void attacker.transport().send(yamuxHeader(0, 0, 1, 0xffffffff)))
})
t.test('a flood of transport pings', (t) => {
  return expectInvalid(t, (attacker) => {
    for (let i = 0; i < 1000; i++) attacker.transport().send(yamuxHeader(2, 1, 0, i))
  })
})
t.test('a flood of streams', (t) => {
  return expectInvalid(t, (attacker) => {
    for (let i = 0; i < 1000; i++) attacker.transport().send(yamuxHeader(1, 1, 101 + 2 * i, 0))
  })
})

t.test('a second frame stream is refused, the first lives on', async (t) => {
  const stage = await createStage(t, true)
  const attacker = await withAttacker(t)
  const connection = await attacker.dial(stage.target)
  const first = await attacker.openStream(connection)
  await until('a session', () => isConnected(stage))
  await attacker.openStream(connection).catch(() => {})
  await until('a refusal', () => stage.reports('STREAM_REFUSED') === 1)
  t.equal(first.status, 'open')
  t.ok(isConnected(stage))
  await stage.settle()
})

t.test('a connection on which no frame stream is opened is closed', async (t) => {
  const stage = await createStage(t, true)
  const attacker = await withAttacker(t)
  const connection = await attacker.dial(stage.target)
  await until('the end of the connection', () => connection.status !== 'open')
  await stage.settle()
})

t.test('faults add up to a ban', async (t) => {
  const stage = await createStage(t, true)
  const attacker = await withAttacker(t)
  for (let i = 0; i < 5; i++) {
    const stream = await attacker.openStream(await attacker.dial(stage.target))
    stream.send(frameHeader(77, 1))
    await until('the end of the connection', () => stream.status !== 'open')
  }
  t.equal(stage.reports('PEER_BANNED'), 1)
  const connection = await attacker.dial(stage.target).catch(() => undefined)
  if (connection !== undefined) await t.rejects(attacker.openStream(connection))
  await stage.settle()
})

t.test('a flood of valid frames is slowed down, not obeyed', async (t) => {
  const stage = await createStage(t, true)
  const attacker = await withAttacker(t)
  const stream = await attacker.openStream(await attacker.dial(stage.target))
  await until('a session', () => isConnected(stage))
  const flood = new Uint8Array(60_000)
  for (let at = 0; at < flood.length; at += 5) flood.set(frameHeader(2, 0), at)
  let isFlooding = true
  const flooding = (async () => {
    while (isFlooding && stream.status === 'open') {
      // Not onDrain(): its promise stays resolved after the first drain, and awaiting it would spin.
      if (!stream.writableNeedsDrain) stream.send(flood)
      await new Promise(setImmediate)
    }
  })().catch(() => {})
  await until('three pauses', () => stage.reports('RATE_EXCEEDED') >= 3 || stream.status !== 'open', 30_000)
  t.equal(stream.status, 'open', 'whoever sends too much waits, and is not cut off')
  await stage.requireHonestPair()
  isFlooding = false
  await attacker.stop()
  await flooding
  await stage.settle()
})

t.test('a peer that does not read costs its queue and no more', async (t) => {
  const stage = await createStage(t, true)
  const attacker = await withAttacker(t)
  const stream = await attacker.openStream(await attacker.dial(stage.target))
  await until('a session', () => isConnected(stage))
  stream.pause()
  const [victim] = stage.cluster.networks
  const frame = new Uint8Array(100_000)
  let taken = 0
  while (victim!.send(attackerAddress, CHANNEL.transactions, frame)) taken++
  await until('a full queue after the transport took its share', () => {
    while (victim!.send(attackerAddress, CHANNEL.transactions, frame)) taken++
    return stage.reports('FRAME_DROPPED') > 20
  })
  t.ok(taken < 100, `${taken} frames of 100 kB were taken`)
  await stage.settle()
})
