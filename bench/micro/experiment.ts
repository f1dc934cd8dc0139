/** Ratios of parts, each benchmark in a process of its own. */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError } from '../../src/cli/errors.js'
import type { Experiment, Run, Settings } from '../harness/experiment.js'
import { type Benchmark, OURS } from './benchmark.js'
import type { Job, Report } from './child.js'
import { GROUP_NAMES, GROUP_SECONDS, GROUPS, type GroupName } from './groups.js'
import { forkScript } from './helper.js'
import { FULL, QUICK, type Sizes } from './sizes.js'

export const microExperiment: Experiment = {
  name: 'micro',
  title: 'Parts',
  estimate(settings) {
    return wantedGroups(settings).reduce((sum, group) => sum + secondsOf(group, settings), 0) * (settings.repeats / 6)
  },
  run: (run) => runMicro(run, run.settings.quick ? QUICK : FULL),
}

/** Sizes apart from the settings, for tests. Throws CommandError for a benchmark that there is not. */
export async function runMicro(run: Run, sizes: Sizes): Promise<void> {
  const jobs = await wantedJobs(run.settings)
  if (run.settings.network !== undefined) {
    run.note('The benchmarks of parts measure the machine on which they run, not the network that was named.')
  }
  const total = jobs.reduce((sum, { share }) => sum + share, 0)
  let done = 0
  for (const { group, benchmark, share } of jobs) {
    run.check()
    run.progress(done / total, benchmark.name)
    await measureInChild(run, sizes, group, benchmark)
    done += share
  }
}

function secondsOf(group: GroupName, { quick }: Settings): number {
  return GROUP_SECONDS[group][quick ? 'quick' : 'full']
}

interface Wanted {
  readonly group: GroupName
  readonly benchmark: Benchmark
  /** Part of the time, in any unit. */
  readonly share: number
}

async function wantedJobs(settings: Settings): Promise<Wanted[]> {
  const jobs: Wanted[] = []
  for (const group of wantedGroups(settings)) {
    const benchmarks: readonly Benchmark[] = await GROUPS[group]()
    const share = secondsOf(group, settings) / benchmarks.length
    for (const benchmark of benchmarks) jobs.push({ group, benchmark, share })
  }
  return jobs
}

function wantedGroups({ only }: Settings): readonly GroupName[] {
  const unknown = only?.find((name) => !GROUP_NAMES.includes(name as GroupName))
  if (unknown !== undefined) {
    throw new CommandError(`there is no benchmark ${unknown}; choose from ${GROUP_NAMES.join(', ')}`)
  }
  return GROUP_NAMES.filter((name) => only?.includes(name) ?? true)
}

async function measureInChild(run: Run, sizes: Sizes, group: GroupName, benchmark: Benchmark): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'concordat-micro-'))
  const child = forkScript('child')
  const stop = () => void (child.connected && child.disconnect())
  run.signal.addEventListener('abort', stop)
  try {
    const { repeats } = run.settings
    const ended = await reportsOf(child, { group, name: benchmark.name, sizes, repeats, dir }, (repeat) =>
      recordRepeat(run, benchmark, repeat),
    )
    run.check()
    if (ended.type === 'void') run.note(`Not measured: ${ended.reason}.`)
    else if (ended.type === 'failed') throw new Error(`${benchmark.name}: ${ended.reason}`)
    else recordBudget(run, benchmark)
  } finally {
    run.signal.removeEventListener('abort', stop)
    await ended(child)
    rmSync(dir, { recursive: true, force: true })
  }
}

type RepeatReport = Extract<Report, { type: 'repeat' }>

/** Resolves with how it ended; `failed` when the process ended without a word. */
function reportsOf(
  child: ChildProcess,
  job: Job,
  onRepeat: (report: RepeatReport) => void,
): Promise<Exclude<Report, RepeatReport>> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      const report = message as Report
      if (report.type === 'repeat') onRepeat(report)
      else resolve(report)
    })
    child.once('error', (error) => resolve({ type: 'failed', reason: error.message }))
    child.once('exit', (code) => resolve({ type: 'failed', reason: `its process ended with status ${code}` }))
    child.send(job)
  })
}

/** Takes the channel from the process, on which it ends, and waits for that. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  if (child.connected) child.disconnect()
  await exited
}

function recordRepeat(run: Run, benchmark: Benchmark, { side: system, repeat, value }: RepeatReport): void {
  const { name: variant, quantity, unit } = benchmark
  run.record({ system, variant, quantity, unit, value, repeat })
}

function recordBudget(run: Run, { name: variant, budget }: Benchmark): void {
  if (budget === undefined) return
  const { bound: part, value, unit } = budget
  run.record({ system: OURS, variant, quantity: 'budget', part, unit, value })
}
