/** The network over libp2p: who is connected, which connection counts, who is refused. Composition of host, links and dialling. */
import type { Address } from '../core/bytes.js'
import { DialTarget } from './dialTarget.js'
import { FaultLedger } from './faultLedger.js'
import type { FrameFault } from './frames.js'
import type { Host, HostConnection, HostStream } from './host.js'
import { addressOfPrivateKey, parseListenMultiaddr, parsePeerMultiaddr } from './identity.js'
import { createLibp2pHost } from './libp2pHost.js'
import {
  type Channel,
  type FrameHandler,
  type Network,
  NetworkError,
  type NetworkOptions,
  type NetworkReportCode,
  type PeerHandler,
  type PeerInfo,
  type StaticPeer,
} from './network.js'
import { PeerLink, requireFrameSize } from './peerLink.js'
import { Reporter } from './reporter.js'
import { hasRoom, replaces, type Session } from './session.js'
import { defaultTuning, type NetworkTuning } from './tuning.js'
import { TransportFault } from './yamuxGuard.js'

export interface Libp2pNetworkOptions extends NetworkOptions {
  /** Times that differ from `defaultTuning`. */
  readonly tuning?: Partial<NetworkTuning>
}

export interface Libp2pNetwork extends Network {
  /** Where this node listens, with its peer id; empty before `start`. */
  addresses(): readonly string[]
  /** How often each kind of report occurred since the start. */
  reportCounts(): ReadonlyMap<NetworkReportCode, number>
}

/**
 * Builds the network of one node; `start` listens and dials.
 * Throws NetworkError ADDRESS_INVALID when the key or a multiaddr of the options cannot be used.
 */
export async function createLibp2pNetwork(options: Libp2pNetworkOptions): Promise<Libp2pNetwork> {
  const network = new PeerNetwork(options)
  await network.build()
  return network
}

const now = (): number => performance.now()

/** Connections of one peer while they are being sorted out; more are aborted. */
const connectionsPerPeerMax = 3

class PeerNetwork implements Libp2pNetwork {
  readonly self: Address
  readonly #options: Libp2pNetworkOptions
  readonly #tuning: NetworkTuning
  readonly #reporter: Reporter
  readonly #ledger: FaultLedger
  readonly #targets = new Map<Address, DialTarget>()
  readonly #sessions = new Map<Address, Session>()
  /** Open connections and when they opened. */
  readonly #connections = new Map<HostConnection, number>()
  /** Unix ms of the last disconnect. */
  readonly #lostAt = new Map<Address, number>()
  readonly #frameHandlers: FrameHandler[] = []
  readonly #peerHandlers: PeerHandler[] = []
  #host: Host | undefined
  #ticker: NodeJS.Timeout | undefined
  #state: 'new' | 'started' | 'stopped' = 'new'

  constructor(options: Libp2pNetworkOptions) {
    this.#options = options
    this.#tuning = { ...defaultTuning, ...options.tuning }
    this.#reporter = new Reporter(options.report, now)
    this.#ledger = new FaultLedger(this.#tuning.banMs)
    this.self = addressOfPrivateKey(options.privateKey)
    for (const peer of options.peers) this.addPeer(peer)
  }

  async build(): Promise<void> {
    const hostOptions = {
      privateKey: this.#options.privateKey,
      protocol: `/concordat/${this.#options.networkId}/frames/1`,
      listen: this.#options.listen.map(parseListenMultiaddr),
      handshakeTimeoutMs: this.#tuning.handshakeTimeoutMs,
    }
    this.#host = await createLibp2pHost(hostOptions, {
      admit: (address) => this.#admit(address),
      onConnection: (connection) => this.#onConnection(connection),
      onClosed: (connection, error) => this.#onClosed(connection, error),
      onStream: (connection, stream) => this.#adopt(connection, stream),
    })
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') throw new NetworkError('STOPPED', 'a network starts once; create another one')
    this.#state = 'started'
    await this.#host!.start()
    this.#ticker = setInterval(() => this.#tick(), this.#tuning.pingIntervalMs / 4)
    for (const target of this.#targets.values()) target.start()
  }

  async stop(): Promise<void> {
    const wasStarted = this.#state === 'started'
    this.#state = 'stopped'
    clearInterval(this.#ticker)
    for (const target of this.#targets.values()) target.stop()
    for (const session of this.#sessions.values()) session.link.close()
    this.#sessions.clear()
    if (wasStarted) await this.#host!.stop()
  }

  addresses(): readonly string[] {
    return this.#state === 'started' ? this.#host!.addresses() : []
  }

  reportCounts(): ReadonlyMap<NetworkReportCode, number> {
    return this.#reporter.counts()
  }

  addPeer(peer: StaticPeer): void {
    const { address, multiaddr } = parsePeerMultiaddr(peer.multiaddr)
    if (address === this.self) return
    this.#targets.get(address)?.stop()
    const target = new DialTarget(address, multiaddr, peer.name, this.#tuning, {
      connect: (to, signal) => this.#connect(to, signal),
      isConnected: (of) => this.#sessions.has(of),
      mayDial: (of) => this.#mayConnect(of),
      onFailure: (to, failures, error) => this.#onDialFailure(to, failures, error),
    })
    this.#targets.set(address, target)
    if (this.#state === 'started') target.start()
  }

  removePeer(address: Address): void {
    this.#targets.get(address)?.stop()
    this.#targets.delete(address)
  }

  peers(): readonly PeerInfo[] {
    const addresses = new Set([...this.#targets.keys(), ...this.#sessions.keys()])
    return [...addresses].sort().map((address) => this.#peerInfo(address))
  }

  send(to: Address, channel: Channel, frame: Uint8Array): boolean {
    requireFrameSize(channel, frame)
    const session = this.#sessions.get(to)
    if (session === undefined) return false
    const taken = session.link.send(channel, frame)
    if (!taken)
      this.#reporter.report('FRAME_DROPPED', to, `queue of channel ${channel} is full: the peer reads too slowly`)
    return taken
  }

  broadcast(channel: Channel, frame: Uint8Array): number {
    let taken = 0
    for (const address of this.#sessions.keys()) if (this.send(address, channel, frame)) taken++
    return taken
  }

  onFrame(handler: FrameHandler): void {
    this.#frameHandlers.push(handler)
  }

  onPeer(handler: PeerHandler): void {
    this.#peerHandlers.push(handler)
  }

  penalize(address: Address, fault: string): void {
    this.#reporter.report('PEER_PENALIZED', address, fault)
    if (this.#options.admission(address) === 'refused') return
    if (!this.#ledger.add(address, now())) return
    this.#reporter.report('PEER_BANNED', address, `refused for ${this.#tuning.banMs} ms; the last fault: ${fault}`)
    this.#disconnect(address, `banned: ${fault}`)
  }

  #peerInfo(address: Address): PeerInfo {
    const session = this.#sessions.get(address)
    return {
      address,
      name: this.#targets.get(address)?.name,
      connected: session !== undefined,
      rttMs: session?.link.rttMs,
      queuedBytes: session?.link.queuedBytes ?? 0,
      since: session?.since ?? this.#lostAt.get(address) ?? 0,
    }
  }

  #mayConnect(address: Address): boolean {
    return this.#options.admission(address) !== 'refused' && !this.#ledger.isBanned(address, now())
  }

  /** Places are kept for those that this node dials and for those that are there already. */
  #hasRoomFor(address: Address): boolean {
    const isKnown = this.#sessions.has(address) || this.#targets.has(address)
    const peer = { isKnown, admission: this.#options.admission(address) }
    return hasRoom(peer, { all: this.#sessions.size, guests: this.#guests() })
  }

  #guests(): number {
    let count = 0
    for (const address of this.#sessions.keys()) if (this.#options.admission(address) === 'guest') count++
    return count
  }

  #admit(address: Address | undefined): boolean {
    if (this.#state !== 'started') return false
    if (address !== undefined && this.#hasRoomFor(address) && this.#mayConnect(address)) return true
    const who = address === undefined ? 'a key that is not secp256k1' : address
    this.#reporter.report('STRANGER_REFUSED', address, `${who} is not permitted to connect`)
    return false
  }

  #onConnection(connection: HostConnection): void {
    let ofPeer = 0
    for (const other of this.#connections.keys()) if (other.address === connection.address) ofPeer++
    this.#connections.set(connection, now())
    if (ofPeer >= connectionsPerPeerMax) connection.abort(new Error('too many connections of one peer'))
  }

  #onClosed(connection: HostConnection, error: Error | undefined): void {
    this.#connections.delete(connection)
    if (error instanceof TransportFault) this.#onPeerFault(connection.address, error)
    this.#drop(connection)
  }

  async #connect(target: DialTarget, signal: AbortSignal): Promise<void> {
    const connection = await this.#host!.dial(target.multiaddr, signal)
    // An inbound connection whose frame stream is still to come.
    if (!connection.outbound || this.#sessions.get(target.address)?.connection === connection) return
    try {
      this.#adopt(connection, await connection.openStream(signal))
    } catch (error) {
      connection.abort(error as Error)
      throw error
    }
  }

  /** A frame stream of a proved and permitted peer: it becomes the session, or loses against the one that exists. */
  #adopt(connection: HostConnection, stream: HostStream): void {
    const { address } = connection
    if (this.#state !== 'started' || !this.#mayConnect(address)) {
      connection.abort(new Error('the peer is no longer permitted'))
      return
    }
    const current = this.#sessions.get(address)
    if (current?.connection === connection) {
      stream.abort(new Error('one frame stream is enough'))
      this.#reportFault('STREAM_REFUSED', address, 'a second frame stream on one connection')
      return
    }
    if (current !== undefined) {
      const old = { connection: current.connection, ageMs: now() - current.openedAt }
      if (!replaces(connection, old, this.self, this.#tuning.simultaneousMs)) {
        connection.abort(new Error('another connection to this peer counts'))
        return
      }
      this.#drop(current.connection)
      current.connection.abort(new Error('a newer connection took its place'))
    }
    this.#open(connection, stream)
  }

  #open(connection: HostConnection, stream: HostStream): void {
    const { address } = connection
    const link = new PeerLink(
      stream,
      {
        onFrame: (channel, frame) => this.#deliver(address, channel, frame),
        onFault: (fault) => {
          this.#onPeerFault(address, fault)
          connection.abort(fault)
        },
        onSilence: (silentMs) => {
          this.#reporter.report('PING_TIMEOUT', address, `nothing arrived for ${Math.round(silentMs)} ms`)
          connection.abort(new Error('ping timeout'))
          this.#drop(connection)
        },
        onExcess: (pauseMs) =>
          this.#reporter.report('RATE_EXCEEDED', address, `reading pauses for ${Math.ceil(pauseMs)} ms`),
        onPipeError: (error) => connection.abort(error),
      },
      this.#tuning,
      now,
    )
    this.#sessions.set(address, { connection, stream, link, openedAt: now(), since: Date.now() })
    if (!connection.outbound) this.#targets.get(address)?.onConnect()
    this.#notify(address, true)
    stream.listen({
      onData: (chunk) => link.receive(chunk),
      onDrain: () => link.drained(),
      onClose: () => {
        this.#drop(connection)
        connection.abort(new Error('the frame stream closed'))
      },
    })
    link.tick()
  }

  /** Ends the session on `connection`, if it is the one that counts. */
  #drop(connection: HostConnection): void {
    const { address } = connection
    const session = this.#sessions.get(address)
    if (session?.connection !== connection) return
    session.link.close()
    this.#sessions.delete(address)
    this.#lostAt.set(address, Date.now())
    this.#notify(address, false)
    this.#targets.get(address)?.onDisconnect(now() - session.openedAt)
  }

  #disconnect(address: Address, why: string): void {
    const connection = this.#sessions.get(address)?.connection
    if (connection === undefined) return
    this.#drop(connection)
    connection.abort(new Error(why))
  }

  #tick(): void {
    for (const [address, session] of this.#sessions) {
      if (!this.#mayConnect(address)) this.#disconnect(address, 'no longer permitted')
      else session.link.tick()
    }
    const oldest = now() - this.#tuning.handshakeTimeoutMs
    for (const [connection, openedAt] of this.#connections) {
      const isSession = this.#sessions.get(connection.address)?.connection === connection
      if (!isSession && openedAt < oldest) connection.abort(new Error('no frame stream was opened in time'))
    }
  }

  #deliver(from: Address, channel: Channel, frame: Uint8Array): void {
    if (this.#state !== 'started') return
    for (const handler of this.#frameHandlers) handler(from, channel, frame)
  }

  #notify(address: Address, connected: boolean): void {
    if (this.#state !== 'started') return
    for (const handler of this.#peerHandlers) handler({ address, connected })
  }

  #onPeerFault(address: Address, fault: FrameFault | TransportFault): void {
    this.#reportFault('FRAME_INVALID', address, fault.message)
  }

  #reportFault(code: NetworkReportCode, address: Address, message: string): void {
    this.#reporter.report(code, address, message)
    this.penalize(address, message)
  }

  #onDialFailure(target: DialTarget, failures: number, error: Error): void {
    const name = target.name === undefined ? '' : ` (${target.name})`
    const message = `${target.multiaddr.toString()}${name} cannot be reached, attempt ${failures}: ${explain(error)}`
    this.#reporter.report('DIAL_FAILED', target.address, message)
  }
}

/** What an operator can do about a failed dial. */
function explain(error: Error): string {
  if (error.name === 'UnsupportedProtocolError')
    return 'it is a node of another chain or version; compare the genesis files'
  if (error.name === 'UnexpectedPeerError' || error.name === 'EncryptionFailedError') {
    return `${error.message}; it has another key than its multiaddr says, or no secure channel`
  }
  if (/closed|reset/i.test(`${error.name} ${error.message}`)) return `${error.message}; does it permit this node's key?`
  return error.message
}
