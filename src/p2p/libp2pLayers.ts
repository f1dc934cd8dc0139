/** The layers between a socket and the streams: noise with one write a frame, yamux with its input checked and its buffers bounded. */
import './polyfill.js'
import { noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter, MessageStream, StreamMuxerFactory } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import { streamsMax, streamWindowBytesMax, transportQueueBytesMax } from '../core/limits.js'
import { forEachChunk } from './libp2pStream.js'
import { TransportFault, YamuxGuard } from './yamuxGuard.js'

type Noise = ReturnType<typeof noise>

/** noise over a connection that sends each of its frames with one write. */
export function noiseInOneWrite(): (components: Parameters<Noise>[0]) => ConnectionEncrypter {
  const create = noise()
  return (components) => oneWriteAFrame(create(components))
}

/**
 * noise hands its length prefix and its ciphertext to the socket as two pieces, which TCP would send with a system call
 * each; joined they are one. Small frames cost mostly that call.
 */
export function oneWriteAFrame(encrypter: ConnectionEncrypter): ConnectionEncrypter {
  const joined = <C extends MessageStream>(connection: C): C => {
    const send = connection.send.bind(connection)
    connection.send = (data) => send(data instanceof Uint8Array ? data : data.subarray())
    return connection
  }
  return {
    protocol: encrypter.protocol,
    secureInbound: (connection, options) => encrypter.secureInbound(joined(connection), options),
    secureOutbound: (connection, options) => encrypter.secureOutbound(joined(connection), options),
  }
}

/** yamux whose input is checked before it is decoded, and whose output is bounded when the peer does not read. */
export function guardedYamux(): StreamMuxerFactory {
  const factory = yamux({
    maxInboundStreams: streamsMax,
    maxOutboundStreams: streamsMax,
    maxEarlyStreams: streamsMax,
    streamOptions: {
      maxStreamWindowSize: streamWindowBytesMax,
      // A paused stream still receives what its window allowed.
      maxReadBufferLength: 2 * streamWindowBytesMax,
      maxWriteBufferLength: streamWindowBytesMax,
    },
  })()
  return {
    protocol: factory.protocol,
    createStreamMuxer(connection: MessageStream) {
      connection.maxWriteBufferLength = transportQueueBytesMax
      guard(connection)
      return factory.createStreamMuxer(connection)
    },
  }
}

/** Registered before the muxer's own listener, and so called before it. */
function guard(connection: MessageStream): void {
  const watch = new YamuxGuard(performance.now())
  connection.addEventListener('message', (event) => {
    try {
      forEachChunk(event.data, (chunk) => watch.inspect(chunk, performance.now()))
    } catch (error) {
      if (!(error instanceof TransportFault)) throw error
      event.stopImmediatePropagation()
      connection.abort(error)
    }
  })
}
