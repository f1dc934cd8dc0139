/** A peer whose key is permitted and whose behaviour is not: raw access to the layers below our frames. */
import '../../src/p2p/polyfill.js'
import { noise } from '@chainsafe/libp2p-noise'
import type { Connection, MessageStream, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { libp2pKeyOf } from '../../src/p2p/identity.js'

export interface Attacker {
  dial(target: string): Promise<Connection>
  openStream(connection: Connection): Promise<Stream>
  /** The encrypted connection under the muxer of the last dial. */
  transport(): MessageStream
  stop(): Promise<void>
}

export async function createAttacker(privateKey: Uint8Array): Promise<Attacker> {
  let transport: MessageStream | undefined
  const node = await createLibp2p({
    privateKey: libp2pKeyOf(privateKey),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [
      () => {
        const factory = yamux({ maxOutboundStreams: 10_000, enableKeepAlive: false })()
        return {
          protocol: factory.protocol,
          createStreamMuxer(connection) {
            transport = connection
            return factory.createStreamMuxer(connection)
          },
        }
      },
    ],
    connectionMonitor: { enabled: false },
  })
  return {
    dial: (target) => node.dial(multiaddr(target)),
    openStream: (connection) => connection.newStream('/concordat/test/frames/1', { maxOutboundStreams: 10_000 }),
    transport: () => transport!,
    stop: async () => node.stop(),
  }
}

/** Header of one of our frames. */
export function frameHeader(channel: number, length: number): Uint8Array {
  const bytes = new Uint8Array(5)
  bytes[0] = channel
  new DataView(bytes.buffer).setUint32(1, length)
  return bytes
}

/** Header of a yamux frame of stream `stream`. */
export function yamuxHeader(type: number, flags: number, stream: number, length: number): Uint8Array {
  const bytes = new Uint8Array(12)
  bytes.set([0, type, flags >> 8, flags])
  new DataView(bytes.buffer).setUint32(4, stream)
  new DataView(bytes.buffer).setUint32(8, length)
  return bytes
}
