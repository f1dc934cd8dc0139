/** `network up` and `down`: the processes of a local network. */
import { join } from 'node:path'
import { createRpcClient } from '../../rpc/client.js'
import { CommandError } from '../errors.js'
import { type NetworkFile, type NetworkNode, readNetwork, writeNetwork } from './file.js'
import { isRunning, type StartedProcess, startProcess, stopProcesses, waitReady, waitSaysReady } from './processes.js'

const READY_TIMEOUT_MS = 60_000

export interface RunningNetwork {
  readonly network: NetworkFile
  /** Resolves after SIGINT, SIGTERM or the end of every process; by then all are stopped. */
  untilStopped(): Promise<void>
}

/** Starts all nodes of `dir` (and their agents) and waits until each is ready. */
export async function upNetwork(dir: string, options: { detached: boolean; agents: boolean }): Promise<RunningNetwork> {
  let network = readNetwork(dir)
  const alive = network.nodes.find((node) => node.pid !== undefined && isRunning(node.pid))
  if (alive !== undefined)
    throw new CommandError(
      `${alive.name} runs already (pid ${alive.pid}); stop the network with: concordat network down ${dir}`,
    )
  const started = network.nodes.map((node) => startNode(dir, node, options.detached))
  network = record(dir, network, (_, index) => ({ pid: started[index]!.pid }))
  try {
    await Promise.all(
      network.nodes.map((node, index) => waitReady(`${node.rpc}/readiness`, started[index]!, READY_TIMEOUT_MS)),
    )
    await Promise.all(network.nodes.map((node) => assertOfNetwork(node, network)))
    if (options.agents) {
      const agents = network.nodes.map((node) =>
        node.department === undefined ? undefined : startAgent(dir, node, options.detached),
      )
      network = record(dir, network, (_, index) => (agents[index] === undefined ? {} : { agentPid: agents[index].pid }))
      const running = agents.filter((agent) => agent !== undefined)
      started.push(...running)
      await Promise.all(running.map((agent) => waitSaysReady(agent, READY_TIMEOUT_MS)))
    }
  } catch (error) {
    await stopProcesses(started.map((process) => process.pid))
    throw error
  }
  return { network, untilStopped: () => untilStopped(started) }
}

/** A node of another network on the same port answers /readiness as well, while ours ends because the port is taken. */
async function assertOfNetwork(node: NetworkNode, { genesisHash }: NetworkFile): Promise<void> {
  const client = createRpcClient({ url: node.rpc })
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

function record(
  dir: string,
  network: NetworkFile,
  change: (node: NetworkNode, index: number) => Partial<NetworkNode>,
): NetworkFile {
  const next = { ...network, nodes: network.nodes.map((node, index) => ({ ...node, ...change(node, index) })) }
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
