/** Pictures of the throughput experiment. */
import type { Chart } from '../report/chart.js'
import { asBars } from '../report/curve.js'
import { formatValue } from '../report/format.js'
import type { Known } from './known.js'

const nodesLabel = (nodes: number): string => `${nodes} nodes`

export function chartsOf(known: Known): Chart[] {
  return [
    saturationChart(known),
    latencyChart(known),
    clientsChart(known),
    nodesChart(known),
    nodesLatencyChart(known),
    sizesChart(known),
    cpuChart(known),
  ].filter(({ series }) => series.some(({ points }) => points.length > 0))
}

function saturationChart({ offered }: Known): Chart {
  const places = [...offered.achieved.byX.keys()]
  return {
    name: 'throughput-saturation',
    title: 'Submissions offered and achieved',
    caption:
      'Open loop: submissions to three departments fall due at a fixed rate, whatever became of those before. Where the line leaves the diagonal the network is saturated.',
    kind: 'line',
    x: { title: 'offered', unit: '1/s' },
    y: { title: 'achieved', unit: '1/s' },
    series: [
      { ...offered.achieved.series, name: 'achieved: final and durable' },
      { name: 'as offered', points: places.map((x) => ({ x, y: x })) },
    ],
  }
}

function latencyChart({ offered }: Known): Chart {
  return {
    name: 'throughput-latency',
    title: 'Time to final at offered rates',
    caption:
      'From the instant at which a submission was due until a block with it was final. Beyond saturation the times grow for as long as the load lasts.',
    kind: 'line',
    x: { title: 'offered', unit: '1/s' },
    y: { title: 'time to final', unit: 'ms', log: true },
    series: [offered.p50.series, offered.p99.series, offered.max.series],
  }
}

function clientsChart({ clients }: Known): Chart {
  return {
    name: 'throughput-clients',
    title: 'Throughput of clients that wait',
    caption:
      'Closed loop: each client sends the next one when the one before is final, or answered. All four nodes take submissions and queries.',
    kind: 'line',
    x: { title: 'under way at a time', log: true },
    y: { title: 'throughput', unit: '1/s', log: true },
    series: [clients.submissions.series, clients.short.series, clients.hits.series],
  }
}

function nodesChart({ nodes }: Known): Chart {
  return {
    name: 'throughput-nodes',
    title: 'Saturated throughput by number of nodes',
    caption:
      'Submissions to three departments. All nodes and the load generator share one machine: each further node takes CPU time from the others.',
    kind: 'bars',
    x: { title: 'network' },
    y: { title: 'throughput', unit: '1/s' },
    series: [asBars(nodes.throughput, nodesLabel)],
  }
}

function nodesLatencyChart({ nodes }: Known): Chart {
  return {
    name: 'throughput-nodes-latency',
    title: 'Time to final on an idle network by number of nodes',
    caption: 'One submission at a time.',
    kind: 'bars',
    x: { title: 'network' },
    y: { title: 'time to final', unit: 'ms' },
    series: [asBars(nodes.p50, nodesLabel), asBars(nodes.p99, nodesLabel)],
  }
}

function sizesChart({ sizes }: Known): Chart {
  return {
    name: 'throughput-sizes',
    title: 'Throughput by size of a transaction',
    caption: 'Submissions to one department with envelopes of growing size, saturated.',
    kind: 'line',
    x: { title: 'transaction', unit: 'bytes', log: true },
    y: { title: 'throughput', unit: 'MB/s' },
    series: [sizes.bytes.series],
  }
}

function cpuChart({ nodes, budget }: Known): Chart {
  const { limit } = budget
  const rules = limit && [{ y: limit.value, label: `budget: ${formatValue(limit.value, limit.unit)}` }]
  return {
    name: 'throughput-cpu',
    title: 'CPU time of a submission on each node',
    caption:
      'At saturation, all threads of the process. The budget is a multiple of one native signature recovery, measured in the same run.',
    kind: 'bars',
    x: { title: 'network' },
    y: { title: 'CPU time', unit: 'µs' },
    series: [asBars(nodes.cpu, nodesLabel)],
    ...(rules === undefined ? {} : { rules }),
  }
}
