/** Final blocks on the disk of a simulated node, and what range sync serves of them. */
import type { Certificate, SealedBlock } from '../../src/consensus/types.js'

export interface StoredBlock {
  readonly block: SealedBlock
  /** Null where a later block's certificate covers this one. */
  readonly certificate: Certificate | null
}

const syncBlocksMax = 16

/** Blocks of one epoch from height `from` on, up to one with a certificate; null when there is none. */
export function certifiedRange(
  chain: readonly StoredBlock[],
  from: number,
): { blocks: readonly SealedBlock[]; certificate: Certificate } | null {
  const range: StoredBlock[] = []
  let certified = 0
  for (let height = from; height - from < 4 * syncBlocksMax; height++) {
    const stored = chain[height - 1]
    if (!stored || (range.length > 0 && stored.block.epoch !== range[0]!.block.epoch)) break
    range.push(stored)
    if (stored.certificate) certified = range.length
    if (certified >= syncBlocksMax) break
  }
  const certificate = range[certified - 1]?.certificate
  return certificate ? { blocks: range.slice(0, certified).map((stored) => stored.block), certificate } : null
}
