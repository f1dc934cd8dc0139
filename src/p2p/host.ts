/** What the network needs from a transport: connections to proved keys, and one byte stream on each. */
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Address } from '../core/bytes.js'
import type { BytePipe } from './peerLink.js'

export interface HostStream extends BytePipe {
  /** Registers the one receiver; what arrived before is delivered afterwards. */
  listen(events: HostStreamEvents): void
  abort(reason: Error): void
}

export interface HostStreamEvents {
  onData(chunk: Uint8Array): void
  onDrain(): void
  onClose(): void
}

export interface HostConnection {
  /** Of the key that the other side proved. */
  readonly address: Address
  /** True when this side dialled. */
  readonly outbound: boolean
  /** Opens the frame stream; rejects when the peer is of another network. */
  openStream(signal: AbortSignal): Promise<HostStream>
  abort(reason: Error): void
}

export interface HostEvents {
  /** Asked as soon as a key is proved, before anything else is read; undefined: a key that is no secp256k1 key. */
  admit(address: Address | undefined): boolean
  onConnection(connection: HostConnection): void
  onClosed(connection: HostConnection, error: Error | undefined): void
  /** The peer opened a frame stream. */
  onStream(connection: HostConnection, stream: HostStream): void
}

export interface Host {
  /** Rejects with NetworkError LISTEN_FAILED. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Where this host listens, with its peer id. */
  addresses(): readonly string[]
  /** A new connection, or the one that exists. */
  dial(target: Multiaddr, signal: AbortSignal): Promise<HostConnection>
}
