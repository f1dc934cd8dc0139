/** Where a department's embedded database lives: a folder of its own, or memory for trials. */
import { mkdir } from 'node:fs/promises'
import { StoreError } from '../../state/store/keyValueStore.js'
import { openLevelStore } from '../../state/store/level.js'
import { MemoryStore } from '../../state/store/memory.js'
import { DatabaseError, type DepartmentDatabase } from './departmentDatabase.js'
import { openEmbeddedDatabase } from './embeddedDatabase.js'

/** Opens or creates the database in folder `dir`, for this process alone. Throws DatabaseError LOCKED, FAILED or CORRUPT. */
export async function openDepartmentDatabase(dir: string): Promise<DepartmentDatabase> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const store = await openLevelStore(dir)
    return await openEmbeddedDatabase(store).catch(async (error: unknown) => {
      await store.close()
      throw error
    })
  } catch (cause) {
    if (cause instanceof DatabaseError) throw cause
    const code = cause instanceof StoreError && cause.code === 'LOCKED' ? 'LOCKED' : 'FAILED'
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new DatabaseError(code, `department database ${dir} cannot be opened: ${reason}`, { cause })
  }
}

/** Forgets everything when it is closed. */
export function openMemoryDatabase(): Promise<DepartmentDatabase> {
  return openEmbeddedDatabase(new MemoryStore())
}
