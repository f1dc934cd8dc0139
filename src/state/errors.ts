import { CodedError } from '../core/codedError.js'

export type StateErrorCode =
  /** A trie node that the root commits to is not in the store. */
  | 'MISSING_NODE'
  /** A stored value does not hash to, or decode as, what it should. */
  | 'CORRUPT'
  /** Reading through a view of a final state that a later block has replaced. */
  | 'SUPERSEDED'
  /** The block handed to commit does not follow the head, or its overlay is not its execution. */
  | 'NOT_NEXT'
  /** The store was opened without a genesis block. */
  | 'NO_GENESIS'
  /** The folder holds another chain, or another layout of this store. */
  | 'WRONG_CHAIN'
  /** An earlier write failed; what it left on disk is unknown. */
  | 'FAILED'

/** A fault of the stored state; the node stops on all but NOT_NEXT and NO_GENESIS. */
export class StateError extends CodedError<StateErrorCode> {}
