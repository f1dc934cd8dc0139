/** Blocks above the final one, by hash, with what is known of their execution. */
import type { Hash, View } from '../core/bytes.js'
import type { Certificate, SealedBlock, SealerSet } from './types.js'

/** held -> checking -> valid | invalid; an invalid one is checked once more when a quorum vouches for it. */
export type BlockState = 'held' | 'checking' | 'valid' | 'invalid'

export interface BlockEntry {
  readonly block: SealedBlock
  readonly parentView: View
  readonly justification: readonly Certificate[]
  state: BlockState
  /** The check that runs or ran counted on a quorum's word, so its verdict is final. */
  certified: boolean
  /** Set when the block closes its epoch (R8). */
  nextSet: SealerSet | null
  journaled: boolean
}

export type BlockTable = Map<Hash, BlockEntry>

export function entryOf(block: SealedBlock, parentView: View, justification: readonly Certificate[]): BlockEntry {
  return {
    block,
    parentView,
    justification,
    state: 'held',
    certified: false,
    nextSet: null,
    journaled: false,
  }
}
