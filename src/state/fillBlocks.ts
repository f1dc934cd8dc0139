/** Gives a store that began from a snapshot, or was pruned, the blocks that it lacks, out of a store that has executed them. */
import { asHeight, type Hash, type Height } from '../core/bytes.js'
import type { ChainStore } from './chainStore.js'
import { StateError } from './errors.js'
import { oldestBlock } from './prune.js'
import { bodyKey, certificateKey, headerKey, heightOfHashKey, receiptsKey, transactionKey } from './store/keys.js'
import type { KeyValueStore, WriteOperation } from './store/keyValueStore.js'

export interface OpenChain {
  readonly store: KeyValueStore
  readonly chain: ChainStore
}

/** Blocks of one batch: 64 MiB of the largest. */
const BLOCKS_PER_BATCH = 64

/**
 * From the oldest block of `to` back to the first, each linked by its hash to the one above it; what breaks off goes on with the
 * same call. Returns the number of blocks. Throws StateError WRONG_CHAIN.
 */
export async function fillBlocks(from: OpenChain, to: OpenChain): Promise<number> {
  const first = to.chain.oldestBlock()
  let wanted = to.chain.headerByNumber(first)?.parentHash
  let batch: WriteOperation[] = []
  for (let height = asHeight(first - 1); height >= 1; height = asHeight(height - 1)) {
    const header = from.chain.headerByNumber(height)
    if (wanted === undefined || header === undefined || from.chain.canonicalHash(height) !== wanted)
      throw new StateError(
        'WRONG_CHAIN',
        `block ${height} is not the one before the folder's: name a file of the same chain`,
      )
    copyBlock(from, height, wanted, batch)
    wanted = header.parentHash
    if (height > 1 && (first - height) % BLOCKS_PER_BATCH !== 0) continue
    batch.push(oldestBlock(height))
    await to.store.batch(batch, { sync: true })
    batch = []
  }
  return first - 1
}

function copyBlock({ store, chain }: OpenChain, height: Height, hash: Hash, batch: WriteOperation[]): void {
  const keys = [headerKey(height), bodyKey(height), receiptsKey(height), certificateKey(height), heightOfHashKey(hash)]
  for (const { hash: transaction } of chain.blockByNumber(height)?.transactions ?? [])
    keys.push(transactionKey(transaction))
  for (const key of keys) {
    const value = store.getSync(key)
    if (value === undefined) throw new StateError('CORRUPT', `block ${height} ${hash} is not whole`)
    batch.push({ type: 'put', key, value })
  }
}
