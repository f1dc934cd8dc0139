/** Makes room in the folder of a node that is stopped: what is left is what the node would keep if it had never had the rest. */
import { asHeight, type Height } from '../core/bytes.js'
import { type ChainStore, OLDEST_BLOCK_META } from './chainStore.js'
import { bodyKey, metaKey, receiptsKey, tableRange, transactionKey, writeHeight } from './store/keys.js'
import type { KeyValueStore, WriteOperation } from './store/keyValueStore.js'

/** Operations of one batch. */
const BATCH_MAX = 10_000

/** Removes what past states are read from; the next block begins a new window. Returns the number of records. */
export async function pruneStates(store: KeyValueStore): Promise<number> {
  let removed = 0
  let batch: WriteOperation[] = [{ type: 'del', key: metaKey('history') }]
  const flush = async () => {
    await store.batch(batch, { sync: true })
    batch = []
  }
  // What says that there is a window goes first: a removal that breaks off leaves no window with holes.
  await flush()
  for (const table of ['diff', 'diffPart', 'changes'] as const) {
    for await (const [key] of store.range(tableRange(table))) {
      batch.push({ type: 'del', key })
      removed++
      if (batch.length >= BATCH_MAX) await flush()
    }
  }
  await flush()
  return removed
}

/**
 * Removes bodies, receipts and transaction indexes of the blocks below `end`. Headers, certificates and genesis stay: they prove
 * what comes after. Returns the number of blocks.
 */
export async function pruneBlocks(store: KeyValueStore, chain: ChainStore, end: Height): Promise<number> {
  const from = chain.oldestBlock()
  let batch: WriteOperation[] = []
  for (let height = from; height < end; height = asHeight(height + 1)) {
    for (const { hash } of chain.blockByNumber(height)?.transactions ?? [])
      batch.push({ type: 'del', key: transactionKey(hash) })
    batch.push({ type: 'del', key: bodyKey(height) }, { type: 'del', key: receiptsKey(height) })
    if (batch.length < BATCH_MAX && height + 1 < end) continue
    batch.push(oldestBlock(asHeight(height + 1)))
    await store.batch(batch, { sync: true })
    batch = []
  }
  return Math.max(0, end - from)
}

/** Notes the first block that is kept whole. */
export function oldestBlock(height: Height): WriteOperation {
  const value = new Uint8Array(6)
  writeHeight(value, 0, height)
  return { type: 'put', key: metaKey(OLDEST_BLOCK_META), value }
}
