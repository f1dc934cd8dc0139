/** The paper's query functions (4.2, Table 1), run against a department's own database. */
import { EXISTENCE } from '../../contracts/codes.js'
import { canonicalise } from '../../contracts/dataFunctions.js'
import type { Schema } from '../../contracts/genesisTypes.js'
import { meets, type Predicate } from '../../contracts/predicates.js'
import type { DepartmentDatabase, EnterpriseLocator } from '../database/departmentDatabase.js'

/** What the functions need of a database. */
export type RecordSource = Pick<DepartmentDatabase, 'find'>

/** Does the enterprise's record hold the attribute? EXISTENCE code: exists, missing (no record, or no such field) or vacant (an empty field). */
export async function GetExistence(
  database: RecordSource,
  enterprise: EnterpriseLocator,
  attribute: string,
): Promise<number> {
  const value = (await database.find(enterprise, [attribute]))?.values.get(attribute)
  if (value === undefined) return EXISTENCE.missing
  return value.trim() === '' ? EXISTENCE.vacant : EXISTENCE.exists
}

/**
 * Does the record hold exactly the declared value? Both are brought into the canonical form of the attribute's schema;
 * a stored value which has none is compared as it stands.
 */
export async function GetConfirm(
  database: RecordSource,
  enterprise: EnterpriseLocator,
  attribute: string,
  schema: Schema,
  declared: string,
): Promise<boolean> {
  const stored = (await database.find(enterprise, [attribute]))?.values.get(attribute)
  if (stored === undefined || stored.trim() === '') return false
  const wanted = canonicalise(schema, declared)
  if (!wanted.ok) return false
  const held = canonicalise(schema, stored)
  return (held.ok ? held.value : stored) === wanted.value
}

/** Does the record's value meet the predicate? Undefined when it has no canonical form to compare. */
export async function MeetsPredicate(
  database: RecordSource,
  enterprise: EnterpriseLocator,
  attribute: string,
  schema: Schema,
  predicate: Predicate,
): Promise<boolean | undefined> {
  const stored = (await database.find(enterprise, [attribute]))?.values.get(attribute)
  return stored === undefined ? undefined : meets(schema, predicate, stored)
}
