/** Benchmarks that call a function of each side again and again, in CPU time. */
import { type Benchmark, type Context, OURS, type Prepared, type Side } from './benchmark.js'
import { cpuMicrosPerCall } from './clock.js'

/** A side's function and its result as text, from the same call. */
export interface Call<T> {
  readonly call: () => T
  readonly text: (value: T) => string
}

/** `make` prepares the common input. Both sides' texts must be equal. */
export function callBenchmark<A, B>(
  name: string,
  quantity: string,
  other: string,
  make: (context: Context) => readonly [ours: Call<A>, other: Call<B>],
): Benchmark {
  return {
    name,
    quantity: `CPU time of ${quantity}`,
    unit: 'µs',
    setup(context): Prepared {
      const [a, b] = make(context)
      return { sides: [callSide(OURS, a, context), callSide(other, b, context)] }
    },
  }
}

function callSide<T>(name: string, { call, text }: Call<T>, { sizes }: Context): Side {
  const { callMs, warmUps } = sizes
  return { name, warmUps, measure: () => cpuMicrosPerCall(call, callMs), result: () => text(call()) }
}
