/** Processes that hold the other end of a benchmark. */
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CommandError } from '../../src/cli/errors.js'

/** Path of a built script of this folder; where sources run untranslated (tests), the one in dist/. */
function scriptPath(name: string): string {
  const path = [`./${name}.js`, `../../dist/bench/micro/${name}.js`]
    .map((relative) => fileURLToPath(new URL(relative, import.meta.url)))
    .find((candidate) => existsSync(candidate))
  if (path === undefined) throw new CommandError('the built program is missing; build it with: npm run build')
  return path
}

/** Starts a script of this folder without the flags of this process: a test's loaders are of no use to what is built. */
export const forkScript = (name: string): ChildProcess => fork(scriptPath(name), { execArgv: [] })

/** Starts a script of this folder; resolves with the first message that it sends. It ends when the channel closes. */
export async function startHelper<T>(name: string): Promise<{ readonly said: T; stop(): Promise<void> }> {
  const child = forkScript(name)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const said = await firstMessage(child, name)
  const stop = async () => {
    child.disconnect()
    await exited
  }
  return { said: said as T, stop }
}

function firstMessage(child: ChildProcess, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the process ${name} ended with status ${code} before it was ready`)))
  })
}
