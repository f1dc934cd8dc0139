/** The port of the benchmarks of parts: one quantity, measured on two sides that do the same work on the same input. */
import type { Unit } from '../harness/row.js'
import type { Sizes } from './sizes.js'

export interface Side {
  /** `concordat`, the other library, or a yardstick. */
  readonly name: string
  /** One repeat: the value in the benchmark's unit. */
  measure(): number | Promise<number>
  /** Uncounted repeats before the first; one when left out. */
  readonly warmUps?: number
  /**
   * What this side makes of the common input, as text. Compared with the other side's before anything is measured. Absent
   * on both sides where a yardstick does other work.
   */
  result?(): string | Promise<string>
}

export interface Context {
  readonly sizes: Sizes
  /** An empty folder for this benchmark alone; removed afterwards. */
  readonly dir: string
}

/** A benchmark that is ready to measure. */
export interface Prepared {
  readonly sides: readonly [ours: Side, other: Side]
  teardown?(): void | Promise<void>
}

/** `at least`: how many times better than the other side. `at most`: how many times a yardstick, or a value of ours in its own unit. */
export interface Budget {
  readonly bound: 'at least' | 'at most'
  readonly value: number
  readonly unit: Unit
}

export interface Benchmark {
  readonly name: string
  /** Begins with what is read: CPU time (user and system, all threads of the process), wall time, rate or size. */
  readonly quantity: string
  readonly unit: Unit
  readonly budget?: Budget
  setup(context: Context): Prepared | Promise<Prepared>
}

export const OURS = 'concordat'

/** Work that is there anyway: ours is measured in multiples of it, not against it. */
export const RECOVER = 'one native recover'
export const PLAIN_TCP = 'plain TCP'
export const BARE_ECHO = 'bare fastify echo'

const YARDSTICKS: readonly string[] = [RECOVER, PLAIN_TCP, BARE_ECHO]

export const isYardstick = (system: string): boolean => YARDSTICKS.includes(system)

/** Whether more of this unit is better. */
export const isRate = (unit: Unit): boolean => unit === '1/s' || unit === 'MB/s'

/** A benchmark whose sides come to different results compares nothing. */
export class VoidBenchmark extends Error {
  override readonly name = 'VoidBenchmark'
}

/** Throws VoidBenchmark. */
export async function compareResults(name: string, [ours, other]: Prepared['sides']): Promise<void> {
  const [a, b] = [await ours.result?.(), await other.result?.()]
  if (a !== b) throw new VoidBenchmark(`${name}: ${ours.name} and ${other.name} come to different results`)
}
