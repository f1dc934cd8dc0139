/** A Chromium without a screen, where this machine has one: in CONCORDAT_TEST_CHROMIUM or on the PATH. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import type { Test } from 'tap'

const NAMES = ['chromium-headless-shell', 'chromium', 'google-chrome']
const named = process.env.CONCORDAT_TEST_CHROMIUM
const program = (named ? [named] : NAMES).find(answers)

/** For tap's `skip`. */
export const withoutChromium: string | false = program
  ? false
  : 'skipped: no Chromium here: set CONCORDAT_TEST_CHROMIUM to the program (Debian: apt-get install chromium-headless-shell)'

function answers(name: string): boolean {
  try {
    return execFileSync(name, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).includes(
      'Chrom',
    )
  } catch {
    return false
  }
}

/** Opens a page, which stays until `t` ends; what the browser says of errors goes to the test's output. */
export function openPage(t: Test, url: string): void {
  const profile = `--user-data-dir=${t.testdir()}`
  // Root, as in containers, may have no sandbox; pages are of this test alone.
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-port=0']
  const child = spawn(program!, [...flags, profile, url], { detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) if (line.includes('CONSOLE')) t.comment(line)
  })
  // The program may be a script that starts the browser: the group is both.
  t.teardown(async () => {
    if (child.exitCode !== null) return
    const ended = once(child, 'exit')
    process.kill(-child.pid!, 'SIGKILL')
    await ended
  })
}
