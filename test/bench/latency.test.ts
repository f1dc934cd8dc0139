/** The experiment on time: the loop, the agents' logs, what is said of the rows, and the whole in miniature. */
import { appendFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import type { Run } from '../../bench/harness/experiment.js'
import { ExperimentWriter } from '../../bench/harness/results.js'
import type { Measurement } from '../../bench/harness/row.js'
import { AgentLogs } from '../../bench/latency/agentLogs.js'
import { drive } from '../../bench/latency/drive.js'
import { latencyExperimentOf } from '../../bench/latency/experiment.js'
import { latencySection } from '../../bench/latency/section.js'
import { draws } from '../../bench/latency/workload.js'
import { makeSection } from '../../bench/report/section.js'
import { freeBasePort } from '../support/localNetwork.js'

t.test('a closed loop asks everything once, in order, and ends as a whole', async (t) => {
  let underWay = 0
  let most = 0
  const asked: number[] = []
  const ask = async (query: number) => {
    asked.push(query)
    most = Math.max(most, ++underWay)
    await new Promise((resolve) => setImmediate(resolve))
    underWay--
    return 10 * query
  }
  const { answers, doneMs } = await drive([1, 2, 3, 4, 5], 2, ask)
  t.same(answers, [10, 20, 30, 40, 50])
  t.same(asked, [1, 2, 3, 4, 5])
  t.equal(most, 2)
  t.equal(doneMs.length, 5)
  t.same(
    doneMs,
    [...doneMs].sort((a, b) => a - b),
  )
  const failing = drive([1, 2, 3, 4, 5, 6], 2, async (query) => {
    if (query === 2) throw new Error('refused')
    return ask(query)
  })
  await t.rejects(failing, { message: 'refused' })
  t.equal(underWay, 0, 'nothing runs on')
  t.same(draws('seed', 50, 7), draws('seed', 50, 7), 'equal seeds draw equal places')
})

t.test(
  "of a request, the supervisor counts whose answers were final last; unfinished and older lines don't",
  async (t) => {
    const dir = t.testdir()
    const files = ['a.log', 'b.log'].map((name) => path.join(dir, name))
    const question = (request: number, ms: number) =>
      `${JSON.stringify({ time: 1, request: String(request), ms, msg: 'question answered' })}\n`
    const final = (time: number, requests: string[], ms: number) =>
      `${JSON.stringify({ time, requests, ms, msg: 'messages are final' })}\n`
    writeFileSync(files[0]!, question(7, 99) + final(1, ['7'], 99))
    const logs = new AgentLogs(
      new Map([
        ['a', files[0]!],
        ['b', files[1]!],
      ]),
      300,
    )
    appendFileSync(
      files[0]!,
      question(8, 1) + question(9, 2) + final(20, ['8', '9'], 30) + question(10, 7) + final(50, ['10'], 8),
    )
    writeFileSync(files[1]!, `${question(8, 3) + question(9, 4) + final(10, ['8'], 5) + final(40, ['9'], 6)}{"time":`)
    const both = ['a', 'b']
    const slowest = await logs.slowest(
      new Map([
        ['8', both],
        ['9', both],
        ['10', ['a']],
      ]),
    )
    t.same(slowest?.get('8'), { localMs: 1, attestMs: 30, finalAt: 20 })
    t.same(slowest?.get('9'), { localMs: 4, attestMs: 6, finalAt: 40 })
    t.same(slowest?.get('10'), { localMs: 7, attestMs: 8, finalAt: 50 }, 'one supervisor was asked')
    t.equal(await logs.slowest(new Map([['7', ['a']]])), undefined, 'logged before')
  },
)

/** The section of rows in which a query takes so many milliseconds. */
function sectionOf(dir: string, ms: { beside: number; empty?: number; filling?: number; full?: number }) {
  const writer = new ExperimentWriter(dir, 'latency')
  const lines = [
    ['client-server', '', ms.beside],
    ['concordat', 'portrait empty', ms.empty],
    ['concordat', 'portrait filling', ms.filling],
    ['concordat', 'portrait full', ms.full],
  ] as const
  for (const [system, variant, each] of lines) {
    if (each === undefined) continue
    for (let repeat = 1; repeat <= 6; repeat++) {
      const of = { system, variant, axis: 'queries', repeat } as const
      for (const x of [100, 200]) {
        writer.record({ ...of, quantity: 'time of all queries', unit: 's', x, value: (x * each) / 1_000 })
      }
      writer.samples({ ...of, quantity: 'time of a query', unit: 'ms', x: 200 }, [each, 2 * each])
      for (const part of ['local query', 'network', 'chain']) {
        writer.record({ ...of, quantity: 'split of a query', part, unit: 'ms', x: 200, value: each / 3 })
      }
    }
  }
  return makeSection('latency', latencySection, writer.rows, [])!
}

t.test('claims are answered by the figures, each of which follows from rows', async (t) => {
  const answers = (section: ReturnType<typeof sectionOf>) => section.claims.map(({ answer }) => answer)
  const section = sectionOf(t.testdir(), { beside: 10, empty: 60, filling: 30, full: 3 })
  t.same(answers(section), ['no', 'yes', 'no'])
  const growth = section.figures.filter(({ label }) => label.endsWith('time for each further query'))
  t.same(
    growth.map(({ value }) => Math.round(value)),
    [10, 60, 30, 3],
  )
  t.ok(section.figures.every(({ from }) => from.length > 0))
  t.same(
    section.charts.map(({ name }) => name),
    ['fig9-time', 'latency-percentiles', 'latency-split'],
  )
  t.same(answers(sectionOf(t.testdir(), { beside: 10, empty: 60, filling: 14, full: 12 })), ['partly', 'no', 'no'])
  t.same(answers(sectionOf(t.testdir(), { beside: 10, empty: 12, filling: 11, full: 9 })), ['yes', 'yes', 'no'])
  const begun = sectionOf(t.testdir(), { beside: 10 })
  t.same([begun.claims, begun.findings], [[], []], 'an interrupted run claims nothing')
  t.equal(begun.charts[0]?.series.length, 1)
})

t.test('in miniature: every series is measured, each answer is right, the parts make up the whole', async (t) => {
  const sizes = {
    askers: 4,
    points: [4, 8],
    longPoints: [],
    drawnFrom: 6,
    records: 40,
    startQueries: 4,
    warmUpQueries: 2,
  }
  const rows: Measurement[] = []
  const notes: string[] = []
  const shares: number[] = []
  const run: Run = {
    settings: {
      quick: true,
      repeats: 1,
      seed: 'concordat',
      scales: [1],
      network: undefined,
      basePort: await freeBasePort(4),
    },
    signal: new AbortController().signal,
    record: (row) => void rows.push(row),
    samples: (series, values) =>
      void rows.push({ ...series, part: 'mean', value: values.reduce((a, b) => a + b) / values.length }),
    note: (text) => void notes.push(text),
    progress: (share) => void shares.push(share),
    check() {},
  }
  await latencyExperimentOf(() => sizes).run(run)
  t.same(notes, [])
  t.ok(shares.every((share) => share >= 0 && share <= 1))
  for (const [system, variant] of [
    ['client-server', ''],
    ['concordat', 'portrait empty'],
    ['concordat', 'portrait filling'],
    ['concordat', 'portrait full'],
  ]) {
    const own = rows.filter((row) => row.system === system && row.variant === variant)
    const total = own.filter(({ quantity }) => quantity === 'time of all queries')
    t.same(
      total.map(({ x }) => x),
      [4, 8],
    )
    t.ok(total[1]!.value > total[0]!.value)
    const parts = own.filter(({ quantity }) => quantity === 'split of a query')
    const mean = own.find(({ quantity }) => quantity === 'time of a query')!.value
    t.ok(Math.abs(parts.reduce((sum, { value }) => sum + value, 0) - mean) < 1e-6 * mean, 'parts add up')
    const chain = parts.find(({ part }) => part === 'chain')?.value ?? 0
    t.equal(chain > 0, variant === 'portrait empty' || variant === 'portrait filling', `chain of ${system} ${variant}`)
  }
})
