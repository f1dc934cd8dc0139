import t from 'tap'
import { openMemoryDatabase } from '../../src/agent/database/open.js'
import { companyValues } from '../../src/agent/dataset/company.js'
import { DATASET_DEPARTMENTS } from '../../src/agent/dataset/departments.js'
import {
  caseCounts,
  type DatasetRow,
  datasetCompanies,
  datasetRows,
  datasetSamples,
  datasetSizes,
  RECORD_CASES,
} from '../../src/agent/dataset/generate.js'
import { loadDataset } from '../../src/agent/dataset/load.js'
import { createRandom, ExactSampler } from '../../src/agent/dataset/random.js'
import { isCreditCode, isResidentId } from '../../src/contracts/dataFunctions.js'

/** What the record really lacks, read from the record alone. */
function caseOf(row: DatasetRow): string {
  const department = DATASET_DEPARTMENTS.find((candidate) => candidate.id === row.department)
  const absent = department?.attributes.filter((attribute) => !(attribute in row.values)).length ?? 0
  const empty = Object.values(row.values).filter((value) => value === '').length
  if (absent > 0 && empty > 0) return 'partial'
  return absent > 0 ? 'missing' : empty > 0 ? 'vacant' : 'complete'
}

t.test('full dataset: the counts and attributes of Table 2', (t) => {
  const companies = [...datasetCompanies()]
  t.equal(companies.length, 12_000)
  for (const department of DATASET_DEPARTMENTS) {
    const rows = companies.flatMap((c) => c.rows).filter((row) => row.department === department.id)
    t.equal(rows.length, department.records)
    const counts = RECORD_CASES.map((name) => rows.filter((row) => row.case === name).length)
    t.same(counts, caseCounts(department.records))
    t.ok(
      rows.every((row) => row.case === caseOf(row)),
      'the label is what the record shows',
    )
    t.ok(
      rows.every((row) => department.locators.every((locator) => row.values[locator])),
      'locators always there',
    )
    const complete = rows.find((row) => row.case === 'complete')
    t.same(Object.keys(complete?.values ?? {}), [...department.locators, ...department.attributes])
  }
  t.equal(new Set(companies.map((c) => c.truth.companyName)).size, 12_000, 'names are unique')
  t.equal(new Set(companies.map((c) => c.truth.unifiedSocialCreditCode)).size, 12_000, 'codes are unique')
  const inAll = companies.filter((c) => c.rows.length === 3).length
  t.ok(inAll > 5_000 && inAll < 8_500, `${inAll} enterprises are known to all three`)
  t.end()
})

t.test('names and codes stay unique over 100,000 enterprises', (t) => {
  const names = new Set<string>()
  const codes = new Set<string>()
  for (let i = 0; i < 100_000; i++) {
    const values = companyValues('wide', i)
    names.add(values.companyName)
    codes.add(values.unifiedSocialCreditCode)
  }
  t.same([names.size, codes.size], [100_000, 100_000])
  t.end()
})

t.test('values agree with each other', (t) => {
  for (let i = 0; i < 500; i++) {
    const v = companyValues('check', i)
    const kinds = [v.inventionPatents, v.utilityModelPatents, v.designPatents, v.softwareCopyrights].map(Number)
    if (Number(v.intellectualPropertyRights) !== kinds.reduce((a, b) => a + b)) t.fail('rights do not add up')
    if (Number(v.paidUpCapital) > Number(v.registeredCapital)) t.fail('paid up above registered')
    if (Number(v.socialSecurityEmployees) > Number(v.employees)) t.fail('more insured than employed')
    if (!isCreditCode(v.unifiedSocialCreditCode)) t.fail(v.unifiedSocialCreditCode)
    if (!isResidentId(v.legalRepresentativeId)) t.fail(v.legalRepresentativeId)
    if (!/^\d{19}$/.test(v.bankAccount)) t.fail(v.bankAccount)
  }
  t.pass('500 enterprises')
  t.end()
})

t.test('deterministic by seed; scaled and smaller sets keep the proportions', (t) => {
  const take = (seed: string) => JSON.stringify([...datasetCompanies({ seed, records: 300 })])
  t.equal(take('a'), take('a'))
  t.not(take('a'), take('b'))
  t.same(datasetSizes({ records: 500 }), { 'market-regulation': 500, finance: 417, 'intellectual-property': 354 })
  t.same(datasetSizes({ scale: 2 }), { 'market-regulation': 24_000, finance: 20_000, 'intellectual-property': 17_000 })
  t.equal([...datasetRows('finance', { records: 500 })].length, 417)
  t.throws(() => datasetSizes({ records: 0 }), RangeError)
  t.end()
})

t.test('samples show each case', (t) => {
  const samples = datasetSamples({ records: 500 })
  t.ok(samples.complete.rows.every((row) => row.case === 'complete'))
  t.equal(samples.complete.rows.length, 3)
  t.ok(samples.missing.rows.some((row) => row.case === 'missing'))
  t.ok(samples.vacant.rows.some((row) => row.case === 'vacant'))
  t.ok(samples.absent.rows.length < 3)
  t.throws(() => datasetSamples({ records: 3 }), /too small/)
  t.end()
})

t.test('ExactSampler draws each category exactly as often as asked', (t) => {
  const sampler = new ExactSampler([3, 0, 5])
  const random = createRandom('x')
  const seen = Array.from({ length: 8 }, () => sampler.draw(random))
  t.same(
    [0, 1, 2].map((i) => seen.filter((n) => n === i).length),
    [3, 0, 5],
  )
  t.throws(() => sampler.draw(random), RangeError)
  t.end()
})

t.test('loading keeps missing and vacant apart, reports progress and can be repeated', async (t) => {
  const options = { records: 1_500 }
  const database = await openMemoryDatabase()
  const progress: number[] = []
  await loadDataset(database, 'market-regulation', options, ({ loaded, total }) => {
    t.equal(total, 1_500)
    progress.push(loaded)
  })
  t.same(progress, [1_000, 1_500])
  await loadDataset(database, 'market-regulation', options)
  t.equal(await database.count(), 1_500)
  for (const row of datasetRows('market-regulation', options)) {
    const locator = { companyName: '', creditCode: row.values.unifiedSocialCreditCode ?? '' }
    const record = await database.find(locator)
    if (JSON.stringify(Object.fromEntries(record?.values ?? [])) !== JSON.stringify(row.values)) t.fail('differs')
  }
  await database.close()
})
