/** Many seeds of several sizes on several threads. */
import { Worker } from 'node:worker_threads'
import type { Bug } from './bugs.js'
import { emptyTally, merge, type Tally, type Task } from './tally.js'

/** Seeds that a thread runs before it reports. */
const taskSeeds = 50

export interface Campaign {
  /** Sizes; null leaves the size to the seed. Each gets an equal share of the seeds. */
  readonly sizes: readonly (number | null)[]
  readonly from: number
  readonly seeds: number
  readonly bug: Bug | null
  readonly jobs: number
}

export interface Progress {
  readonly seeds: number
  readonly of: number
  readonly failures: number
  readonly seconds: number
}

export interface CampaignResult {
  readonly bySize: ReadonlyMap<number | null, Tally>
  readonly seconds: number
  readonly interrupted: boolean
}

/** Runs all tasks, or those that are done when `signal` says stop. `onTally` hears of each task. */
export async function runCampaign(
  campaign: Campaign,
  signal: AbortSignal,
  onTally: (tally: Tally, progress: Progress) => void,
): Promise<CampaignResult> {
  const startedAt = process.hrtime.bigint()
  const seconds = () => Number(process.hrtime.bigint() - startedAt) / 1e9
  const bySize = new Map(campaign.sizes.map((size) => [size, emptyTally()]))
  const tasks = tasksOf(campaign)
  const total = tasks.reduce((sum, task) => sum + task.to - task.from, 0)
  const all = emptyTally()
  let next = 0
  const work = async (worker: Worker): Promise<void> => {
    for (let task = tasks[next++]; task && !signal.aborted; task = tasks[next++]) {
      const tally = await run(worker, task, signal)
      if (!tally) return
      merge(all, tally)
      merge(bySize.get(task.nodes) ?? emptyTally(), tally)
      onTally(tally, { seeds: all.seeds, of: total, failures: all.failures.length, seconds: seconds() })
    }
  }
  const workers = Array.from({ length: Math.min(campaign.jobs, tasks.length) }, newWorker)
  try {
    await Promise.all(workers.map(work))
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return { bySize, seconds: seconds(), interrupted: signal.aborted }
}

function newWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url))
}

/** Sizes take turns, so that an interrupted campaign has seen all of them. */
function tasksOf({ sizes, from, seeds, bug }: Campaign): Task[] {
  const each = Math.ceil(seeds / sizes.length)
  const tasks: Task[] = []
  for (let at = 0; at < each; at += taskSeeds) {
    for (const nodes of sizes) tasks.push({ nodes, from: from + at, to: from + Math.min(each, at + taskSeeds), bug })
  }
  return tasks
}

/** The task's tally, or null when `signal` stopped it. */
function run(worker: Worker, task: Task, signal: AbortSignal): Promise<Tally | null> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      worker.off('message', onTally)
      worker.off('error', onError)
      signal.removeEventListener('abort', onAbort)
    }
    const onTally = (tally: Tally): void => {
      end()
      resolve(tally)
    }
    const onError = (error: Error): void => {
      end()
      reject(error)
    }
    const onAbort = (): void => {
      end()
      resolve(null)
    }
    worker.on('message', onTally)
    worker.on('error', onError)
    signal.addEventListener('abort', onAbort)
    worker.postMessage(task)
  })
}
