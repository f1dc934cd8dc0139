/** Blocks that a store which began from a snapshot fetches from below, from block 1 up, while it runs; they count once all are there. */
import type { Height } from '../core/bytes.js'
import type { FinalBlock } from './chainStore.js'
import { addBlockRecords } from './store/blockOperations.js'
import { metaKey, writeHeight } from './store/keys.js'
import type { WriteOperation } from './store/keyValueStore.js'

/** Name under which stands the first block above genesis that is kept whole; none: block 1. */
export const OLDEST_BLOCK_META = 'blocks'

/** Stands in a folder that began from a snapshot and wants the blocks below it: its height. Pruning removes it. */
export const SNAPSHOT_META = 'snapshot'

/** The last block from the first on that was fetched. */
export const FETCHED_META = 'fetched'

/** A block below the head. */
export type PastBlock = Omit<FinalBlock, 'overlay' | 'meta'>

/** Without `fetched` they are part of a range that is not complete: whoever goes on later fetches them again. */
export function fetchedOperations(
  blocks: readonly PastBlock[],
  fetched: Height | null,
  oldest: Height,
): WriteOperation[] {
  const operations: WriteOperation[] = []
  for (const block of blocks) addBlockRecords(block, operations)
  if (fetched === null) return operations
  if (fetched < oldest - 1) operations.push({ type: 'put', key: metaKey(FETCHED_META), value: heightRecord(fetched) })
  else for (const name of [OLDEST_BLOCK_META, SNAPSHOT_META, FETCHED_META]) operations.push(forget(name))
  return operations
}

/** The folder wants what is below its first block. */
export const snapshotMark = (height: Height): WriteOperation => ({
  type: 'put',
  key: metaKey(SNAPSHOT_META),
  value: heightRecord(height),
})

export const forget = (name: string): WriteOperation => ({ type: 'del', key: metaKey(name) })

export function heightRecord(height: Height): Uint8Array {
  const value = new Uint8Array(6)
  writeHeight(value, 0, height)
  return value
}
