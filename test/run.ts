/**
 * Runs the built test files, each a process of its own: `npm test`, `npm test -- network/disk consensus`, `npm test -- --jobs 1 sim`.
 * Prints TAP: a line a file, what it skipped, and all that it said where it failed.
 *
 * `npx tap` runs the same files, but translates every source again in each process and loads its hooks into every node that a
 * test starts: several times the work of the tests themselves.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'

/** Seconds that a file may take, on a machine with much else to do. */
const TIMEOUT_S = 300
/** What waits or computes for long starts first, so that it does not run alone at the end. */
const LONG_FIRST = [/^test\/network\//, /^test\/bench\//, /^test\/(cli|sim|state)\//]
const SHOWN_AS_SLOW = 15

interface Outcome {
  readonly file: string
  readonly ok: boolean
  readonly seconds: number
  /** Both outputs, in the order in which they came. */
  readonly said: string
}

const running = new Set<ChildProcess>()

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { jobs: { type: 'string', default: `${availableParallelism()}` } },
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end(signal))
const files = testFiles(positionals)
if (files.length === 0) {
  process.stderr.write(`no test file has one of these words in its name: ${positionals.join(' ')}\n`)
  process.exit(2)
}
process.exitCode = (await runAll(files, Number(values.jobs))) ? 0 : 1

/** As the sources name them: what was removed there may still lie built. */
function testFiles(words: readonly string[]): string[] {
  const rank = (file: string) => {
    const at = LONG_FIRST.findIndex((pattern) => pattern.test(file))
    return at < 0 ? LONG_FIRST.length : at
  }
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name))
    .filter((file) => file.endsWith('.test.ts') && (words.length === 0 || words.some((word) => file.includes(word))))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

async function runAll(files: readonly string[], jobs: number): Promise<boolean> {
  const startedAt = performance.now()
  const outcomes: Outcome[] = []
  const waiting = [...files]
  print('TAP version 14', `1..${files.length}`)
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      outcomes.push(await run(file))
      print(...report(outcomes.at(-1)!, outcomes.length))
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  print(...summary(outcomes, (performance.now() - startedAt) / 1_000))
  return outcomes.every(({ ok }) => ok)
}

function run(file: string): Promise<Outcome> {
  const startedAt = performance.now()
  const built = join('dist', file.replace(/\.ts$/, '.js'))
  const child = spawn(process.execPath, ['--enable-source-maps', built], {
    env: { ...process.env, TAP_TIMEOUT: `${TIMEOUT_S}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let said = ''
  const streams = [child.stdout, child.stderr]
  for (const stream of streams) stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  // tap ends a file at its time-out and says what was open; this is for one that no longer listens.
  let timer = setTimeout(() => child.kill('SIGKILL'), (TIMEOUT_S + 30) * 1_000)
  return new Promise((resolve) => {
    let ok = false
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      ok = code === 0
      if (signal !== null) said += `# ended by ${signal}\n`
      timer = setTimeout(() => {
        ok = false
        said += '# left a process behind that holds its output\n'
        for (const stream of streams) stream.destroy()
      }, 20_000)
    })
    child.once('close', () => {
      clearTimeout(timer)
      running.delete(child)
      resolve({ file, ok, seconds: (performance.now() - startedAt) / 1_000, said })
    })
  })
}

function report({ file, ok, seconds, said }: Outcome, number: number): string[] {
  const line = `${ok ? 'ok' : 'not ok'} ${number} - ${file} # time=${Math.round(seconds * 1_000)}ms`
  const skipped = said.split('\n').filter((one) => /# SKIP\b/i.test(one))
  const details = ok ? skipped.map((one) => `# ${one.trim()}`) : said.trimEnd().split('\n')
  return [line, ...details.map((one) => `    ${one}`)]
}

function summary(outcomes: readonly Outcome[], seconds: number): string[] {
  const slow = outcomes.toSorted((a, b) => b.seconds - a.seconds).slice(0, SHOWN_AS_SLOW)
  const failed = outcomes.filter(({ ok }) => !ok)
  const assertions = outcomes.reduce((sum, { said }) => sum + Number(/^# \{ total: (\d+)/m.exec(said)?.[1] ?? 0), 0)
  return [
    ...slow.map((one) => `# ${one.seconds.toFixed(1).padStart(6)} s  ${one.file}`),
    ...failed.map(({ file }) => `# failed: ${file}`),
    `# ${outcomes.length} files, ${assertions} assertions, ${failed.length} files failed, ${seconds.toFixed(0)} s`,
  ]
}

function end(signal: NodeJS.Signals): void {
  for (const child of running) child.kill(signal)
  process.exit(1)
}

function print(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`)
}
