/** report.html: one page that needs nothing else, neither files beside it nor scripts. */
import type { Figure } from './figures.js'
import { formatInterval, formatValue } from './format.js'
import type { Claim, SectionTable, Sentence } from './section.js'
import { CSS } from './style.js'
import {
  allFigures,
  CIRCUMSTANCES_HEAD,
  circumstancesRows,
  environmentEntries,
  isOfPaper,
  type Picture,
  paperPictures,
  type Report,
  type ReportSection,
  written,
} from './text.js'

const TITLE = 'Results of the benchmarks'

export function reportHtml(report: Report): string {
  const body = [
    `<h1>${TITLE}</h1>`,
    '<p>Each number in this report names the figure that it is, and the table of figures at the end names the measured rows that it follows from. ' +
      'Numbers in brackets are the interval of a median.</p>',
    environment(report),
    contents(report),
    claims(report),
    paper(report),
    ...report.sections.map(section),
    notMeasured(report),
    figuresTable(allFigures(report)),
  ]
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${TITLE}</title>
<style>${CSS}</style>
</head>
<body>
${body.filter((part) => part !== '').join('\n')}
</body>
</html>
`
}

function environment({ environment: of }: Report): string {
  const entries = environmentEntries(of).map((entry) => entry.map(escapeHtml))
  const rows = circumstancesRows(of).map((row) => row.map(escapeHtml))
  return `<h2 id="environment">Environment</h2>\n${table([], entries)}\n${table(CIRCUMSTANCES_HEAD, rows)}`
}

function contents(report: Report): string {
  const entries = [
    ...(hasClaims(report) ? [['claims', 'The claims of the paper']] : []),
    ...(hasPaper(report) ? [['paper', 'Figures 8 and 9 as the paper draws them']] : []),
    ...report.sections.map(({ experiment, title }) => [experiment, title]),
    ...(report.notMeasured.length > 0 ? [['not-measured', 'Not measured']] : []),
    ['figures', 'Figures'],
  ] as const
  const items = entries.map(([id, title]) => `<li><a href="#${id}">${escapeHtml(title!)}</a></li>`)
  return `<nav><h2>Contents</h2><ul>${items.join('')}</ul></nav>`
}

const hasClaims = ({ sections }: Report) => sections.some((one) => one.claims.length > 0)
const hasPaper = (report: Report) => paperPictures(report, 8).length + paperPictures(report, 9).length > 0

function claims(report: Report): string {
  if (!hasClaims(report)) return ''
  const rows = report.sections.flatMap((one) => one.claims).map(claimRow)
  const head = ['claim', 'answer', 'because'].map((name) => `<th>${name}</th>`).join('')
  return `<h2 id="claims">The claims of the paper</h2>\n<div class="wide"><table><tr>${head}</tr>${rows.join('\n')}</table></div>`
}

function claimRow({ claim, answer, because }: Claim): string {
  return `<tr><td>${escapeHtml(claim)}</td><td class="answer ${answer}">${answer}</td><td>${sentence(because)}</td></tr>`
}

function paper(report: Report): string {
  if (!hasPaper(report)) return ''
  const pictures = ([8, 9] as const).flatMap((number) =>
    paperPictures(report, number).map((one) => `<h3>Figure ${number}</h3>\n${picture(one)}`),
  )
  return `<h2 id="paper">Figures 8 and 9 as the paper draws them</h2>\n${pictures.join('\n')}`
}

function notMeasured({ notMeasured: notes }: Report): string {
  const items = notes.map(({ experiment, text }) => escapeHtml(`${experiment}: ${text}`))
  return items.length === 0 ? '' : `<h2 id="not-measured">Not measured</h2>\n${list(items)}`
}

function section({ experiment, title, method, findings, tables, pictures, notes }: ReportSection): string {
  const others = pictures.filter((one) => !isOfPaper(one, 8) && !isOfPaper(one, 9))
  const parts = [
    `<h2 id="${experiment}">${escapeHtml(title)}</h2>`,
    `<p>${escapeHtml(method)}</p>`,
    list(findings.map(sentence)),
    ...others.map(picture),
    ...tables.map(sectionTable),
    notes.length === 0 ? '' : `<div class="notes"><h3>What else to know</h3>${list(notes.map(escapeHtml))}</div>`,
  ]
  return parts.filter((part) => part !== '').join('\n')
}

const list = (items: readonly string[]) =>
  items.length === 0 ? '' : `<ul>${items.map((item) => `<li>${item}</li>`).join('\n')}</ul>`

/** The SVG is the report's own and escaped when it was drawn. */
function picture({ name, title, caption, svg }: Picture): string {
  const inline = svg
    .replace(/^<\?xml[^>]*>\s*/, '')
    .replace('<svg ', () => `<svg role="img" aria-label="${escapeHtml(title)}" `)
  return `<figure id="plot-${name}"><div class="wide">${inline}</div><figcaption>${escapeHtml(caption)}</figcaption></figure>`
}

function sectionTable({ title, head, rows }: SectionTable): string {
  const cells = rows.map((row) => row.map((part) => (typeof part === 'string' ? escapeHtml(part) : figure(part))))
  return `<h3>${escapeHtml(title)}</h3>\n${table(head.map(escapeHtml), cells)}`
}

/** Cells are HTML already. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`
  const lines = [...(head.length === 0 ? [] : [line(head, 'th')]), ...rows.map((row) => line(row, 'td'))]
  return `<div class="wide"><table>${lines.join('\n')}</table></div>`
}

const sentence = (parts: Sentence): string => written(parts, escapeHtml, figure)

function figure(one: Figure): string {
  const interval = formatInterval(one)
  const shown = interval === '' ? '' : ` <span class="interval">${interval}</span>`
  return `<span class="value">${escapeHtml(formatValue(one.value, one.unit))}</span>${shown} <a class="figure" href="#${one.id}">${one.id}</a>`
}

function figuresTable(figures: readonly Figure[]): string {
  const head = ['id', 'what', 'value', 'interval', 'unit', 'follows as', 'from']
    .map((name) => `<th>${name}</th>`)
    .join('')
  return `<h2 id="figures">Figures</h2>
<p>Ids such as <code>storage-17</code> are rows of <code>rows/storage.csv</code>; ids such as <code>storage.F3</code> are figures of this table.</p>
<div class="wide"><table><tr>${head}</tr>
${figures.map(figureRow).join('\n')}
</table></div>`
}

function figureRow({ id, label, value, low, high, unit, derivation, from }: Figure): string {
  const interval = low === undefined || high === undefined ? '' : `${exact(low)} to ${exact(high)}`
  const cells = [id, label, exact(value), interval, unit, derivation].map((cell) => `<td>${escapeHtml(cell)}</td>`)
  return `<tr id="${id}">${cells.join('')}<td class="ids">${escapeHtml(abridged(from))}</td></tr>`
}

/** Nothing rounded away that a reader could miss. */
const exact = (value: number): string => String(Number(value.toPrecision(7)))

/** Runs of neighbours joined: `storage-3 to storage-8, storage-11`. */
export function abridged(ids: readonly string[]): string {
  const runs: { first: string; last: string; count: number }[] = []
  for (const id of ids) {
    const run = runs.at(-1)
    if (run !== undefined && follows(run.last, id)) Object.assign(run, { last: id, count: run.count + 1 })
    else runs.push({ first: id, last: id, count: 1 })
  }
  const shown = runs.flatMap(({ first, last, count }) =>
    count === 1 ? [first] : count === 2 ? [first, last] : [`${first} to ${last}`],
  )
  return shown.join(', ')
}

function follows(before: string, id: string): boolean {
  const [, name, number] = /^(.*\D)(\d+)$/.exec(before) ?? []
  return name !== undefined && id === `${name}${Number(number) + 1}`
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
