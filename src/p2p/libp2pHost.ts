/** A libp2p node with every limit set, behind the Host port. */
import './polyfill.js'
import type { ComponentLogger, Connection, Logger, PeerId, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import type { Address } from '../core/bytes.js'
import { connectionsPerSecondMax, peersMax, pendingConnectionsMax } from '../core/limits.js'
import type { Host, HostConnection, HostEvents } from './host.js'
import { addressOfPeer, libp2pKeyOf } from './identity.js'
import { guardedYamux, noiseInOneWrite } from './libp2pLayers.js'
import { wrapStream } from './libp2pStream.js'
import { NetworkError } from './network.js'

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
    connectionEncrypters: [noiseInOneWrite()],
    streamMuxers: [guardedYamux],
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
