/** What the storage experiment says (paper 5.1, Fig. 8). */
import type { Figure } from '../report/figures.js'
import { given } from '../report/given.js'
import { type Claim, type SectionMaker, type SectionTable, type Sentence, say } from '../report/section.js'
import { breakEvenChart, departmentsChart, growthChart, splitChart } from './charts.js'
import { type Known, knownOf, type OfVariant } from './known.js'
import { GROWING_PARTS, last, StorageFigures, VARIANTS } from './storageFigures.js'

export const storageSection: SectionMaker = (figures) => {
  const known = knownOf(new StorageFigures(figures))
  return {
    title: 'Storage',
    method: METHOD,
    findings: findingsOf(known),
    claims: claimsOf(known),
    charts: [growthChart(known), splitChart(known), departmentsChart(known), breakEvenChart(known)],
    tables: [growthTable(known), splitTable(known), departmentsTable(known), runningTable(known)].filter(
      ({ rows }) => rows.length > 0,
    ),
  }
}

const METHOD = [
  'Each system really stores the generated records of Table 2 for a growing number of enterprises; every store is compacted before it is measured, and the lengths of all its files are added up.',
  'Traditional copies: the three owning departments keep their records, and each of the four using departments (the access department and the three owners) holds an imported copy of everything that the others own, since it checks declarations against all attributes.',
  'Traditional centre: one database with every record once, and none in the departments.',
  'Concordat: the databases of the four departments, with what their agents keep in them, and the chain data and journals of all four nodes, started as processes. "Portrait empty": every enterprise is registered and has given its portrait key to the four departments. "Half" and "full": the access department has asked about half of the enterprises, or about all, with all attributes, and the supervisors have answered. "Submitted": instead of being loaded, the records came in StoreData transactions of the enterprises, and the departments acknowledged them.',
  "All databases use the same engine. The size of a table is what the engine says of its key range after compaction; the portraits' share of the slots is counted by reading them through the contract.",
].join(' ')

function findingsOf(known: Known): Sentence[] {
  const { copies, centre, empty, full, submitted, record } = known
  const { keyOfOne, copyOfOne, crossing, recordForCopy } = known.departments
  return [
    ...given(
      [full.chain, full.chainOfNode, record, full.times],
      (chain, node, record, times) =>
        say`One enterprise whose portrait is full takes ${chain} on the chain, ${node} on each node; its records take ${record} in one database. The chain holds ${times} as much as the records.`,
    ),
    ...given(
      [empty.chain, submitted.chain],
      (empty, submitted) =>
        say`An enterprise that is registered and has given out its portrait key takes ${empty} on the chain, one that also submitted its records through the chain ${submitted}.`,
    ),
    ...given(
      [last(copies.line)?.figure, empty.extended, full.extended],
      (copies, empty, full) =>
        say`At the largest number of enterprises, imported copies take ${copies}, concordat ${empty} with an empty portrait library and ${full} with a full one (by the line through the points where fewer were measured).`,
    ),
    ...given(
      [copies.slope, empty.slope, full.slope],
      (copies, empty, full) =>
        say`With four using departments, each further enterprise takes ${copies} with imported copies, ${empty} with concordat and an empty portrait library, ${full} with a full one.`,
    ),
    ...given(
      [empty.breakEven, full.breakEven],
      (empty, full) =>
        say`Imported copies for four using departments take more than concordat from ${empty} of records an enterprise on with an empty library, from ${full} on with a full one. (This holds the chain as it is: true of digests and portraits; the sealed values in queries and submissions grow with the records.)`,
    ),
    ...given(
      [keyOfOne, copyOfOne],
      (key, copy) =>
        say`A further using department takes ${key} an enterprise on the chain, for its share of the portrait key on all nodes, and ${copy} with an imported copy.`,
    ),
    ...crossingSentence(known, crossing, recordForCopy),
    ...given(
      [known.journals],
      (journals) =>
        say`The journals of all nodes took ${journals} at most: room is set aside ahead, and rewriting them brings it down again, whatever is stored. What is said of one more enterprise leaves them out.`,
    ),
    ...given(
      [centre.owners, known.keysInDatabases],
      (owners, keys) =>
        say`The owners' databases together take ${owners} of the centre: names are kept once in each. With the portrait keys that the agents keep, the departments' databases take ${keys} of it.`,
    ),
  ]
}

function crossingSentence(known: Known, crossing: Figure | undefined, record: Figure | undefined): Sentence[] {
  const { most } = known.departments
  if (most === undefined) return []
  if (crossing !== undefined && crossing.value <= most.value) {
    return [say`Concordat takes less than imported copies from ${crossing} using departments on.`]
  }
  const beyond = given(
    [crossing],
    (at) => say`not within ${most} using departments; by the lines through the points, from ${at} on`,
  )
  const never = say`at no number of using departments, ${most} being the most that were measured, since each of them adds more than a copy would`
  const when = beyond[0] ?? never
  const instead = given(
    [record],
    (record) => say` Each would add less than a copy from ${record} of records an enterprise on.`,
  )
  return [[...say`Concordat takes less than imported copies `, ...when, '.', ...instead.flat()]]
}

function claimsOf(known: Known): Claim[] {
  const { copies, centre, empty, full, record } = known
  return [
    ...given([empty.timesCentre, empty.beside, record], (times, beside, record): Claim => {
      return {
        claim: "The model's storage overhead is that of the centralised approach (section 5.1)",
        answer: times.value <= EQUAL_MAX ? 'yes' : 'no',
        because: say`Before the first query everything together takes ${times} of the centre. For each further enterprise there are ${beside} beside the records, which take ${record} in the centre: every node stores the whole chain.`,
      }
    }),
    ...given([centre.owners], (owners): Claim => {
      return {
        claim: 'No record is stored redundantly between the departments (section 5.1)',
        answer: owners.value <= ONCE_MAX ? 'yes' : 'no',
        because: say`The owners' databases together take ${owners} of the centre; each of them keeps the names and their index. What every node stores of a record are digests, answers and values sealed for its owner.`,
      }
    }),
    ...given([copies.slope, empty.slope, full.slope], (copies, empty, full): Claim => {
      const less = [empty, full].filter(({ value }) => value < copies.value).length
      return {
        claim: 'As the data grow, the model significantly reduces the storage overhead (section 5.1)',
        answer: less === 2 ? 'yes' : less === 1 ? 'partly' : 'no',
        because: say`With the records of Table 2, each further enterprise takes ${copies} with copies for four using departments, ${empty} with concordat and an empty portrait library, ${full} with a full one.`,
      }
    }),
  ]
}

/** Of the centre: what still counts as equal, and what still counts as stored once. */
const EQUAL_MAX = 1.1
const ONCE_MAX = 1.5

const NOT_MEASURED = '–'

function growthTable(known: Known): SectionTable {
  const lines = [known.copies.line, known.centre.line, ...VARIANTS.map((variant) => known.variants[variant].line)]
  const xs = [...new Set(lines.flatMap((line) => line.map(({ x }) => x)))].sort((a, b) => a - b)
  const cell = (line: (typeof lines)[number], x: number) => line.find((point) => point.x === x)?.figure ?? NOT_MEASURED
  return {
    title: 'Disk use by number of enterprises',
    head: [
      'enterprises',
      'traditional copies',
      'traditional centre',
      ...VARIANTS.map((variant) => `concordat, ${variant}`),
    ],
    rows: xs.map((x) => [x.toLocaleString('en'), ...lines.map((line) => cell(line, x))]),
  }
}

function splitTable({ variants }: Known): SectionTable {
  const measured = VARIANTS.filter((variant) => variants[variant].chain !== undefined)
  const row = (title: string, pick: (of: OfVariant) => Figure | undefined) => [
    title,
    ...measured.map((variant) => pick(variants[variant]) ?? NOT_MEASURED),
  ]
  return {
    title: 'Disk use of one more enterprise',
    head: ['part', ...measured.map((variant) => `concordat, ${variant}`)],
    rows:
      measured.length === 0
        ? []
        : [
            ...GROWING_PARTS.map((part) => row(part, (of) => of.parts[part])),
            row('chain of all nodes', (of) => of.chain),
            row('chain of one node', (of) => of.chainOfNode),
            row('everything but journals', (of) => of.slope),
          ],
  }
}

function departmentsTable({ departments: { copies, concordat, ratios } }: Known): SectionTable {
  return {
    title: 'Disk use by number of using departments',
    head: ['using departments', 'traditional copies', 'concordat, portrait empty', 'concordat / copies'],
    rows: concordat.map(({ x, figure }, i) => [
      x.toLocaleString('en'),
      copies.find((point) => point.x === x)?.figure ?? NOT_MEASURED,
      figure,
      ratios[i] ?? NOT_MEASURED,
    ]),
  }
}

function runningTable({ running }: Known): SectionTable {
  return {
    title: 'The running network',
    head: ['part', 'disk use'],
    rows: running.map(({ part, figure }) => [part, figure]),
  }
}
