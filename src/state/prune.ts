/** Makes room in the folder of a node that is stopped: what is left is what the node would keep if it had never had the rest. */
import { asHeight, type Height } from '../core/bytes.js'
import type { ChainStore } from './chainStore.js'
import { FETCHED_META, forget, heightRecord, OLDEST_BLOCK_META, SNAPSHOT_META } from './fetchedBlocks.js'
import { bodyKey, metaKey, receiptsKey, tableRange, transactionKey } from './store/keys.js'
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
 * what comes after. A node that began from a snapshot does not fetch them any more. Returns the number of blocks.
 */
export async function pruneBlocks(store: KeyValueStore, chain: ChainStore, end: Height): Promise<number> {
  await dropFetched(store, chain)
  const from = chain.oldestBlock()
  let batch: WriteOperation[] = []
  for (let height = from; height < end; height = asHeight(height + 1)) {
    addRemoval(chain, height, batch)
    if (batch.length < BATCH_MAX && height + 1 < end) continue
    batch.push(oldestBlock(asHeight(height + 1)))
    await store.batch(batch, { sync: true })
    batch = []
  }
  return Math.max(0, end - from)
}

/**
 * What was fetched of a history that is not whole. The mark goes first: a node must not go on above a removal that breaks off. That
 * something was fetched stays on record until nothing of it is left.
 */
async function dropFetched(store: KeyValueStore, chain: ChainStore): Promise<void> {
  const oldest = chain.oldestBlock()
  const hasMark = chain.meta(SNAPSHOT_META) !== undefined
  const begun = chain.meta(FETCHED_META) ?? heightRecord(asHeight(0))
  const stays: WriteOperation = { type: 'put', key: metaKey(FETCHED_META), value: begun }
  if (hasMark) await store.batch([forget(SNAPSHOT_META), stays], { sync: true })
  if (!hasMark && chain.meta(FETCHED_META) === undefined) return
  let batch: WriteOperation[] = []
  for (let height = asHeight(1); height < oldest; height = asHeight(height + 1)) {
    if (chain.rawReceipts(height) !== undefined) addRemoval(chain, height, batch)
    if (batch.length < BATCH_MAX) continue
    await store.batch(batch, { sync: true })
    batch = []
  }
  await store.batch([...batch, forget(FETCHED_META)], { sync: true })
}

function addRemoval(chain: ChainStore, height: Height, batch: WriteOperation[]): void {
  for (const { hash } of chain.blockByNumber(height)?.transactions ?? [])
    batch.push({ type: 'del', key: transactionKey(hash) })
  batch.push({ type: 'del', key: bodyKey(height) }, { type: 'del', key: receiptsKey(height) })
}

/** Notes the first block that is kept whole. */
export function oldestBlock(height: Height): WriteOperation {
  return { type: 'put', key: metaKey(OLDEST_BLOCK_META), value: heightRecord(height) }
}
