/**
 * Frames between two processes on the loopback: our network (noise, yamux, frames, queues) against plain TCP with the same frames.
 *
 *   node dist/bench/micro/stream.js
 *
 * One-way latency is half of a round trip, one frame at a time. Messages are sent in bursts, as a node sends what one
 * step of its loop produced; the plain side corks each burst into one write.
 */
import { fork } from 'node:child_process'
import { connect, createServer, type Socket } from 'node:net'
import { writeFrameHeader } from '../../src/p2p/frames.js'
import { addressOfPrivateKey, parsePeerMultiaddr } from '../../src/p2p/identity.js'
import { createLibp2pNetwork, type Libp2pNetwork } from '../../src/p2p/libp2pNetwork.js'
import { CHANNEL } from '../../src/p2p/network.js'

const frameBytes = 200
const roundTrips = 3_000
const warmUps = 500
const messages = 200_000
const burst = 100
const bulkFrames = 32
const bulkFrameBytes = 4 * 1024 * 1024

/** One side of a pair of frame streams. */
interface Pipe {
  /** False when the frame was not taken because a queue is full. */
  send(channel: 2 | 3, frame: Uint8Array): boolean
  onFrame: (channel: number, frame: Uint8Array) => void
  /** Marks the end of a burst. */
  flush(): void
  close(): Promise<void>
}

/** What the other process does: echoes single frames, counts the rest and says when the last one came. */
function serve(pipe: Pipe): void {
  let expected = 0
  pipe.onFrame = (_channel, frame) => {
    if (frame[0] === 1) reply(pipe, frame)
    else if (frame[0] === 2) expected = new DataView(frame.buffer, frame.byteOffset).getUint32(1)
    else if (--expected === 0) reply(pipe, Uint8Array.of(3))
  }
}

function reply(pipe: Pipe, frame: Uint8Array): void {
  pipe.send(2, frame)
  pipe.flush()
}

const nextFrame = (pipe: Pipe): Promise<Uint8Array> =>
  new Promise((resolve) => {
    pipe.onFrame = (_channel, frame) => resolve(frame)
  })

async function oneWayMs(pipe: Pipe): Promise<{ p50: number; p99: number }> {
  const frame = new Uint8Array(frameBytes).fill(1)
  const samples: number[] = []
  for (let i = 0; i < warmUps + roundTrips; i++) {
    const answer = nextFrame(pipe)
    const start = performance.now()
    reply(pipe, frame)
    await answer
    if (i >= warmUps) samples.push((performance.now() - start) / 2)
  }
  samples.sort((a, b) => a - b)
  return { p50: samples[samples.length >> 1]!, p99: samples[Math.floor(samples.length * 0.99)]! }
}

/** Frames per second of `count` frames of `size` bytes. */
async function rate(pipe: Pipe, count: number, size: number, channel: 2 | 3, perBurst: number): Promise<number> {
  const announcement = new Uint8Array(5)
  announcement[0] = 2
  new DataView(announcement.buffer).setUint32(1, count)
  while (!pipe.send(channel, announcement)) await new Promise(setImmediate)
  const frame = new Uint8Array(size)
  const done = nextFrame(pipe)
  const start = performance.now()
  let sent = 0
  while (sent < count) {
    for (let i = 0; i < perBurst && sent < count && pipe.send(channel, frame); i++) sent++
    pipe.flush()
    await new Promise(setImmediate)
  }
  await done
  return (count / (performance.now() - start)) * 1000
}

function plainPipe(socket: Socket): Pipe {
  socket.setNoDelay(true)
  const pipe: Pipe = {
    send(channel, frame) {
      if (socket.writableLength > 4 * 1024 * 1024) return false
      const header = new Uint8Array(5)
      writeFrameHeader(header, 0, channel, frame.length)
      if (socket.writableCorked === 0) socket.cork()
      socket.write(header)
      socket.write(frame)
      return true
    },
    onFrame: () => {},
    flush: () => socket.uncork(),
    close: async () => void socket.destroy(),
  }
  // Plain frames: length-prefixed, never fragmented.
  const decoder = plainDecoder((channel, frame) => pipe.onFrame(channel, frame))
  socket.on('data', decoder)
  return pipe
}

function plainDecoder(sink: (channel: number, frame: Uint8Array) => void): (chunk: Uint8Array) => void {
  let held: Buffer[] = []
  let heldBytes = 0
  let needed = 5
  return (chunk) => {
    held.push(chunk as Buffer)
    heldBytes += chunk.length
    if (heldBytes < needed) return
    let bytes = held.length === 1 ? held[0]! : Buffer.concat(held)
    while (bytes.length >= 5) {
      const end = 5 + bytes.readUInt32BE(1)
      if (bytes.length < end) {
        needed = end
        break
      }
      sink(bytes[0]!, new Uint8Array(bytes.subarray(5, end)))
      bytes = bytes.subarray(end)
    }
    if (bytes.length < 5) needed = 5
    held = [bytes]
    heldBytes = bytes.length
  }
}

const keyOf = (index: number): Uint8Array => new Uint8Array(32).fill(index)
const permitted = new Set([addressOfPrivateKey(keyOf(1)), addressOfPrivateKey(keyOf(2))])

function createNetwork(index: number, peers: readonly string[]): Promise<Libp2pNetwork> {
  return createLibp2pNetwork({
    privateKey: keyOf(index),
    networkId: 'bench',
    listen: ['/ip4/127.0.0.1/tcp/0'],
    peers: peers.map((multiaddr) => ({ multiaddr })),
    permitted: () => permitted,
  })
}

function networkPipe(network: Libp2pNetwork, peer: Parameters<Libp2pNetwork['send']>[0]): Pipe {
  const pipe: Pipe = {
    send: (channel, frame) => network.send(peer, channel === 3 ? CHANNEL.blocks : CHANNEL.transactions, frame),
    onFrame: () => {},
    flush: () => {},
    close: () => network.stop(),
  }
  network.onFrame((_from, channel, frame) => pipe.onFrame(channel, frame))
  return pipe
}

async function child(): Promise<void> {
  const server = createServer((socket) => serve(plainPipe(socket)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const network = await createNetwork(2, [])
  serve(networkPipe(network, addressOfPrivateKey(keyOf(1))))
  await network.start()
  process.send!({ port: (server.address() as { port: number }).port, multiaddr: network.addresses()[0] })
  process.once('disconnect', () => process.exit(0))
}

interface Figures {
  readonly p50: number
  readonly p99: number
  readonly perSecond: number
  readonly mibPerSecond: number
}

async function measure(pipe: Pipe): Promise<Figures> {
  const latency = await oneWayMs(pipe)
  await rate(pipe, messages / 4, frameBytes, 2, burst)
  const perSecond = await rate(pipe, messages, frameBytes, 2, burst)
  const bulk = await rate(pipe, bulkFrames, bulkFrameBytes, 3, 1)
  await pipe.close()
  return { ...latency, perSecond, mibPerSecond: (bulk * bulkFrameBytes) / 2 ** 20 }
}

async function connectPlain(port: number): Promise<Pipe> {
  const socket = connect(port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  return plainPipe(socket)
}

async function connectNetwork(multiaddr: string): Promise<Pipe> {
  const network = await createNetwork(1, [multiaddr])
  const connected = new Promise<void>((resolve) => network.onPeer(() => resolve()))
  await network.start()
  await connected
  return networkPipe(network, parsePeerMultiaddr(multiaddr).address)
}

function row(title: string, unit: string, ours: number, plain: number, ratio: number, digits: number): void {
  const cells = [ours, plain].map((value) => `${value.toFixed(digits)} ${unit}`.padStart(16))
  console.log(`${title.padEnd(30)}${cells.join('')}${ratio.toFixed(2).padStart(10)}`)
}

async function main(): Promise<void> {
  const other = fork(process.argv[1]!, ['child'])
  const { port, multiaddr } = await new Promise<{ port: number; multiaddr: string }>((resolve) =>
    other.once('message', (message) => resolve(message as { port: number; multiaddr: string })),
  )
  const plain = await measure(await connectPlain(port))
  const ours = await measure(await connectNetwork(multiaddr))
  other.disconnect()
  console.log(`${''.padEnd(30)}${'p2p'.padStart(16)}${'plain TCP'.padStart(16)}${'ratio'.padStart(10)}`)
  row(`one-way, ${frameBytes} B, p50`, 'ms', ours.p50, plain.p50, ours.p50 / plain.p50, 3)
  row(`one-way, ${frameBytes} B, p99`, 'ms', ours.p99, plain.p99, ours.p99 / plain.p99, 3)
  row(`messages of ${frameBytes} B`, '/s', ours.perSecond, plain.perSecond, ours.perSecond / plain.perSecond, 0)
  row('frames of 4 MiB', 'MiB/s', ours.mibPerSecond, plain.mibPerSecond, ours.mibPerSecond / plain.mibPerSecond, 0)
}

await (process.argv[2] === 'child' ? child() : main())
