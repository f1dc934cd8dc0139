import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { diagnoseNetwork, printDiagnosis } from '../doctor/doctor.js'
import { UsageError } from '../errors.js'
import { createNetwork, type NetworkPlan } from '../network/create.js'
import { withoutToken } from '../network/file.js'
import { downNetwork, upNetwork } from '../network/lifecycle.js'
import { createOutput, short } from '../output.js'
import { addNodeCommand } from './addNode.js'

interface CreateFlags {
  readonly out: string
  readonly nodes: number
  readonly host: string[]
  readonly chainId?: number
  readonly basePort: number
  readonly baseP2pPort?: number
  readonly passwordFile?: string
  readonly weightPolicy?: string
  readonly leaderSchedule?: string
  readonly epochBlocks?: number
  readonly extension: string[]
  readonly json?: boolean
}

/** `concordat network`: create, start, inspect and stop a network on this machine. */
export function networkCommand(): Command {
  const network = new Command('network').addHelpText(
    'after',
    '\nExample:\n  concordat network create --out net --nodes 4 && concordat network up net --detach',
  )
  network
    .command('create')
    .description('write genesis and one folder a node')
    .requiredOption('--out <dir>', 'folder to write; must be empty')
    .option('--nodes <n>', 'number of nodes, 1 to 64', count(1, 64), 4)
    .option('--host <host>', 'address of a node; repeat it once a node (default 127.0.0.1)', collect, [])
    .option('--chain-id <n>', 'chain id', count(1, 2 ** 31), 20_261)
    .option(
      '--base-port <port>',
      'RPC port of the first node; p2p and metrics move with it',
      count(1_024, 43_000),
      8_545,
    )
    .option('--weight-policy <name>', "what sealers weigh: 'equal', 'credit' or that of an extension (default equal)")
    .option(
      '--leader-schedule <name>',
      "'round-robin', 'weighted-round-robin' or that of an extension (default round-robin)",
    )
    .option(
      '--epoch-blocks <n>',
      'blocks after which weights are computed anew (default: when the sealers change)',
      count(0, 10_000_000),
    )
    .option('--extension <file>', 'module with a policy or schedule of your own; repeat it for several', collect, [])
    .option('--password-file <file>', 'encrypt the node keys with the password in this file')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  concordat network create --out net --nodes 4 --host 10.0.0.1 --host 10.0.0.2 --host 10.0.0.3 --host 10.0.0.4',
    )
    .action(async (flags: CreateFlags) => {
      const created = await createNetwork({
        out: flags.out,
        nodes: flags.nodes,
        hosts: flags.host,
        chainId: flags.chainId ?? randomInt(1, 2 ** 31),
        basePort: flags.basePort,
        baseP2pPort: 30_301 + (flags.basePort - 8_545),
        timestamp: Math.floor(Date.now() / 1_000),
        ...consensusOf(flags),
        extensions: flags.extension,
        ...(flags.passwordFile === undefined
          ? {}
          : { password: readFileSync(flags.passwordFile, 'utf8').replace(/\r?\n$/, '') }),
      })
      const out = createOutput(flags.json ?? false)
      out.line(
        `network of ${created.nodes.length} nodes in ${flags.out}, chain id ${created.chainId}, genesis ${short(created.genesisHash)}`,
      )
      out.table(
        ['node', 'department', 'address', 'rpc'],
        created.nodes.map((node) => [node.name, node.department ?? '-', node.address, node.rpc]),
      )
      out.line(`start it with: concordat network up ${flags.out}`)
      const { accounts: _secret, ...rest } = created
      out.result({ ...rest, nodes: rest.nodes.map(withoutToken) })
    })
  network.addCommand(addNodeCommand())
  network
    .command('up <dir>')
    .description('start the nodes of DIR as processes on this machine')
    .option('--detach', 'return once they are ready; they keep running')
    .option('--agents', 'start the department agents as well')
    .option('--node <name>', 'start this node only; repeat it for several', collect, [])
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat network up net --detach')
    .action(async (dir: string, flags: { detach?: boolean; agents?: boolean; node: string[]; json?: boolean }) => {
      const out = createOutput(flags.json ?? false)
      const [detached, agents] = [flags.detach ?? false, flags.agents ?? false]
      const running = await upNetwork(dir, { detached, agents, only: flags.node })
      out.table(
        ['node', 'pid', 'rpc'],
        running.network.nodes.map((node) => [node.name, node.pid ?? '-', node.rpc]),
      )
      out.result(running.network.nodes.map(withoutToken))
      if (flags.detach) return
      out.line('running; stop with Ctrl-C')
      await running.untilStopped()
    })
  network
    .command('status <dir>')
    .description('height, view, leader, votes and quorum of each node, and why nothing moves')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat network status net')
    .action(async (dir: string, flags: { json?: boolean }) => {
      const diagnosis = await diagnoseNetwork(dir, false)
      printDiagnosis(createOutput(flags.json ?? false), diagnosis)
      if (!diagnosis.fine) process.exitCode = 1
    })
  network
    .command('down <dir>')
    .description('stop the nodes of DIR')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat network down net')
    .action(async (dir: string, flags: { json?: boolean }) => {
      const stopped = await downNetwork(dir)
      const out = createOutput(flags.json ?? false)
      out.line(stopped === 0 ? 'nothing was running' : `stopped ${stopped} processes`)
      out.result({ stopped })
    })
  return network
}

/** The consensus section of genesis, where the flags say anything of it. */
function consensusOf({ weightPolicy, leaderSchedule, epochBlocks }: CreateFlags): Pick<NetworkPlan, 'consensus'> {
  const consensus = {
    ...(weightPolicy === undefined ? {} : { weightPolicy }),
    ...(leaderSchedule === undefined ? {} : { leaderSchedule }),
    ...(epochBlocks === undefined ? {} : { epochBlocks }),
  }
  return Object.keys(consensus).length === 0 ? {} : { consensus }
}

function count(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`)
    return value
  }
}

function collect(value: string, previous: string[]): string[] {
  if (previous.length >= 64) throw new UsageError('at most 64 of them')
  return [...previous, value]
}
