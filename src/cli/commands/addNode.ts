import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { addNode } from '../network/addNode.js'
import { withoutToken } from '../network/file.js'
import { createOutput } from '../output.js'

interface AddNodeFlags {
  readonly name?: string
  readonly host: string
  readonly port?: number
  readonly peer?: string
  readonly passwordFile?: string
  readonly json?: boolean
}

/** `concordat network add-node`: the folder of one more node. */
export function addNodeCommand(): Command {
  return new Command('add-node')
    .argument('<dir>', 'folder of the network')
    .description('write the folder of one more node: configuration, key, a copy of genesis, one peer')
    .option('--name <name>', 'name of the node and its folder (default: node and the next number)')
    .option('--host <host>', 'address on which it listens and is reached', '127.0.0.1')
    .option('--port <port>', 'RPC port; p2p and metrics move with it (default: the next ones)', port)
    .option('--peer <name>', 'the one node that it knows at first (default: the first)')
    .option('--password-file <file>', 'encrypt its key with the password in this file')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  concordat network add-node net --name node5\n\nHow the node becomes a sealer: docs/operations-sealers.md',
    )
    .action(async (dir: string, flags: AddNodeFlags) => {
      const { passwordFile, json, ...plan } = flags
      const password =
        passwordFile === undefined ? {} : { password: readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '') }
      const { node, peer } = await addNode({ dir, ...plan, ...password })
      const out = createOutput(json ?? false)
      out.line(
        `${node.name} ${node.address} in ${dir}/${node.name}; it knows ${peer.name} and learns the rest from the chain`,
      )
      out.line(
        `register it: concordat member register --network ${dir} --role sealer --id ${node.name} --name '${node.name}' --member-key-file ${dir}/${node.name}/node.key`,
      )
      out.line(`start it:    concordat network up ${dir} --node ${node.name} --detach`)
      out.result(withoutToken(node))
    })
}

function port(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1_024 || value > 65_000)
    throw new InvalidArgumentError('must be a port from 1024 to 65000')
  return value
}
