/** The pictures of the storage section. */
import type { Chart, Series } from '../report/chart.js'
import type { Known } from './known.js'
import { GROWING_PARTS, type Line, VARIANTS } from './storageFigures.js'

/** Fig. 8 as the paper draws it. */
export function growthChart({ copies, centre, databases, empty, full, submitted }: Known): Chart {
  return {
    name: 'fig8-storage',
    title: 'Storage by number of enterprises (Fig. 8)',
    caption:
      'Everything on disk after compaction, for four using departments. The departments’ databases alone lie near the centre, as the paper has it; the chain on four nodes comes on top. The axis is logarithmic.',
    kind: 'line',
    x: { title: 'enterprises', unit: 'count' },
    y: { title: 'disk use', unit: 'bytes', log: true },
    series: [
      series('traditional copies', copies.line),
      series('traditional centre', centre.line),
      series('concordat, portrait empty', empty.line),
      series('concordat, portrait full', full.line),
      series('concordat, submitted', submitted.line),
      series('concordat, databases alone', databases),
    ],
  }
}

/** What an enterprise takes, and where. */
export function splitChart({ variants }: Known): Chart {
  return {
    name: 'storage-split',
    title: 'Disk use of one more enterprise, by part',
    caption:
      'Slopes of the lines through the measured points: four databases and the chain of four nodes together. Journals do not grow with the enterprises.',
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

function series(name: string, line: Line): Series {
  return {
    name,
    points: line.map(({ x, figure: { value: y, low, high } }) =>
      low === undefined || high === undefined ? { x, y } : { x, y, low, high },
    ),
  }
}
