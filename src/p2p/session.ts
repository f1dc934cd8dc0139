/** One live connection to a peer, and which of two survives. */
import type { Address } from '../core/bytes.js'
import { guestsMax, peersMax } from '../core/limits.js'
import type { HostConnection, HostStream } from './host.js'
import type { Admission } from './network.js'
import type { PeerLink } from './peerLink.js'

export interface Session {
  readonly connection: HostConnection
  readonly stream: HostStream
  readonly link: PeerLink
  /** Monotonic ms. */
  readonly openedAt: number
  /** Unix ms. */
  readonly since: number
}

/**
 * Whether `next` takes the place of `current`, for the same peer.
 *
 * A peer that dials while it is connected has lost the old connection, so the newer one counts; unless both sides dialled each
 * other at once: then both keep the one that the lower address dialled. Should the two sides differ over "at once", both
 * connections close and are dialled again.
 */
export function replaces(
  next: HostConnection,
  current: { readonly connection: HostConnection; readonly ageMs: number },
  self: Address,
  simultaneousMs: number,
): boolean {
  const crossed = next.outbound !== current.connection.outbound && current.ageMs < simultaneousMs
  if (!crossed) return true
  return next.outbound === self < next.address
}

/** Whether a peer finds a place beside those that are connected: a known one always, a guest while it takes nobody else's. */
export function hasRoom(
  peer: { readonly isKnown: boolean; readonly admission: Admission },
  connected: { readonly all: number; readonly guests: number },
): boolean {
  if (peer.isKnown) return true
  return connected.all < peersMax && (peer.admission !== 'guest' || connected.guests < guestsMax)
}
