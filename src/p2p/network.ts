/**
 * The network as the node sees it: bounded frames of bytes between permitted peers. It knows neither blocks nor votes.
 *
 * Delivery is best effort: a frame arrives at most once, whole and unaltered, frames of one channel in the order in which
 * they were sent, or not at all (the peer is away, its queue is full, the connection broke). Who needs more sends again.
 */
import type { Address } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'

/**
 * What a frame is about. Ping and consensus leave first, transactions and blocks take turns, envelopes wait for all of
 * them; each has its own byte caps (core/limits.ts).
 */
export const CHANNEL = { ping: 0, consensus: 1, transactions: 2, blocks: 3, envelopes: 4 } as const

/** A channel open to the node; 0 (ping) belongs to the network itself. */
export type Channel = 1 | 2 | 3 | 4

export interface PeerInfo {
  readonly address: Address
  /** The operator's name for this peer, when its configuration gives one. */
  readonly name: string | undefined
  readonly connected: boolean
  /** Round trip of the last answered ping; undefined before the first. */
  readonly rttMs: number | undefined
  /** Bytes accepted by `send` that the transport has not taken yet. */
  readonly queuedBytes: number
  /** Unix milliseconds of the last change of `connected`; 0 when never connected. */
  readonly since: number
}

export interface PeerChange {
  readonly address: Address
  readonly connected: boolean
}

/** `frame` is the receiver's own copy; it may be kept. */
export type FrameHandler = (from: Address, channel: Channel, frame: Uint8Array) => void
export type PeerHandler = (change: PeerChange) => void

export interface Network {
  /** This node's address: that of its secp256k1 key. */
  readonly self: Address
  /** Listens and dials. Rejects with NetworkError when it cannot listen. */
  start(): Promise<void>
  /** Closes every connection and the listeners; no handler is called afterwards. Idempotent. */
  stop(): Promise<void>
  /** Peers to keep a connection to and connected ones, in order of address. */
  peers(): readonly PeerInfo[]
  /** Keeps a connection to `peer` from now on; replaces what was known of its key. Throws NetworkError ADDRESS_INVALID. */
  addPeer(peer: StaticPeer): void
  /** Dials `address` no more. A connection that is open stays until it breaks or its admission ends. */
  removePeer(address: Address): void
  /**
   * Queues `frame` (which must not be altered afterwards). False when the peer is not connected or its queue for this
   * channel is full: the frame is dropped and counted. Throws NetworkError FRAME_TOO_LARGE above the channel's cap.
   */
  send(to: Address, channel: Channel, frame: Uint8Array): boolean
  /** Sends to every connected peer; the number of peers which took it. */
  broadcast(channel: Channel, frame: Uint8Array): number
  /** Adds a receiver of frames, called synchronously in arrival order. */
  onFrame(handler: FrameHandler): void
  /** Adds a receiver of connects and disconnects. */
  onPeer(handler: PeerHandler): void
  /** Records a fault of a peer seen by the node (an invalid vote, a block that does not verify). Enough of them disconnect the peer for a while. */
  penalize(address: Address, fault: string): void
}

export type NetworkErrorCode = 'FRAME_TOO_LARGE' | 'LISTEN_FAILED' | 'ADDRESS_INVALID' | 'STOPPED'

/** A fault of use or environment, for the operator or the caller. */
export class NetworkError extends CodedError<NetworkErrorCode> {}

/** What happened that an operator may want to see; counted by code. */
export type NetworkReportCode =
  | 'STRANGER_REFUSED'
  | 'DIAL_FAILED'
  | 'FRAME_INVALID'
  | 'FRAME_DROPPED'
  | 'RATE_EXCEEDED'
  | 'STREAM_REFUSED'
  | 'PING_TIMEOUT'
  | 'PEER_PENALIZED'
  | 'PEER_BANNED'

export interface NetworkReport {
  readonly code: NetworkReportCode
  /** Undefined when the other side never proved a key. */
  readonly address: Address | undefined
  readonly message: string
}

/** Called for each report; never with frame contents. */
export type NetworkReportHandler = (report: NetworkReport) => void

/**
 * Whether a key may connect: a `peer` always, a `guest` while fewer than `guestsMax` guests are connected, so that
 * observers never take the places of sealers.
 */
export type Admission = 'peer' | 'guest' | 'refused'

/** A peer to keep a connection to. */
export interface StaticPeer {
  /** `/ip4/…/tcp/…/p2p/<peer id>`; the peer id names the key, and so the address. */
  readonly multiaddr: string
  readonly name?: string
}

export interface NetworkOptions {
  /** 32 bytes: the node's secp256k1 key, its identity on the network. */
  readonly privateKey: Uint8Array
  /** Separates chains that share members; the genesis hash. Peers with another one cannot talk. */
  readonly networkId: string
  /** Multiaddrs to listen on, e.g. `/ip4/127.0.0.1/tcp/0`. */
  readonly listen: readonly string[]
  readonly peers: readonly StaticPeer[]
  /** Who may connect; asked at each handshake and several times a second, so that whoever loses it is disconnected. */
  readonly admission: (address: Address) => Admission
  readonly report?: NetworkReportHandler
}
