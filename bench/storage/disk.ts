/** What files take on disk, also those of a store that is in use. */
import { cpSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
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

const COPY_TRIES = 10
const COPY_PAUSE_MS = 300

/**
 * Copies folders of a store that is in use and opens the copy with `open`. A background compaction can take a file away meanwhile:
 * then the copy is not whole and is made again. Rejects with the last error.
 */
export async function openCopy<T>(folders: ReadonlyMap<string, string>, open: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      for (const [from, to] of folders) {
        rmSync(to, { recursive: true, force: true })
        cpSync(from, to, { recursive: true })
      }
      return await open()
    } catch (error) {
      if (tries === COPY_TRIES) throw error
      await delay(COPY_PAUSE_MS)
    }
  }
}
