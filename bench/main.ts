/** What `concordat bench` does: measure, report, compare, and serve the system beside which it measures. */
import { CommandError } from '../src/cli/errors.js'
import type { Output } from '../src/cli/output.js'
import { createBaseline as writeBaseline } from './baseline/create.js'
import { serve } from './baseline/serve.js'
import { EXPERIMENT_LIST } from './experiments.js'
import type { Experiment, Settings } from './harness/experiment.js'
import { runExperiments } from './harness/runner.js'
import { compareResults } from './report/compare.js'
import { comparisonText } from './report/compareText.js'
import { writeReport } from './report/write.js'

export interface MeasureFlags {
  readonly quick?: boolean
  readonly repeats: number
  readonly seed: string
  readonly scale: readonly number[]
  readonly network?: string
  readonly basePort: number
  readonly only?: readonly string[]
}

/**
 * Measures one experiment, or `all`, into the folder `dir` and writes its report, also when an experiment failed. False when
 * the user interrupted. Throws CommandError.
 */
export async function measure(name: string, flags: MeasureFlags, dir: string, out: Output): Promise<boolean> {
  const { quick = false, repeats, seed, scale, network, basePort, only } = flags
  const settings: Settings = { quick, repeats, seed, scales: scale, network, basePort, ...(only && { only }) }
  const { complete, failure } = await runExperiments(await wanted(name, settings), settings, dir)
  const written = await writeReport(dir)
  out.line(`report  ${written.html}\nsummary ${written.summary}`)
  out.result({ complete, dir, ...written })
  if (failure === undefined) return complete
  const reason = failure.error instanceof Error ? failure.error.message : String(failure.error)
  throw new CommandError(`${failure.experiment} failed: ${reason}`, { cause: failure.error })
}

/** All of them: those for which the machine has what they need; a first look leaves out what waits for faults to pass. */
async function wanted(name: string, { quick }: Settings): Promise<readonly Experiment[]> {
  if (name !== 'all') return EXPERIMENT_LIST.filter((experiment) => experiment.name === name)
  const list = EXPERIMENT_LIST.filter((experiment) => !quick || experiment.name !== 'rounds')
  const present = await Promise.all(list.map((experiment) => experiment.available?.() ?? true))
  return list.filter((_, index) => present[index])
}

export async function report(dir: string, out: Output): Promise<void> {
  const written = await writeReport(dir)
  out.line(`report  ${written.html}\nsummary ${written.summary}`)
  out.result(written)
}

export function compare(a: string, b: string, out: Output): void {
  const comparison = compareResults(a, b)
  out.line(comparisonText(comparison, process.stdout.columns))
  out.result(comparison)
}

export async function createBaseline(network: string, dir: string, basePort: number, out: Output): Promise<void> {
  // The records that `concordat dataset load` gives the network's departments.
  const services = await writeBaseline({ network, out: dir, basePort, dataset: {} })
  out.table(
    ['department', 'address', 'url'],
    services.map(({ department, address, host, port }) => [department, address, `https://${host}:${port}`]),
  )
  out.result(services.map(({ department, address, host, port }) => ({ department, address, host, port })))
}

export const serveBaseline: (configFile: string) => Promise<void> = serve
