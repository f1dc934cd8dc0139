/** Loads the generated dataset into a department's database. */
import type { DepartmentDatabase, LoadProgress, RecordWrite } from '../database/departmentDatabase.js'
import type { DepartmentId } from './departments.js'
import { type DatasetOptions, type DatasetRow, datasetRows, datasetSizes } from './generate.js'

/** A dataset row as a record: located by name, and by credit code where the department keeps it. */
export function recordOfRow(row: DatasetRow): RecordWrite {
  const { companyName = '', unifiedSocialCreditCode: creditCode = '' } = row.values
  return { locator: { companyName, creditCode }, values: new Map(Object.entries(row.values)) }
}

/** Resolves with the number of records. Loading the same dataset again changes nothing. */
export function loadDataset(
  database: DepartmentDatabase,
  department: DepartmentId,
  options: DatasetOptions = {},
  onProgress?: LoadProgress,
): Promise<number> {
  const total = datasetSizes(options)[department]
  return database.bulkLoad(records(department, options), { total, ...(onProgress && { onProgress }) })
}

function* records(department: DepartmentId, options: DatasetOptions): Generator<RecordWrite> {
  for (const row of datasetRows(department, options)) yield recordOfRow(row)
}
