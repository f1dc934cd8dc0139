/** What one node has on disk, by what it is for. Taken from a copy, so that the node need not stop. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Hash } from '../../src/core/bytes.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { tableRange } from '../../src/state/store/keys.js'
import type { KeyValueStore } from '../../src/state/store/keyValueStore.js'
import { openLevelStore } from '../../src/state/store/level.js'
import { type DiskUse, diskUse, openCopy, sumOf } from './disk.js'
import { portraitShareOfSlots } from './portraitShare.js'

export const CHAIN_PARTS = ['blocks', 'state', 'portraits', 'indices', 'tries', 'journal'] as const
export type ChainPart = (typeof CHAIN_PARTS)[number]

/** `parts` add up to `bytes`. */
export interface NodeDisk extends DiskUse {
  readonly parts: Readonly<Record<ChainPart, number>>
}

type Table = Parameters<typeof tableRange>[0]
const TABLES = {
  blocks: ['header', 'body', 'receipts', 'certificate'],
  state: ['account', 'code'],
  slots: ['slot'],
  indices: ['height', 'transaction'],
  tries: ['accountNode', 'storageNode'],
} as const satisfies Record<string, readonly Table[]>

/** A share of the slots that portraits take, or the enterprises whose portraits are to be looked up to learn it. */
export type PortraitShare = number | { readonly enterprises: readonly Hash[] }

/**
 * Copies the node's chain data and journal to `scratch`, compacts the copy and measures it. With `height` the copy must end at that block.
 * Resolves with the share of portraits too, which is the same on every node.
 */
export async function measureNode(
  folder: string,
  scratch: string,
  height: number | undefined,
  portraits: PortraitShare,
): Promise<{ readonly disk: NodeDisk; readonly portraitShare: number }> {
  try {
    const store = await copyOf(folder, scratch, height)
    let sizes: Record<keyof typeof TABLES, number>
    let portraitShare: number
    try {
      await store.compact()
      sizes = await tableSizes(store)
      portraitShare =
        typeof portraits === 'number' ? portraits : await portraitShareOfSlots(store, portraits.enterprises)
    } finally {
      await store.close()
    }
    const data = diskUse(join(scratch, 'data'))
    const journal = diskUse(join(scratch, 'journal'))
    return {
      disk: { ...sumOf([data, journal]), parts: split(data.bytes, journal.bytes, sizes, portraitShare) },
      portraitShare,
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function copyOf(folder: string, scratch: string, height: number | undefined): Promise<KeyValueStore> {
  const folders = new Map(['data', 'journal'].map((part) => [join(folder, part), join(scratch, part)]))
  return openCopy(folders, async () => {
    const dir = join(scratch, 'data')
    const chain = await ChainStore.open({ dir })
    const copied = chain.head()?.height
    await chain.close()
    if (height !== undefined && copied !== height) {
      throw new Error(`the copy of ${folder} ends at block ${copied}, not ${height}`)
    }
    return openLevelStore(dir)
  })
}

async function tableSizes(store: KeyValueStore): Promise<Record<keyof typeof TABLES, number>> {
  const sizes: Record<string, number> = {}
  for (const [part, tables] of Object.entries(TABLES)) {
    sizes[part] = 0
    for (const table of tables) {
      const { gte, lt } = tableRange(table)
      sizes[part] += await store.approximateSize(gte, lt)
    }
  }
  return sizes as Record<keyof typeof TABLES, number>
}

/** What the store needs for itself (its manifest and log, the ends of its files) is spread over all parts. */
function split(
  dataBytes: number,
  journal: number,
  sizes: Record<keyof typeof TABLES, number>,
  portraitShare: number,
): Record<ChainPart, number> {
  const known = Object.values(sizes).reduce((sum, size) => sum + size, 0)
  const scaled = (size: number) => (known === 0 ? 0 : (size * dataBytes) / known)
  const portraits = scaled(sizes.slots * portraitShare)
  const [blocks, indices, tries] = [scaled(sizes.blocks), scaled(sizes.indices), scaled(sizes.tries)]
  return { blocks, portraits, indices, tries, journal, state: dataBytes - blocks - portraits - indices - tries }
}
