/** `network add-node`: the folder of one more node, which knows genesis and one peer; the rest it learns from the chain. */
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadNodeConfig } from '../../node/config.js'
import { CommandError, UsageError } from '../errors.js'
import { account, networkNode, newNode, type PlannedNode, writeNode } from './create.js'
import { type NetworkFile, type NetworkNode, readNetwork, writeNetwork } from './file.js'

export interface AddNodePlan {
  readonly dir: string
  /** Default: node and the next number. */
  readonly name?: string
  readonly host: string
  /** RPC port; default: the next one. p2p and metrics stand to it as those of the first node do. */
  readonly port?: number
  /** Name of the node that it knows; default: the first. */
  readonly peer?: string
  readonly password?: string
}

/** Member ids are short ASCII texts, and the name is a folder, too. */
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/

/** Writes the folder, and the node into network.json. Existing nodes are left as they are. */
export async function addNode(plan: AddNodePlan): Promise<{ readonly node: NetworkNode; readonly peer: NetworkNode }> {
  const network = readNetwork(plan.dir)
  const name = plan.name ?? `node${network.nodes.length + 1}`
  requireFree(plan.dir, network, name)
  const peer = peerOf(network, plan.peer)
  const node = newNode(name, plan.host, nextPorts(network, plan.port))
  const dir = join(plan.dir, name)
  const peers = [{ name: peer.name, address: peer.address, multiaddr: peer.p2p }]
  const { extensions } = loadNodeConfig(join(plan.dir, peer.name, 'config.yaml'), {}).consensus
  await writeNode(dir, node, { genesis: 'genesis.json', peers, password: plan.password, extensions })
  copyFileSync(join(plan.dir, 'genesis.json'), join(dir, 'genesis.json'))
  const entry = await networkNode(node)
  writeNetwork(plan.dir, {
    ...network,
    nodes: [...network.nodes, entry],
    accounts: { ...network.accounts, [name]: account(node.key) },
  })
  return { node: entry, peer }
}

function requireFree(dir: string, network: NetworkFile, name: string): void {
  if (!NAME.test(name))
    throw new UsageError(`'${name}' cannot be a node's name: use up to 32 lower-case letters, digits and hyphens`)
  if (
    network.accounts[name] !== undefined ||
    network.nodes.some((node) => node.name === name) ||
    existsSync(join(dir, name))
  )
    throw new UsageError(`there is '${name}' in ${dir} already; choose another --name`)
}

function peerOf({ nodes }: NetworkFile, name: string | undefined): NetworkNode {
  const peer = name === undefined ? nodes[0] : nodes.find((node) => node.name === name)
  if (peer !== undefined) return peer
  throw new UsageError(
    `there is no node '${name}' to be the peer; this network has ${nodes.map((node) => node.name).join(', ')}`,
  )
}

/** On one machine ports must not meet: one above the highest of each kind. */
function nextPorts(
  { nodes }: NetworkFile,
  rpcPort: number | undefined,
): Pick<PlannedNode, 'p2pPort' | 'rpcPort' | 'metricsPort'> {
  const portsOf = (read: (node: NetworkNode) => string) => nodes.map((node) => portIn(read(node)))
  const [rpc, metrics, p2p] = [
    portsOf((node) => node.rpc),
    portsOf((node) => node.metrics),
    portsOf((node) => node.p2p),
  ]
  const next = Math.max(...rpc) + 1
  const shift = (rpcPort ?? next) - next
  return {
    rpcPort: next + shift,
    metricsPort: Math.max(...metrics) + 1 + shift,
    p2pPort: Math.max(...p2p) + 1 + shift,
  }
}

function portIn(address: string): number {
  const port = /(?:\/tcp\/|:)(\d{1,5})(?:\/|$)/.exec(address.replace(/^https?:\/\//, ''))?.[1]
  if (port === undefined) throw new CommandError(`network.json names no port in ${address}; restore the file`)
  return Number(port)
}
