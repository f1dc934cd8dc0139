/** Runs experiments one after the other: progress with the time left, interruption, what is kept. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commit, type Environment, environment, load } from './environment.js'
import { type Experiment, Interrupted, type Run, type Settings } from './experiment.js'
import { formatDuration, progressLine } from './progress.js'
import { ExperimentWriter, readJson } from './results.js'

export interface Outcome {
  /** False when the user interrupted or an experiment failed. */
  readonly complete: boolean
  /** The first experiment that failed, with its error. */
  readonly failure?: { readonly experiment: string; readonly error: unknown }
}

/** Measures into the folder `dir`, beside what other experiments left there. SIGINT and SIGTERM end it early, in order. */
export async function runExperiments(
  experiments: readonly Experiment[],
  settings: Settings,
  dir: string,
  write: NodeJS.WriteStream = process.stderr,
): Promise<Outcome> {
  mkdirSync(dir, { recursive: true })
  const interruption = new AbortController()
  const interrupt = () => {
    if (!interruption.signal.aborted) write.write('\ninterrupted: ending in order, what was measured is kept\n')
    interruption.abort(new Interrupted('interrupted'))
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  const clock = new Clock(experiments, settings)
  try {
    for (const experiment of experiments) {
      const failure = await runOne(experiment, settings, dir, { interruption: interruption.signal, clock, write })
      if (failure instanceof Interrupted || interruption.signal.aborted) return { complete: false }
      if (failure !== undefined) return { complete: false, failure: { experiment: experiment.name, error: failure } }
    }
    return { complete: true }
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

interface Shell {
  readonly interruption: AbortSignal
  readonly clock: Clock
  readonly write: NodeJS.WriteStream
}

/** Resolves with what ended it early. */
async function runOne(experiment: Experiment, settings: Settings, dir: string, shell: Shell): Promise<unknown> {
  const { interruption, clock, write } = shell
  const writer = new ExperimentWriter(dir, experiment.name)
  const line = progressLine(write, experiment.title)
  const begun = { commit: commit(), startedAt: new Date().toISOString(), loadBefore: load(), settings }
  const started = performance.now()
  // Whoever ends the process without mercy finds readable results all the same.
  writeEnvironment(dir, experiment, {
    ...begun,
    seconds: 0,
    loadAfter: begun.loadBefore,
    finished: false,
    ended: 'killed',
  })
  clock.start(experiment)
  const run: Run = {
    settings,
    signal: interruption,
    record: (measurement) => void writer.record(measurement),
    samples: (series, values) => writer.samples(series, values),
    note: (text) => writer.note(text),
    progress: (done, label) => line.update(done, label, clock.secondsLeft(done)),
    check: () => interruption.throwIfAborted(),
  }
  let ended: unknown
  try {
    await experiment.run(run)
  } catch (error) {
    ended = error
    writer.note(
      `ended early (${error instanceof Error ? error.message : String(error)}): what it measured until then is kept`,
    )
  }
  clock.end(experiment)
  writer.close()
  const seconds = (performance.now() - started) / 1_000
  line.done(`${writer.rows.length} values in ${formatDuration(seconds)}${ended === undefined ? '' : ', not complete'}`)
  const circumstances = { ...begun, seconds, loadAfter: load(), finished: ended === undefined }
  const why = ended === undefined ? {} : { ended: ended instanceof Error ? ended.message : String(ended) }
  writeEnvironment(dir, experiment, { ...circumstances, ...why })
  return ended
}

function writeEnvironment(
  dir: string,
  experiment: Experiment,
  circumstances: Environment['experiments'][Experiment['name']],
) {
  const path = join(dir, 'environment.json')
  const before = existsSync(path) ? readJson<Environment | undefined>(path, undefined)?.experiments : undefined
  const now: Environment = { ...environment(), experiments: { ...before, [experiment.name]: circumstances } }
  writeFileSync(path, `${JSON.stringify(now, null, 2)}\n`)
}

/** Time that is left: of the running experiment by its own share done, of the others by their estimates and how true these were so far. */
class Clock {
  readonly #waiting: Map<Experiment, number>
  #estimated = 0
  #took = 0
  #running: { readonly estimate: number; readonly startedAt: number } | undefined

  constructor(experiments: readonly Experiment[], settings: Settings) {
    this.#waiting = new Map(experiments.map((experiment) => [experiment, experiment.estimate(settings)]))
  }

  start(experiment: Experiment): void {
    this.#running = { estimate: this.#waiting.get(experiment)!, startedAt: performance.now() }
    this.#waiting.delete(experiment)
  }

  end(_experiment: Experiment): void {
    const { estimate, startedAt } = this.#running!
    this.#estimated += estimate
    this.#took += (performance.now() - startedAt) / 1_000
  }

  secondsLeft(done: number): number {
    const { estimate, startedAt } = this.#running!
    const elapsed = (performance.now() - startedAt) / 1_000
    // Early on, the share done says little.
    const own = done < 0.1 ? Math.max(estimate - elapsed, 0) : (elapsed * (1 - done)) / done
    const truth = this.#estimated === 0 ? 1 : this.#took / this.#estimated
    return own + truth * [...this.#waiting.values()].reduce((sum, seconds) => sum + seconds, 0)
  }
}
