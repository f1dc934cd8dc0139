/** Enterprises' records without a chain (paper 5.1): owners, departments with imported copies, one data centre. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openEmbeddedDatabase } from '../../src/agent/database/embeddedDatabase.js'
import type { DepartmentId } from '../../src/agent/dataset/departments.js'
import { DATASET_DEPARTMENTS } from '../../src/agent/dataset/departments.js'
import type { DatasetCompany } from '../../src/agent/dataset/generate.js'
import { recordOfRow } from '../../src/agent/dataset/load.js'
import { openLevelStore } from '../../src/state/store/level.js'
import { type DiskUse, diskUse } from './disk.js'

/** Records of some departments in one folder, kept by the same engine as a department's own database. */
class RecordStore {
  constructor(
    private readonly dir: string,
    private readonly departments: readonly DepartmentId[],
  ) {}

  /** What several departments know of one enterprise becomes one record. Throws StoreError, DatabaseError. */
  async add(companies: readonly DatasetCompany[], compact: boolean): Promise<void> {
    mkdirSync(this.dir, { recursive: true })
    const store = await openLevelStore(this.dir)
    const database = await openEmbeddedDatabase(store)
    try {
      await database.bulkLoad(rowsOf(companies, this.departments))
      if (compact) await store.compact()
    } finally {
      await database.close()
    }
  }

  get use(): DiskUse {
    return diskUse(this.dir)
  }
}

export function* rowsOf(companies: readonly DatasetCompany[], departments: readonly DepartmentId[]) {
  for (const { rows } of companies) {
    for (const row of rows) if (departments.includes(row.department)) yield recordOfRow(row)
  }
}

const ALL: readonly DepartmentId[] = DATASET_DEPARTMENTS.map(({ id }) => id)

/**
 * Departments of the network that use the others' data, in the order in which they begin to: the access department, which
 * owns no records, then the three owners. Whoever follows owns none either.
 */
export const FIRST_USERS = ['government-service', ...ALL] as const

/** Stores of owners in what `uses` answers. */
export const OWNERS = ALL.length

/** Several stores that grow together. */
export class RecordStores {
  private constructor(private readonly stores: readonly RecordStore[]) {}

  /** Every owner keeps its records; each of `users` departments has a copy of what the others own. */
  static copies(dir: string, users: number): RecordStores {
    const owners = ALL.map((id) => new RecordStore(join(dir, id), [id]))
    const copies = Array.from({ length: users }, (_, user) => {
      const wanted = ALL.filter((id) => id !== FIRST_USERS[user])
      return new RecordStore(join(dir, `copy-${user + 1}`), wanted)
    })
    return new RecordStores([...owners, ...copies])
  }

  /** All records in one place, none elsewhere. */
  static centre(dir: string): RecordStores {
    return new RecordStores([new RecordStore(join(dir, 'centre'), ALL)])
  }

  /** With `compact` the stores are compacted before they are closed. */
  async add(companies: readonly DatasetCompany[], { compact }: { readonly compact: boolean }): Promise<void> {
    for (const store of this.stores) await store.add(companies, compact)
  }

  /** Of each store, as it was left: with copies, the owners first. */
  uses(): readonly DiskUse[] {
    return this.stores.map(({ use }) => use)
  }
}
