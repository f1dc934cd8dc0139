/** Two results folders beside each other. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { compareResults, differing, NO_DIFFERENCE } from '../../bench/report/compare.js'
import { comparisonMarkdown, comparisonText } from '../../bench/report/compareText.js'
import { type Planted, writeResults } from '../support/benchResults.js'

const root = mkdtempSync(join(tmpdir(), 'concordat-compare-'))
t.teardown(() => rmSync(root, { recursive: true }))

let count = 0
function results(planted?: Planted): string {
  const dir = join(root, `results-${++count}`)
  writeResults(dir, planted)
  return dir
}

const slower: Planted['change'] = ({ system, quantity, value }) =>
  system === 'concordat' && quantity === 'time of all queries' ? value * 1.2 : value

t.test('the same results differ in nothing', async (t) => {
  const comparison = compareResults(results(), results())
  t.ok(comparison.differences.length > 20)
  t.ok(comparison.differences.every(({ verdict, ratio }) => verdict === NO_DIFFERENCE && ratio === 1))
  t.same([comparison.warnings, comparison.onlyInA, comparison.onlyInB], [[], [], []])
})

t.test('a planted difference is found, and nothing else', async (t) => {
  const found = differing(compareResults(results(), results({ change: slower })))
  t.same(
    new Set(found.map(({ quantity, system }) => `${system}: ${quantity}`)),
    new Set(['concordat: time of all queries']),
  )
  t.same(found.map(({ x }) => x).sort(), [100, 1_000, 10_000])
  for (const { verdict, ratio, a } of found) {
    t.equal(verdict, '20 % more')
    t.ok(Math.abs(ratio! - 1.2) < 1e-9)
    t.equal(a.repeats, 6)
  }
  const [back] = differing(compareResults(results({ change: slower }), results()))
  t.equal(back!.verdict, '17 % less')
})

t.test('a difference within the intervals is none', async (t) => {
  const change: Planted['change'] = ({ value }) => value * 1.002
  t.same(differing(compareResults(results(), results({ change }))), [])
})

t.test('zeros', async (t) => {
  const zero: Planted['change'] = ({ system, value }) => (system === 'client-server' ? 0 : value)
  t.same(differing(compareResults(results({ change: zero }), results({ change: zero }))), [])
  const appeared = differing(compareResults(results({ change: zero }), results()))
  t.ok(appeared.length > 0 && appeared.every(({ ratio, verdict }) => ratio === null && verdict === 'more'))
  t.ok(differing(compareResults(results(), results({ change: zero }))).every(({ verdict }) => verdict === '100 % less'))
})

t.test('what only one side measured', async (t) => {
  const comparison = compareResults(results({ experiments: ['storage'] }), results({ variant: 'portrait empty' }))
  t.ok(comparison.onlyInA.every(({ variant }) => variant === 'portrait full'))
  t.ok(comparison.onlyInB.some(({ experiment }) => experiment === 'latency'))
  t.match(comparisonText(comparison), /only in A: concordat, portrait full: disk;/)
})

t.test('other machines, commits, sizes and early ends are told', async (t) => {
  const settings = { quick: false, repeats: 3, seed: 'other', scales: [1], network: undefined, basePort: 1 }
  const other = results({
    repeats: 3,
    environment: { cpu: 'Abacus', commit: 'beef', cores: 64 },
    circumstances: { commit: 'beef', finished: false, settings },
  })
  const { warnings } = compareResults(other, results({ repeats: 3 }))
  for (const text of [
    'commit differs: A beef',
    'Abacus',
    'number of cores',
    'seed differs',
    'size differs: A full, B quick',
  ])
    t.ok(
      warnings.some((warning) => warning.includes(text)),
      text,
    )
  t.ok(warnings.includes('storage ended early in A'))
  t.ok(warnings.some((warning) => warning.includes('fewer than 6 repeats')))
})

t.test('the table fits its terminal', async (t) => {
  const variant = 'submissions of several attributes, 10 nodes, portrait library filling'
  const comparison = compareResults(results({ variant }), results({ variant, change: slower }))
  for (const width of [80, 100, 160]) {
    const text = comparisonText(comparison, width)
    t.match(text, '20 % more')
    for (const line of text.split('\n')) t.ok(line.length <= width, `${line.length} of ${width}: ${line}`)
  }
})

t.test('Markdown', async (t) => {
  const text = comparisonMarkdown(compareResults(results(), results({ change: slower })))
  t.match(text, '| measured | A | B | B / A | verdict |')
  t.equal((text.match(/\| 20 % more \|/g) ?? []).length, 3)
  t.match(text, `${NO_DIFFERENCE} in`)
})

t.test('nothing is written, and a folder without results is named', async (t) => {
  const [a, b] = [results(), results()]
  const before = [readdirSync(a), readdirSync(b)]
  comparisonText(compareResults(a, b))
  t.same([readdirSync(a), readdirSync(b)], before)
  t.throws(() => compareResults(a, root), { code: 'FAILED', message: /holds no results/ })
})
