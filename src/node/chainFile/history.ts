/** Blocks below a snapshot: a chain file is executed in a folder beside, and what it gave is taken over. */
import { rm } from 'node:fs/promises'
import { ChainStore } from '../../state/chainStore.js'
import { fillBlocks, type OpenChain } from '../../state/fillBlocks.js'
import { openLevelStore } from '../../state/store/level.js'
import { ChainFileError } from './format.js'
import { type ImportPlan, importChain } from './importer.js'

/**
 * Fills the folder of a stopped node back to block 1; receipts come from executing the file, not from whoever made it. What breaks
 * off goes on with the same call. Returns the number of blocks. Throws ChainFileError, StateError.
 */
export async function importHistory(plan: Omit<ImportPlan, 'history'>): Promise<number> {
  const beside = `${plan.dataDir}.history`
  const to = await openChain(plan.dataDir)
  try {
    const oldest = to.chain.oldestBlock()
    if (oldest === 1) {
      await rm(beside, { recursive: true, force: true })
      return 0
    }
    const { last } = await importChain({ ...plan, dataDir: beside, history: { recentBlocks: 0 } })
    if (last < oldest - 1)
      throw new ChainFileError(
        'GAP',
        `the file ends with block ${last}, the folder begins with ${oldest}: import what is between`,
      )
    const from = await openChain(beside)
    const blocks = await fillBlocks(from, to).finally(() => from.chain.close())
    await rm(beside, { recursive: true, force: true })
    return blocks
  } finally {
    await to.chain.close()
  }
}

async function openChain(dir: string): Promise<OpenChain> {
  const store = await openLevelStore(dir)
  return { store, chain: await ChainStore.open({ store }) }
}
