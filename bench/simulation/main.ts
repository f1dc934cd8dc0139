/**
 * What `concordat sim` leaves behind:
 *
 *   report.html             everything, in one page that needs nothing else
 *   summary.md              the same for readers of Markdown, with plots/ beside it
 *   plots/NAME.svg, .png
 *   metrics.csv             every figure by variant and seed
 *   blocks.csv, transactions.csv, standings.csv, faults.csv
 *   results.json            conditions and figures
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Metric, metricsOf, QUANTITIES, type VariantRuns } from '../../src/sim/experiment/metrics.js'
import type { Plan, Variant } from '../../src/sim/experiment/plan.js'
import { csvFiles } from '../../src/sim/experiment/tables.js'
import { median } from '../harness/statistics.js'
import type { Chart } from '../report/chart.js'
import { drawPng, drawSvg } from '../report/draw.js'
import { significant } from '../report/format.js'
import { escapeHtml } from '../report/html.js'
import { escapeMarkdown, markdownTable } from '../report/markdown.js'
import { hasPoints } from '../report/spec.js'
import { CSS } from '../report/style.js'
import { chartsOf } from './charts.js'

interface Picture {
  readonly name: string
  readonly title: string
  readonly caption: string
  readonly svg: string
}

/** Writes the result of an experiment into `dir`; pictures of an earlier one there are replaced. */
export async function writeSimulation(
  dir: string,
  plan: Plan,
  runs: readonly VariantRuns[],
): Promise<readonly Metric[]> {
  const metrics = runs.flatMap((one) => metricsOf(one, plan.durationMs))
  const plots = join(dir, 'plots')
  mkdirSync(plots, { recursive: true })
  for (const name of readdirSync(plots).filter((name) => /\.(svg|png)$/.test(name))) rmSync(join(plots, name))
  for (const [name, text] of csvFiles(runs, metrics)) writeFileSync(join(dir, name), text)
  const pictures: Picture[] = []
  for (const chart of chartsOf(runs, metrics, plan.durationMs).filter(hasPoints))
    pictures.push(await draw(plots, chart))
  writeFileSync(join(dir, 'results.json'), `${JSON.stringify({ ...described(plan), metrics }, null, 2)}\n`)
  writeFileSync(join(dir, 'summary.md'), summary(plan, metrics, pictures))
  writeFileSync(join(dir, 'report.html'), page(plan, metrics, pictures))
  return metrics
}

async function draw(dir: string, chart: Chart): Promise<Picture> {
  const { svg, missing } = await drawSvg(chart)
  writeFileSync(join(dir, `${chart.name}.svg`), svg)
  writeFileSync(join(dir, `${chart.name}.png`), await drawPng(svg))
  const { name, title } = chart
  return { name, title, caption: missing === undefined ? chart.caption : `${chart.caption} ${missing}`, svg }
}

/** Functions have no place in JSON: their names stand for them. */
function described({ title, durationMs, seeds, variants }: Plan) {
  return {
    title,
    durationMs,
    seeds,
    variants: variants.map(({ policy, schedule, ...rest }) => ({
      ...rest,
      policy: policy.name,
      schedule: schedule.name,
    })),
  }
}

/** Rows of the table of figures: quantity and part, then a column a variant. `ranges`: with the least and the greatest over the seeds. */
export function figureRows(
  plan: Plan,
  metrics: readonly Metric[],
  ranges = true,
): { head: string[]; rows: string[][] } {
  const names = plan.variants.map(({ name }) => name)
  const keys = new Map(metrics.map(({ quantity, part, unit }) => [`${quantity}|${part}`, { quantity, part, unit }]))
  const order = Object.values(QUANTITIES) as string[]
  const rows = [...keys.values()]
    .sort((a, b) => order.indexOf(a.quantity) - order.indexOf(b.quantity))
    .map(({ quantity, part, unit }) => [
      part === '' ? quantity : `${quantity}, ${part}`,
      ...names.map((name) =>
        figure(
          metrics.filter((one) => one.variant === name && one.quantity === quantity && one.part === part),
          unit,
          ranges,
        ),
      ),
    ])
  return { head: ['', ...names], rows }
}

/** `12.3 ms [11, 14]`: median over the seeds and their range. */
function figure(metrics: readonly Metric[], unit: Metric['unit'], ranges: boolean): string {
  const factor = unit === 'share' ? 100 : 1
  const values = metrics.flatMap(({ value }) => (value === null ? [] : [value * factor]))
  if (values.length === 0) return '-'
  const suffix = { ms: ' ms', share: ' %', count: '', 'per second': '/s' }[unit]
  const range =
    values.length === 1 || !ranges ? '' : ` [${significant(Math.min(...values))}, ${significant(Math.max(...values))}]`
  return `${significant(median(values))}${suffix}${range}`
}

function conditionRows({ variants, durationMs, seeds }: Plan): { head: string[]; rows: string[][] } {
  const lines: readonly (readonly [string, (variant: Variant) => string])[] = [
    ['weight policy', ({ policy }) => policy.name],
    ['leader schedule', ({ schedule }) => schedule.name],
    ['nodes', ({ nodes }) => String(nodes)],
    ['weights computed', ({ epochBlocks }) => (epochBlocks === 0 ? 'once' : `every ${epochBlocks} blocks`)],
    ['delay of a message', ({ delayMs: [low, high] }) => `${low} to ${high} ms`],
    ['loss', ({ loss }) => `${loss * 100} %`],
    [
      'load',
      ({ load }) => load.map(({ perSecond, fromMs, toMs }) => `${perSecond}/s ${periodText(fromMs, toMs)}`).join('; '),
    ],
    ['faults', ({ faults }) => (faults.length === 0 ? 'none' : faults.map(faultText).join('; '))],
    ['virtual time', () => `${durationMs / 1_000} s`],
    ['seeds', () => seeds.join(', ')],
  ]
  return {
    head: ['', ...variants.map(({ name }) => name)],
    rows: lines.map(([title, text]) => [title, ...variants.map(text)]),
  }
}

const periodText = (fromMs: number, toMs: number | undefined): string =>
  toMs === undefined ? `from ${fromMs / 1_000} s on` : `from ${fromMs / 1_000} to ${toMs / 1_000} s`

function faultText(fault: Variant['faults'][number], index: number): string {
  const { kind } = fault
  const where =
    kind === 'partition'
      ? fault.groups.map((group) => group.join('+')).join(' | ')
      : kind === 'loss'
        ? `${fault.share * 100} % from ${fault.from ?? 'all'} to ${fault.to ?? 'all'}`
        : `node${fault.node}${kind === 'faulty' ? ` ${fault.as}` : ''}`
  return `${index + 1} ${kind} ${where}${'fromMs' in fault ? ` ${periodText(fault.fromMs, fault.toMs)}` : ''}`
}

const FIGURES = 'Figures: median over the seeds, in brackets the least and the greatest'

function summary(plan: Plan, metrics: readonly Metric[], pictures: readonly Picture[]): string {
  const table = ({ head, rows }: { head: string[]; rows: string[][] }) =>
    markdownTable(
      head.map(escapeMarkdown),
      rows.map((row) => row.map(escapeMarkdown)),
    )
  const blocks = [
    `# ${escapeMarkdown(plan.title)}`,
    'Simulated in virtual time; the same file gives the same figures. Raw values: `blocks.csv`, `transactions.csv`, `standings.csv`, `faults.csv`, `metrics.csv`.',
    table(conditionRows(plan)),
    `## ${FIGURES}`,
    table(figureRows(plan, metrics)),
    ...pictures.map(
      ({ name, title, caption }) =>
        `![${escapeMarkdown(title)}](plots/${name}.svg)\n\n*${escapeMarkdown(title)}.* ${escapeMarkdown(caption)}`,
    ),
  ]
  return `${blocks.join('\n\n')}\n`
}

function page(plan: Plan, metrics: readonly Metric[], pictures: readonly Picture[]): string {
  const table = ({ head, rows }: { head: string[]; rows: string[][] }) => {
    const line = (cells: readonly string[], tag: string) =>
      `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`
    return `<div class="wide"><table>${line(head, 'th')}${rows.map((row) => line(row, 'td')).join('\n')}</table></div>`
  }
  // The SVG is this program's own and escaped when it was drawn.
  const figures = pictures.map(
    ({ svg, caption }) =>
      `<figure><div class="wide">${svg.replace(/^<\?xml[^>]*>\s*/, '')}</div><figcaption>${escapeHtml(caption)}</figcaption></figure>`,
  )
  const title = escapeHtml(plan.title)
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${CSS}</style>
</head>
<body>
<h1>${title}</h1>
<p>Simulated in virtual time; the same file gives the same figures.</p>
${table(conditionRows(plan))}
<h2>${FIGURES}</h2>
${table(figureRows(plan, metrics))}
${figures.join('\n')}
</body>
</html>
`
}
