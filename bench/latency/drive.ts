/** A closed loop: so many askers, each with one query under way. */

export interface Pass<T> {
  /** In the order of the queries. */
  readonly answers: readonly T[]
  /** When the first, second, ... answer came, since the start. */
  readonly doneMs: readonly number[]
}

/** Asks everything once, in order, `askers` at a time. `onDone` is told after each answer and ends the pass by throwing. */
export async function drive<Q, T>(
  queries: readonly Q[],
  askers: number,
  ask: (query: Q) => Promise<T>,
  onDone: (done: number) => void = () => {},
): Promise<Pass<T>> {
  const answers: T[] = []
  const doneMs: number[] = []
  const started = performance.now()
  let next = 0
  let failed = false
  const asker = async () => {
    while (next < queries.length && !failed) {
      const index = next++
      answers[index] = await ask(queries[index]!)
      doneMs.push(performance.now() - started)
      onDone(doneMs.length)
    }
  }
  const stopOthers = (error: unknown) => {
    failed = true
    throw error
  }
  // Everyone has ended before a failure is passed on: nothing runs into the next measurement.
  const ends = await Promise.allSettled(Array.from({ length: askers }, () => asker().catch(stopOthers)))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return { answers, doneMs }
}
