/** Ordered store on disk. The only file that imports classic-level (LevelDB). */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { assert } from '../../core/assert.js'
import {
  type KeyRange,
  type KeyValueSnapshot,
  type KeyValueStore,
  StoreError,
  type WriteOperation,
} from './keyValueStore.js'

const MIB = 1024 * 1024
/** Recent writes kept in memory, twice this at most; more means fewer, larger files and a longer recovery. */
const writeBufferBytes = 32 * MIB
/** Uncompressed blocks of files kept in memory. */
const blockCacheBytes = 32 * MIB

/** What abstract-level asks of an implementation (its README, "Private API for implementors"); not in the public types. */
interface Implementation {
  _batch(operations: readonly WriteOperation[], options: { readonly sync: boolean }): Promise<void>
}

/** Keys and values are bytes as they are: the copies and encodings that batch() makes of each operation cost six times the write. */
class Database extends ClassicLevel<Uint8Array, Uint8Array> {
  constructor(dir: string) {
    super(dir, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      writeBufferSize: writeBufferBytes,
      cacheSize: blockCacheBytes,
    })
  }

  async writeEncoded(operations: readonly WriteOperation[], options: { readonly sync: boolean }): Promise<void> {
    if (this.status !== 'open') throw new Error(`the store is ${this.status}`)
    await (this as unknown as Implementation)._batch(operations, options)
  }
}

/** Whether there is a store in folder `dir`. */
export const holdsStore = (dir: string): boolean => existsSync(join(dir, 'CURRENT'))

/**
 * Opens or creates the store in folder `dir`, for this process alone. Throws StoreError LOCKED or NOT_OPENED.
 */
export async function openLevelStore(dir: string): Promise<KeyValueStore> {
  const database = new Database(dir)
  try {
    await database.open()
  } catch (error) {
    throw openError(dir, error)
  }
  return new LevelStore(database)
}

class LevelStore implements KeyValueStore {
  private failed: StoreError | undefined

  constructor(private readonly database: Database) {}

  getSync(key: Uint8Array): Uint8Array | undefined {
    return plain(this.database.getSync(key))
  }

  async batch(operations: readonly WriteOperation[], options: { readonly sync: boolean }): Promise<void> {
    if (this.failed !== undefined) throw this.failed
    try {
      await this.database.writeEncoded(operations, options)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      this.failed = new StoreError(
        'WRITE_FAILED',
        `writing to ${this.database.location} failed (${reason}): check the disk, then restart`,
        { cause },
      )
      throw this.failed
    }
  }

  snapshot(): KeyValueSnapshot {
    const snapshot = this.database.snapshot()
    return {
      getSync: (key) => plain(this.database.getSync(key, { snapshot })),
      close: () => void snapshot.close(),
    }
  }

  async *range(range: KeyRange): AsyncGenerator<[Uint8Array, Uint8Array]> {
    for await (const [key, value] of this.database.iterator(range)) yield [plain(key)!, plain(value)!]
  }

  approximateSize(gte: Uint8Array, lt: Uint8Array): Promise<number> {
    return this.database.approximateSize(gte, lt)
  }

  async compact(): Promise<void> {
    await this.database.compactRange(Uint8Array.of(), new Uint8Array(64).fill(0xff))
  }

  async close(): Promise<void> {
    await this.database.close()
  }
}

/** classic-level hands out Node Buffers, whose slice() shares memory: a trap outside this file. */
function plain(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function openError(dir: string, error: unknown): StoreError {
  assert(error instanceof Error, 'classic-level throws errors')
  const cause = error.cause instanceof Error ? error.cause : error
  if ((cause as { code?: string }).code === 'LEVEL_LOCKED') {
    return new StoreError('LOCKED', `another process uses ${dir}: stop it, or choose another folder`, { cause })
  }
  return new StoreError('NOT_OPENED', `the store in ${dir} cannot be opened: ${cause.message}`, { cause })
}
