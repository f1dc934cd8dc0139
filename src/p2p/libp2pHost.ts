/** The one file that imports libp2p: TCP, noise and yamux with every limit set, behind the Host port. */
import './polyfill.js'
import { noise } from '@chainsafe/libp2p-noise'
import type {
  ComponentLogger,
  Connection,
  ConnectionEncrypter,
  Logger,
  MessageStream,
  PeerId,
  Stream,
  StreamMuxerFactory,
} from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import type { Address } from '../core/bytes.js'
import {
  connectionsPerSecondMax,
  peersMax,
  pendingConnectionsMax,
  streamsMax,
  streamWindowBytesMax,
  transportQueueBytesMax,
} from '../core/limits.js'
import type { Host, HostConnection, HostEvents, HostStream, HostStreamEvents } from './host.js'
import { addressOfPeer, libp2pKeyOf } from './identity.js'
import { NetworkError } from './network.js'
import { TransportFault, YamuxGuard } from './yamuxGuard.js'

export interface Libp2pHostOptions {
  readonly privateKey: Uint8Array
  /** Protocol of the frame stream, with the network's id in it. */
  readonly protocol: string
  readonly listen: readonly Multiaddr[]
  readonly handshakeTimeoutMs: number
}

/** Connections that may exist beside one per peer: pairs that are being sorted out. */
const connectionsMax = 2 * peersMax

/** Builds a host; nothing listens before `start`. */
export async function createLibp2pHost(options: Libp2pHostOptions, events: HostEvents): Promise<Host> {
  const node = await createNode(options, (peer) => !events.admit(addressOfPeer(peer)))
  const connections = new Map<Connection, HostConnection>()

  function wrap(connection: Connection): HostConnection | undefined {
    const address = addressOfPeer(connection.remotePeer)
    if (address === undefined) return undefined
    const known = connections.get(connection)
    if (known !== undefined || connection.status !== 'open') return known
    const wrapped = wrapConnection(connection, address, options.protocol)
    connections.set(connection, wrapped)
    return wrapped
  }

  node.addEventListener('connection:open', ({ detail: connection }) => {
    const wrapped = wrap(connection)
    if (wrapped === undefined) return
    connection.addEventListener('close', (closed) => {
      connections.delete(connection)
      events.onClosed(wrapped, closed.error)
    })
    events.onConnection(wrapped)
  })

  const onStream = (stream: Stream, connection: Connection): void => {
    const wrapped = wrap(connection)
    if (wrapped === undefined) stream.abort(new Error('the connection is closed'))
    else events.onStream(wrapped, wrapStream(stream))
  }
  // One more than is allowed reaches the handler, which reports it.
  await node.handle(options.protocol, onStream, { maxInboundStreams: 2, maxOutboundStreams: 1 })

  return {
    start: () => startNode(node, options.listen),
    stop: async () => node.stop(),
    addresses: () => node.getMultiaddrs().map(String),
    async dial(target, signal) {
      const connection = await node.dial(target, { signal })
      const wrapped = wrap(connection)
      if (wrapped === undefined) throw new Error('the connection closed while it was opened')
      return wrapped
    },
  }
}

async function startNode(node: Libp2p, listen: readonly Multiaddr[]): Promise<void> {
  try {
    await node.start()
  } catch (error) {
    const where = listen.map(String).join(', ')
    const message = `cannot listen on ${where}: ${(error as Error).message}; is the port taken or the address another machine's?`
    throw new NetworkError('LISTEN_FAILED', message)
  }
}

function createNode(options: Libp2pHostOptions, deny: (peer: PeerId) => boolean): Promise<Libp2p> {
  const timeoutMs = options.handshakeTimeoutMs
  return createLibp2p({
    start: false,
    privateKey: libp2pKeyOf(options.privateKey),
    addresses: { listen: options.listen.map(String) },
    transports: [
      tcp({
        maxConnections: connectionsMax + pendingConnectionsMax,
        listenOpts: { noDelay: true },
        dialOpts: { noDelay: true },
      }),
    ],
    connectionEncrypters: [(components) => oneWriteAFrame(noise()(components))],
    streamMuxers: [() => guardedYamux()],
    connectionGater: {
      denyDialPeer: deny,
      denyInboundEncryptedConnection: deny,
      denyOutboundEncryptedConnection: deny,
    },
    connectionManager: {
      maxConnections: connectionsMax,
      maxIncomingPendingConnections: pendingConnectionsMax,
      inboundConnectionThreshold: connectionsPerSecondMax,
      dialTimeout: timeoutMs,
      addressDialTimeout: timeoutMs,
      inboundUpgradeTimeout: timeoutMs,
      inboundStreamProtocolNegotiationTimeout: timeoutMs,
      outboundStreamProtocolNegotiationTimeout: timeoutMs,
      reconnectRetries: 0,
    },
    connectionMonitor: { enabled: false },
    logger: silentLogger,
  })
}

/**
 * noise hands its length prefix and its ciphertext to the socket as two pieces, which TCP would send with a system call
 * each; joined they are one. Small frames cost mostly that call.
 */
function oneWriteAFrame(encrypter: ConnectionEncrypter): ConnectionEncrypter {
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

/** What of a yamux stream decides when its receive window is opened again. */
interface WindowedStream {
  state: unknown
  recvWindow: number
  recvWindowCapacity: number
  sendWindowUpdate(): void
}

/** yamux's state of a stream whose opening both sides have seen. */
const ESTABLISHED = 3

/**
 * yamux answers every data frame with a window update, which doubles the frames of a chatty stream. One for each half
 * window keeps the sender going just as well. A stream without these fields is left as it is.
 */
function updateWindowByHalves(stream: Stream): void {
  if (!isWindowed(stream)) return
  const update = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const isRoomy = stream.recvWindowCapacity * 2 >= stream.recvWindow
    if (stream.state !== ESTABLISHED || !isRoomy) update()
  }
}

function isWindowed(stream: object): stream is WindowedStream {
  const fields = stream as Partial<WindowedStream>
  return (
    typeof fields.sendWindowUpdate === 'function' &&
    typeof fields.recvWindow === 'number' &&
    typeof fields.recvWindowCapacity === 'number'
  )
}

/** yamux whose input is checked before it is decoded, and whose output is bounded when the peer does not read. */
function guardedYamux(): StreamMuxerFactory {
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

type Chunks = Uint8Array | Iterable<Uint8Array>

function forEachChunk(data: Chunks, each: (chunk: Uint8Array) => void): void {
  if (data instanceof Uint8Array) each(data)
  else for (const chunk of data) each(chunk)
}

/** libp2p tells the muxer first, which throws when its transport closed meanwhile; then only the socket is left to close. */
function abortConnection(connection: Connection, reason: Error): void {
  try {
    connection.abort(reason)
  } catch {
    connection.abort(reason)
  }
}

function wrapConnection(connection: Connection, address: Address, protocol: string): HostConnection {
  let isAborted = false
  return {
    address,
    outbound: connection.direction === 'outbound',
    openStream: async (signal) => wrapStream(await connection.newStream(protocol, { signal })),
    abort: (reason) => {
      if (isAborted) return
      isAborted = true
      abortConnection(connection, reason)
    },
  }
}

/**
 * A stream's 'drain' says that some bytes may leave, not that all have left; to write at each of them would pile up bytes below our
 * queue. So it counts as full until its own buffer is empty.
 */
function wrapStream(stream: Stream): HostStream {
  updateWindowByHalves(stream)
  let isWriting = false
  let isResuming = false
  let isPauseWanted = false
  const isOpen = (): boolean => stream.status === 'open'
  const isFree = (): boolean => stream.writeBufferLength === 0 && !stream.writableNeedsDrain
  return {
    write(bytes) {
      isWriting = true
      try {
        stream.send(bytes)
      } finally {
        isWriting = false
      }
      return isFree()
    },
    pause() {
      if (isResuming) isPauseWanted = true
      else if (isOpen()) stream.pause()
    },
    resume() {
      if (!isOpen()) return
      // resume delivers what it held and only then opens the window: a pause from within would leave a paused stream with an open one.
      isResuming = true
      isPauseWanted = false
      stream.resume()
      isResuming = false
      if (isPauseWanted && isOpen()) stream.pause()
    },
    abort: (reason) => stream.abort(reason),
    listen: (events: HostStreamEvents) => {
      const onRoom = (): void => {
        if (!isWriting && isFree()) events.onDrain()
      }
      stream.addEventListener('drain', onRoom)
      // 'idle' comes from within the stream's send, which would keep what is sent now without sending it.
      stream.addEventListener('idle', () => {
        if (!isWriting) queueMicrotask(onRoom)
      })
      stream.addEventListener('remoteCloseWrite', () => events.onClose())
      stream.addEventListener('close', () => events.onClose())
      stream.addEventListener('message', (event) => forEachChunk(event.data, (chunk) => events.onData(chunk)))
      if (stream.status !== 'open') queueMicrotask(() => events.onClose())
    },
  }
}

/** Reports leave through the Network port; libp2p's own log lines would cost time for each frame. */
function createSilentLogger(): Logger {
  const ignore = (): void => {}
  const logger: Logger = Object.assign(ignore, {
    enabled: false,
    trace: Object.assign(ignore.bind(undefined), { enabled: false }),
    error: ignore.bind(undefined),
    newScope: (): Logger => logger,
  })
  return logger
}

const silentLogger: ComponentLogger = { forComponent: () => createSilentLogger() }
