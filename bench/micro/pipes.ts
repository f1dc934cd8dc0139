/** Two ways of moving frames between two processes: the peers' network, and plain TCP with the same frames. */
import type { Socket } from 'node:net'
import { writeFrameHeader } from '../../src/p2p/frames.js'
import { addressOfPrivateKey } from '../../src/p2p/identity.js'
import { createLibp2pNetwork, type Libp2pNetwork } from '../../src/p2p/libp2pNetwork.js'
import { CHANNEL } from '../../src/p2p/network.js'

const PLAIN_QUEUE_BYTES = 4 * 1024 * 1024
const HEADER_BYTES = 5

/** 2: transactions, 3: blocks. */
export type PipeChannel = 2 | 3

/** One end of a pair of frame streams. */
export interface Pipe {
  /** False when the frame was not taken because a queue is full. */
  send(channel: PipeChannel, frame: Uint8Array): boolean
  onFrame: (frame: Uint8Array) => void
  /** Marks the end of a burst: the plain side corks each burst into one write. */
  flush(): void
  close(): Promise<void>
}

export function nextFrame(pipe: Pipe): Promise<Uint8Array> {
  return new Promise((resolve) => {
    pipe.onFrame = resolve
  })
}

/** Sends one frame at once. */
export function sendNow(pipe: Pipe, frame: Uint8Array): void {
  pipe.send(2, frame)
  pipe.flush()
}

export function plainPipe(socket: Socket): Pipe {
  socket.setNoDelay(true)
  const pipe: Pipe = {
    send(channel, frame) {
      if (socket.writableLength > PLAIN_QUEUE_BYTES) return false
      const header = new Uint8Array(HEADER_BYTES)
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
  socket.on(
    'data',
    plainDecoder((frame) => pipe.onFrame(frame)),
  )
  return pipe
}

/** Frames with a length in front, never fragmented. */
function plainDecoder(sink: (frame: Uint8Array) => void): (chunk: Uint8Array) => void {
  let held: Uint8Array[] = []
  let heldBytes = 0
  let needed = HEADER_BYTES
  return (chunk) => {
    held.push(chunk)
    heldBytes += chunk.length
    if (heldBytes < needed) return
    let bytes = Buffer.concat(held)
    needed = HEADER_BYTES
    while (bytes.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + bytes.readUInt32BE(1)
      needed = end
      if (bytes.length < end) break
      sink(new Uint8Array(bytes.subarray(HEADER_BYTES, end)))
      bytes = bytes.subarray(end)
      needed = HEADER_BYTES
    }
    held = [bytes]
    heldBytes = bytes.length
  }
}

const keyOf = (index: 1 | 2): Uint8Array => new Uint8Array(32).fill(index)

export const addressOf = (index: 1 | 2) => addressOfPrivateKey(keyOf(index))

const permitted = new Set([addressOf(1), addressOf(2)])

export function createNetwork(index: 1 | 2, peers: readonly string[]): Promise<Libp2pNetwork> {
  return createLibp2pNetwork({
    privateKey: keyOf(index),
    networkId: 'bench',
    listen: ['/ip4/127.0.0.1/tcp/0'],
    peers: peers.map((multiaddr) => ({ multiaddr })),
    admission: (address) => (permitted.has(address) ? 'peer' : 'refused'),
  })
}

/** The pipe to the peer with key `other`. */
export function networkPipe(network: Libp2pNetwork, other: 1 | 2): Pipe {
  const peer = addressOf(other)
  const pipe: Pipe = {
    send: (channel, frame) => network.send(peer, channel === 3 ? CHANNEL.blocks : CHANNEL.transactions, frame),
    onFrame: () => {},
    flush: () => {},
    close: () => network.stop(),
  }
  network.onFrame((_from, _channel, frame) => pipe.onFrame(frame))
  return pipe
}
