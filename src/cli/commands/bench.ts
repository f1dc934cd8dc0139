import { Command, InvalidArgumentError } from 'commander'
import type { MeasureFlags } from '../../../bench/main.js'
import { createOutput } from '../output.js'

const EXAMPLE = '\nExample:\n  concordat bench all --quick --out results'

const EXPERIMENTS = [
  ['all', 'every experiment; `peers` only where geth is installed'],
  ['storage', 'bytes on disk against copies and a data centre (paper 5.1, Fig. 8)'],
  ['latency', 'time of queries with and without a chain (paper 5.2, Fig. 9)'],
  ['throughput', 'transactions a second, time to finality under load, numbers of nodes'],
  ['scale', 'what a growing state costs'],
  ['rounds', 'nodes that die, freeze, come back; networks that split and heal'],
  ['micro', 'parts of the node against other libraries'],
  ['peers', 'the same protocol on geth with Clique, where geth is installed'],
] as const

/** The experiments themselves live in bench/ and are loaded only when one is asked for. */
const bench = () => import('../../../bench/main.js')

/** `concordat bench`: the paper's experiments, and what the paper does not show. */
export function benchCommand(): Command {
  const command = new Command('bench').addHelpText('after', EXAMPLE)
  for (const [name, description] of EXPERIMENTS) command.addCommand(experimentCommand(name, description))
  command
    .command('report <dir>')
    .description('write the report of a results folder again')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat bench report results')
    .action(async (dir: string, { json }: { json?: boolean }) =>
      (await bench()).report(dir, createOutput(json ?? false)),
    )
  command
    .command('compare <a> <b>')
    .description('compare two results folders')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat bench compare results-before results-after')
    .action(async (a: string, b: string, { json }: { json?: boolean }) =>
      (await bench()).compare(a, b, createOutput(json ?? false)),
    )
  command.addCommand(baselineCommand())
  return command
}

function experimentCommand(name: (typeof EXPERIMENTS)[number][0], description: string): Command {
  return new Command(name)
    .description(description)
    .option('--quick', 'small sizes: everything in less than ten minutes')
    .option('--out <dir>', 'results folder; what it has of other experiments stays', '.concordat/bench')
    .option('--repeats <n>', 'repeats of each measurement; 6 is the fewest for an interval of 95 %', whole(1, 1_000), 6)
    .option('--seed <text>', 'of generated data and of the order of requests', 'concordat')
    .option('--scale <list>', 'multiples of the dataset for `storage`', scales, [1])
    .option('--network <dir>', 'measure the running network of DIR/network.json instead of starting one')
    .option('--base-port <port>', 'first RPC port of the networks that are started', whole(1_024, 43_000), 21_545)
    .option('--only <names>', 'single benchmarks of `micro`, with commas between', (text) => text.split(','))
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  concordat bench ${name} --quick --out results`)
    .action(async ({ json, out, ...flags }: MeasureFlags & { json?: boolean; out: string }) => {
      const complete = await (await bench()).measure(name, flags, out, createOutput(json ?? false))
      if (!complete) process.exitCode = 1
    })
}

function baselineCommand(): Command {
  const baseline = new Command('baseline')
    .description('the client/server system that `latency` compares with, to be run on servers by hand')
    .addHelpText('after', '\nExample:\n  concordat bench baseline create --network net --out net/baseline')
  baseline
    .command('create')
    .description('write one folder a department, ready to copy to servers; the databases start empty')
    .requiredOption('--network <dir>', 'network whose departments, keys and rules it has')
    .requiredOption('--out <dir>', 'folder to write; must be empty')
    .option('--base-port <port>', 'port of the first department; the others follow', whole(1_024, 65_000), 8_443)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat bench baseline create --network net --out net/baseline')
    .action(async ({ network, out, basePort, json }: BaselineFlags) =>
      (await bench()).createBaseline(network, out, basePort, createOutput(json ?? false)),
    )
  baseline
    .command('serve')
    .description("answer another department's questions over HTTPS, until stopped")
    .requiredOption('--config <file>', 'configuration that `create` wrote')
    .addHelpText('after', '\nExample:\n  concordat bench baseline serve --config net/baseline/finance/service.yaml')
    .action(async ({ config }: { config: string }) => (await bench()).serveBaseline(config))
  return baseline
}

interface BaselineFlags {
  readonly network: string
  readonly out: string
  readonly basePort: number
  readonly json?: boolean
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`)
    return value
  }
}

function scales(text: string): number[] {
  const values = text.split(',').map(Number)
  if (values.length > 6 || values.some((value) => !Number.isInteger(value) || value < 1 || value > 100))
    throw new InvalidArgumentError(
      'must be up to six whole numbers from 1 to 100 with commas between, such as 1,10,100',
    )
  return values
}
