/** Benchmarks of parts: every one runs, both sides come to the same result, and what it says of itself is true. */
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import t from 'tap'
import type { Run } from '../../bench/harness/experiment.js'
import { Interrupted } from '../../bench/harness/experiment.js'
import type { Measurement, Row } from '../../bench/harness/row.js'
import { type Benchmark, isYardstick, OURS, RECOVER, VoidBenchmark } from '../../bench/micro/benchmark.js'
import { runMicro } from '../../bench/micro/experiment.js'
import { GROUP_NAMES, GROUPS } from '../../bench/micro/groups.js'
import { type Repeat, repeatsOf } from '../../bench/micro/repeats.js'
import { microSection } from '../../bench/micro/section.js'
import { TINY } from '../../bench/micro/sizes.js'
import { Figures } from '../../bench/report/figures.js'

async function repeats(benchmark: Benchmark, dir: string, count: number): Promise<Repeat[]> {
  const all: Repeat[] = []
  for await (const repeat of repeatsOf(benchmark, { sizes: TINY, dir }, count)) all.push(repeat)
  return all
}

for (const group of GROUP_NAMES) {
  t.test(`${group}: both sides are measured, and their results are equal`, async (t) => {
    const root = t.testdir(Object.fromEntries((await GROUPS[group]()).map((_, index) => [String(index), {}])))
    for (const [index, benchmark] of (await GROUPS[group]()).entries()) {
      let compared = 0
      const watched: Benchmark = {
        ...benchmark,
        async setup(context) {
          const prepared = await benchmark.setup(context)
          const [, other] = prepared.sides
          compared = prepared.sides.filter(({ result }) => result !== undefined).length
          t.equal(compared, other.name === RECOVER ? 0 : 2, `${benchmark.name} says what its sides compute`)
          return prepared
        },
      }
      const values = await repeats(watched, `${root}/${index}`, 1)
      t.equal(values[0]?.side, OURS)
      t.equal(values.length, 2)
      t.ok(
        values.every(({ value }) => Number.isFinite(value) && (value > 0 || benchmark.unit === 'bytes')),
        benchmark.name,
      )
    }
  })
}

t.test('names are unique', async (t) => {
  const all = (await Promise.all(GROUP_NAMES.map((group) => GROUPS[group]()))).flat()
  t.equal(new Set(all.map(({ name }) => name)).size, all.length)
})

t.test('a benchmark whose sides differ is void, and what it opened is closed', async (t) => {
  let closed = false
  const side = (name: string) => ({ name, measure: () => 1, result: () => name })
  const different: Benchmark = {
    name: 'different',
    quantity: 'wall time of nothing',
    unit: 'µs',
    setup: () => ({
      sides: [side('a'), side('b')],
      teardown: () => {
        closed = true
      },
    }),
  }
  await t.rejects(repeats(different, t.testdirName, 1), VoidBenchmark)
  t.ok(closed)
})

t.test('repeats are interleaved after those that do not count', async (t) => {
  const calls: string[] = []
  const side = (name: string, warmUps?: number) => ({
    name,
    measure: () => calls.push(name),
    ...(warmUps !== undefined && { warmUps }),
  })
  const benchmark: Benchmark = {
    name: 'order',
    quantity: 'wall time of nothing',
    unit: 'µs',
    setup: () => ({ sides: [side('a', 2), side('b')] }),
  }
  const values = await repeats(benchmark, t.testdirName, 2)
  t.same(calls, ['a', 'a', 'b', 'a', 'b', 'b', 'a'])
  t.same(
    values.map(({ side, repeat }) => `${side}${repeat}`),
    ['a1', 'b1', 'b2', 'a2'],
  )
})

function fakeRun(only: readonly string[], signal: AbortSignal) {
  const rows: Measurement[] = []
  const settings = { quick: true, repeats: 2, seed: 'test', scales: [], network: undefined, only, basePort: 30_000 }
  const run: Run = {
    settings,
    signal,
    record: (row) => void rows.push(row),
    samples: () => {},
    note: () => {},
    progress: () => {},
    check: () => signal.throwIfAborted(),
  }
  return { run, rows }
}

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('concordat-micro-'))

t.test('the experiment measures in processes and records both sides and the budget', async (t) => {
  const { run, rows } = fakeRun(['trie', 'signatures'], new AbortController().signal)
  await runMicro(run, TINY)
  const count = (variant: string, system: string) =>
    rows.filter((row) => row.variant === variant && row.system === system && row.quantity !== 'budget').length
  t.equal(count('trie root', OURS), 2)
  t.equal(count('trie root', '@ethereumjs/trie'), 2)
  t.equal(count('sign', OURS), 2)
  t.match(
    rows.filter(({ quantity }) => quantity === 'budget'),
    [{ variant: 'trie root', part: 'at least', unit: 'ratio', value: 40 }],
  )
})

t.test('an unknown name is refused with those that there are', async (t) => {
  const { run } = fakeRun(['tree'], new AbortController().signal)
  await t.rejects(runMicro(run, TINY), /no benchmark tree; choose from trie, /)
})

t.test('interrupted, it ends with its processes and folders gone', async (t) => {
  const before = folders()
  const interruption = new AbortController()
  const { run } = fakeRun(['trie', 'keccak'], interruption.signal)
  const ending = runMicro({ ...run, record: () => interruption.abort(new Interrupted('interrupted')) }, TINY)
  await t.rejects(ending, Interrupted)
  t.same(
    folders().filter((name) => !before.includes(name)),
    [],
  )
})

function row(system: string, variant: string, repeat: number, value: number, more: Partial<Row> = {}): Row {
  const defaults = { experiment: 'micro', part: '', axis: '', x: null, unit: 'µs', quantity: 'CPU time of it' } as const
  const id = `micro-${system}-${variant}-${repeat}${more.quantity ?? ''}`
  return { ...defaults, id, system, variant, repeat, value, ...more }
}

t.test('the section says which way ratios go and which budgets are kept', async (t) => {
  const rows = [1, 2, 3].flatMap((repeat) => [
    row(OURS, 'fast', repeat, 2),
    row('library', 'fast', repeat, 100),
    row(OURS, 'slow', repeat, 10),
    row('library', 'slow', repeat, 5),
    row(OURS, 'costly', repeat, 30 * repeat),
    row(RECOVER, 'costly', repeat, 10 * repeat),
    row(OURS, 'frames', repeat, 50, { unit: '1/s' }),
    row('plain TCP', 'frames', repeat, 200, { unit: '1/s' }),
  ])
  const budget = (variant: string, part: string, value: number) =>
    row(OURS, variant, 0, value, { quantity: 'budget', part, unit: 'ratio' })
  const figures = new Figures('micro', [...rows, budget('fast', 'at least', 40), budget('costly', 'at most', 2)])
  const { charts, findings, tables } = microSection(figures, [])
  const ratio = (name: string) =>
    charts.flatMap(({ series }) => series[0]!.points).find(({ x }) => x === name) as { readonly y: number }
  t.equal(ratio('fast').y, 50)
  t.equal(ratio('slow').y, 0.5)
  t.equal(ratio('costly').y, 3, 'a yardstick counts the other way round')
  t.equal(ratio('frames').y, 4)
  const kept = tables.flatMap((table) => table.rows.map((cells) => [cells[0], cells[7]]))
  t.match(kept, [
    ['fast', 'yes'],
    ['slow', ''],
    ['costly', 'no'],
    ['frames', ''],
  ])
  const text = findings.map((sentence) => sentence.filter((part) => typeof part === 'string').join('')).join('\n')
  t.match(text, /slow: library does better/)
  t.notOk(/\d/.test(text), 'numbers are figures')
  t.ok(isYardstick(RECOVER))
})
