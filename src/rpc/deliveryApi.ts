/** What the RPC asks of a node about envelopes that travel from node to node. */
import type { Address, Hash, Height } from '../core/bytes.js'

/** An envelope as its sender hands it over; the signature (65 bytes) is over hash, length, expiry and recipients. */
export interface HandedEnvelope {
  readonly slip: {
    /** SHA-256 of the envelope. */
    readonly hash: Hash
    readonly lengthBytes: number
    /** Last block for which it is kept. */
    readonly expiresAt: number
    readonly recipients: readonly Address[]
    readonly signature: Uint8Array
  }
  readonly body: Uint8Array
}

export interface EnvelopeKey {
  readonly sender: Address
  readonly hash: Hash
}

/**
 * waiting: on this node's disk, some recipient's node has not acknowledged it. delivered: all have. held: this node has it
 * for a recipient. erased, expired, orphaned: it was here. unknown: it never was.
 */
export type EnvelopeState = 'waiting' | 'delivered' | 'held' | 'erased' | 'expired' | 'orphaned' | 'unknown'

export interface EnvelopeStatus extends EnvelopeKey {
  /** The member whose node this is. */
  readonly carrier: Address
  readonly state: EnvelopeState
  readonly lengthBytes: number | null
  readonly expiresAt: Height | null
  /** delivered: this node has a receipt of one of the recipient's nodes. */
  readonly recipients: readonly { readonly address: Address; readonly delivered: boolean }[]
}

export interface DeliveryTotals {
  readonly stored: number
  readonly bytes: number
  /** Deliveries that no node of the recipient has acknowledged. */
  readonly waiting: number
  /** Erasures that are done here and not confirmed on chain yet. */
  readonly owed: number
}

/** Deliveries to one recipient that none of its nodes has acknowledged. */
export interface DeliveryOverdue {
  readonly recipient: Address
  readonly waiting: number
  /** Of the one that waits longest, since the node has it or was started. */
  readonly longestMs: number
}

/** Methods throw coded errors, whose message may be shown. */
export interface DeliveryApi {
  readonly carrier: Address
  deliver(envelope: HandedEnvelope, waitMs: number): Promise<EnvelopeStatus>
  /** Null while it is not here. */
  envelope(key: EnvelopeKey, signature: Uint8Array): Promise<Uint8Array | null>
  status(key: EnvelopeKey): EnvelopeStatus
  counts(): DeliveryTotals
  /** The longest first. */
  overdue(): readonly DeliveryOverdue[]
}
