/** What the throughput experiment says. */
import { type Curve, curveTable as tableOf } from '../report/curve.js'
import type { Figure } from '../report/figures.js'
import { given } from '../report/given.js'
import { type SectionMaker, type SectionTable, type Sentence, say } from '../report/section.js'
import { chartsOf } from './charts.js'
import { type Known, knownOf } from './known.js'

export const throughputSection: SectionMaker = (figures) => {
  const known = knownOf(figures)
  return {
    title: 'Throughput',
    method: METHOD,
    findings: findingsOf(known),
    claims: [],
    charts: chartsOf(known),
    tables: [offeredTable(known), clientsTable(known), nodesTable(known), sizesTable(known)].filter(
      ({ rows }) => rows.length > 0,
    ),
  }
}

const METHOD = [
  'Networks of node processes and the load generator share one machine, so a figure is that of one machine that does the work of all. Submissions are StoreData transactions of registered enterprises, signed before the clock starts and handed to all nodes in turn; they count when a block with them is final, which is when it is durable on the node that says so. Networks of different sizes are measured one after the other, each alone; everything else is interleaved.',
  'Open loop: each submission is due at a fixed instant, and its time counts from there, so that a standstill shows in the times of all that fell due meanwhile. Closed loop: a fixed number is under way at a time. Saturated: more are under way than two blocks hold.',
  'CPU time, memory and recoveries are what the nodes say of themselves, all threads included; a rate counts from the first final block of a load to the last before it ended. The disk of a submission is the growth of a compacted chain store.',
].join(' ')

function findingsOf(known: Known): Sentence[] {
  const { offered, nodes, clients, sizes, budget, disk } = known
  return [
    ...networkFindings(known),
    ...given(
      [
        offered.keptUp,
        offered.keptUp && offered.p50.byX.get(offered.keptUp.value),
        offered.keptUp && offered.p99.byX.get(offered.keptUp.value),
      ],
      (rate, p50, p99) =>
        say`The smallest network keeps up with ${rate} offered submissions; at that rate a submission takes ${p50} (p50) and ${p99} (p99) until it is final, counted from when it was due.`,
    ),
    ...budgetFinding(budget),
    ...given(
      [first(nodes.fillBytes), first(nodes.fillGas), first(nodes.transactions)],
      (bytes, gas, transactions) =>
        say`At saturation a block holds ${transactions} submissions, ${bytes} of its limit in bytes and ${gas} of its limit in gas.`,
    ),
    ...given(
      [first(nodes.resident), disk],
      (resident, disk) =>
        say`A saturated node takes ${resident} of memory; a submission adds ${disk} to the disk of each node.`,
    ),
    ...given(
      [first(nodes.recoveries)],
      (recoveries) => say`Each node recovers the sender of a submission ${recoveries} times.`,
    ),
    ...given(
      [first(sizes.bytes), last(sizes.bytes), last(sizes.rate)],
      (small, large, rate) =>
        say`With real envelopes the network carries ${small} of transactions; with the largest ones ${large}, in ${rate} transactions.`,
    ),
    ...given(
      [highest(clients.hits)],
      (hits) => say`The nodes answer up to ${hits} queries from the portrait, all attributes of Table 2 each.`,
    ),
  ]
}

function networkFindings({ nodes }: Known): Sentence[] {
  return [...nodes.throughput.byX].flatMap(([count, rate]) =>
    given(
      [nodes.p50.byX.get(count)],
      (p50) =>
        say`${numberOf(count)} nodes on this machine make up to ${rate} submissions to three departments final and durable; on the idle network one takes ${p50} (p50).`,
    ),
  )
}

/** In words, since figures are what was measured. */
const NUMBERS: Partial<Record<number, string>> = { 4: 'Four', 7: 'Seven', 10: 'Ten' }
const numberOf = (count: number): string => NUMBERS[count] ?? String(count)

function budgetFinding({ ratio, budget, recover }: Known['budget']): Sentence[] {
  return given([ratio, budget, recover], (ratio, budget, recover) => {
    const verdict = ratio.value <= budget.value ? 'within' : 'above'
    return say`A submission costs each node of the smallest network ${ratio} the CPU time of one native signature recovery (${recover}), ${verdict} the budget of ${budget}.`
  })
}

const first = ({ byX }: Curve): Figure | undefined => [...byX.values()][0]
const last = ({ byX }: Curve): Figure | undefined => [...byX.values()].at(-1)
const highest = ({ byX }: Curve): Figure | undefined =>
  [...byX.values()].reduce<Figure | undefined>(
    (most, one) => (most === undefined || one.value > most.value ? one : most),
    undefined,
  )

function offeredTable({ offered }: Known): SectionTable {
  const { achieved, p50, p99, max } = offered
  return tableOf('Open loop, submissions to three departments', 'offered per second', [
    ['achieved', achieved],
    ['time to final, p50', p50],
    ['p99', p99],
    ['maximum', max],
  ])
}

function clientsTable({ clients }: Known): SectionTable {
  const { submissions, short, hits } = clients
  return tableOf('Closed loop', 'under way at a time', [
    ['submissions to three departments', submissions],
    ['to one department', short],
    ['portrait hits', hits],
  ])
}

function nodesTable({ nodes }: Known): SectionTable {
  return tableOf('Saturated and idle networks', 'nodes', [
    ['throughput', nodes.throughput],
    ['idle time to final, p50', nodes.p50],
    ['p99', nodes.p99],
    ['CPU time of a submission on a node', nodes.cpu],
    ['in the generator', nodes.generator],
    ['submissions of a block', nodes.transactions],
    ['time between blocks', nodes.interval],
    ['resident memory', nodes.resident],
  ])
}

function sizesTable({ sizes }: Known): SectionTable {
  return tableOf('Transaction sizes', 'bytes of a transaction', [
    ['transactions', sizes.rate],
    ['bytes', sizes.bytes],
  ])
}
