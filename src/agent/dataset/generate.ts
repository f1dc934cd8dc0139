/** The dataset of Table 2: one population of enterprises, three departments which each know a part of it. Streams; equal options give equal rows. */
import type { CompanyAttribute, CompanyValues } from './company.js'
import { companiesMax, companyValues } from './company.js'
import { DATASET_DEPARTMENTS, type DatasetDepartment, type DepartmentId } from './departments.js'
import { createRandom, ExactSampler, type Random } from './random.js'

/**
 * What a record lacks. `missing`: some attributes are not there (no key); `vacant`: some are there without a value;
 * `partial`: some of both. Locators are always there.
 */
export type RecordCase = 'complete' | 'partial' | 'missing' | 'vacant'

export const RECORD_CASES: readonly RecordCase[] = ['complete', 'partial', 'missing', 'vacant']

/** Share of each case in every department; exact up to rounding. */
export const CASE_SHARES: Readonly<Record<RecordCase, number>> = {
  complete: 0.7,
  partial: 0.1,
  missing: 0.1,
  vacant: 0.1,
}

export interface DatasetOptions {
  /** Any text; default 'concordat'. */
  readonly seed?: string
  /** Records of the largest department (default 12,000); the others keep their proportion. */
  readonly records?: number
  /** Multiplies all record counts; default 1. For growing-data experiments. */
  readonly scale?: number
}

export interface DatasetRow {
  readonly department: DepartmentId
  readonly case: RecordCase
  /** Attribute -> value; '' is a vacant field, a field that is missing has no key. */
  readonly values: Readonly<Partial<Record<CompanyAttribute, string>>>
}

export interface DatasetCompany {
  /** 0-based number in the population. */
  readonly index: number
  /** What the enterprise would declare truthfully. */
  readonly truth: CompanyValues
  /** One row for each department that knows the enterprise. */
  readonly rows: readonly DatasetRow[]
}

/** Records of each department under `options`. */
export function datasetSizes(options: DatasetOptions = {}): Record<DepartmentId, number> {
  const largest = DATASET_DEPARTMENTS[0]!.records
  const factor = ((options.records ?? largest) / largest) * (options.scale ?? 1)
  const size = (department: DatasetDepartment): number => Math.round(department.records * factor)
  const sizes = DATASET_DEPARTMENTS.map((department) => [department.id, size(department)] as const)
  const most = sizes[0]![1]
  if (!(Number.isFinite(factor) && most >= 1 && most <= companiesMax)) {
    throw new RangeError(`a dataset has 1 to ${companiesMax} records, asked for ${most}`)
  }
  return Object.fromEntries(sizes) as Record<DepartmentId, number>
}

/** Records of each case among `records`, in the order of RECORD_CASES. `complete` takes what rounding leaves. */
export function caseCounts(records: number): number[] {
  const others = RECORD_CASES.slice(1).map((name) => Math.floor(records * CASE_SHARES[name]))
  return [records - others.reduce((sum, count) => sum + count, 0), ...others]
}

/** Decides which enterprises a department knows and what their records lack; one decision an enterprise, in order. */
class DepartmentSampler {
  readonly #department: DatasetDepartment
  readonly #random: Random
  readonly #known: ExactSampler
  readonly #cases: ExactSampler

  constructor(department: DatasetDepartment, seed: string, records: number, population: number) {
    this.#department = department
    this.#random = createRandom(`${seed}/department/${department.id}`)
    this.#known = new ExactSampler([records, population - records])
    this.#cases = new ExactSampler(caseCounts(records))
  }

  next(truth: CompanyValues): DatasetRow | null {
    if (this.#known.draw(this.#random) === 1) return null
    const name = RECORD_CASES[this.#cases.draw(this.#random)]!
    const { locators, attributes, id } = this.#department
    const [absent, empty] = lacking(name, attributes.length, this.#random)
    const order = shuffled(attributes, this.#random)
    const gone = new Set(order.slice(0, absent))
    const vacant = new Set(order.slice(absent, absent + empty))
    const values: Partial<Record<CompanyAttribute, string>> = {}
    for (const attribute of [...locators, ...attributes]) {
      if (!gone.has(attribute)) values[attribute] = vacant.has(attribute) ? '' : truth[attribute]
    }
    return { department: id, case: name, values }
  }
}

/** Numbers of absent and of empty fields; at least one field keeps its value. */
function lacking(name: RecordCase, attributes: number, random: Random): readonly [absent: number, empty: number] {
  const most = attributes - 1
  if (name === 'missing') return [1 + random.below(most), 0]
  if (name === 'vacant') return [0, 1 + random.below(most)]
  if (name === 'complete') return [0, 0]
  const absent = 1 + random.below(most - 1)
  return [absent, 1 + random.below(most - absent)]
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const kept = out[i]!
    out[i] = out[j]!
    out[j] = kept
  }
  return out
}

/** All enterprises with the rows of the departments that know them. The largest department knows all. */
export function* datasetCompanies(options: DatasetOptions = {}): Generator<DatasetCompany> {
  const seed = options.seed ?? 'concordat'
  const sizes = datasetSizes(options)
  const population = Math.max(...Object.values(sizes))
  const samplers = DATASET_DEPARTMENTS.map((department) => {
    return new DepartmentSampler(department, seed, sizes[department.id], population)
  })
  for (let index = 0; index < population; index++) {
    const truth = companyValues(seed, index)
    const rows = samplers.map((sampler) => sampler.next(truth)).filter((row) => row !== null)
    yield { index, truth, rows }
  }
}

/** The records of one department. */
export function* datasetRows(department: DepartmentId, options: DatasetOptions = {}): Generator<DatasetRow> {
  for (const company of datasetCompanies(options)) {
    const row = company.rows.find((candidate) => candidate.department === department)
    if (row) yield row
  }
}

export interface DatasetSamples {
  /** Known completely to all three departments. */
  readonly complete: DatasetCompany
  /** Some department's record has a field missing, none has one vacant. */
  readonly missing: DatasetCompany
  /** Some department's record has a vacant field, none misses one. */
  readonly vacant: DatasetCompany
  /** Both at once in one record. */
  readonly partial: DatasetCompany
  /** One department has no record at all. */
  readonly absent: DatasetCompany
}

/** The first enterprise of each case (undefined only in tiny datasets, then it throws and says so). */
export function datasetSamples(options: DatasetOptions = {}): DatasetSamples {
  const found: Partial<Record<keyof DatasetSamples, DatasetCompany>> = {}
  for (const company of datasetCompanies(options)) {
    found[sampleKind(company)] ??= company
    if (Object.keys(found).length === RECORD_CASES.length + 1) return found as DatasetSamples
  }
  throw new RangeError('the dataset is too small to show every case: take 100 records or more')
}

function sampleKind(company: DatasetCompany): keyof DatasetSamples {
  if (company.rows.length < DATASET_DEPARTMENTS.length) return 'absent'
  const cases = new Set(company.rows.map((row) => row.case))
  if (cases.has('partial') || (cases.has('missing') && cases.has('vacant'))) return 'partial'
  return cases.has('missing') ? 'missing' : cases.has('vacant') ? 'vacant' : 'complete'
}
