/** Real networks for tests: node processes of the built program on free ports, in a folder that is gone afterwards. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { addNode } from '../../src/cli/network/addNode.js'
import { createNetwork, type NetworkPlan } from '../../src/cli/network/create.js'
import { type NetworkFile, type NetworkNode, readNetwork } from '../../src/cli/network/file.js'
import { startAgent, startNode, upNetwork } from '../../src/cli/network/lifecycle.js'
import {
  isRunning,
  type StartedProcess,
  stopProcesses,
  waitReady,
  waitSaysReady,
} from '../../src/cli/network/processes.js'
import { createRpcClient, type RpcClient } from '../../src/rpc/client.js'

export interface LocalNetwork {
  readonly dir: string
  /** As network.json says now. */
  readonly network: NetworkFile
  /** Writes the folder of one more node, which knows `peer` (default: the first); its index. It is not started. */
  add(name: string, peer?: string): Promise<number>
  client(node: number): RpcClient
  /** Sends a signal to the process of a node. */
  signal(node: number, signal: NodeJS.Signals): void
  /** SIGKILL; resolves when the process is gone. */
  kill(node: number): Promise<void>
  /** SIGTERM; resolves with true when the process ended by itself. */
  terminate(node: number): Promise<boolean>
  /** Starts a killed node again. */
  start(node: number): StartedProcess
  /** Starts a killed node again and waits until it is ready. */
  restart(node: number): Promise<StartedProcess>
  /** SIGKILL of the department agent beside a node; resolves when it is gone. */
  killAgent(node: number): Promise<void>
  /** Resolves when the agent has ended by itself. */
  agentEnded(node: number): Promise<void>
  /** Starts a killed agent again and waits until it says that it is ready. */
  restartAgent(node: number): Promise<void>
  stop(): Promise<void>
}

export async function startLocalNetwork(
  options: {
    nodes?: number
    agents?: boolean
    consensus?: NetworkPlan['consensus']
    extensions?: readonly string[]
    prepare?: (dir: string, network: NetworkFile) => void | Promise<void>
  } = {},
): Promise<LocalNetwork> {
  const nodes = options.nodes ?? 4
  const dir = mkdtempSync(join(tmpdir(), 'concordat-test-'))
  const out = join(dir, 'net')
  // Some more, for nodes that are added.
  const basePort = await freeBasePort(nodes + 4)
  const created = await createNetwork({
    out,
    nodes,
    hosts: [],
    chainId: 20_261,
    basePort,
    baseP2pPort: basePort + 2_000,
    timestamp: 1_790_000_000,
    ...(options.consensus && { consensus: options.consensus }),
    extensions: (options.extensions ?? []).map((file) => resolve(file)),
  })
  await options.prepare?.(out, created)
  let { network } = await upNetwork(out, { detached: false, agents: options.agents ?? false })
  const pids = new Map(network.nodes.map((node, index) => [index, node.pid!]))
  const agents = new Map(
    network.nodes.flatMap((node, index) => (node.agentPid === undefined ? [] : [[index, node.agentPid] as const])),
  )
  const clients = new Map<number, RpcClient>()
  const nodeAt = (index: number): NetworkNode => network.nodes[index]!
  const gone = async (pid: number) => eventually(() => !isRunning(pid), `process ${pid} to end`)
  const start = (index: number): StartedProcess => {
    const started = startNode(out, nodeAt(index), false)
    pids.set(index, started.pid)
    return started
  }
  return {
    dir: out,
    get network() {
      return network
    },
    async add(name, peer) {
      await addNode({ dir: out, name, host: '127.0.0.1', ...(peer === undefined ? {} : { peer }) })
      network = readNetwork(out)
      return network.nodes.length - 1
    },
    client(index) {
      let client = clients.get(index)
      if (client === undefined) {
        client = createRpcClient({ url: nodeAt(index).rpc })
        clients.set(index, client)
      }
      return client
    },
    signal(index, signal) {
      process.kill(pids.get(index)!, signal)
    },
    async kill(index) {
      process.kill(pids.get(index)!, 'SIGKILL')
      await gone(pids.get(index)!)
    },
    async terminate(index) {
      process.kill(pids.get(index)!, 'SIGTERM')
      await gone(pids.get(index)!)
      return true
    },
    start,
    async restart(index) {
      const started = start(index)
      await waitReady(`${nodeAt(index).rpc}/readiness`, started, 60_000)
      return started
    },
    async killAgent(index) {
      process.kill(agents.get(index)!, 'SIGKILL')
      await gone(agents.get(index)!)
    },
    async agentEnded(index) {
      await gone(agents.get(index)!)
    },
    async restartAgent(index) {
      const started = startAgent(out, nodeAt(index), false)
      agents.set(index, started.pid)
      await waitSaysReady(started, 60_000)
    },
    async stop() {
      for (const client of clients.values()) client.close()
      await stopProcesses([...agents.values(), ...pids.values()])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** What `eventually` ends with: a value that counts as yes. */
type Truthy<T> = Exclude<T, false | 0 | 0n | '' | null | undefined>

/** Waits until `condition` holds; fails after a minute, since no test waits for time to pass. */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  what: string,
  timeoutMs = 60_000,
): Promise<Truthy<T>> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value) return value as Truthy<T>
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1_000} s in vain for ${what}`)
    await delay(10)
  }
}

/** A port from which RPC, metrics (+1,000) and p2p (+2,000) of all nodes are free. */
export async function freeBasePort(nodes: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const base = 11_000 + Math.floor(Math.random() * 18_000)
    const ports = [0, 1_000, 2_000].flatMap((shift) =>
      Array.from({ length: nodes }, (_, index) => base + shift + index),
    )
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return base
  }
  throw new Error('no free ports found')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
