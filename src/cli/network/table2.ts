/** Members and attributes of the local network: the departments of Table 2 (paper, section 5) and an access department. */

import type { CompanyAttribute } from '../../agent/dataset/company.js'
import { DATASET_DEPARTMENTS } from '../../agent/dataset/departments.js'
import type { Address } from '../../core/bytes.js'
import type { GenesisFile } from '../../node/genesisFile.js'

export interface DepartmentPlan {
  readonly id: string
  readonly name: string
}

/** In node order: node 1-3 hold the datasets, node 4 is the access node (paper, section 5). */
export const DEPARTMENTS: readonly DepartmentPlan[] = [
  { id: 'market-regulation', name: 'Administration for Market Regulation' },
  { id: 'finance', name: 'Financial Supervision Bureau' },
  { id: 'intellectual-property', name: 'Intellectual Property Office' },
  { id: 'government-service', name: 'Government Service Centre' },
]

type AttributeSchema = GenesisFile['attributes'][number]['schema']

const count: AttributeSchema = { valueType: 'integer', lengthMax: 9, min: 0, max: 10_000_000 }
const money: AttributeSchema = { valueType: 'decimal', scale: 2, lengthMax: 20, min: 0, max: '100000000000000000' }
const text = (lengthMax: number): AttributeSchema => ({ valueType: 'text', lengthMax })

const SCHEMAS: Record<CompanyAttribute, AttributeSchema> = {
  companyName: text(128),
  unifiedSocialCreditCode: { valueType: 'code', checksum: 'gb32100', caseRule: 'upper', lengthMax: 18 },
  registeredCapital: money,
  paidUpCapital: money,
  // Days since 1970-01-01: from 1949-10-01 to 2099-12-31.
  registrationDate: { valueType: 'date', lengthMax: 10, min: -7_397, max: 47_481 },
  registrationAddress: text(256),
  employees: count,
  socialSecurityEmployees: count,
  openingBank: text(128),
  bankAccount: { valueType: 'code', lengthMax: 32 },
  legalRepresentative: text(64),
  legalRepresentativeId: { valueType: 'code', checksum: 'gb11643', caseRule: 'upper', lengthMax: 18 },
  intellectualPropertyRights: count,
  inventionPatents: count,
  utilityModelPatents: count,
  designPatents: count,
  softwareCopyrights: count,
}

/** Attributes of Table 2 with the department that supervises each; the first department that lists a locator supervises it. */
export function table2Attributes(supervisorOf: (departmentId: string) => Address): GenesisFile['attributes'] {
  const seen = new Set<CompanyAttribute>()
  const entries: GenesisFile['attributes'] = []
  for (const department of DATASET_DEPARTMENTS) {
    for (const attribute of [...department.locators, ...department.attributes]) {
      if (seen.has(attribute)) continue
      seen.add(attribute)
      entries.push({ attribute, schema: SCHEMAS[attribute], supervisors: [supervisorOf(department.id)] })
    }
  }
  return entries
}
