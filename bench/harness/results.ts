/**
 * A results folder: rows as CSV while they come, as JSON at the end, single times compressed beside them.
 *
 *   environment.json     the machine, the commit, the settings, one entry an experiment
 *   rows/NAME.csv        one line a measured value (row.ts), appended as it is measured
 *   rows/NAME.json       the same
 *   samples/NAME.csv.gz  every single time behind the quantiles
 *   notes.json           what a reader must know
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { CommandError } from '../../src/cli/errors.js'
import type { Environment } from './environment.js'
import { COLUMNS, EXPERIMENTS, type ExperimentName, type Measurement, type Row, UNITS } from './row.js'
import { quantiles } from './statistics.js'

export interface Results {
  readonly environment: Environment
  readonly rows: readonly Row[]
  readonly notes: readonly Note[]
}

export interface Note {
  readonly experiment: ExperimentName
  readonly text: string
}

/** Writes the rows of one experiment; replaces what an earlier run of it left in the folder. */
export class ExperimentWriter {
  readonly rows: Row[] = []
  readonly notes: Note[] = []
  readonly #samples: string[] = []

  constructor(
    private readonly dir: string,
    private readonly experiment: ExperimentName,
  ) {
    for (const folder of ['rows', 'samples']) mkdirSync(join(dir, folder), { recursive: true })
    for (const path of [this.#path('rows', 'json'), this.#path('samples', 'csv.gz')]) rmSync(path, { force: true })
    writeFileSync(this.#path('rows', 'csv'), `${COLUMNS.join(',')}\n`)
  }

  record(measurement: Measurement): Row {
    const { system, quantity, unit, value, variant = '', part = '', axis = '', x = null, repeat = 0 } = measurement
    if (!Number.isFinite(value)) throw new RangeError(`${quantity} of ${system} was measured as ${value}`)
    const id = `${this.experiment}-${this.rows.length + 1}`
    const row = { id, experiment: this.experiment, system, variant, quantity, part, unit, axis, x, repeat, value }
    this.rows.push(row)
    appendFileSync(this.#path('rows', 'csv'), csvLine(row))
    return row
  }

  samples(series: Omit<Measurement, 'value' | 'part'>, values: readonly number[]): void {
    if (values.length === 0) return
    const { count: _count, ...statistics } = quantiles(values)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const ids = Object.entries({ ...statistics, mean }).map(
      ([part, value]) => this.record({ ...series, part, value }).id,
    )
    for (const [index, value] of values.entries()) this.#samples.push(`${ids[0]},${index},${value.toPrecision(5)}\n`)
  }

  note(text: string): void {
    if (!this.notes.some((note) => note.text === text)) this.notes.push({ experiment: this.experiment, text })
  }

  /** Called once, at the end or when interrupted. */
  close(): void {
    writeFileSync(this.#path('rows', 'json'), `${JSON.stringify(this.rows, null, 1)}\n`)
    if (this.#samples.length > 0) {
      const text = `p50_row,index,value\n${this.#samples.join('')}`
      writeFileSync(this.#path('samples', 'csv.gz'), gzipSync(text, { level: 9 }))
    }
    const path = join(this.dir, 'notes.json')
    const others = readJson<Note[]>(path, []).filter(({ experiment }) => experiment !== this.experiment)
    writeFileSync(path, `${JSON.stringify([...others, ...this.notes], null, 1)}\n`)
  }

  #path(folder: string, extension: string): string {
    return join(this.dir, folder, `${this.experiment}.${extension}`)
  }
}

/** Reads a results folder. Throws CommandError. */
export function readResults(dir: string): Results {
  const environmentPath = join(dir, 'environment.json')
  if (!existsSync(environmentPath)) {
    throw new CommandError(`${dir} holds no results (environment.json is missing); make some with: concordat bench all`)
  }
  const files = readdirSync(join(dir, 'rows')).filter((name) => name.endsWith('.csv'))
  const order = (name: string) => EXPERIMENTS.indexOf(name.replace('.csv', '') as ExperimentName)
  return {
    environment: readJson<Environment | undefined>(environmentPath, undefined) as Environment,
    rows: files.sort((a, b) => order(a) - order(b)).flatMap((name) => readRows(join(dir, 'rows', name))),
    notes: readJson<Note[]>(join(dir, 'notes.json'), []),
  }
}

function readRows(path: string): Row[] {
  return readRecords(path).map((record, index) => {
    const row = {
      ...record,
      x: record.x === '' ? null : Number(record.x),
      repeat: Number(record.repeat),
      value: Number(record.value),
    } as Row
    if (!Number.isFinite(row.value) || !UNITS.includes(row.unit) || !EXPERIMENTS.includes(row.experiment)) {
      throw new CommandError(`${path}, line ${index + 2} is no measurement; measure again, or restore the file`)
    }
    return row
  })
}

function readRecords(path: string): Record<keyof Row, string>[] {
  try {
    return parse(readFileSync(path, 'utf8'), { columns: true })
  } catch (error) {
    throw new CommandError(`${path} is damaged (${(error as Error).message}); restore it, or measure again`)
  }
}

export function readJson<T>(path: string, otherwise: T): T {
  if (!existsSync(path)) return otherwise
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch (error) {
    throw new CommandError(`${path} is damaged (${(error as Error).message}); restore it, or measure again`)
  }
}

export function csvLine(row: Row): string {
  return `${COLUMNS.map((column) => csvCell(row[column])).join(',')}\n`
}

function csvCell(value: string | number | null): string {
  const text = value === null ? '' : String(value)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
