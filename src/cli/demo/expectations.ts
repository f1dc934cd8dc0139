/** What the right answer to a question about a generated enterprise is, read from the dataset and not from the system. */
import type { CompanyAttribute } from '../../agent/dataset/company.js'
import { DATASET_DEPARTMENTS } from '../../agent/dataset/departments.js'
import type { DatasetCompany } from '../../agent/dataset/generate.js'
import type { VerificationReport } from '../../agent/requester.js'

export type Answer = 'right' | 'differs' | 'missing' | 'vacant'

/** The department that supervises an attribute: the first of Table 2 that lists it. */
export function supervisorOf(attribute: CompanyAttribute): string {
  const found = DATASET_DEPARTMENTS.find(({ locators, attributes }) => [...locators, ...attributes].includes(attribute))
  if (found === undefined) throw new RangeError(`no department of Table 2 keeps ${attribute}`)
  return found.id
}

/** Right answers for `declared` values; `held` are values the departments have stored since (from a submission). */
export function expectedAnswers(
  company: DatasetCompany,
  declared: Readonly<Record<string, string>>,
  held: Readonly<Record<string, string>> = {},
): Map<string, Answer> {
  const answers = new Map<string, Answer>()
  for (const [attribute, value] of Object.entries(declared)) {
    const row = company.rows.find((candidate) => candidate.department === supervisorOf(attribute as CompanyAttribute))
    const stored = held[attribute] ?? row?.values[attribute as CompanyAttribute]
    if (stored === undefined) answers.set(attribute, 'missing')
    else if (stored === '') answers.set(attribute, 'vacant')
    else answers.set(attribute, stored === value ? 'right' : 'differs')
  }
  return answers
}

/** Attributes whose answer is not the expected one, in words; empty when all are right. */
export function wrongAnswers(
  report: Pick<VerificationReport, 'attributes'>,
  expected: ReadonlyMap<string, Answer>,
): string[] {
  const wrong: string[] = []
  for (const { attribute, status, confirmed, exists } of report.attributes) {
    const got = status === 'exists' ? (confirmed ? 'right' : 'differs') : status
    const want = expected.get(attribute)
    if (got !== want || exists !== (want === 'right' || want === 'differs'))
      wrong.push(`${attribute}: ${got}, expected ${want}`)
  }
  if (report.attributes.length !== expected.size)
    wrong.push(`${report.attributes.length} answers to ${expected.size} questions`)
  return wrong
}
