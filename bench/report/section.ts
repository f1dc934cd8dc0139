/** What an experiment says of its results: the port between experiments and the report. */
import type { Note } from '../harness/results.js'
import type { ExperimentName, Row } from '../harness/row.js'
import type { Chart } from './chart.js'
import { type Figure, Figures } from './figures.js'

/** Text in which every number is a figure. */
export type Sentence = readonly (string | Figure)[]

/** `` say`A query takes ${figure}.` `` Numbers cannot be put in by hand; strings (names of systems, say) can. */
export function say(strings: TemplateStringsArray, ...parts: readonly (string | Figure)[]): Sentence {
  return strings.flatMap((text, i) => (i < parts.length ? [text, parts[i]!] : [text])).filter((part) => part !== '')
}

/** A claim of the paper and what was measured of it. */
export interface Claim {
  /** In our own words, with where the paper makes it: `section 5.2`. */
  readonly claim: string
  readonly answer: 'yes' | 'no' | 'partly'
  readonly because: Sentence
}

export interface SectionTable {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly (string | Figure)[])[]
}

export interface Section {
  readonly experiment: ExperimentName
  readonly title: string
  /** What was done and how, without numbers. */
  readonly method: string
  /** What came out, most important first: these make the summary. */
  readonly findings: readonly Sentence[]
  readonly claims: readonly Claim[]
  readonly charts: readonly Chart[]
  readonly tables: readonly SectionTable[]
  readonly figures: readonly Figure[]
}

/** Makes an experiment's section of its rows (never none); experiments export one of these from their section.ts. */
export type SectionMaker = (figures: Figures, notes: readonly Note[]) => Omit<Section, 'figures' | 'experiment'>

export function makeSection(
  experiment: ExperimentName,
  maker: SectionMaker,
  rows: readonly Row[],
  notes: readonly Note[],
): Section | undefined {
  const own = rows.filter((row) => row.experiment === experiment)
  if (own.length === 0) return undefined
  const figures = new Figures(experiment, own)
  const section = maker(
    figures,
    notes.filter((note) => note.experiment === experiment),
  )
  return { experiment, ...section, figures: figures.all }
}
