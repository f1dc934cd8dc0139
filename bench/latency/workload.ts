/** What is asked: declarations of the dataset's enterprises, some with wrong values, and the right answers to them. */
import type { DatasetCompany } from '../../src/agent/dataset/generate.js'
import { createRandom } from '../../src/agent/dataset/random.js'
import { type Answer, expectedAnswers } from '../../src/cli/demo/expectations.js'
import { withWrongValues } from '../../src/cli/demo/scenario.js'
import type { Enterprise } from '../testbed/population.js'

export interface Query {
  readonly enterprise: Enterprise
  /** Attribute -> declared value; all attributes of the dataset. */
  readonly values: ReadonlyMap<string, string>
  readonly expected: ReadonlyMap<string, Answer>
}

/** One enterprise in ten declares something wrong; what the departments lack follows from the dataset. */
const WRONG_EVERY = 10

export function queryOf(enterprise: Enterprise): Query {
  const { company } = enterprise
  const declared = declaredBy(company)
  return { enterprise, values: new Map(Object.entries(declared)), expected: expectedAnswers(company, declared) }
}

function declaredBy({ index, truth }: DatasetCompany): Readonly<Record<string, string>> {
  return index % WRONG_EVERY === 0 ? withWrongValues(truth).declared : truth
}

/** Places in a population of `drawnFrom`, drawn with repetition. */
export function draws(seed: string, count: number, drawnFrom: number): number[] {
  const random = createRandom(`${seed}/draws`)
  return Array.from({ length: count }, () => random.below(drawnFrom))
}
