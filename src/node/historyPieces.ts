/** Past blocks in pieces that are encoded within about one slice, and for whose writing no commit of consensus waits for long. */
import type { PastBlock } from '../state/fetchedBlocks.js'
import { HISTORY_WRITE_RECORDS_MAX } from './limits.js'

/** Records of a block besides one for each transaction. */
const BLOCK_RECORDS = 5

/** In order; a block that is larger than a piece may be is one of its own. */
export function piecesOf(blocks: readonly PastBlock[]): readonly (readonly PastBlock[])[] {
  const pieces: PastBlock[][] = []
  let records = Number.POSITIVE_INFINITY
  for (const block of blocks) {
    const own = BLOCK_RECORDS + block.block.transactions.length
    if (records + own > HISTORY_WRITE_RECORDS_MAX) {
      pieces.push([])
      records = 0
    }
    pieces.at(-1)!.push(block)
    records += own
  }
  return pieces
}
