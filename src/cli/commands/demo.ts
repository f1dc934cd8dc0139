import { Command, InvalidArgumentError } from 'commander'
import { runDemo } from '../demo/demo.js'
import { createOutput } from '../output.js'

interface DemoFlags {
  readonly dir: string
  readonly records: number
  readonly basePort: number
  readonly exit?: boolean
  readonly keep?: boolean
  readonly json?: boolean
}

/** `concordat demo`, which is `npm start`: the main job. */
export function demoCommand(): Command {
  return new Command('demo')
    .option('--dir <dir>', 'folder of the network', '.concordat/demo')
    .option('--records <n>', 'records of the largest department', whole(20, 1_000_000), 12_000)
    .option('--base-port <port>', 'RPC port of the first node; the others follow', whole(1_024, 43_000), 8_545)
    .option('--exit', 'end after the scenario; status 0 only if every answer was right')
    .option('--keep', 'reuse the last network')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat demo --records 500 --exit')
    .action(async (flags: DemoFlags) => {
      const { dir, records, basePort, exit = false, keep = false } = flags
      const right = await runDemo({ dir, records, basePort, exit, keep }, createOutput(flags.json ?? false))
      if (!right) process.exitCode = 1
    })
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`)
    return value
  }
}
