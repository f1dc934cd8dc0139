import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import t from 'tap'

interface Finished {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

function sim(...args: string[]): Promise<Finished> {
  const main = join(process.cwd(), 'dist/src/sim/main.js')
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr })
    })
  })
}

t.test('many seeds on two threads: a table at the end', async (t) => {
  const { status, stdout, stderr } = await sim('--seeds', '60', '--nodes', '1,4', '--jobs', '2')
  t.equal(status, 0, stderr)
  t.match(stdout, /sealers +seeds +failed/)
  t.match(stdout, /60 seeds in \d+ s, [\d.]+ seeds\/s, 0 failed/)
})

t.test('as JSON', async (t) => {
  const { status, stdout } = await sim('--seeds', '10', '--from', '100', '--json')
  t.equal(status, 0)
  t.match(JSON.parse(stdout), { interrupted: false, sizes: [{ nodes: null, seeds: 10, failures: [] }] })
})

t.test('a failing seed prints the command that replays it, and that shows what happened', async (t) => {
  const { status, stdout } = await sim('--seeds', '10', '--nodes', '4', '--bug', 'send-before-durable')
  t.equal(status, 1)
  const command = /npm run sim -- (--seed \d+ --nodes 4 --bug send-before-durable)/.exec(stdout)
  t.ok(command, stdout)
  const replay = await sim(...(command?.[1]?.split(' ') ?? []))
  t.equal(replay.status, 1)
  t.match(replay.stdout, /n\d starts at height 0/)
  t.match(replay.stdout, /I5: node \d sent a vote/)
})

t.test('wrong options are refused in plain words', async (t) => {
  for (const [args, message] of [
    [['--nodes', '99'], /--nodes must be a whole number from 1 to 24, got 99/],
    [['--bug', 'none'], /there is no planted bug none/],
    [['--what'], /--what/],
  ] as const) {
    const { status, stderr } = await sim(...args)
    t.equal(status, 2)
    t.match(stderr, message)
    t.notMatch(stderr, /at .*\.js/)
  }
})
