/** `network up` and `down`: the processes of a local network. */
import { join } from 'node:path'
import { createRpcClient } from '../../rpc/client.js'
import { CommandError, UsageError } from '../errors.js'
import { rpcOf } from '../rpcAccess.js'
import { type NetworkFile, type NetworkNode, readNetwork, writeNetwork } from './file.js'
import { isRunning, type StartedProcess, startProcess, stopProcesses, waitReady, waitSaysReady } from './processes.js'

const READY_TIMEOUT_MS = 60_000

export interface RunningNetwork {
  readonly network: NetworkFile
  /** Resolves after SIGINT, SIGTERM or the end of every process; by then all are stopped. */
  untilStopped(): Promise<void>
}

export interface UpOptions {
  readonly detached: boolean
  readonly agents: boolean
  /** Names of the nodes to start; all of them when left out. */
  readonly only?: readonly string[]
}

/** Starts the nodes of `dir` (and their agents) and waits until each is ready. */
export async function upNetwork(dir: string, options: UpOptions): Promise<RunningNetwork> {
  let network = readNetwork(dir)
  const chosen = chosenNodes(network, options.only)
  const alive = chosen.find((node) => node.pid !== undefined && isRunning(node.pid))
  if (alive !== undefined)
    throw new CommandError(
      `${alive.name} runs already (pid ${alive.pid}); stop the network with: concordat network down ${dir}`,
    )
  const started = chosen.map((node) => startNode(dir, node, options.detached))
  network = record(dir, network, pidsOf('pid', chosen, started))
  try {
    await Promise.all(chosen.map((node, i) => waitReady(`${node.rpc}/readiness`, started[i]!, READY_TIMEOUT_MS)))
    await Promise.all(chosen.map((node) => assertOfNetwork(node, network)))
    if (options.agents) {
      const departments = chosen.filter((node) => node.department !== undefined)
      const agents = departments.map((node) => startAgent(dir, node, options.detached))
      network = record(dir, network, pidsOf('agentPid', departments, agents))
      started.push(...agents)
      await Promise.all(agents.map((agent) => waitSaysReady(agent, READY_TIMEOUT_MS)))
    }
  } catch (error) {
    await stopProcesses(started.map((process) => process.pid))
    throw error
  }
  return { network, untilStopped: () => untilStopped(started) }
}

function chosenNodes(network: NetworkFile, only: readonly string[] | undefined): readonly NetworkNode[] {
  if (only === undefined || only.length === 0) return network.nodes
  return only.map((name) => {
    const node = network.nodes.find((one) => one.name === name)
    if (node !== undefined) return node
    const known = network.nodes.map((one) => one.name).join(', ')
    throw new UsageError(`there is no node '${name}'; this network has ${known}`)
  })
}

/** What a node's entry says of the process that was started for it. */
function pidsOf(key: 'pid' | 'agentPid', nodes: readonly NetworkNode[], started: readonly StartedProcess[]) {
  const pids = new Map(nodes.map((node, i) => [node.name, started[i]!.pid]))
  return (node: NetworkNode): Partial<NetworkNode> => (pids.has(node.name) ? { [key]: pids.get(node.name) } : {})
}

/** A node of another network on the same port answers /readiness as well, while ours ends because the port is taken. */
async function assertOfNetwork(node: NetworkNode, { genesisHash }: NetworkFile): Promise<void> {
  const client = createRpcClient(rpcOf(node.rpc, {}, node.rpcToken))
  try {
    if ((await client.call('concordat_genesisHash')) === genesisHash) return
  } finally {
    client.close()
  }
  throw new CommandError(
    `${node.rpc} is answered by a node of another network: stop that one, or create this network with another --base-port`,
  )
}

export function startNode(dir: string, node: NetworkNode, detached: boolean): StartedProcess {
  return startProcess(
    ['node', '--config', join(dir, node.name, 'config.yaml')],
    join(dir, node.name, 'logs', 'node.log'),
    { detached },
  )
}

export function startAgent(dir: string, node: NetworkNode, detached: boolean): StartedProcess {
  return startProcess(
    ['department', 'serve', '--config', join(dir, node.name, 'department.yaml')],
    join(dir, node.name, 'logs', 'department.log'),
    { detached },
  )
}

/** Stops what `network up` started; returns how many processes that were. */
export async function downNetwork(dir: string): Promise<number> {
  const network = readNetwork(dir)
  const pids = network.nodes
    .flatMap((node) => [node.agentPid, node.pid])
    .filter((pid): pid is number => pid !== undefined && isRunning(pid))
  await stopProcesses(pids)
  writeNetwork(dir, { ...network, nodes: network.nodes.map(({ pid: _pid, agentPid: _agentPid, ...node }) => node) })
  return pids.length
}

function record(dir: string, network: NetworkFile, change: (node: NetworkNode) => Partial<NetworkNode>): NetworkFile {
  const next = { ...network, nodes: network.nodes.map((node) => ({ ...node, ...change(node) })) }
  writeNetwork(dir, next)
  return next
}

async function untilStopped(started: readonly StartedProcess[]): Promise<void> {
  let onSignal = () => {}
  const signalled = new Promise<void>((resolve) => {
    onSignal = resolve
    process.once('SIGINT', onSignal)
    process.once('SIGTERM', onSignal)
  })
  await Promise.race([signalled, Promise.all(started.map((one) => one.exited))])
  process.off('SIGINT', onSignal)
  process.off('SIGTERM', onSignal)
  await stopProcesses(started.map((one) => one.pid))
}
