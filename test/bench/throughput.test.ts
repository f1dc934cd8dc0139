/** The throughput experiment: which rates are offered, what is said of the rows, and the whole in miniature. */
import t from 'tap'
import { ExperimentWriter } from '../../bench/harness/results.js'
import { makeSection } from '../../bench/report/section.js'
import { measureThroughput } from '../../bench/throughput/experiment.js'
import { Ladder } from '../../bench/throughput/plan.js'
import { throughputSection } from '../../bench/throughput/section.js'
import { memoryRun } from '../support/benchRun.js'

t.test('rates are raised until two in a row were too much, in the first repeat', async (t) => {
  const ladder = new Ladder()
  const rates = [100, 200, 300, 400, 500]
  const keptUp = new Set([100, 300])
  const offered = rates.filter((rate) => ladder.wants(rate)).length
  t.equal(offered, 5)
  const first = rates.filter((rate) => {
    if (!ladder.wants(rate)) return false
    ladder.report(rate, keptUp.has(rate))
    return true
  })
  t.same(first, [100, 200, 300, 400, 500])
  const steep = new Ladder()
  for (const rate of rates) if (steep.wants(rate)) steep.report(rate, rate < 200)
  t.notOk(steep.wants(400))
  t.ok(steep.wants(300))
  steep.report(300, true)
  t.notOk(steep.wants(400), 'later repeats offer the same rates')
})

/** A network that makes at most 1,000 submissions a second; one native recover takes 50 µs. */
function sectionOf(dir: string, cpuMicros: number) {
  const writer = new ExperimentWriter(dir, 'throughput')
  for (let repeat = 1; repeat <= 6; repeat++) {
    const offered = {
      system: 'concordat',
      variant: 'submissions to 3 departments, 4 nodes',
      axis: 'offered per second',
    }
    for (const x of [400, 800, 1_600]) {
      const series = { ...offered, x, repeat }
      writer.record({ ...series, quantity: 'achieved rate', unit: '1/s', value: Math.min(x, 1_000) })
      writer.samples({ ...series, quantity: 'time to final', unit: 'ms' }, x > 1_000 ? [500, 900] : [10, 20])
    }
    const saturated = { system: 'concordat', variant: 'saturated', axis: 'nodes', x: 4, repeat }
    writer.record({ ...saturated, quantity: 'throughput', unit: '1/s', value: 1_000 })
    writer.record({ ...saturated, quantity: 'CPU of a transaction on a node', unit: 'µs', value: cpuMicros })
    writer.record({ system: 'concordat', quantity: 'CPU of one native recover', unit: 'µs', value: 50, repeat })
  }
  writer.record({ system: 'concordat', quantity: 'budget', unit: 'ratio', value: 3.5 })
  return makeSection('throughput', throughputSection, writer.rows, [])!
}

t.test('the section finds the saturation and holds the budget against the CPU time', async (t) => {
  const section = sectionOf(t.testdir(), 150)
  const keptUp = section.figures.find(({ label }) => label === 'offered rate that the network keeps up with')
  t.equal(keptUp?.value, 800)
  const text = (found: typeof section) =>
    found.findings.map((finding) => finding.map((part) => (typeof part === 'string' ? part : '#')).join('')).join('\n')
  t.match(text(section), /within the budget/)
  t.match(text(sectionOf(t.testdir(), 200)), /above the budget/)
  const cpu = section.charts.find(({ name }) => name === 'throughput-cpu')
  t.equal(cpu?.rules?.[0]?.y, 175)
  t.ok(section.figures.every(({ from }) => from.length > 0))
})

t.test('in miniature: every quantity is measured on real processes', async (t) => {
  const { run, rows, notes } = await memoryRun()
  await measureThroughput(run, {
    nodes: [4],
    repeatsMax: 1,
    senders: 20,
    warmUpSeconds: 0.2,
    offeredPerSecond: [40],
    offeredSeconds: 0.5,
    clients: [2],
    closedSeconds: 0.1,
    saturatingClients: 40,
    saturatedSeconds: 0.1,
    idleSeconds: 0.1,
    envelopeBytes: [4_096],
    hitClients: [2],
    hitSeconds: 0.1,
    diskSeconds: 0.1,
  })
  t.notMatch(notes, [/busy|no value/])
  const of = (quantity: string, axis: string) => rows.filter((row) => row.quantity === quantity && row.axis === axis)
  t.equal(of('achieved rate', 'offered per second').length, 1)
  t.ok(of('time to final', 'offered per second').every(({ value }) => value > 0))
  t.same(
    of('throughput', 'clients').map(({ variant, x }) => `${variant}, ${x}`),
    [
      'submissions to 3 departments, 4 nodes, 2',
      'submissions to 1 department, 4 nodes, 2',
      'portrait hits, 4 nodes, 2',
    ],
  )
  const [rate, bytes] = of('throughput', 'transaction bytes')
  t.ok(rate!.x! > 4_096 && Math.abs(bytes!.value - (rate!.value * rate!.x!) / 1e6) < 0.01 * bytes!.value)
  t.equal(of('recoveries of a transaction on a node', 'nodes')[0]?.value, 1, 'each node recovers a sender once')
  t.ok(of('disk of a transaction', 'nodes')[0]!.value > 1_000)
  t.ok(of('CPU of a transaction on a node', 'nodes')[0]!.value > 0)
})
