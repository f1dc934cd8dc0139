/** What an experiment measures: one number a row, in long form, so that any tool can group and plot it. */

export const EXPERIMENTS = ['storage', 'latency', 'throughput', 'scale', 'rounds', 'micro', 'peers'] as const
export type ExperimentName = (typeof EXPERIMENTS)[number]

export const UNITS = ['bytes', 'ms', 'µs', 's', '1/s', 'MB/s', 'ratio', 'count', '%'] as const
export type Unit = (typeof UNITS)[number]

export interface Row {
  /** Name of the row, `storage-17`: what figures and sentences of the report refer to. */
  readonly id: string
  readonly experiment: ExperimentName
  /** What was measured: `concordat`, or the system beside it. */
  readonly system: string
  /** Circumstances, such as `portrait full` or `nodes 7`; '' when there are none. */
  readonly variant: string
  /** `disk`, `time of a query`, ... */
  readonly quantity: string
  /** A share of the quantity (`blocks`, `local query`) or its statistic (`p50`); '' for the whole. */
  readonly part: string
  readonly unit: Unit
  /** What `x` counts: `enterprises`, `queries`, `offered per second`; '' when nothing is varied. */
  readonly axis: string
  readonly x: number | null
  /** From 1; 0 for what is measured once. */
  readonly repeat: number
  readonly value: number
}

/** A row as an experiment records it: what is left out is '', null or 0. */
export type Measurement = Pick<Row, 'system' | 'quantity' | 'unit' | 'value'> &
  Partial<Pick<Row, 'variant' | 'part' | 'axis' | 'x' | 'repeat'>>

/** Columns of the CSV files, in order. */
export const COLUMNS = [
  'id',
  'experiment',
  'system',
  'variant',
  'quantity',
  'part',
  'unit',
  'axis',
  'x',
  'repeat',
  'value',
] as const satisfies readonly (keyof Row)[]
