/** What `bench peers` says of its rows. */
import type { Row } from '../harness/row.js'
import type { Chart, Point } from '../report/chart.js'
import type { Figure, Figures } from '../report/figures.js'
import { type SectionMaker, type SectionTable, type Sentence, say } from '../report/section.js'
import { concordat, gethClique } from './side.js'

const GETH = gethClique.name
const SYSTEMS = [concordat.name, GETH]

export const peersSection: SectionMaker = (figures) => {
  const measured = new Measured(figures)
  return {
    title: "Beside the paper's own stack",
    method: METHOD,
    findings: findings(measured),
    claims: [],
    charts: [writesChart(measured), queriesChart(measured), throughputChart(measured), cpuChart(measured)].filter(
      ({ series }) => series.length > 0,
    ),
    tables: [costTable(measured)].filter(({ rows }) => rows.length > 0),
  }
}

const METHOD = [
  'Four geth nodes seal with Clique, Ethereum proof of authority, as in the paper, a block a second; Solidity contracts with the same ABI, the same checks and the same storage stand at the same addresses as the native contracts.',
  "The departments' agents and the requester are the same processes with the same configuration; they speak standard JSON-RPC. Both networks run on one machine and are measured in turn; Clique does not seal while concordat is measured.",
  'Time to block: from handing a submission to a node, at any moment between two blocks, until a header of a block with it is pushed. Time to final: on concordat the same, since every block is final; Clique has no finality, and the time is until a majority of the sealers has sealed the block or one upon it.',
  'Throughput: a closed loop; each client waits for the block of its submission before it sends the next. CPU time and memory are those of the node processes as the kernel counts them.',
].join(' ')

interface Bar {
  readonly category: string
  readonly figure: Figure
}

/** Figures by what they are of, each made once. */
class Measured {
  readonly #made = new Map<string, Figure | undefined>()

  constructor(readonly figures: Figures) {}

  median(system: string, quantity: string, wanted: Partial<Row> = {}): Figure | undefined {
    const circumstances = [wanted.variant, wanted.part, wanted.x && `${wanted.x} ${wanted.axis}`].filter(Boolean)
    const label = [system, ...circumstances, quantity].join(', ')
    if (!this.#made.has(label)) this.#made.set(label, this.figures.median(label, { system, quantity, ...wanted }))
    return this.#made.get(label)
  }

  /** Loops in the order in which they were measured: few clients first. */
  loops(): Pick<Row, 'variant' | 'axis' | 'x'>[] {
    const rows = this.figures.select({ quantity: 'throughput' })
    const loops = new Map(rows.map(({ variant, axis, x }) => [`${x} ${variant}`, { variant, axis, x }]))
    return [...loops.values()].sort((a, b) => a.x! - b.x! || (a.variant < b.variant ? -1 : 1))
  }

  /** Sum over all repeats. */
  total(label: string, wanted: Partial<Row>): Figure | undefined {
    const rows = this.figures.select(wanted)
    if (rows.length === 0) return undefined
    return this.figures.derive(
      label,
      'count',
      rows.reduce((sum, { value }) => sum + value, 0),
      `sum of ${rows.length}`,
      rows,
    )
  }
}

/** All or nothing: what was not measured leaves its sentence out. */
function given(values: readonly (Figure | undefined)[], make: (...values: Figure[]) => Sentence): Sentence[] {
  return values.every((value) => value !== undefined) ? [make(...(values as Figure[]))] : []
}

function findings(measured: Measured): Sentence[] {
  const both = (quantity: string, wanted: Partial<Row> = {}) =>
    SYSTEMS.map((system) => measured.median(system, quantity, wanted))
  const p50 = (quantity: string, variant = '') => both(quantity, { part: 'p50', variant })
  return [
    ...given(p50('time of a query', 'portrait empty'), (ours, theirs) => {
      return say`A query that the supervisors have to answer takes ${ours} on concordat and ${theirs} on geth.`
    }),
    ...given(p50('time of a query', 'portrait full'), (ours, theirs) => {
      return say`From the portrait it takes ${ours} and ${theirs}: one look-up at one node.`
    }),
    ...given([...p50('time to block'), ...p50('time to final').slice(1)], (ours, block, final) => {
      return say`A single submission is in a block, and final, after ${ours} on concordat. On geth it is in a block, which may still be replaced, after ${block}, and a majority of the sealers stands behind it after ${final}.`
    }),
    ...measured.loops().flatMap((loop) =>
      given(both('throughput', loop), (ours, theirs) => {
        return say`${`${loop.x!.toLocaleString('en')} clients, ${loop.variant}`}: ${ours} on concordat, ${theirs} on geth.`
      }),
    ),
    ...given(both('CPU of a transaction on a node', measured.loops().at(-1)), (ours, theirs) => {
      return say`With the most clients and departments a submission takes ${ours} of CPU time on each node of concordat, ${theirs} on each of geth.`
    }),
    ...given(both('disk of a transaction'), (ours, theirs) => {
      return say`After all measurements a node has ${ours} on disk for each transaction, ${theirs} on geth: preallocated journals apart, everything included, also blocks without transactions.`
    }),
    ...given(
      [measured.total('blocks of Clique replaced in all', { system: GETH, quantity: 'replaced blocks' })],
      (blocks) => {
        return say`Under load Clique replaced ${blocks} blocks after clients had seen them.`
      },
    ),
    ...given(
      [measured.total('standstills of Clique in all', { system: GETH, quantity: 'standstills' })],
      (standstills) => {
        return say`Standstills of Clique, each of which ended its network: ${standstills}. A fresh network did again what was under way.`
      },
    ),
    ...given(
      SYSTEMS.map((system) =>
        measured.total(`${system}, unanswered queries in all`, { system, quantity: 'unanswered queries' }),
      ),
      (ours, theirs) => {
        return say`Queries without an answer in time: ${ours} on concordat, ${theirs} on geth (the agents take every block for final).`
      },
    ),
  ]
}

function bars(name: string, figures: readonly Bar[]): { name: string; points: Point[] } {
  const points = figures.map(({ category, figure: { value, low, high } }) => ({
    x: category,
    y: value,
    ...(low !== undefined && high !== undefined && { low, high }),
  }))
  return { name, points }
}

/** One series a system; those without a bar are left out. */
function seriesOf(pick: (system: string) => readonly (readonly [category: string, figure: Figure | undefined])[]) {
  return SYSTEMS.map((system) =>
    bars(
      system,
      pick(system).flatMap(([category, figure]) => (figure === undefined ? [] : [{ category, figure }])),
    ),
  ).filter(({ points }) => points.length > 0)
}

function writesChart(measured: Measured): Chart {
  const categories = [
    ['in a block', 'time to block'],
    ['final', 'time to final'],
  ] as const
  return {
    name: 'peers-writes',
    title: 'A single submission on an idle network',
    caption:
      'Medians of the medians of all repeats. Blocks of Clique may still be replaced; final: a majority of the sealers stands behind them.',
    kind: 'bars',
    x: { title: '' },
    y: { title: 'time', unit: 'ms' },
    series: seriesOf((system) =>
      categories.map(([category, quantity]) => [category, measured.median(system, quantity, { part: 'p50' })]),
    ),
  }
}

function queriesChart(measured: Measured): Chart {
  const variants = ['portrait empty', 'portrait full']
  return {
    name: 'peers-queries',
    title: 'A query about an enterprise with all attributes',
    caption:
      'Empty: a request transaction, then a transaction of each supervisor. Full: one look-up. The scale is logarithmic.',
    kind: 'bars',
    x: { title: '' },
    y: { title: 'time', unit: 'ms', log: true },
    series: seriesOf((system) =>
      variants.map((variant) => [variant, measured.median(system, 'time of a query', { part: 'p50', variant })]),
    ),
  }
}

function loopChart(
  measured: Measured,
  quantity: string,
  chart: Pick<Chart, 'name' | 'title' | 'caption' | 'y'>,
): Chart {
  const title = ({ variant, x }: Pick<Row, 'variant' | 'x'>) =>
    `${x!.toLocaleString('en')} clients, ${variant.replace('submissions to ', '')}`
  return {
    ...chart,
    kind: 'bars',
    x: { title: '' },
    series: seriesOf((system) =>
      measured.loops().map((loop) => [title(loop), measured.median(system, quantity, loop)]),
    ),
  }
}

function throughputChart(measured: Measured): Chart {
  return loopChart(measured, 'throughput', {
    name: 'peers-throughput',
    title: 'Throughput of submissions, closed loop',
    caption: 'With a block a second, no more submissions than there are clients can be done in a second.',
    y: { title: 'submissions', unit: '1/s' },
  })
}

function cpuChart(measured: Measured): Chart {
  return loopChart(measured, 'CPU of a transaction on a node', {
    name: 'peers-cpu',
    title: 'CPU time of a submission on each node',
    caption:
      'User and system time of the node processes, divided by submissions and nodes; what blocks cost by themselves is part of it.',
    y: { title: 'CPU time', unit: 'µs' },
  })
}

function costTable(measured: Measured): SectionTable {
  const loop = measured.loops().at(-1)
  const rows: readonly (readonly [string, (system: string) => Figure | undefined])[] = [
    ['memory of a node', (system) => measured.median(system, 'resident memory', { ...loop })],
    ['disk of all nodes', (system) => measured.median(system, 'disk', { part: '' })],
    ['preallocated journals in it', (system) => measured.median(system, 'disk', { part: 'journal' })],
    ['transactions until then', (system) => measured.median(system, 'transactions')],
    ['disk of a node for each transaction', (system) => measured.median(system, 'disk of a transaction')],
  ]
  const cells = rows.map(([title, pick]) => [title, ...SYSTEMS.map((system) => pick(system) ?? '–')])
  return {
    title: 'Memory and disk',
    head: ['', ...SYSTEMS],
    rows: cells.filter((row) => row.slice(1).some((cell) => cell !== '–')),
  }
}
