/** What an experiment is given, in memory and on free ports. */
import type { Run, Settings } from '../../bench/harness/experiment.js'
import type { Measurement } from '../../bench/harness/row.js'
import { quantiles } from '../../bench/harness/statistics.js'
import { freeBasePort } from './localNetwork.js'

export interface MemoryRun {
  readonly run: Run
  /** In the order in which they were recorded; of samples the median. */
  readonly rows: Measurement[]
  readonly notes: string[]
}

export async function memoryRun(settings: Partial<Settings> = {}): Promise<MemoryRun> {
  const rows: Measurement[] = []
  const notes: string[] = []
  const basePort = await freeBasePort(4)
  const run: Run = {
    settings: { quick: true, repeats: 1, seed: 'concordat', scales: [1], network: undefined, basePort, ...settings },
    signal: new AbortController().signal,
    record: (row) => void rows.push(row),
    samples: (series, values) => void rows.push({ ...series, part: 'p50', value: quantiles(values).p50 }),
    note: (text) => void notes.push(text),
    progress() {},
    check() {},
  }
  return { run, rows, notes }
}
