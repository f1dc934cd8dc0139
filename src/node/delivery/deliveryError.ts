import { CodedError } from '../../core/codedError.js'

export type DeliveryErrorCode =
  | 'TOO_LARGE'
  /** The bytes are not those that the sender signed for. */
  | 'HASH_MISMATCH'
  | 'BAD_SIGNATURE'
  /** Who signed is no active member. */
  | 'NOT_PERMITTED'
  | 'BAD_RECIPIENTS'
  | 'EXPIRED'
  | 'EXPIRES_TOO_LATE'
  /** Its owner has asked for its erasure, or it was dropped here. */
  | 'ERASED'
  /** The store has no room for this sender now. */
  | 'OVER_BUDGET'
  /** The signature is not that of a recipient. */
  | 'NOT_A_RECIPIENT'

/** An envelope that this node does not take or hand out; the message says what to do. */
export class DeliveryError extends CodedError<DeliveryErrorCode> {}

/** A fault of the disk under the envelopes: what is on it is unknown, and the node stops. */
export class EnvelopeDiskError extends CodedError<'IO'> {}
