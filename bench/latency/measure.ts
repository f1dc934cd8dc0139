/** One pass of queries: asked, checked against the dataset, recorded. */
import { wrongAnswers } from '../../src/cli/demo/expectations.js'
import { CommandError } from '../../src/cli/errors.js'
import type { Run } from '../harness/experiment.js'
import { drive } from './drive.js'
import type { Asked, Side, Split } from './sides.js'
import type { LatencySizes } from './sizes.js'
import type { Query } from './workload.js'

export type { Asked } from './sides.js'

export interface Series {
  readonly system: 'concordat' | 'client-server'
  readonly variant: string
  /** Which queries have to go through the chain; undefined: that is not checked. */
  readonly throughChain?: 'all' | 'none'
  /** About how long these queries take. */
  costMs(queries: readonly Query[]): number
}

export interface PassPlan<A extends Asked> {
  readonly series: Series
  readonly side: Side<A>
  readonly queries: readonly Query[]
  readonly askers: number
  /** Numbers of queries at which the time is taken. */
  readonly points: readonly number[]
  readonly repeat: number
  onDone(done: number): void
  /** What the systems' logs say when answers were wrong. */
  trouble(): string
}

/** Throws CommandError when any answer is not the one that the dataset demands: the times of wrong answers mean nothing. */
export async function measure<A extends Asked>(run: Run, plan: PassPlan<A>): Promise<void> {
  const { side, queries, askers, repeat, points } = plan
  const { system, variant } = plan.series
  const split = side.watch()
  const pass = await drive(
    queries,
    askers,
    (query) => side.ask(query),
    (done) => {
      run.check()
      plan.onDone(done)
    },
  )
  check(plan, pass.answers)
  for (const x of points) {
    const value = pass.doneMs[x - 1]! / 1_000
    run.record({ system, variant, quantity: 'time of all queries', unit: 's', axis: 'queries', x, repeat, value })
  }
  const series = { system, variant, unit: 'ms', axis: 'queries', x: queries.length, repeat } as const
  const times = pass.answers.map(({ ms }) => ms)
  run.samples({ ...series, quantity: 'time of a query' }, times)
  const splits = await split(pass.answers)
  if (splits === undefined)
    run.note(`The agents' logs could not be read here: the time of queries of ${nameOf(plan.series)} is not split.`)
  for (const [part, value] of means(splits ?? [])) {
    run.record({ ...series, quantity: 'split of a query', part, value })
  }
}

/** Asks without recording anything. */
export async function warmUp(
  run: Run,
  { askers }: LatencySizes,
  side: Pick<Side, 'ask'>,
  queries: readonly Query[],
): Promise<void> {
  await drive(
    queries,
    askers,
    (query) => side.ask(query),
    () => run.check(),
  )
}

function check<A extends Asked>({ series, queries, trouble }: PassPlan<A>, answers: readonly A[]): void {
  const wrong = answers.flatMap((answer, i) => {
    const faults = wrongAnswers(answer, queries[i]!.expected)
    if (series.throughChain === 'all' && answer.requestId === null) faults.push('the portrait knew it before')
    if (series.throughChain === 'none' && answer.requestId !== null) faults.push('the portrait did not know it')
    return faults.length === 0
      ? []
      : [`${queries[i]!.enterprise.company.truth.companyName}: ${faults.slice(0, 3).join(', ')}`]
  })
  if (wrong.length === 0) return
  const what = `${wrong.length} of ${answers.length} reports of ${nameOf(series)} were wrong, such as of ${wrong[0]}`
  throw new CommandError(`${what}. Do the departments hold the dataset (concordat dataset load)?\n${trouble()}`)
}

const nameOf = ({ system, variant }: Series): string => (variant === '' ? system : `${system}, ${variant}`)

/** Means add up, as medians do not. */
function means(splits: readonly Split[]): Map<string, number> {
  const parts = Object.keys(splits[0] ?? {})
  return new Map(parts.map((part) => [part, splits.reduce((sum, split) => sum + split[part]!, 0) / splits.length]))
}
