/** The experiment on rounds in miniature. */
import t from 'tap'
import { ExperimentWriter } from '../../bench/harness/results.js'
import { makeSection } from '../../bench/report/section.js'
import { measureRounds, roundsExperiment } from '../../bench/rounds/experiment.js'
import { roundsSection } from '../../bench/rounds/section.js'
import { memoryRun } from '../support/benchRun.js'

t.test('nodes go and come back, the network splits and heals', async (t) => {
  const { run, rows } = await memoryRun()
  await measureRounds(run, {
    repeatsMax: 1,
    eventsMax: 1,
    senders: 10,
    warmUpSeconds: 0,
    clients: 20,
    closedSeconds: 0.5,
    idleSeconds: 0.3,
    offeredPerSecond: 20,
    offeredSeconds: 1,
    outageSeconds: [0.5],
    splitSeconds: 0.7,
    frozenSeconds: 1,
  })
  const of = (quantity: string) => rows.filter((row) => row.quantity === quantity)
  t.same(
    of('submissions').map(({ variant }) => variant),
    ['four up', 'one down'],
  )
  for (const quantity of ['time to final', 'time to final meanwhile', 'first block after healing']) {
    t.ok(of(quantity).length === 2 && of(quantity).every(({ value }) => value > 0), quantity)
  }
  t.same(
    of('nodes with a new block while split').map(({ value }) => value),
    [0, 0],
  )
  t.ok(
    of('views passed').every(({ value }) => value <= 1),
    'without a quorum no view passes',
  )
  t.ok(of('first block after return').every(({ value }) => value > 0))
  t.ok(of('caught up')[0]!.value > 0)

  const writer = new ExperimentWriter(t.testdir(), 'rounds')
  for (const row of rows) writer.record(row)
  const section = makeSection('rounds', roundsSection, writer.rows, [])!
  t.equal(section.charts.length, 3)
  t.equal(section.tables.length, 3)
  t.ok(section.findings.length >= 4)
})

t.test('a running network is left alone', async (t) => {
  const { run, rows, notes } = await memoryRun({ network: '/nowhere' })
  await roundsExperiment.run(run)
  t.same(rows, [])
  t.equal(notes.length, 1)
})
