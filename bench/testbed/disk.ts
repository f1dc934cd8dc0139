/** What a stopped node has on disk. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { tableRange } from '../../src/state/store/keys.js'
import { openLevelStore } from '../../src/state/store/level.js'

/** Bytes of the files under `dir`. */
export function folderBytes(dir: string): number {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

/** Rewrites the chain store of a stopped node, so that replaced values take no more room; resolves with its bytes. */
export async function compactStore(dataDir: string): Promise<number> {
  const store = await openLevelStore(dataDir)
  try {
    await store.compact()
  } finally {
    await store.close()
  }
  return folderBytes(dataDir)
}

/** Accounts and storage slots in the chain store of a stopped node. */
export async function countStateEntries(dataDir: string): Promise<number> {
  const store = await openLevelStore(dataDir)
  try {
    let entries = 0
    for (const table of ['account', 'slot'] as const) {
      for await (const _entry of store.range(tableRange(table))) entries++
    }
    return entries
  } finally {
    await store.close()
  }
}
