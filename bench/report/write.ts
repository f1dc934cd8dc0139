/**
 * The report of a results folder, beside its rows:
 *
 *   report.html               everything, in one page that needs nothing else
 *   summary.md                the same for readers of Markdown, with plots/ beside it
 *   plots/NAME.svg, NAME.png
 *   figures.csv, figures.json every number of the report and what it follows from
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError } from '../../src/cli/errors.js'
import { type Results, readResults } from '../harness/results.js'
import type { ExperimentName } from '../harness/row.js'
import type { Chart } from './chart.js'
import { drawPng, drawSvg } from './draw.js'
import { figuresCsv, figuresJson } from './figuresFile.js'
import { reportHtml } from './html.js'
import { summaryMarkdown } from './markdown.js'
import { makeSection, type Section, type SectionMaker } from './section.js'
import { SECTIONS } from './sections.js'
import { hasPoints } from './spec.js'
import { allFigures, type Picture, type Report } from './text.js'

/** Paths of what was written. */
export interface WrittenReport {
  readonly html: string
  readonly summary: string
}

/**
 * Writes the report of the folder `dir`, whichever experiments it holds, finished or not. A section that cannot be made does
 * not keep the others from being written, but is thrown as CommandError at the end.
 */
export async function writeReport(dir: string, makers = SECTIONS): Promise<WrittenReport> {
  const results = readResults(dir)
  const { sections, failures } = sectionsOf(results, makers)
  const report = await drawn(results, sections)
  writePlots(join(dir, 'plots'), await pngs(report))
  const figures = allFigures(report)
  const write = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  write('figures.csv', figuresCsv(figures))
  write('figures.json', figuresJson(figures))
  const paths = {
    html: write('report.html', reportHtml(report)),
    summary: write('summary.md', summaryMarkdown(report)),
  }
  const [first] = failures
  if (first === undefined) return paths
  throw new CommandError(
    `the section ${first.experiment} could not be made (${first.error.message}); the rest of the report is in ${paths.html}`,
    { cause: first.error },
  )
}

interface Failure {
  readonly experiment: ExperimentName
  readonly error: Error
}

function sectionsOf(results: Results, makers: readonly (readonly [ExperimentName, SectionMaker])[]) {
  const failures: Failure[] = []
  const sections = makers.flatMap(([experiment, maker]): Section[] => {
    try {
      const section = makeSection(experiment, maker, results.rows, results.notes)
      return section === undefined ? [] : [section]
    } catch (error) {
      failures.push({ experiment, error: error as Error })
      return []
    }
  })
  return { sections, failures }
}

async function drawn({ environment, notes }: Results, sections: readonly Section[]): Promise<Report> {
  const all = []
  for (const section of sections) {
    const pictures: Picture[] = []
    for (const chart of section.charts.filter(hasPoints)) pictures.push(await pictureOf(chart))
    const own = notes.filter(({ experiment }) => experiment === section.experiment)
    all.push({ ...section, pictures, notes: own.map(({ text }) => text) })
  }
  const names = all.flatMap(({ pictures }) => pictures.map(({ name }) => name))
  if (new Set(names).size < names.length) throw new Error(`two charts have one name: ${names.join(', ')}`)
  const shown = sections.map(({ experiment }) => experiment)
  const notMeasured = notes.filter(({ experiment }) => !shown.includes(experiment))
  return { environment, sections: all, notMeasured }
}

async function pictureOf(chart: Chart): Promise<Picture> {
  if (!/^[a-z0-9-]+$/.test(chart.name)) throw new Error(`the chart name ${chart.name} is no file name`)
  const { svg, missing } = await drawSvg(chart)
  const caption = missing === undefined ? chart.caption : `${chart.caption} ${missing}`
  return { name: chart.name, title: chart.title, caption, svg }
}

async function pngs({ sections }: Report): Promise<Map<string, string | Uint8Array>> {
  const files = new Map<string, string | Uint8Array>()
  for (const { name, svg } of sections.flatMap(({ pictures }) => pictures)) {
    files.set(`${name}.svg`, svg)
    files.set(`${name}.png`, await drawPng(svg))
  }
  return files
}

/** Pictures of an earlier report do not stay beside the new ones. */
function writePlots(dir: string, files: ReadonlyMap<string, string | Uint8Array>): void {
  mkdirSync(dir, { recursive: true })
  for (const name of readdirSync(dir).filter((name) => /\.(svg|png)$/.test(name))) rmSync(join(dir, name))
  for (const [name, content] of files) writeFileSync(join(dir, name), content)
}
