/** The pictures of the storage section. */
import type { Chart, Series } from '../report/chart.js'
import type { Figure } from '../report/figures.js'
import type { Known } from './known.js'
import { GROWING_PARTS, type Line, VARIANTS } from './storageFigures.js'

/** Fig. 8 as the paper draws it. */
export function growthChart({ copies, centre, databases, empty, full, submitted }: Known): Chart {
  return {
    name: 'fig8-storage',
    title: 'Storage by number of enterprises (Fig. 8)',
    caption:
      'Everything on disk after compaction, for four using departments. Databases alone: those of concordat without the chain, with the portrait keys that the agents keep. Lines end where nothing more was measured. The axis is logarithmic; what empty systems take is in the table.',
    kind: 'line',
    x: { title: 'enterprises', unit: 'count' },
    y: { title: 'disk use', unit: 'bytes', log: true },
    series: [
      series('traditional copies', filled(copies.line)),
      series('traditional centre', filled(centre.line)),
      series('concordat, portrait empty', filled(empty.line)),
      series('concordat, portrait full', filled(full.line)),
      series('concordat, submitted', filled(submitted.line)),
      series('concordat, databases alone', filled(databases)),
    ],
  }
}

/** Without the empty systems, whose few bytes would take half of a logarithmic axis. */
const filled = (line: Line): Line => line.filter(({ x }) => x > 0)

/** What an enterprise takes, and where. */
export function splitChart({ variants }: Known): Chart {
  return {
    name: 'storage-split',
    title: 'Disk use of one more enterprise, by part',
    caption:
      'Slopes of the lines through the measured points: four databases and the chain of four nodes together. Without the journals, which do not grow with the enterprises.',
    kind: 'stack',
    x: { title: 'use of the chain' },
    y: { title: 'disk use of one more enterprise', unit: 'bytes' },
    series: GROWING_PARTS.map((part) => ({
      name: part,
      points: VARIANTS.flatMap((variant) => {
        const figure = variants[variant].parts[part]
        return figure === undefined ? [] : [{ x: variant, y: Math.max(0, figure.value) }]
      }),
    })),
  }
}

/** Copies and keys as more departments use the data. */
export function departmentsChart({ departments: { copies, concordat } }: Known): Chart {
  return {
    name: 'storage-departments',
    title: 'Storage by number of using departments',
    caption:
      'The same enterprises. Every further department imports a copy, or is given every enterprise’s portrait key through the chain of the same four nodes. Both axes are logarithmic.',
    kind: 'line',
    x: { title: 'using departments', unit: 'count', log: true },
    y: { title: 'disk use', unit: 'bytes', log: true },
    series: [series('traditional copies', copies), series('concordat, portrait empty', concordat)],
  }
}

/** From which size of records on copies take more: lines that follow from the slopes, nothing here is measured. */
export function breakEvenChart({ copies, record, empty, full, submitted }: Known): Chart {
  const { owners, copies: copied } = copies.parts
  /** `grows` in proportion to the records, `stays` as it is. */
  const lineOf = (name: string, grows: readonly (Figure | undefined)[], stays: readonly (Figure | undefined)[]) => {
    const [per, base] = [total(grows), total(stays)]
    if (record === undefined || per === undefined || base === undefined) return { name, points: [] }
    return { name, points: RECORD_BYTES.map((x) => ({ x, y: (x / record.value) * per + base })) }
  }
  return {
    name: 'storage-break-even',
    title: 'Disk use of one more enterprise, by size of its records',
    caption:
      'Calculated from the measured slopes: databases and copies grow with the records, the chain stays as it was measured. Four using departments; concordat takes less to the right of where its line crosses that of copies.',
    kind: 'line',
    x: { title: 'records of an enterprise, in one database', unit: 'bytes', log: true },
    y: { title: 'disk use of one more enterprise', unit: 'bytes', log: true },
    series: [
      lineOf('traditional copies', [owners, copied], []),
      lineOf('concordat, portrait empty', [owners], [empty.beside]),
      lineOf('concordat, portrait full', [owners], [full.beside]),
      lineOf('concordat, submitted', [owners], [submitted.beside]),
    ],
  }
}

const RECORD_BYTES = [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000] as const

function total(figures: readonly (Figure | undefined)[]): number | undefined {
  let sum = 0
  for (const figure of figures) {
    if (figure === undefined) return undefined
    sum += figure.value
  }
  return sum
}

function series(name: string, line: Line): Series {
  return {
    name,
    points: line.map(({ x, figure: { value: y, low, high } }) =>
      low === undefined || high === undefined ? { x, y } : { x, y, low, high },
    ),
  }
}
