/** Foundry's `cast`, where this machine has it: in CONCORDAT_TEST_CAST or on the PATH. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const program = process.env.CONCORDAT_TEST_CAST || 'cast'

/** For tap's `skip`. A program of another kind has this name too. */
export const withoutCast: string | false = whyNot()

function whyNot(): string | false {
  const howTo =
    'set CONCORDAT_TEST_CAST to the program (npm install --prefix DIR @foundry-rs/cast-linux-amd64, or https://getfoundry.sh)'
  try {
    const said = execFileSync(program, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return said.startsWith('cast Version') ? false : `${program} is not Foundry's: ${howTo}`
  } catch {
    return `skipped: no cast here: ${howTo}`
  }
}

/** What it printed, without the last line break. Rejects with what it said when it fails. */
export type Cast = (...args: string[]) => Promise<string>

const run = promisify(execFile)

/** Asks the node at `url`; its own files lie in a folder of `t`. */
export function castOf(t: Test, url: string, env: Readonly<Record<string, string>> = {}): Cast {
  const options = { ...surroundings(t, url, env), timeout: 60_000 }
  return async (...args) => {
    try {
      return (await run(program, args, options)).stdout.trimEnd()
    } catch (error) {
      const { stderr = '', message } = error as Error & { stderr?: string }
      throw new Error(stderr.trim() || message)
    }
  }
}

/** A command that goes on until `t` ends; gives what it has printed so far. */
export function followCast(t: Test, url: string, args: readonly string[]): () => string {
  const child = spawn(program, args, { ...surroundings(t, url, {}), stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => {
    const ended = once(child, 'exit')
    if (child.kill()) await ended
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  return () => said
}

function surroundings(t: Test, url: string, env: Readonly<Record<string, string>>) {
  const home = t.testdir()
  return { cwd: home, env: { PATH: process.env.PATH, HOME: home, ETH_RPC_URL: url, NO_COLOR: '1', ...env } }
}
