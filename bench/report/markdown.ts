/** summary.md: what came out, for readers of Markdown; every number with the id of its figure. */
import type { Figure } from './figures.js'
import { figureLines } from './figuresFile.js'
import { formatMeasured } from './format.js'
import type { Claim, SectionTable, Sentence } from './section.js'
import {
  allFigures,
  CIRCUMSTANCES_HEAD,
  circumstancesRows,
  environmentEntries,
  type Picture,
  type Report,
  type ReportSection,
  written,
} from './text.js'

export function summaryMarkdown(report: Report): string {
  const lines = figureLines(allFigures(report))
  const link = ({ id }: Figure) => `[${id}](figures.csv#L${lines.get(id)})`
  const figure = (part: Figure) => `${escapeMarkdown(formatMeasured(part))} (${link(part)})`
  const sentence = (parts: Sentence) => written(parts, escapeMarkdown, figure)
  const blocks = [
    '# Results of the benchmarks',
    'Each number names the figure that it is; [figures.csv](figures.csv) says which measured rows (`rows/*.csv`) the figure follows from. ' +
      'Numbers in brackets are the interval of a median. The whole report with all pictures: [report.html](report.html).',
    ...report.sections.flatMap((section) => sectionBlocks(section, sentence, figure)),
    ...notMeasuredBlocks(report),
    ...environmentBlocks(report),
  ]
  return `${blocks.join('\n\n')}\n`
}

type Write<T> = (part: T) => string

function sectionBlocks(section: ReportSection, sentence: Write<Sentence>, figure: Write<Figure>): string[] {
  const { title, method, claims, findings, tables, pictures, notes } = section
  return [
    `## ${escapeMarkdown(title)}`,
    escapeMarkdown(method),
    ...(claims.length === 0 ? [] : [claimsTable(claims, sentence)]),
    ...(findings.length === 0 ? [] : [findings.map((finding) => `- ${sentence(finding)}`).join('\n')]),
    ...tables.flatMap((one) => tableBlocks(one, figure)),
    ...pictures.map(pictureBlock),
    ...(notes.length === 0 ? [] : ['What else to know:', notes.map((note) => `- ${escapeMarkdown(note)}`).join('\n')]),
  ]
}

function claimsTable(claims: readonly Claim[], sentence: Write<Sentence>): string {
  const rows = claims.map(({ claim, answer, because }) => [escapeMarkdown(claim), `**${answer}**`, sentence(because)])
  return markdownTable(['claim', 'answer', 'because'], rows)
}

function tableBlocks({ title, head, rows }: SectionTable, figure: Write<Figure>): string[] {
  const cells = rows.map((row) => row.map((part) => (typeof part === 'string' ? escapeMarkdown(part) : figure(part))))
  return [`**${escapeMarkdown(title)}**`, markdownTable(head.map(escapeMarkdown), cells)]
}

function pictureBlock({ name, title, caption }: Picture): string {
  return `![${escapeMarkdown(title)}](plots/${name}.svg)\n\n*${escapeMarkdown(title)}.* ${escapeMarkdown(caption)}`
}

function notMeasuredBlocks({ notMeasured }: Report): string[] {
  if (notMeasured.length === 0) return []
  const items = notMeasured.map(({ experiment, text }) => `- ${experiment}: ${escapeMarkdown(text)}`)
  return ['## Not measured', items.join('\n')]
}

function environmentBlocks({ environment }: Report): string[] {
  const entries = environmentEntries(environment).map((entry) => entry.map(escapeMarkdown))
  const circumstances = circumstancesRows(environment).map((row) => row.map(escapeMarkdown))
  return ['## Environment', markdownTable(['', ''], entries), markdownTable(CIRCUMSTANCES_HEAD, circumstances)]
}

/** Cells are Markdown already. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Text that stands for itself: no markup, no HTML, no break of a table's cell. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s*\n\s*/g, ' ')
    .replace(/[\\`*_[\]|#~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}
