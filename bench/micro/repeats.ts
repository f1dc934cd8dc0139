/** Runs one benchmark: equal results first, repeats that do not count, then the repeats, interleaved. */
import { interleaved } from '../harness/experiment.js'
import { type Benchmark, type Context, compareResults } from './benchmark.js'

export interface Repeat {
  readonly side: string
  /** From 1. */
  readonly repeat: number
  readonly value: number
}

/** Throws VoidBenchmark when the sides differ. */
export async function* repeatsOf(benchmark: Benchmark, context: Context, repeats: number): AsyncGenerator<Repeat> {
  const { sides, teardown } = await benchmark.setup(context)
  try {
    await compareResults(benchmark.name, sides)
    for (const side of sides) {
      for (let n = 0; n < (side.warmUps ?? 1); n++) await side.measure()
    }
    for (const { repeat, side } of interleaved(sides, repeats)) {
      yield { side: side.name, repeat, value: await side.measure() }
    }
  } finally {
    await teardown?.()
  }
}
