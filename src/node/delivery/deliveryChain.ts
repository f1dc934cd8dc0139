/** What the delivery of envelopes asks of the final chain. */
import type { Address } from '../../core/bytes.js'
import type { EnvelopeId } from './records.js'

/** An envelope to which a final transaction refers. */
export interface AnnouncedEnvelope {
  readonly recipient: Address
  readonly carrier: Address
  readonly expiresAt: number
  /** Its owner has asked for its erasure. */
  readonly erasureAsked: boolean
  /** Holders that have confirmed. */
  readonly confirmedBy: readonly Address[]
}

export interface DeliveryChain {
  /** Of the last final block. */
  height(): number
  isActive(member: Address): boolean
  /** Undefined while no final transaction refers to it. */
  announced(id: EnvelopeId): AnnouncedEnvelope | undefined
  /** Nodes at which a member takes envelopes. */
  nodesOf(member: Address): readonly Address[]
  /** The member for whom a key acts now; the key's own address when it acts for none. */
  memberOf(key: Address): Address
  /** The member for whom a key ever acted: who sent what it signed. */
  ownerOf(key: Address): Address
  /** Whether a peer passes frames on: a sealer. */
  relays(peer: Address): boolean
}
