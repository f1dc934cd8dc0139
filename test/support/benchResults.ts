/** Results folders of values that nobody measured: the vocabulary of the experiments, noise from a seed. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Circumstances, Environment } from '../../bench/harness/environment.js'
import { ExperimentWriter } from '../../bench/harness/results.js'
import type { ExperimentName, Measurement } from '../../bench/harness/row.js'

export interface Planted {
  /** Changes a value before it is recorded. */
  readonly change?: (measurement: Measurement) => number
  readonly repeats?: number
  readonly environment?: Partial<Environment>
  readonly circumstances?: Partial<Circumstances>
  /** A name that must be escaped wherever it is shown. */
  readonly variant?: string
  readonly experiments?: readonly ExperimentName[]
}

export function writeResults(dir: string, planted: Planted = {}): void {
  const { experiments = ['storage', 'latency'] } = planted
  for (const experiment of experiments) {
    const writer = new ExperimentWriter(dir, experiment)
    const record = (measurement: Measurement) =>
      writer.record({ ...measurement, value: planted.change?.(measurement) ?? measurement.value })
    const fill = experiment === 'storage' ? fillStorage : fillLatency
    fill(record, planted.repeats ?? 6, planted.variant ?? 'portrait full')
    writer.note(`${experiment}: 3 < 4 & <b>nobody</b> measured this | really`)
    writer.close()
  }
  writeFileSync(join(dir, 'environment.json'), JSON.stringify(environmentOf(planted, experiments), null, 2))
}

type Recorder = (measurement: Measurement) => void

function fillStorage(record: Recorder, repeats: number, variant: string): void {
  const random = noise(1)
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const x of [0, 4_000, 8_000, 12_000]) {
      const row = { quantity: 'disk', unit: 'bytes', axis: 'enterprises', x, repeat } as const
      record({ system: 'traditional copies', ...row, value: Math.round((90_000 + 4_096 * x) * random()) })
      record({ system: 'traditional centre', ...row, value: Math.round((90_000 + 1_024 * x) * random()) })
      record({ system: 'concordat', variant, ...row, value: Math.round((400_000 + 3_000 * x) * random()) })
      record({ system: 'concordat', variant, part: 'blocks', ...row, value: Math.round((1e5 + 900 * x) * random()) })
      record({ system: 'concordat', variant, part: 'state', ...row, value: Math.round((2e5 + 1_400 * x) * random()) })
    }
  }
}

function fillLatency(record: Recorder, repeats: number, variant: string): void {
  const random = noise(2)
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const x of [100, 1_000, 10_000]) {
      const row = { quantity: 'time of all queries', unit: 's', axis: 'queries', x, repeat } as const
      record({ system: 'client-server', ...row, value: 0.004 * x * random() })
      record({ system: 'concordat', variant, ...row, value: 0.0035 * x * random() })
    }
    for (const [part, factor] of Object.entries({ p50: 1, p90: 1.8, p99: 4, max: 11 })) {
      const row = { quantity: 'time of a query', unit: 'ms', part, repeat } as const
      record({ system: 'client-server', ...row, value: 4 * factor * random() })
      record({ system: 'concordat', variant, ...row, value: 3.5 * factor * random() })
    }
  }
}

/** Factors within 2 % of one, the same for the same seed (mulberry32). */
function noise(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return 0.98 + (0.04 * ((mixed ^ (mixed >>> 14)) >>> 0)) / 2 ** 32
  }
}

function environmentOf({ environment, circumstances }: Planted, experiments: readonly ExperimentName[]): Environment {
  const settings = { quick: true, repeats: 6, seed: 'seed-1', scales: [1], network: undefined, basePort: 1 }
  const one: Circumstances = {
    commit: 'c0ffee',
    startedAt: '2026-01-02T03:04:05.678Z',
    seconds: 75,
    loadBefore: 0.25,
    loadAfter: 1.5,
    finished: true,
    settings,
    ...circumstances,
  }
  return {
    version: '0.1.0',
    commit: 'c0ffee',
    node: 'v20.0.0',
    v8: '11.3',
    system: 'Linux 6.1.0 x64',
    cpu: 'Slide rule <4 GHz>',
    cores: 2,
    memoryBytes: 8e9,
    experiments: Object.fromEntries(experiments.map((name) => [name, one])),
    ...environment,
  }
}
