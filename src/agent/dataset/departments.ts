/** The three departments of Table 2 (paper, section 5) and the attributes that each keeps. */
import type { CompanyAttribute } from './company.js'

export type DepartmentId = 'market-regulation' | 'finance' | 'intellectual-property'

export interface DatasetDepartment {
  readonly id: DepartmentId
  /** Records of the full dataset. */
  readonly records: number
  /** Attributes that say which enterprise a record is about; present in every record. */
  readonly locators: readonly CompanyAttribute[]
  /** Attributes that can be absent or empty. */
  readonly attributes: readonly CompanyAttribute[]
}

export const DATASET_DEPARTMENTS: readonly DatasetDepartment[] = [
  {
    id: 'market-regulation',
    records: 12_000,
    locators: ['companyName', 'unifiedSocialCreditCode'],
    attributes: [
      'registeredCapital',
      'paidUpCapital',
      'registrationDate',
      'registrationAddress',
      'employees',
      'socialSecurityEmployees',
    ],
  },
  {
    id: 'finance',
    records: 10_000,
    locators: ['companyName'],
    attributes: ['openingBank', 'bankAccount', 'legalRepresentative', 'legalRepresentativeId'],
  },
  {
    id: 'intellectual-property',
    records: 8_500,
    locators: ['companyName'],
    attributes: [
      'intellectualPropertyRights',
      'inventionPatents',
      'utilityModelPatents',
      'designPatents',
      'softwareCopyrights',
    ],
  },
]
