/** A process that runs one benchmark, so that none finds code compiled, or memory filled, by another. */
import { VoidBenchmark } from './benchmark.js'
import { GROUPS, type GroupName } from './groups.js'
import { type Repeat, repeatsOf } from './repeats.js'
import type { Sizes } from './sizes.js'

/** What the process is given. */
export interface Job {
  readonly group: GroupName
  /** Name of the benchmark in its group. */
  readonly name: string
  readonly sizes: Sizes
  readonly repeats: number
  readonly dir: string
}

/** What it says: values as they are measured, and at the end that it is done or why not. */
export type Report =
  | ({ readonly type: 'repeat' } & Repeat)
  | { readonly type: 'done' }
  | { readonly type: 'void' | 'failed'; readonly reason: string }

const say = (report: Report): void => void process.send?.(report)

async function work({ group, name, sizes, repeats, dir }: Job): Promise<void> {
  const benchmark = (await GROUPS[group]()).find((one) => one.name === name)
  if (benchmark === undefined) throw new Error(`the group ${group} has no benchmark ${name}`)
  for await (const repeat of repeatsOf(benchmark, { sizes, dir }, repeats)) say({ type: 'repeat', ...repeat })
}

process.once('disconnect', () => process.exit(0))
process.once('message', (job) => {
  work(job as Job).then(
    () => say({ type: 'done' }),
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      say({ type: error instanceof VoidBenchmark ? 'void' : 'failed', reason })
    },
  )
})
