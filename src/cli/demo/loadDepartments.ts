/** Fills the departments' databases with the dataset, with progress. */
import { join } from 'node:path'
import { openDepartmentDatabase } from '../../agent/database/open.js'
import { DATASET_DEPARTMENTS, type DepartmentId } from '../../agent/dataset/departments.js'
import type { DatasetOptions } from '../../agent/dataset/generate.js'
import { loadDataset } from '../../agent/dataset/load.js'
import type { Output } from '../output.js'
import { progressBar } from './progress.js'

/** Loads one department after the other; `folderOf` is the node's folder. Returns the number of records of each. */
export async function loadDepartments(
  folderOf: (department: DepartmentId) => string,
  options: DatasetOptions,
  out: Output,
): Promise<Record<DepartmentId, number>> {
  const loaded: Partial<Record<DepartmentId, number>> = {}
  for (const { id } of DATASET_DEPARTMENTS) {
    const database = await openDepartmentDatabase(join(folderOf(id), 'department'))
    const bar = progressBar(out, id)
    try {
      loaded[id] = await loadDataset(database, id, options, (progress) =>
        bar.update(progress.loaded, progress.total ?? progress.loaded),
      )
      bar.done(`${loaded[id]} records`)
    } finally {
      await database.close()
    }
  }
  return loaded as Record<DepartmentId, number>
}
