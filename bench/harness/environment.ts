/** On what a result was measured. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cpus, loadavg, type as osType, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Settings } from './experiment.js'
import type { ExperimentName } from './row.js'

export interface Environment {
  /** Version of the package. */
  readonly version: string
  /** Hash of the commit, with `+` when files differed from it; `unknown` outside of a checkout. */
  readonly commit: string
  readonly node: string
  readonly v8: string
  readonly system: string
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly experiments: Partial<Record<ExperimentName, Circumstances>>
}

/** What can differ between the experiments of one folder. */
export interface Circumstances {
  readonly commit: string
  readonly startedAt: string
  readonly seconds: number
  /** Of the last minute, before and after. */
  readonly loadBefore: number
  readonly loadAfter: number
  readonly finished: boolean
  /** Why it ended early, when it did. */
  readonly ended?: string
  readonly settings: Settings
}

const root = [new URL('../../', import.meta.url), new URL('../../../', import.meta.url)]
  .map((url) => fileURLToPath(url))
  .find((path) => existsSync(`${path}package.json`))

export function environment(): Omit<Environment, 'experiments'> {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }
  return {
    version,
    commit: commit(),
    node: process.version,
    v8: process.versions.v8,
    system: `${osType()} ${release()} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
  }
}

/** Load average of the last minute. */
export const load = (): number => loadavg()[0]!

export function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', ':!docs/results')
    return `${git('rev-parse', 'HEAD')}${changed === '' ? '' : '+'}`
  } catch {
    return 'unknown'
  }
}
