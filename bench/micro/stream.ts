/** Frames between two processes on the loopback: our network (noise, yamux, frames, queues) in multiples of plain TCP. */
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { toHex } from '../../src/core/bytes.js'
import { quantiles } from '../harness/statistics.js'
import { type Benchmark, OURS, PLAIN_TCP, type Side } from './benchmark.js'
import { startHelper } from './helper.js'
import { createNetwork, networkPipe, nextFrame, type Pipe, type PipeChannel, plainPipe, sendNow } from './pipes.js'
import type { Sizes } from './sizes.js'
import type { StreamPeer } from './streamPeer.js'

const FRAME_BYTES = 200
/** Frames that one step of a node's loop may produce. */
const BURST = 100
const BULK_BYTES = 4 * 1024 * 1024

const echoFrame = () => new Uint8Array(FRAME_BYTES).fill(1)

/** One frame at a time; half of the median round trip in µs. */
async function oneWayMicros(pipe: Pipe, { roundTrips }: Sizes): Promise<number> {
  const frame = echoFrame()
  const times: number[] = []
  for (let i = 0; i < roundTrips; i++) {
    const answer = nextFrame(pipe)
    const start = performance.now()
    sendNow(pipe, frame)
    await answer
    times.push(((performance.now() - start) * 1_000) / 2)
  }
  return quantiles(times).p50
}

interface Load {
  readonly count: number
  readonly bytes: number
  readonly channel: PipeChannel
  readonly burst: number
  readonly pauseMs: number
}

/** Frames per second, until the other side says that it has the last one. */
async function framesPerSecond(pipe: Pipe, { count, bytes, channel, burst, pauseMs }: Load): Promise<number> {
  await delay(pauseMs)
  const announcement = new Uint8Array(5)
  announcement[0] = 2
  new DataView(announcement.buffer).setUint32(1, count)
  while (!pipe.send(channel, announcement)) await new Promise(setImmediate)
  const frame = new Uint8Array(bytes)
  const done = nextFrame(pipe)
  const start = performance.now()
  for (let sent = 0; sent < count; ) {
    for (let i = 0; i < burst && sent < count && pipe.send(channel, frame); i++) sent++
    pipe.flush()
    await new Promise(setImmediate)
  }
  await done
  return (count / (performance.now() - start)) * 1_000
}

const messages = (pipe: Pipe, { messages: count, inboundPauseMs: pauseMs }: Sizes) =>
  framesPerSecond(pipe, { count, bytes: FRAME_BYTES, channel: 2, burst: BURST, pauseMs })

async function bulk(pipe: Pipe, { bulkFrames: count, inboundPauseMs: pauseMs }: Sizes): Promise<number> {
  const perSecond = await framesPerSecond(pipe, { count, bytes: BULK_BYTES, channel: 3, burst: 1, pauseMs })
  return (perSecond * BULK_BYTES) / 1e6
}

type Measure = (pipe: Pipe, sizes: Sizes) => Promise<number>

function streamBenchmark(name: string, quantity: string, unit: Benchmark['unit'], measure: Measure): Benchmark {
  return {
    name,
    quantity,
    unit,
    async setup({ sizes }) {
      const { said, stop } = await startHelper<StreamPeer>('streamPeer')
      const pipes = [await connectNetwork(said.multiaddr), await connectPlain(said.port)] as const
      const side = (name: string, pipe: Pipe): Side => ({
        name,
        warmUps: measure === oneWayMicros ? sizes.warmUps : 1,
        measure: () => measure(pipe, sizes),
        result: () => echoed(pipe),
      })
      return {
        sides: [side(OURS, pipes[0]), side(PLAIN_TCP, pipes[1])],
        async teardown() {
          for (const pipe of pipes) await pipe.close()
          await stop()
        },
      }
    },
  }
}

async function echoed(pipe: Pipe): Promise<string> {
  const answer = nextFrame(pipe)
  sendNow(pipe, echoFrame())
  return toHex(await answer)
}

async function connectPlain(port: number): Promise<Pipe> {
  const socket = connect(port, '127.0.0.1')
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return plainPipe(socket)
}

async function connectNetwork(multiaddr: string): Promise<Pipe> {
  const network = await createNetwork(1, [multiaddr])
  const connected = new Promise<void>((resolve) => network.onPeer(() => resolve()))
  await network.start()
  await connected
  return networkPipe(network, 2)
}

export const streamBenchmarks: readonly Benchmark[] = [
  streamBenchmark(`frame of ${FRAME_BYTES} B, one way`, 'wall time of a frame one way, p50', 'µs', oneWayMicros),
  streamBenchmark(`frames of ${FRAME_BYTES} B`, 'rate of frames', '1/s', messages),
  streamBenchmark('frames of 4 MiB', 'rate of bytes', 'MB/s', bulk),
]
