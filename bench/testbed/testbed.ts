/** A network of node and agent processes to measure: one of its own in a temporary folder, or one that runs already. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Connection, connect } from '../../src/agent/connection.js'
import type { DatasetOptions } from '../../src/agent/dataset/generate.js'
import { loadDepartments } from '../../src/cli/demo/loadDepartments.js'
import { CommandError } from '../../src/cli/errors.js'
import { createNetwork } from '../../src/cli/network/create.js'
import { type NetworkFile, type NetworkNode, readNetwork, writeNetwork } from '../../src/cli/network/file.js'
import { downNetwork, startNode, upNetwork } from '../../src/cli/network/lifecycle.js'
import { isRunning, type StartedProcess, stopProcesses, waitReady } from '../../src/cli/network/processes.js'
import { createOutput } from '../../src/cli/output.js'
import { rpcOf } from '../../src/cli/rpcAccess.js'
import { fromHex } from '../../src/core/bytes.js'
import { createRpcClient, type RpcClient } from '../../src/rpc/client.js'
import { type NodeUsage, nodeUsage } from './usage.js'

export interface TestbedOptions {
  /** A running network: nothing is created, started or stopped, and everything below is ignored. */
  readonly running?: string | undefined
  /** Last blocks that others may replace, on a running chain without finality; default 0. */
  readonly replaceable?: number
  readonly nodes: number
  readonly basePort: number
  /** Start the departments' agents beside their nodes. */
  readonly agents: boolean
  /** Loaded into the departments' databases; undefined: they stay empty. */
  readonly dataset?: DatasetOptions
  /** Changes the created network before its first start. */
  readonly prepare?: (dir: string, network: NetworkFile) => Promise<void>
}

/** A copy of everything that the network has on disk. */
export interface Snapshot {
  readonly dir: string
}

const CHAIN_ID = 20_261
const CALL_TIMEOUT_MS = 60_000
const READY_TIMEOUT_MS = 600_000

export class Testbed {
  /** One a node, over HTTP and WebSocket. */
  clients: readonly RpcClient[] = []
  readonly #root: string | undefined
  #snapshots = 0

  private constructor(
    /** Folder with network.json and a folder a node. */
    readonly dir: string,
    readonly network: NetworkFile,
    private readonly agents: boolean,
    root?: string,
    readonly replaceable = 0,
  ) {
    this.#root = root
  }

  /** Creates a network and starts it, or joins the running one. Throws CommandError. */
  static async open(options: TestbedOptions): Promise<Testbed> {
    if (options.running !== undefined) {
      const testbed = new Testbed(options.running, readNetwork(options.running), true, undefined, options.replaceable)
      testbed.#connect()
      return testbed
    }
    const root = mkdtempSync(join(tmpdir(), 'concordat-bench-'))
    try {
      const dir = join(root, 'net')
      const { basePort, nodes } = options
      const timestamp = Math.floor(Date.now() / 1_000) - 60
      const ports = { basePort, baseP2pPort: basePort + 2_000 }
      const network = await createNetwork({ out: dir, nodes, hosts: [], chainId: CHAIN_ID, ...ports, timestamp })
      const testbed = new Testbed(dir, network, options.agents, root)
      const folderOf = (department: string) => testbed.folderOf(department)
      if (options.dataset) await loadDepartments(folderOf, options.dataset, createOutput(true, process.stderr))
      await options.prepare?.(dir, network)
      await testbed.start()
      return testbed
    } catch (error) {
      rmSync(root, { recursive: true, force: true })
      throw error
    }
  }

  /** The bench started it and may stop it. */
  get own(): boolean {
    return this.#root !== undefined
  }

  nodeOf(department: string): NetworkNode {
    const node = this.network.nodes.find((one) => one.department === department)
    if (node === undefined) throw new CommandError(`the network in ${this.dir} has no department ${department}`)
    return node
  }

  folderOf(department: string): string {
    return join(this.dir, this.nodeOf(department).name)
  }

  /** A connection with a named account of network.json. */
  connectAs(account: string, node: number | NetworkNode = 0): Promise<Connection> {
    const { privateKey } = this.network.accounts[account] ?? {}
    if (privateKey === undefined) throw new CommandError(`network.json in ${this.dir} has no account ${account}`)
    const { rpc, rpcToken } = typeof node === 'number' ? this.network.nodes[node]! : node
    return connect({
      rpc: { ...rpcOf(rpc, {}, rpcToken), timeoutMs: CALL_TIMEOUT_MS },
      privateKey: fromHex(privateKey),
      finalTimeoutMs: 120_000,
    })
  }

  /** Of the first `count` nodes; default all. */
  usage(count = this.network.nodes.length): Promise<readonly NodeUsage[]> {
    return Promise.all(this.network.nodes.slice(0, count).map(nodeUsage))
  }

  async start(): Promise<void> {
    await upNetwork(this.dir, { detached: true, agents: this.agents })
    this.#connect()
  }

  /** Ends all processes; the folder stays. */
  async stop(): Promise<void> {
    this.#disconnect()
    if (this.own) await downNetwork(this.dir)
  }

  /** SIGTERM to one node; resolves when its process is gone. */
  async stopNode(index: number): Promise<void> {
    const { pid } = readNetwork(this.dir).nodes[index]!
    if (pid !== undefined) await stopProcesses([pid])
  }

  /** Any signal to one node, at once. */
  signalNode(index: number, signal: NodeJS.Signals): void {
    process.kill(readNetwork(this.dir).nodes[index]!.pid!, signal)
  }

  /** SIGKILL to one node; resolves when its process is gone. */
  async killNode(index: number): Promise<void> {
    const pid = readNetwork(this.dir).nodes[index]!.pid!
    process.kill(pid, 'SIGKILL')
    while (isRunning(pid)) await delay(5)
  }

  /** Starts the process of a stopped node. */
  launchNode(index: number): StartedProcess {
    const network = readNetwork(this.dir)
    const node = network.nodes[index]!
    const started = startNode(this.dir, node, true)
    writeNetwork(this.dir, { ...network, nodes: network.nodes.with(index, { ...node, pid: started.pid }) })
    return started
  }

  /** Starts a stopped node; resolves when it is ready, seen within 25 ms. */
  async startNode(index: number): Promise<void> {
    const started = this.launchNode(index)
    await waitReady(`${this.network.nodes[index]!.rpc}/readiness`, started, READY_TIMEOUT_MS)
  }

  /** Copies the folder while the network is stopped; it runs again afterwards. */
  async snapshot(): Promise<Snapshot> {
    const dir = join(this.#root!, `snapshot-${++this.#snapshots}`)
    await this.stop()
    cpSync(this.dir, dir, { recursive: true })
    await this.start()
    return { dir }
  }

  /** Takes the network back to the snapshot and starts it. */
  async restore({ dir }: Snapshot): Promise<void> {
    await this.stop()
    rmSync(this.dir, { recursive: true, force: true })
    cpSync(dir, this.dir, { recursive: true })
    await this.start()
  }

  /** Lines of the nodes' logs above the level of information: what a failed measurement should show. */
  trouble(): string {
    if (!this.own) return ''
    return this.network.nodes
      .map(({ name }) => {
        const lines = readFileSync(join(this.dir, name, 'logs', 'node.log'), 'utf8').split('\n')
        const trouble = lines.filter((line) => line !== '' && !line.includes('"level":30')).slice(-8)
        return trouble.length === 0 ? '' : `${name}:\n${trouble.join('\n')}\n`
      })
      .join('')
  }

  /** Stops what the bench started and removes its folder. */
  async close(): Promise<void> {
    await this.stop().catch(() => {})
    if (this.#root !== undefined) rmSync(this.#root, { recursive: true, force: true })
  }

  #connect(): void {
    this.#disconnect()
    this.clients = this.network.nodes.map(({ rpc, rpcToken }) =>
      createRpcClient({ ...rpcOf(rpc, {}, rpcToken), timeoutMs: CALL_TIMEOUT_MS }),
    )
  }

  #disconnect(): void {
    for (const client of this.clients) client.close()
    this.clients = []
  }
}
