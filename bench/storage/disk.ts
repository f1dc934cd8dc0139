/** What files take on disk. */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openLevelStore } from '../../src/state/store/level.js'

export interface DiskUse {
  /** Lengths of the files: the same on every file system. Preallocated room counts, it is written with zeros. */
  readonly bytes: number
  /** What the file system has set aside for them: whole blocks. */
  readonly allocatedBytes: number
}

const BLOCK_BYTES = 512

/** Of a file, or of everything in a folder. */
export function diskUse(path: string): DiskUse {
  const stat = lstatSync(path)
  if (!stat.isDirectory()) return { bytes: stat.size, allocatedBytes: stat.blocks * BLOCK_BYTES }
  return sumOf(readdirSync(path).map((name) => diskUse(join(path, name))))
}

export function sumOf(uses: readonly DiskUse[]): DiskUse {
  return {
    bytes: uses.reduce((sum, { bytes }) => sum + bytes, 0),
    allocatedBytes: uses.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0),
  }
}

/** Disk use of the store in `dir` after compaction; nothing may have it open. Throws StoreError. */
export async function compactedUse(dir: string): Promise<DiskUse> {
  const store = await openLevelStore(dir)
  try {
    await store.compact()
  } finally {
    await store.close()
  }
  return diskUse(dir)
}
