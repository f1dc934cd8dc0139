import { dirname, resolve } from 'node:path'
import { Command } from 'commander'
import { readConfig } from '../../node/configFile.js'
import { loadExtensions } from '../../node/extensionFiles.js'
import { runVariant } from '../../sim/experiment/drive.js'
import { exampleFile, experimentSchema } from '../../sim/experiment/file.js'
import type { Metric, VariantRuns } from '../../sim/experiment/metrics.js'
import { type Plan, planOf } from '../../sim/experiment/plan.js'
import { progressBar } from '../demo/progress.js'
import { UsageError } from '../errors.js'
import { createOutput, type Output } from '../output.js'

interface SimFlags {
  readonly out: string
  readonly quick?: boolean
  readonly printExample?: boolean
  readonly json?: boolean
}

const EXAMPLE = `
Example:
  concordat sim --print-example > experiment.yaml
  concordat sim experiment.yaml --out results`

/** Tables and pictures live in bench/ and are loaded only when they are written. */
const simulation = () => import('../../../bench/simulation/main.js')

/** `concordat sim`: an experiment with policies, schedules, faults and load in virtual time, from a file. */
export function simCommand(): Command {
  return new Command('sim')
    .argument('[file]', 'experiment (YAML or JSON); --print-example shows one')
    .option('--out <dir>', 'folder for tables and pictures', '.concordat/sim')
    .option('--quick', 'one seed and a tenth of the time: shows whether the file says what is meant')
    .option('--print-example', 'print an experiment file and exit')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (file: string | undefined, flags: SimFlags) => {
      if (flags.printExample) {
        process.stdout.write(exampleFile)
        return
      }
      if (file === undefined) throw new UsageError('name the experiment file; --print-example prints one to begin with')
      await simulate(file, flags, createOutput(flags.json ?? false))
    })
}

async function simulate(file: string, { out: dir, quick = false }: SimFlags, out: Output): Promise<void> {
  const experiment = readConfig(experimentSchema, file, { env: {} })
  const modules = experiment.extensions.map((path) => resolve(dirname(file), path))
  const plan = planOf(experiment, await loadExtensions(modules), quick)
  const runs = runAll(plan, out)
  const { writeSimulation, figureRows } = await simulation()
  const metrics = await writeSimulation(dir, plan, runs)
  const { head, rows } = figureRows(plan, metrics.filter(forTerminal), false)
  out.line(plan.title)
  out.table(head, rows)
  out.line('shares, weights and credit of each sealer, ranges over the seeds and pictures:')
  out.line(`report  ${resolve(dir, 'report.html')}\nsummary ${resolve(dir, 'summary.md')}`)
  out.result({ title: plan.title, dir: resolve(dir), metrics })
}

function runAll({ variants, seeds, durationMs }: Plan, out: Output): VariantRuns[] {
  const bar = progressBar(out, 'runs')
  const total = variants.length * seeds.length
  let done = 0
  const runs = variants.map((variant) => ({
    variant,
    traces: seeds.map((seed) => {
      const trace = runVariant(variant, seed, durationMs, (share) => bar.update(done + share, total))
      done += 1
      return trace
    }),
  }))
  bar.done(`${total} runs of ${durationMs / 1_000} virtual seconds`)
  return runs
}

/** Figures of single sealers would fill pages. */
const forTerminal = ({ part }: Metric): boolean => !/^node\d+$/.test(part)
