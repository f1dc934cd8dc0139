/** From rows to a report: every number in it can be traced back, every picture is whole, nothing of the rows becomes markup. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import t from 'tap'
import { readResults } from '../../bench/harness/results.js'
import type { ExperimentName, Row } from '../../bench/harness/row.js'
import { median } from '../../bench/harness/statistics.js'
import type { Chart } from '../../bench/report/chart.js'
import { drawSvg } from '../../bench/report/draw.js'
import type { Figure, Figures } from '../../bench/report/figures.js'
import { formatMeasured, formatValue } from '../../bench/report/format.js'
import { abridged } from '../../bench/report/html.js'
import { type SectionMaker, say } from '../../bench/report/section.js'
import { writeReport } from '../../bench/report/write.js'
import { writeResults } from '../support/benchResults.js'

const HOSTILE = 'portrait <script>alert("1")</script> & full | half'

const storage: SectionMaker = (figures) => {
  const at = (system: string, x: number) =>
    figures.median(`disk of ${system}`, { system, part: '', axis: 'enterprises', x })!
  const [copies, chain] = [at('traditional copies', 12_000), at('concordat', 12_000)]
  const ratio = figures.ratio('chain by copies', chain, copies)
  return {
    title: 'Storage <of> everything',
    method: 'Each system stores the data; the folders are measured.',
    findings: [say`Copies take ${copies}, the chain ${chain}: ${ratio} of it with ${HOSTILE}.`],
    claims: [{ claim: 'less storage (section 5.1)', answer: 'yes', because: say`it is ${ratio} of the copies` }],
    charts: [
      chartOf(figures, 'fig8-storage', 'line'),
      chartOf(figures, 'storage-bars', 'bars'),
      chartOf(figures, 'storage-stack', 'stack'),
    ],
    tables: [
      {
        title: 'Disk',
        head: ['system', 'disk'],
        rows: [
          ['copies', copies],
          [HOSTILE, chain],
        ],
      },
    ],
  }
}

const latency: SectionMaker = (figures) => ({
  title: 'Time',
  method: 'The same queries on both.',
  findings: [
    say`A query takes ${figures.median('median of the chain', { system: 'concordat', part: 'p50' })!}.`,
    say`All queries take ${figures.median('all', { system: 'concordat', x: 10_000 })!}.`,
  ],
  claims: [],
  charts: [{ ...chartOf(figures, 'fig9-time', 'line'), y: { title: 'time', unit: 's', log: true } }],
  tables: [],
})

const MAKERS: readonly (readonly [ExperimentName, SectionMaker])[] = [
  ['storage', storage],
  ['latency', latency],
]

function chartOf({ rows }: Figures, name: string, kind: Chart['kind']): Chart {
  const first = rows.filter(({ repeat, x }) => repeat === 1 && x !== null)
  const names = [...new Set(first.map(nameOf))]
  const points = (of: string) =>
    first
      .filter((row) => nameOf(row) === of)
      .map(({ x, value }) => ({ x: x!, y: value, low: value * 0.9, high: value * 1.1 }))
  return {
    name,
    title: `Picture of ${HOSTILE}`,
    caption: `What ${HOSTILE} takes.`,
    kind,
    x: { title: 'number of what is varied', unit: 'count' },
    y: { title: 'what it takes', unit: 'bytes' },
    series: names.map((of) => ({ name: of, points: points(of) })),
    rules: [{ y: 1e6, label: 'a <budget>' }],
  }
}

const nameOf = ({ system, variant, part }: Row) => [system, variant, part].filter((text) => text !== '').join(', ')

const folders: string[] = []
const folder = () => {
  folders.push(mkdtempSync(join(tmpdir(), 'concordat-report-')))
  return folders.at(-1)!
}
t.teardown(() => {
  for (const dir of folders) rmSync(dir, { recursive: true })
})

interface Line {
  readonly id: string
  readonly value: string
  readonly low: string
  readonly unit: Figure['unit']
  readonly derivation: string
  readonly from: string
}

const dir = folder()
writeResults(dir, { variant: HOSTILE })
const { html: htmlPath, summary: summaryPath } = await writeReport(dir, MAKERS)
const [html, summary] = [readFileSync(htmlPath, 'utf8'), readFileSync(summaryPath, 'utf8')]
const figuresCsv = readFileSync(join(dir, 'figures.csv'), 'utf8')
const figures = JSON.parse(readFileSync(join(dir, 'figures.json'), 'utf8')) as Figure[]
const rows = new Map(readResults(dir).rows.map((row) => [row.id, row]))

t.test('figures.csv and figures.json say the same', async (t) => {
  const lines = parse(figuresCsv, { columns: true }) as Line[]
  t.equal(lines.length, figures.length)
  for (const [i, { id, value, unit, from, derivation }] of figures.entries())
    t.match(lines[i], { id, unit, derivation, value: String(value), from: from.join(' ') })
})

t.test('every number of the summary is a figure, printed as its value, with the line where it stands', async (t) => {
  const cited = [
    ...summary.matchAll(/([^\s|*]+ ?\S*(?: \\\[[^\]]*\\\])?) \(\[([a-z]+\.F\d+)\]\(figures\.csv#L(\d+)\)\)/g),
  ]
  t.ok(cited.length >= 8)
  for (const [, shown, id, line] of cited) {
    const figure = figures.find((one) => one.id === id)!
    t.ok(figure, `${id} is in figures.json`)
    t.ok(figuresCsv.split('\n')[Number(line) - 1]!.startsWith(`${id},`), `${id} stands on line ${line}`)
    t.ok(shown!.replaceAll('\\', '').endsWith(formatMeasured(figure)), `${shown} is ${formatMeasured(figure)}`)
  }
  t.equal((summary.match(/figures\.csv#L/g) ?? []).length, cited.length, 'none is written in another way')
})

t.test('figures follow from rows and figures that exist', async (t) => {
  for (const figure of figures) {
    const values = figure.from.map((id) => rows.get(id)?.value ?? figures.find((one) => one.id === id)?.value)
    t.ok(values.length > 0 && values.every((value) => value !== undefined), figure.id)
    if (figure.derivation.startsWith('median')) t.equal(figure.value, median(values as number[]), figure.derivation)
    if (figure.derivation.includes('/')) t.equal(figure.value, values[0]! / values[1]!, figure.derivation)
  }
})

t.test('pictures are whole: well-formed, without what is no number, PNGs of twice the size', async (t) => {
  for (const name of ['fig8-storage', 'storage-bars', 'storage-stack', 'fig9-time']) {
    const svg = readFileSync(join(dir, 'plots', `${name}.svg`), 'utf8')
    t.equal(unclosed(svg), '', `${name} is well-formed`)
    t.notMatch(svg, /NaN|undefined|Infinity/, name)
    t.notMatch(svg, /<script/, name)
    const [, width, height] = /<svg[^>]* width="(\d+)" height="(\d+)"/.exec(svg)!.map(Number)
    const png = readFileSync(join(dir, 'plots', `${name}.png`))
    t.equal(png.subarray(0, 8).toString('hex'), '89504e470d0a1a0a', `${name} is a PNG`)
    t.same([png.readUInt32BE(16), png.readUInt32BE(20)], [width! * 2, height! * 2])
    t.ok(width! > 500 && width! < 900 && height! > 200, `${name}: ${width} by ${height}`)
  }
})

t.test('the page needs nothing else and runs nothing', async (t) => {
  const references = [...html.matchAll(/\b(?:href|src|xlink:href)\s*=\s*"([^"]*)"/g)].map((match) => match[1]!)
  t.same(
    references.filter((target) => !target.startsWith('#')),
    [],
  )
  t.notMatch(html, /@import|url\((?!#)/)
  t.notMatch(html, /<script/i)
  t.match(html, '&lt;script&gt;')
  for (const target of references) t.match(html, `id="${target.slice(1)}"`)
  const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!)
  t.equal(new Set(ids).size, ids.length, 'no id twice')
  t.equal(unclosed(html.replace(/<!DOCTYPE html>|<meta[^>]*>|<style>[\s\S]*<\/style>/g, '')), '')
})

t.test('claims first, then the figures of the paper, then the rest; all figures at the end', async (t) => {
  const order = ['id="environment"', 'id="claims"', 'id="paper"', 'id="plot-fig8', 'id="plot-fig9', 'id="storage"']
  const places = [...order, 'id="latency"', 'id="figures"'].map((mark) => html.indexOf(mark))
  t.ok(
    places.every((place) => place > 0),
    String(places),
  )
  t.same(
    [...places].sort((a, b) => a - b),
    places,
  )
  for (const { id, value, unit } of figures.filter((one) => html.includes(`href="#${one.id}"`)))
    t.match(html, `<span class="value">${formatValue(value, unit)}</span>`, id)
})

t.test('the environment and the circumstances', async (t) => {
  for (const text of [
    'Slide rule &lt;4 GHz&gt;',
    '8.00 GB',
    'Linux 6.1.0 x64',
    'v20.0.0',
    'c0ffee',
    'seed-1',
    'quick',
  ]) {
    t.match(html, text)
    t.match(summary, text)
  }
  for (const text of ['2026-01-02 03:04:05 UTC', '75 s', '0.25', '1.50', 'finished']) t.match(html, text)
  for (const name of ['cores', 'repeats']) t.match(html, `<td>${name}</td>`)
})

t.test('Markdown holds no markup of the rows', async (t) => {
  t.notMatch(summary, /<script|<b>/)
  t.match(summary, 'portrait &lt;script&gt;alert')
  for (const line of summary.split('\n').filter((one) => one.startsWith('| ')))
    t.ok([2, 3, 6].includes(line.replaceAll('\\|', '').split('|').length - 2), line)
})

t.test('one experiment alone, interrupted; pictures of before are gone', async (t) => {
  const alone = folder()
  writeResults(alone)
  await writeReport(alone, MAKERS)
  rmSync(join(alone, 'rows'), { recursive: true })
  writeResults(alone, {
    experiments: ['latency'],
    repeats: 1,
    circumstances: { finished: false, ended: 'interrupted' },
  })
  writeFileSync(join(alone, 'notes.json'), '[{"experiment":"peers","text":"geth is not installed"}]')
  const written = await writeReport(alone, MAKERS)
  t.match(readFileSync(written.summary, 'utf8'), '- peers: geth is not installed')
  const page = readFileSync(written.html, 'utf8')
  t.match(page, 'early: interrupted')
  t.match(page, '<li>peers: geth is not installed</li>')
  t.notMatch(page, 'Storage')
  t.notOk(existsSync(join(alone, 'plots', 'fig8-storage.svg')))
  t.ok(existsSync(join(alone, 'plots', 'fig9-time.png')))
})

t.test('a section that cannot be made is said, and the others are written', async (t) => {
  const broken = folder()
  writeResults(broken)
  const fail: SectionMaker = () => {
    throw new Error('no rows of this kind')
  }
  const makers = [
    ['storage', fail],
    ['latency', latency],
  ] as const
  await t.rejects(writeReport(broken, makers), { code: 'FAILED', message: /section storage .*no rows of this kind/ })
  t.match(readFileSync(join(broken, 'report.html'), 'utf8'), 'id="latency"')
})

t.test('folders that hold no results, or damaged ones', async (t) => {
  await t.rejects(writeReport(folder()), { code: 'FAILED', message: /holds no results/ })
  const torn = folder()
  writeResults(torn)
  writeFileSync(join(torn, 'rows', 'latency.csv'), 'latency-1,latency', { flag: 'a' })
  await t.rejects(writeReport(torn), { code: 'FAILED', message: /latency\.csv/ })
})

t.test('what has no place on the axes is left out and told', async (t) => {
  const points = [
    { x: 0, y: 1 },
    { x: 10, y: 2, low: -1, high: 3 },
    { x: 100, y: Number.NaN },
    { x: 1_000, y: 5 },
  ]
  const axis = { title: 'x', log: true }
  const chart: Chart = {
    name: 'a',
    title: 'a',
    caption: '',
    kind: 'line',
    x: axis,
    y: axis,
    series: [{ name: 's', points }],
  }
  const { svg, missing } = await drawSvg(chart)
  t.match(missing, '2 left out')
  t.notMatch(svg, /NaN|undefined|Infinity/)
})

t.test('runs of ids are joined', async (t) => {
  t.equal(abridged(['a-1', 'a-2', 'a-3', 'a-5', 'b-6', 'b-7']), 'a-1 to a-3, a-5, b-6, b-7')
  t.equal(abridged(['storage.F1', 'storage.F2']), 'storage.F1, storage.F2')
})

/** The first tag that is not closed in order; '' for well-formed text. */
function unclosed(xml: string): string {
  const open: string[] = []
  for (const [, close, name, empty] of xml.matchAll(/<(\/?)([a-zA-Z][\w:-]*)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>/g)) {
    if (close === '/') {
      if (open.pop() !== name) return name!
    } else if (empty !== '/') open.push(name!)
  }
  const rest = xml.replace(/<(\/?)([a-zA-Z][\w:-]*)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>/g, '')
  return open.pop() ?? /<.{0,20}|&(?!(amp|lt|gt|quot|#\d+);).{0,20}/.exec(rest)?.[0] ?? ''
}
