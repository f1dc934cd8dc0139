/** What the scale experiment says. */
import type { Chart } from '../report/chart.js'
import { type Curve, curveOf, curveTable, pointOf } from '../report/curve.js'
import type { Figure, Figures } from '../report/figures.js'
import { given } from '../report/given.js'
import { type SectionMaker, type Sentence, say } from '../report/section.js'

export const scaleSection: SectionMaker = (figures) => {
  const known = knownOf(figures)
  return {
    title: 'Growing chain',
    method: METHOD,
    findings: findingsOf(known),
    claims: [],
    charts: chartsOf(known).filter(({ series }) => series.some(({ points }) => points.length > 0)),
    tables: tablesOf(known).filter(({ rows }) => rows.length > 0),
  }
}

const METHOD = [
  'A network of four node processes is filled with submissions to three departments. A state entry is one account or one storage slot of a contract; the entries are counted in the chain store of a stopped node.',
  'At each size: the time to final of submissions that are sent one at a time; CPU time (all threads) and resident memory of the nodes that ran all the time, under load; the chain store of a node after compaction; the time from the start of a node process that was stopped in order until it says that it is ready (seen within 25 ms); and the time from the start of a node process without chain and journal until it has the last final block, executing all blocks before it.',
].join(' ')

function knownOf(figures: Figures) {
  const of = (quantity: string, part = '') => curveOf(figures, quantity, { axis: 'state entries', quantity, part })
  const known = {
    p50: named('time to final, p50', of('time to final', 'p50')),
    p99: of('time to final', 'p99'),
    cpu: of('CPU of a transaction on a node'),
    resident: of('resident memory'),
    disk: of('disk'),
    restart: of('restart'),
    sync: of('sync from empty'),
    submissions: of('submissions'),
    blocks: of('blocks'),
    perSubmission: of('state entries of a submission'),
  }
  const [smallest] = [...known.submissions.byX]
  const entries = [...known.submissions.byX].map(([x, from]) =>
    figures.derive('state entries', 'count', x, `x of ${from.id}`, [from]),
  )
  const growth = [known.p50, known.cpu, known.resident].map((curve) => relativeTo(figures, curve, smallest?.[0]))
  return { ...known, entries, growth, syncedPerSecond: syncRate(figures, known.submissions, known.sync) }
}

type Known = ReturnType<typeof knownOf>

const named = (name: string, { series, byX }: Curve): Curve => ({ series: { ...series, name }, byX })

/** Each value as a multiple of the one at the smallest size. */
function relativeTo(figures: Figures, { series, byX }: Curve, smallest: number | undefined): Curve {
  const one = smallest === undefined ? undefined : byX.get(smallest)
  const ratios = new Map(
    one === undefined
      ? []
      : [...byX].map(([x, figure]) => [x, figures.ratio(`${series.name}, growth up to ${x}`, figure, one)]),
  )
  return { series: { name: series.name, points: [...ratios].map(([x, ratio]) => pointOf(x, ratio)) }, byX: ratios }
}

/** At the largest size. */
function syncRate(figures: Figures, submissions: Curve, sync: Curve): Figure | undefined {
  const [x, seconds] = [...sync.byX].at(-1) ?? []
  const count = x === undefined ? undefined : submissions.byX.get(x)
  if (count === undefined || seconds === undefined) return undefined
  return figures.derive(
    'submissions synced in a second',
    '1/s',
    count.value / seconds.value,
    `${count.id} / ${seconds.id}`,
    [count, seconds],
  )
}

function findingsOf(known: Known): Sentence[] {
  const { entries, p50, cpu, resident, disk, restart, sync, blocks, submissions, perSubmission, syncedPerSecond } =
    known
  const ends = (curve: Curve) => [[...curve.byX.values()][0], lastOf(curve)] as const
  const sizes = [entries[0], entries.at(-1)] as const
  if (entries.length < 2) return []
  return [
    ...given(
      [...sizes, ...ends(p50)],
      (from, to, before, after) =>
        say`From ${from} to ${to} state entries the time to final of a single submission goes from ${before} to ${after} (p50).`,
    ),
    ...given(
      [...ends(cpu), ...ends(resident)],
      (cpuBefore, cpuAfter, before, after) =>
        say`The CPU time of a submission on a node goes from ${cpuBefore} to ${cpuAfter}, its resident memory from ${before} to ${after}.`,
    ),
    ...given(
      [...ends(restart), lastOf(disk)],
      (before, after, disk) =>
        say`A restart takes ${before} with the smallest state and ${after} with the largest, of ${disk} on disk.`,
    ),
    ...given(
      [lastOf(sync), lastOf(blocks), lastOf(submissions), syncedPerSecond],
      (sync, blocks, submissions, rate) =>
        say`A node that starts from nothing has the largest chain (${blocks} blocks, ${submissions} submissions) after ${sync}: it checks and executes ${rate} submissions.`,
    ),
    ...given(
      [lastOf(perSubmission)],
      (entries) => say`A submission to three departments adds ${entries} entries to the state.`,
    ),
  ]
}

const lastOf = ({ byX }: Curve): Figure | undefined => [...byX.values()].at(-1)

const STATE = { title: 'state entries', log: true } as const

function chartsOf({ growth, restart, sync, disk, resident }: Known): Chart[] {
  return [
    {
      name: 'scale-cost',
      title: 'What a submission costs as the state grows',
      caption: 'Each as a multiple of its value with the smallest state.',
      kind: 'line',
      x: STATE,
      y: { title: 'multiple of the smallest state', unit: 'ratio' },
      series: growth.map(({ series }) => series),
    },
    {
      name: 'scale-restart',
      title: 'Restart of a node and sync from nothing',
      caption: 'A restart opens the stored chain; a sync fetches, checks and executes all blocks.',
      kind: 'line',
      x: STATE,
      y: { title: 'time', unit: 's', log: true },
      series: [restart.series, sync.series],
    },
    {
      name: 'scale-disk',
      title: 'Memory and disk of a node as the state grows',
      caption: 'Resident memory of the process under load; compacted chain store with all blocks.',
      kind: 'line',
      x: STATE,
      y: { title: 'size', unit: 'bytes', log: true },
      series: [resident.series, disk.series],
    },
  ]
}

function tablesOf(known: Known) {
  const { submissions, blocks, p50, p99, cpu, resident, disk, restart, sync } = known
  return [
    curveTable('A growing state', 'state entries', [
      ['submissions', submissions],
      ['blocks', blocks],
      ['time to final, p50', p50],
      ['p99', p99],
      ['CPU time of a submission', cpu],
      ['resident memory', resident],
      ['disk of a node', disk],
      ['restart', restart],
      ['sync from empty', sync],
    ]),
  ]
}
