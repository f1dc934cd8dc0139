/** The scale experiment in miniature. */
import t from 'tap'
import { ExperimentWriter } from '../../bench/harness/results.js'
import { makeSection } from '../../bench/report/section.js'
import { measureScale, scaleExperiment } from '../../bench/scale/experiment.js'
import { scaleSection } from '../../bench/scale/section.js'
import { memoryRun } from '../support/benchRun.js'

t.test('a state grows to the sizes that were asked for, and a node starts from nothing at each', async (t) => {
  const { run, rows } = await memoryRun()
  await measureScale(run, {
    steps: [
      { entries: 800, measuredTransactions: 20, syncs: 1 },
      { entries: 1_200, measuredTransactions: 20, syncs: 1 },
    ],
    senders: 10,
    warmUpTransactions: 20,
    clients: 50,
    idleSeconds: 0.1,
    restartsMax: 1,
    measurementsMax: 1,
  })
  const of = (quantity: string) => rows.filter((row) => row.quantity === quantity)
  const reached = of('submissions').map(({ x }) => x!)
  t.equal(reached.length, 2)
  for (const [index, wanted] of [800, 1_200].entries()) {
    t.ok(Math.abs(reached[index]! - wanted) < 0.1 * wanted, `${reached[index]} of ${wanted} state entries`)
  }
  t.equal(of('state entries of a submission')[1]?.value, 6, 'three words and one for each part')
  for (const quantity of ['time to final', 'CPU of a transaction on a node', 'resident memory', 'disk', 'restart']) {
    t.ok(of(quantity).length === 2 && of(quantity).every(({ value }) => value > 0), quantity)
  }
  t.ok(of('sync from empty').every(({ value }) => value > 0 && value < 60))
  t.ok(of('disk')[1]!.value > of('disk')[0]!.value)

  const writer = new ExperimentWriter(t.testdir(), 'scale')
  for (const row of rows) writer.record(row)
  const section = makeSection('scale', scaleSection, writer.rows, [])!
  t.equal(section.findings.length, 5)
  t.same(
    section.charts.map(({ name }) => name),
    ['scale-cost', 'scale-restart', 'scale-disk'],
  )
})

t.test('a running network is left alone', async (t) => {
  const { run, rows, notes } = await memoryRun({ network: '/nowhere' })
  await scaleExperiment.run(run)
  t.same(rows, [])
  t.equal(notes.length, 1)
})
