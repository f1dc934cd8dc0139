/** What the measured times say: Fig. 9 and the claims of section 5.2. */
import type { Row } from '../harness/row.js'
import { slope } from '../harness/statistics.js'
import type { Chart, Series } from '../report/chart.js'
import type { Figure, Figures } from '../report/figures.js'
import { type Claim, type SectionMaker, type SectionTable, type Sentence, say } from '../report/section.js'

interface Line {
  readonly name: string
  readonly of: Pick<Row, 'system' | 'variant'>
}

/** In the order of the legend; the first one is what the paper calls the traditional method. */
const CLIENT_SERVER: Line = { name: 'client-server', of: { system: 'client-server', variant: '' } }
const EMPTY: Line = { name: 'concordat, portrait empty', of: { system: 'concordat', variant: 'portrait empty' } }
const FILLING: Line = { name: 'concordat, portrait filling', of: { system: 'concordat', variant: 'portrait filling' } }
const FULL: Line = { name: 'concordat, portrait full', of: { system: 'concordat', variant: 'portrait full' } }
const LINES = [CLIENT_SERVER, EMPTY, FILLING, FULL]

const PERCENTILES = ['p50', 'p90', 'p99', 'max'] as const
const PARTS = ['local query', 'request log', 'network', 'chain'] as const

/** Up to this factor more time does not count as a significant increase; METHOD says so in words. */
const SIGNIFICANT = 1.5

export const latencySection: SectionMaker = (figures) => {
  const all = new Map(LINES.map((line) => [line, measured(figures, line)]))
  const of = (line: Line) => all.get(line)!
  const get = { empty: of(EMPTY), filling: of(FILLING), full: of(FULL), beside: of(CLIENT_SERVER) }
  return {
    title: 'Time of queries',
    method: METHOD,
    findings: findings(figures, get),
    claims: claims(figures, get),
    charts: [fig9(all), percentilesChart(all), splitChart(all)].filter((chart) => chart.series.length > 0),
    tables: [growthTable(figures, all), percentilesTable(all)],
  }
}

/** Figures of one line; absent where rows are missing. */
interface Measured {
  /** Time of all queries by number of queries. */
  readonly totals: readonly (readonly [x: number, figure: Figure])[]
  readonly growth: Figure | undefined
  readonly percentiles: ReadonlyMap<string, Figure>
  readonly parts: ReadonlyMap<string, Figure>
}

type All = ReadonlyMap<Line, Measured>
type Get = Readonly<Record<'empty' | 'filling' | 'full' | 'beside', Measured>>

function measured(figures: Figures, { name, of }: Line): Measured {
  const totals = numbersOf(figures.select({ ...of, quantity: 'time of all queries' })).map((x) => {
    const label = `${name}: time of so many queries: ${x}`
    return [x, figures.median(label, { ...of, quantity: 'time of all queries', x })!] as const
  })
  const x = mostRepeated(figures.select({ ...of, quantity: 'time of a query' }))
  const wanted = (quantity: string, part: string) => ({ ...of, quantity, part, x: x ?? null })
  const named = (parts: readonly string[], quantity: string, label: string) =>
    new Map(
      parts.flatMap((part) => {
        const figure = figures.median(`${name}: ${label} ${part}`, wanted(quantity, part))
        return figure === undefined ? [] : [[part, figure] as const]
      }),
    )
  return {
    totals,
    growth: growthOf(figures, name, totals),
    percentiles: named(PERCENTILES, 'time of a query', 'time of a query,'),
    parts: named(PARTS, 'split of a query', 'mean share of'),
  }
}

const numbersOf = (rows: readonly Row[]): number[] => [...new Set(rows.map(({ x }) => x!))].sort((a, b) => a - b)

/** The number of queries in a pass that was repeated most often. */
function mostRepeated(rows: readonly Row[]): number | undefined {
  const repeats = (x: number) => rows.filter((row) => row.x === x).length
  return numbersOf(rows).reduce<number | undefined>(
    (best, x) => (best !== undefined && repeats(best) > repeats(x) ? best : x),
    undefined,
  )
}

function growthOf(figures: Figures, name: string, totals: Measured['totals']): Figure | undefined {
  if (totals.length < 2) return undefined
  const value = 1_000 * slope(totals.map(([x, { value }]) => [x, value]))
  const points = totals.map(([, figure]) => figure)
  return figures.derive(
    `${name}: time for each further query`,
    'ms',
    value,
    `slope of a line through ${points.length} points`,
    points,
  )
}

function findings(figures: Figures, { empty, filling, full, beside }: Get): Sentence[] {
  const found: Sentence[] = []
  if (beside.growth && empty.growth && full.growth) {
    found.push(
      say`Each further query takes ${beside.growth} in the client/server system, ${empty.growth} with the chain while nothing is known of the enterprise, and ${full.growth} once the portrait has it.`,
    )
  }
  if (filling.growth) {
    found.push(
      say`While the portrait fills, with enterprises asked about again and again, each further query takes ${filling.growth}.`,
    )
  }
  const [cold, hit, asked] = [empty, full, beside].map(({ percentiles }) => percentiles.get('p50'))
  if (cold && hit && asked) {
    const factor = figures.ratio('median time of a query: empty portrait to client-server', cold, asked)
    found.push(
      say`Half of all queries are answered within ${asked} by client/server, ${cold} with an empty and ${hit} with a full portrait: the first query about an enterprise takes ${factor} the time of the client/server system.`,
    )
  }
  const [chain, network, local] = ['chain', 'network', 'local query'].map((part) => empty.parts.get(part))
  if (chain && network && local) {
    found.push(
      say`Of a query with an empty portrait the chain takes ${chain} on average, all transmission and waiting beside it ${network}, and the departments' own look-ups ${local}.`,
    )
  }
  return found
}

function claims(figures: Figures, { empty, filling, full, beside }: Get): Claim[] {
  const claims: Claim[] = []
  if (beside.growth && empty.growth && filling.growth) {
    const cold = figures.ratio('growth: empty portrait to client-server', empty.growth, beside.growth)
    const mixed = figures.ratio('growth: filling portrait to client-server', filling.growth, beside.growth)
    claims.push({
      claim: 'Using the blockchain does not significantly increase the time overhead of sharing (section 5.2).',
      answer: cold.value <= SIGNIFICANT ? 'yes' : mixed.value <= SIGNIFICANT ? 'partly' : 'no',
      because: say`A query takes ${cold} the time of the client/server system while the portrait is empty, and ${mixed} while it fills.`,
    })
  }
  if (beside.growth && full.growth) {
    const factor = figures.ratio('growth: full portrait to client-server', full.growth, beside.growth)
    claims.push({
      claim:
        'After the portrait library is filled, the time grows slightly slower than with the traditional method (section 5.2).',
      answer: factor.value < 1 ? 'yes' : 'no',
      because: say`With a full portrait the time grows by ${full.growth} a query, ${factor} the growth of the client/server system.`,
    })
  }
  const [wire, asked] = [empty.parts.get('network'), beside.parts.get('network')]
  const chain = empty.parts.get('chain')
  if (wire && asked && chain) {
    const transmission = figures.derive(
      'concordat, portrait empty: network and chain',
      'ms',
      wire.value + chain.value,
      `${wire.id} + ${chain.id}`,
      [wire, chain],
    )
    claims.push({
      claim:
        'The network overhead of client/server systems is greater than that of the peer-to-peer network (section 5.2).',
      answer: transmission.value < asked.value ? 'yes' : 'no',
      because: say`Asking the supervisors over HTTPS takes ${asked} beside look-ups and logs; the same question through the peer-to-peer network, with agreement and the nodes' disks, takes ${transmission}.`,
    })
  }
  return claims
}

const linesOf = (all: All, points: (one: Measured) => Series['points']): Series[] =>
  [...all].map(([{ name }, one]) => ({ name, points: points(one) })).filter((series) => series.points.length > 0)

const pointOf = (x: number | string, { value, low, high }: Figure) => {
  return { x, y: value, ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high }) }
}

function fig9(all: All): Chart {
  return {
    name: 'fig9-time',
    title: 'Time of queries with and without the chain',
    caption:
      'As Fig. 9 of the paper: time until all of so many queries were answered, medians and intervals of the repeats. Flatter is better.',
    kind: 'line',
    x: { title: 'queries' },
    y: { title: 'time of all queries', unit: 's' },
    series: linesOf(all, ({ totals }) => totals.map(([x, figure]) => pointOf(x, figure))),
  }
}

function percentilesChart(all: All): Chart {
  return {
    name: 'latency-percentiles',
    title: 'Time of a single query',
    caption: 'Medians of the percentiles of each repeat, on a logarithmic scale; whiskers are their intervals.',
    kind: 'bars',
    x: { title: 'percentile of the queries' },
    y: { title: 'time of a query', unit: 'ms', log: true },
    series: linesOf(all, ({ percentiles }) => [...percentiles].map(([part, figure]) => pointOf(part, figure))),
  }
}

function splitChart(all: All): Chart {
  const series = PARTS.map((part) => {
    const points = [...all].flatMap(([{ name }, { parts }]) => {
      const figure = parts.get(part)
      return figure === undefined ? [] : [{ x: name, y: figure.value }]
    })
    return { name: part, points }
  })
  return {
    name: 'latency-split',
    title: 'Where the time of a query goes',
    caption:
      'Mean time of a query by its parts along the slowest supervisor. Network is everything that is neither look-up, log nor chain: transmission, encryption, waiting for a free process.',
    kind: 'stack',
    x: { title: 'system' },
    y: { title: 'time of a query', unit: 'ms' },
    series: series.filter(({ points }) => points.length > 0),
  }
}

function growthTable(figures: Figures, all: All): SectionTable {
  const rows = [...all].flatMap(([{ name }, { growth, totals }]) => {
    const last = totals.at(-1)
    if (growth === undefined || last === undefined) return []
    const queries = figures.derive(`${name}: most queries`, 'count', last[0], `x of ${last[1].id}`, [last[1]])
    return [[name, growth, queries, last[1]]]
  })
  return {
    title: 'Growth of the time',
    head: ['system', 'each further query', 'most queries', 'time of all of them'],
    rows,
  }
}

function percentilesTable(all: All): SectionTable {
  const rows = [...all].flatMap(([{ name }, { percentiles }]) => {
    return percentiles.size === 0 ? [] : [[name, ...PERCENTILES.map((part) => percentiles.get(part) ?? '')]]
  })
  return { title: 'Time of a query', head: ['system', ...PERCENTILES], rows }
}

const METHOD =
  'Both systems run as processes on the same machine over the same records and answer the same declarations of enterprises, a tenth of them with wrong values; every answer is compared with the dataset. ' +
  'The client/server system is one HTTPS process a department with pinned certificates, signed questions and answers, the same rules, the same envelopes, the same look-ups, and request logs that are on disk before an answer counts; the asking department is one process on both sides, with the same number of questions under way. ' +
  'A question holds all attributes of one enterprise and goes to three supervisors. With an empty portrait every query is about an enterprise that nobody asked about before, and includes finding its portrait key on the chain; then the same questions are asked again with everything in the portrait; for the filling portrait enterprises are drawn with repetition from a population. ' +
  'Other enterprises may have entries already. A series is timed as one pass; the time at each number of queries is when so many were answered. The idle system stays up and waits. ' +
  'Chain is the time from handing over the request until it is final and from handing over the slowest supervisor’s answers until these are final, as both agents saw it; local query is that supervisor’s opening of the envelope and look-ups; request log is waiting for the disk of the logs of both sides in the client/server system, for which the chain stands in the other. ' +
  'More time counts as a significant increase from half as much again.'
