/** The port between the harness and an experiment. */
import type { ExperimentName, Measurement } from './row.js'

export interface Settings {
  /** Small sizes: everything together in less than ten minutes. */
  readonly quick: boolean
  /** Repeats of each measurement. Six is the fewest with which an interval without assumptions reaches 95 %. */
  readonly repeats: number
  readonly seed: string
  /** Multiples of the dataset for the storage experiment, such as [1, 10, 100]. */
  readonly scales: readonly number[]
  /** A folder with the network.json of a running network; undefined: the bench starts its own. */
  readonly network: string | undefined
  /** Names of single benchmarks of the micro experiment; undefined: all. */
  readonly only?: readonly string[]
  /** First RPC port of networks that the bench starts. */
  readonly basePort: number
}

/** What an experiment is given. */
export interface Run {
  readonly settings: Settings
  /** Aborted when the user interrupts; `check` throws then. */
  readonly signal: AbortSignal
  /** Keeps a value; it is on disk when this returns. */
  record(measurement: Measurement): void
  /**
   * Keeps single times of one series: rows with the parts p50, p90, p99, max and mean, and every value in the experiment's file
   * of samples. Nothing for no values.
   */
  samples(series: Omit<Measurement, 'value' | 'part'>, values: readonly number[]): void
  /** Something that a reader of the results must know: what was not measured and why, what deviates. */
  note(text: string): void
  /** `done`: share of this experiment, 0 to 1. `label`: what is being measured now. */
  progress(done: number, label: string): void
  /** Throws Interrupted when the user has interrupted. Call it between measurements. */
  check(): void
}

export interface Experiment {
  readonly name: ExperimentName
  readonly title: string
  /** False where something that it needs is not installed; `bench all` passes it over then. Left out: always there. */
  available?(): Promise<boolean>
  /** Expected duration in seconds, for the time that is left. */
  estimate(settings: Settings): number
  /** Measures. Whatever it started is gone when it ends, also when it throws. */
  run(run: Run): Promise<void>
}

/** The user has had enough; what was measured stays. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/**
 * Order of interleaved sides: each repeat has every side once, forwards and backwards in turn, so that what drifts with time
 * (heat, caches, other work on the machine) hits all alike.
 */
export function* interleaved<T>(sides: readonly T[], repeats: number): Generator<{ repeat: number; side: T }> {
  for (let repeat = 1; repeat <= repeats; repeat++) {
    const order = repeat % 2 === 1 ? sides : [...sides].reverse()
    for (const side of order) yield { repeat, side }
  }
}
