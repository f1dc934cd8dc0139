/** `npm run sim`: the simulator on the command line. `--help` says what it takes; docs/simulator.md explains it. */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { type Bug, bugNames, bugs, isBug } from './bugs.js'
import { bugTable } from './bugTable.js'
import { runCampaign } from './campaign.js'
import { crashEverywhere, crashScenario } from './crashPoints.js'
import { type ScenarioOptions, scenarioOf } from './draw.js'
import { outline } from './outline.js'
import { failureLines, firstLine, progressLine, summaryJson, summaryLines } from './report.js'
import { runScenario } from './run.js'

const help = `npm run sim -- [options]

  --seeds 2000        seeds to run, divided among the sizes
  --nodes 4,7,10      sizes; left out, each seed has its own
  --from 1            first seed
  --jobs 2            threads
  --bug NAME          plants a bug (--bug list names them)
  --seed N            runs one seed and prints all that happens in it
  --crash-points      power fails in each node at every durable write and every message in turn
  --bugs              prints how many seeds each planted bug takes to be caught
  --json              prints the summary as JSON
`

const maxSeeds = 100_000_000
const nodesMax = 24

class UsageError extends Error {}

interface Options {
  readonly seeds: number
  readonly sizes: readonly (number | null)[]
  readonly from: number
  readonly jobs: number
  readonly bug: Bug | null
  readonly seed: number | null
  readonly mode: 'help' | 'names' | 'replay' | 'crash-points' | 'bugs' | 'campaign'
  readonly json: boolean
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '2000' },
      nodes: { type: 'string' },
      from: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '2' },
      bug: { type: 'string' },
      seed: { type: 'string' },
      'crash-points': { type: 'boolean', default: false },
      bugs: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const sizes = values.nodes?.split(',').map((text) => integer('--nodes', text, 1, nodesMax)) ?? [null]
  const bug = values.bug === undefined || values.bug === 'list' ? null : bugNamed(values.bug)
  return {
    seeds: integer('--seeds', values.seeds, 1, maxSeeds),
    sizes,
    from: integer('--from', values.from, 0, Number.MAX_SAFE_INTEGER),
    jobs: integer('--jobs', values.jobs, 1, 64),
    bug,
    seed: values.seed === undefined ? null : integer('--seed', values.seed, 0, Number.MAX_SAFE_INTEGER),
    mode: values.help
      ? 'help'
      : values.bug === 'list'
        ? 'names'
        : values.seed !== undefined
          ? 'replay'
          : values['crash-points']
            ? 'crash-points'
            : values.bugs
              ? 'bugs'
              : 'campaign',
    json: values.json,
  }
}

function integer(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new UsageError(`${name} must be a whole number from ${least} to ${most}, got ${text}`)
}

function bugNamed(name: string): Bug {
  if (isBug(name)) return name
  throw new UsageError(`there is no planted bug ${name}; --bug list names them`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** One seed with its transcript; true when all invariants held. */
function replay({ seed, sizes, bug, json }: Options): boolean {
  const [nodes] = sizes
  const options: ScenarioOptions = { ...(nodes ? { nodes } : {}), ...(bug ? { bug } : {}) }
  const scenario = scenarioOf(seed ?? 1, options)
  const { transcript, ...result } = runScenario(scenario, { verbose: true })
  if (json) print(JSON.stringify({ ...result, transcript }))
  else for (const line of [...transcript, '', ...outline(scenario), '', endOf(result)]) print(line)
  return result.violation === null
}

function endOf({
  violation,
  height,
  settledMs,
  settledViews,
}: Omit<ReturnType<typeof runScenario>, 'transcript'>): string {
  return (
    violation ??
    `all invariants held; height ${height}, settled ${settledMs} ms and ${settledViews} views after the faults ended`
  )
}

async function campaign(options: Options): Promise<boolean> {
  const stop = new AbortController()
  const onInterrupt = (): void => stop.abort()
  process.once('SIGINT', onInterrupt)
  const live = process.stderr.isTTY
  const result = await runCampaign(options, stop.signal, (tally, progress) => {
    if (live) process.stderr.write('\r\x1b[K')
    for (const line of failureLines(tally)) process.stderr.write(`${line}\n`)
    if (live) process.stderr.write(progressLine(progress))
  })
  process.off('SIGINT', onInterrupt)
  if (live) process.stderr.write('\r\x1b[K')
  if (options.json) print(JSON.stringify(summaryJson(result)))
  else for (const line of summaryLines(result)) print(line)
  return [...result.bySize.values()].every((tally) => tally.failures.length === 0)
}

/** True when no power failure broke an invariant. */
function crashPoints({ sizes, from }: Options): boolean {
  let count = 0
  let failed = 0
  for (const nodes of sizes) {
    const scenario = crashScenario(from, nodes ?? 4)
    for (const result of crashEverywhere(scenario, [...scenario.actors.keys()])) {
      count++
      if (result.violation === null) continue
      failed++
      print(`node ${result.node}, point ${result.at}, ${result.where}: ${firstLine(result.violation)}`)
    }
  }
  print(`power failed at ${count} points, ${failed} of them broke an invariant`)
  return failed === 0
}

function measureBugs({ sizes }: Options): boolean {
  for (const line of bugTable(sizes.map((size) => size ?? 4))) print(line)
  return true
}

function names(): boolean {
  for (const name of bugNames) print(`${name.padEnd(24)} ${bugs[name]}`)
  return true
}

async function main(): Promise<boolean> {
  const options = readOptions()
  switch (options.mode) {
    case 'help':
      process.stdout.write(help)
      return true
    case 'names':
      return names()
    case 'replay':
      return replay(options)
    case 'crash-points':
      return crashPoints(options)
    case 'bugs':
      return measureBugs(options)
    case 'campaign':
      return campaign(options)
  }
}

try {
  if (!(await main())) process.exitCode = 1
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof TypeError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
