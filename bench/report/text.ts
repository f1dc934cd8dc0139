/** What all written forms of the report share: environment and circumstances as tables of words. */
import type { Circumstances, Environment } from '../harness/environment.js'
import { formatDuration } from '../harness/progress.js'
import type { Note } from '../harness/results.js'
import { EXPERIMENTS, type ExperimentName } from '../harness/row.js'
import type { Figure } from './figures.js'
import { formatValue } from './format.js'
import type { Section, Sentence } from './section.js'

/** A results folder as the report shows it. */
export interface Report {
  readonly environment: Environment
  /** In the order in which they are shown. */
  readonly sections: readonly ReportSection[]
  /** Of experiments that measured nothing: why not. */
  readonly notMeasured: readonly Note[]
}

export interface ReportSection extends Section {
  readonly pictures: readonly Picture[]
  readonly notes: readonly string[]
}

export interface Picture {
  /** File name without ending, in plots/. */
  readonly name: string
  readonly title: string
  readonly caption: string
  readonly svg: string
}

export type Entries = readonly (readonly [name: string, value: string])[]

/** The machine, the program, and the settings of the experiments. */
export function environmentEntries(environment: Environment): Entries {
  const settings = (show: (circumstances: Circumstances) => string) => agreed(environment, show)
  return [
    ['processor', environment.cpu],
    ['cores', String(environment.cores)],
    ['memory', formatValue(environment.memoryBytes, 'bytes')],
    ['system, kernel', environment.system],
    ['Node.js', `${environment.node}, V8 ${environment.v8}`],
    ['version', environment.version],
    ['commit', settings(({ commit }) => commit) || environment.commit],
    ['seed', settings(({ settings: { seed } }) => seed)],
    ['repeats', settings(({ settings: { repeats } }) => String(repeats))],
    ['sizes', settings(({ settings: { quick } }) => (quick ? 'quick' : 'full'))],
    ['multiples of the dataset', settings(({ settings: { scales } }) => scales.join(', '))],
    ['network', settings(({ settings: { network } }) => network ?? 'started by the bench on this machine')],
  ]
}

/** One value where the experiments agree, else each with its own: `quick (storage), full (micro)`. */
function agreed(environment: Environment, show: (circumstances: Circumstances) => string): string {
  const names = new Map<string, ExperimentName[]>()
  for (const [name, circumstances] of circumstancesOf(environment)) {
    const shown = show(circumstances)
    names.set(shown, [...(names.get(shown) ?? []), name])
  }
  if (names.size < 2) return [...names.keys()].join('')
  return [...names].map(([shown, of]) => `${shown} (${of.join(', ')})`).join(', ')
}

export const CIRCUMSTANCES_HEAD = ['experiment', 'started', 'took', 'load before', 'load after', 'ended'] as const

export function circumstancesRows(environment: Environment): string[][] {
  return circumstancesOf(environment).map(([name, { startedAt, seconds, loadBefore, loadAfter, finished, ended }]) => [
    name,
    startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'),
    formatDuration(seconds),
    loadBefore.toFixed(2),
    loadAfter.toFixed(2),
    finished ? 'finished' : `early: ${ended ?? 'no reason given'}`,
  ])
}

function circumstancesOf(environment: Environment): [ExperimentName, Circumstances][] {
  const present = EXPERIMENTS.filter((name) => environment.experiments[name] !== undefined)
  return present.map((name) => [name, environment.experiments[name]!])
}

/** A sentence with its strings and figures written by these two. */
export function written(sentence: Sentence, text: (part: string) => string, figure: (part: Figure) => string): string {
  return sentence.map((part) => (typeof part === 'string' ? text(part) : figure(part))).join('')
}

export const allFigures = (report: Report): Figure[] => report.sections.flatMap(({ figures }) => figures)

/** Pictures that redraw a figure of the paper, by its number. */
export function paperPictures(report: Report, number: 8 | 9): Picture[] {
  return report.sections.flatMap(({ pictures }) => pictures.filter((picture) => isOfPaper(picture, number)))
}

export const isOfPaper = ({ name }: { readonly name: string }, number: 8 | 9): boolean =>
  new RegExp(`^fig${number}(?!\\d)`).test(name)
