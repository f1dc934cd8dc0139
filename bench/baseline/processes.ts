/** The processes of a client/server system on this machine. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandError } from '../../src/cli/errors.js'
import { type StartedProcess, startProcess, stopProcesses, waitSaysReady } from '../../src/cli/network/processes.js'
import { readSystem, servicePath } from './files.js'

/** The built program; where sources run untranslated (tests), the one in dist/. */
const MAIN = [new URL('./main.js', import.meta.url), new URL('../../dist/bench/baseline/main.js', import.meta.url)]
  .map((url) => fileURLToPath(url))
  .find((path) => existsSync(path))

const READY_TIMEOUT_MS = 60_000

export interface RunningBaseline {
  /** By department. */
  readonly pids: ReadonlyMap<string, number>
  stop(): Promise<void>
}

/** Starts every department of the folder `dir` and waits until all listen. Throws CommandError. */
export async function startBaseline(dir: string): Promise<RunningBaseline> {
  const started = new Map(readSystem(dir).services.map(({ department }) => [department, startService(dir, department)]))
  const pids = new Map([...started].map(([department, { pid }]) => [department, pid]))
  const stop = () => stopProcesses([...pids.values()])
  try {
    await Promise.all([...started.values()].map((one) => waitSaysReady(one, READY_TIMEOUT_MS)))
    return { pids, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

export function startService(dir: string, department: string): StartedProcess {
  if (MAIN === undefined) throw new CommandError('the built program is missing; build it with: npm run build')
  const log = join(dir, department, 'logs', 'service.log')
  return startProcess(['serve', '--config', servicePath(dir, department)], log, { detached: true, main: MAIN })
}
