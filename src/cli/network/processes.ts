/** Node and agent processes of a local network: start, wait until ready, stop. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CommandError } from '../errors.js'

/** The built command; where sources run untranslated, or built apart (tests, the soak), the one in dist/. */
const MAIN = ['../main.js', '../../../dist/src/cli/main.js', '../../../../src/cli/main.js']
  .map((path) => new URL(path, import.meta.url))
  .map((url) => fileURLToPath(url))
  .find((path) => existsSync(path))

/** A larger young generation: short-lived messages and blocks then die there instead of being marked and swept later. */
const NODE_FLAGS = ['--enable-source-maps', '--max-semi-space-size=32', '--min-semi-space-size=16']

export interface StartedProcess {
  readonly pid: number
  readonly logFile: string
  /** Resolves with the exit code, or null when a signal ended it. */
  readonly exited: Promise<number | null>
  /** Resolves when the process says `ready` to its parent (agents do; nodes have /readiness). */
  readonly ready: Promise<void>
}

/** Starts `concordat ARGS` (or the script `main`) as its own process; its output goes to `logFile`. */
export function startProcess(
  args: readonly string[],
  logFile: string,
  options: { detached: boolean; main?: string },
): StartedProcess {
  const main = options.main ?? MAIN
  if (main === undefined) throw new CommandError('the built program is missing; build it with: npm run build')
  mkdirSync(join(logFile, '..'), { recursive: true })
  const log = openSync(logFile, 'a')
  const child = spawn(process.execPath, [...NODE_FLAGS, main, ...args], {
    stdio: ['ignore', log, log, 'ipc'],
    detached: options.detached,
  })
  closeSync(log)
  if (options.detached) child.unref()
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code))
    child.once('error', () => resolve(1))
  })
  const ready = new Promise<void>((resolve) => {
    child.once('message', () => resolve())
  })
  // The channel must not keep either side alive.
  child.channel?.unref()
  if (child.pid === undefined) throw new CommandError(`could not start a process for: concordat ${args.join(' ')}`)
  return { pid: child.pid, logFile, exited, ready }
}

/** Waits until GET `url` answers 200; fails early, with the end of the log, when the process ends first. */
export async function waitReady(url: string, started: StartedProcess, timeoutMs: number): Promise<void> {
  let ended = false
  void started.exited.then(() => {
    ended = true
  })
  const deadline = Date.now() + timeoutMs
  while (Date.now() < deadline) {
    if ((await statusOf(url)) === 200) return
    if (ended)
      throw new CommandError(
        `a process ended while starting; the end of ${started.logFile} says:\n${logTail(started.logFile)}`,
      )
    await delay(25)
  }
  throw new CommandError(
    `${url} was not ready within ${timeoutMs / 1000} s; see ${started.logFile}:\n${logTail(started.logFile)}`,
  )
}

/** Waits until the process says that it is ready; fails early, with the end of the log, when it ends first. */
export async function waitSaysReady(started: StartedProcess, timeoutMs: number): Promise<void> {
  const timeout = new AbortController()
  const outcome = await Promise.race([
    started.ready.then(() => 'ready' as const),
    started.exited.then(() => 'ended' as const),
    delay(timeoutMs, 'late' as const, { signal: timeout.signal, ref: true }),
  ])
  timeout.abort()
  if (outcome === 'ready') return
  const what = outcome === 'ended' ? 'ended while starting' : `was not ready within ${timeoutMs / 1000} s`
  throw new CommandError(`a process ${what}; the end of ${started.logFile} says:\n${logTail(started.logFile)}`)
}

/** HTTP status of GET `url`, or undefined when nothing answers. */
export function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { timeout: 1_000 }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.once('error', () => resolve(undefined))
    request.once('timeout', () => request.destroy())
  })
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** SIGTERM, then SIGKILL for what is still there after `graceMs`. */
export async function stopProcesses(pids: readonly number[], graceMs = 10_000): Promise<void> {
  const alive = pids.filter(isRunning)
  for (const pid of alive) signal(pid, 'SIGTERM')
  const deadline = Date.now() + graceMs
  while (alive.some(isRunning) && Date.now() < deadline) await delay(25)
  for (const pid of alive.filter(isRunning)) signal(pid, 'SIGKILL')
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended by itself in between.
  }
}

function logTail(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(-12).join('\n')
  } catch {
    return '(no log)'
  }
}
