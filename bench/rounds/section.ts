/** What the experiment on rounds says. */
import type { Row } from '../harness/row.js'
import type { Chart, Series } from '../report/chart.js'
import type { Figure, Figures } from '../report/figures.js'
import { given } from '../report/given.js'
import { type SectionMaker, type SectionTable, type Sentence, say } from '../report/section.js'
import { SIDES } from './sides.js'

export const roundsSection: SectionMaker = (figures) => {
  const known = knownOf(figures)
  return {
    title: 'Rounds',
    method: METHOD,
    findings: findingsOf(known),
    claims: [],
    charts: chartsOf(known).filter(({ series }) => series.some(({ points }) => points.length > 0)),
    tables: tablesOf(known).filter(({ rows }) => rows.length > 0),
  }
}

const METHOD = [
  'Four node processes whose connections pass through proxies of the bench, on one machine. Submissions go to the two nodes that are never away, on both sides. One down: its process was killed, so that the others know that it is not connected and skip its turn; four up and one down are interleaved.',
  'While a node dies or freezes, submissions fall due at a fixed rate and their times count from there, so that a standstill shows in all that were due meanwhile. A killed process closes its connections; a frozen one (SIGSTOP) keeps them and says nothing, as does a machine whose power fails.',
  'First block after return: two of four nodes are killed, which leaves no quorum, and their processes are started again; counted from the start of the second one, so that starting a process is part of it. First block after healing: the network is parted two and two, by connections that are cut and refused or by silence, in which bytes neither arrive nor are refused; counted from the end of that. A submission waits meanwhile, and the bench fails if it becomes final.',
].join(' ')

/** Variants of one quantity with their medians. */
type Bars = ReadonlyMap<string, Figure>

function barsOf(figures: Figures, quantity: string, part = ''): Bars {
  const rows = figures.select({ quantity, part })
  const labels = new Map(rows.map((row) => [labelOf(row), { variant: row.variant, x: row.x }]))
  return new Map(
    [...labels].map(([label, place]) => [
      label,
      figures.median(`${quantity}${part && `, ${part}`}, ${label}`, { quantity, part, ...place })!,
    ]),
  )
}

const labelOf = ({ variant, axis, x }: Row): string => (x === null ? variant : `${variant} (${x} ${axis})`)

function knownOf(figures: Figures) {
  const rate = barsOf(figures, 'submissions')
  const idle = { p50: barsOf(figures, 'time to final', 'p50'), p99: barsOf(figures, 'time to final', 'p99') }
  const loaded = {
    p50: barsOf(figures, 'time to final under load', 'p50'),
    p99: barsOf(figures, 'time to final under load', 'p99'),
  }
  const [up, down] = SIDES
  const paired = (label: string, quantity: string, part = '') =>
    figures.pairedRatio(label, { quantity, part, variant: down }, { quantity, part, variant: up })
  return {
    rate,
    idle,
    loaded,
    rateRatio: paired('throughput with one down', 'submissions'),
    idleRatio: paired('time to final with one down', 'time to final', 'p50'),
    meanwhile: {
      p50: barsOf(figures, 'time to final meanwhile', 'p50'),
      max: barsOf(figures, 'time to final meanwhile', 'max'),
    },
    returned: barsOf(figures, 'first block after return'),
    views: barsOf(figures, 'views passed'),
    healed: barsOf(figures, 'first block after healing'),
    split: barsOf(figures, 'nodes with a new block while split'),
    caughtUp: new Map([...barsOf(figures, 'caught up after healing'), ...barsOf(figures, 'caught up')]),
  }
}

type Known = ReturnType<typeof knownOf>

const last = (bars: Bars): Figure | undefined => [...bars.values()].at(-1)
const most = (bars: Bars): Figure | undefined =>
  [...bars.values()].reduce<Figure | undefined>((top, one) => (top && top.value >= one.value ? top : one), undefined)

function findingsOf(known: Known): Sentence[] {
  const { rate, rateRatio, idle, idleRatio, meanwhile, returned, views, healed, split, caughtUp } = known
  const [up, down] = SIDES
  return [
    ...given(
      [rate.get(up), rate.get(down), rateRatio],
      (four, three, ratio) =>
        say`With one of four nodes down the network makes ${three} submissions final, with all four ${four}: ${ratio} of it.`,
    ),
    ...given(
      [idle.p50.get(up), idle.p50.get(down), idle.p99.get(down), idleRatio],
      (four, three, tail, ratio) =>
        say`A single submission takes ${three} (p50) and ${tail} (p99) with one node down, ${four} (p50) with four: ${ratio} of it. The turn of a node that is known to be cut off is skipped at once.`,
    ),
    ...given(
      [meanwhile.max.get('a node dies'), meanwhile.max.get('a node freezes')],
      (dies, freezes) =>
        say`The submission that waits longest when a node dies takes ${dies}; when one freezes, ${freezes}.`,
    ),
    ...given(
      [most(returned), last(views)],
      (seconds, views) =>
        say`After two of four nodes return, the first block is final within ${seconds} of the start of the second process, starting included, however long they were away; meanwhile ${views} views passed.`,
    ),
    ...given(
      [most(healed), most(split)],
      (seconds, nodes) =>
        say`After a split of two and two heals, the first block is final within ${seconds}; while it was split, ${nodes} nodes had a new block.`,
    ),
    ...given(
      [most(caughtUp)],
      (seconds) => say`A node that was cut off or stood still has the others' head after ${seconds} at most.`,
    ),
  ]
}

const seriesOf = (name: string, bars: Bars): Series => ({
  name,
  points: [...bars].map(([x, { value, low, high }]) => ({
    x,
    y: value,
    ...(low === undefined || high === undefined ? {} : { low, high }),
  })),
})

function chartsOf({ idle, meanwhile, returned, healed, caughtUp }: Known): Chart[] {
  return [
    {
      name: 'rounds-latency',
      title: 'Time to final with one node down',
      caption: 'One submission at a time, with four nodes and with three of four.',
      kind: 'bars',
      x: { title: '' },
      y: { title: 'time to final', unit: 'ms' },
      series: [seriesOf('p50', idle.p50), seriesOf('p99', idle.p99)],
    },
    {
      name: 'rounds-meanwhile',
      title: 'Time to final while a node dies or freezes',
      caption: 'Submissions fall due at a fixed rate; the maximum is the standstill.',
      kind: 'bars',
      x: { title: '' },
      y: { title: 'time to final', unit: 'ms' },
      series: [seriesOf('p50', meanwhile.p50), seriesOf('maximum', meanwhile.max)],
    },
    {
      name: 'rounds-recovery',
      title: 'Until the chain goes on, or a node is back',
      caption:
        'First block after two of four return, first block after a split heals, and catching up of a single node.',
      kind: 'bars',
      x: { title: '' },
      y: { title: 'time', unit: 's' },
      series: [seriesOf('time', new Map([...returned, ...healed, ...caughtUp]))],
    },
  ]
}

function tablesOf(known: Known): SectionTable[] {
  const { rate, idle, loaded, meanwhile, returned, views, healed, caughtUp } = known
  return [
    tableOf('Sides', '', [
      ['submissions', rate],
      ['time to final under load, p50', loaded.p50],
      ['p99', loaded.p99],
      ['one at a time, p50', idle.p50],
      ['p99', idle.p99],
    ]),
    tableOf('While it happens', '', [
      ['time to final, p50', meanwhile.p50],
      ['maximum', meanwhile.max],
    ]),
    tableOf('Afterwards', '', [
      ['first block', new Map([...returned, ...healed])],
      ['caught up', caughtUp],
      ['views passed meanwhile', views],
    ]),
  ]
}

function tableOf(title: string, axis: string, columns: readonly (readonly [string, Bars])[]): SectionTable {
  const places = [...new Set(columns.flatMap(([, bars]) => [...bars.keys()]))]
  return {
    title,
    head: [axis, ...columns.map(([name]) => name)],
    rows: places.map((place) => [place, ...columns.map(([, bars]) => bars.get(place) ?? '-')]),
  }
}
