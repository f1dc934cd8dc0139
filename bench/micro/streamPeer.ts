/** The other process of the stream benchmarks: echoes single frames, counts the rest and says when the last one came. */
import { type AddressInfo, createServer } from 'node:net'
import { createNetwork, networkPipe, type Pipe, plainPipe, sendNow } from './pipes.js'

/** First byte of a frame. */
const ECHO = 1
const ANNOUNCE = 2
const LAST = 3

export interface StreamPeer {
  readonly port: number
  readonly multiaddr: string
}

function serve(pipe: Pipe): void {
  let expected = 0
  pipe.onFrame = (frame) => {
    if (frame[0] === ECHO) sendNow(pipe, frame)
    else if (frame[0] === ANNOUNCE) expected = new DataView(frame.buffer, frame.byteOffset).getUint32(1)
    else if (--expected === 0) sendNow(pipe, Uint8Array.of(LAST))
  }
}

const server = createServer((socket) => serve(plainPipe(socket)))
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo
const network = await createNetwork(2, [])
serve(networkPipe(network, 1))
await network.start()
process.once('disconnect', () => process.exit(0))
process.send?.({ port, multiaddr: network.addresses()[0]! } satisfies StreamPeer)
