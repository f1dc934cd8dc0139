/** Four geth processes that seal with Clique, in the folder of a concordat network: same keys, ports and departments' agents. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from '../../src/cli/errors.js'
import { createNetwork } from '../../src/cli/network/create.js'
import type { NetworkFile } from '../../src/cli/network/file.js'
import { startAgent } from '../../src/cli/network/lifecycle.js'
import { type StartedProcess, stopProcesses, waitReady, waitSaysReady } from '../../src/cli/network/processes.js'
import { type Address, fromHex } from '../../src/core/bytes.js'
import { loadGenesis } from '../../src/node/genesisFile.js'
import { createRpcClient, type RpcClient } from '../../src/rpc/client.js'
import { readArtifact } from './artifact.js'
import { cliqueGenesis } from './cliqueGenesis.js'
import { type GethNode, initialiseNode, setSealing, startNode } from './gethNode.js'

export interface GethNetworkOptions {
  readonly basePort: number
  /** Seconds between blocks; 0: a block as soon as there is a transaction. */
  readonly periodSeconds: number
  /** Accounts that send transactions, beside the network's own. */
  readonly fund: readonly Address[]
  /** Fills the new folder before its first start. */
  readonly prepare?: (dir: string, network: NetworkFile) => Promise<void>
}

export const SEALERS = 4
/** As of the networks of bench/testbed. */
const CHAIN_ID = 20_261
const READY_TIMEOUT_MS = 60_000
/** geth writes its state when it ends. */
const STOP_GRACE_MS = 60_000
const POLL_MS = 50

export class GethNetwork {
  #running: readonly StartedProcess[] = []
  #agents: readonly StartedProcess[] = []

  private constructor(
    private readonly root: string,
    /** Folder with network.json and a folder a node. */
    readonly dir: string,
    readonly network: NetworkFile,
    readonly nodes: readonly GethNode[],
    private readonly periodSeconds: number,
  ) {}

  /** Creates the network and starts its nodes. Throws CommandError. */
  static async open(options: GethNetworkOptions): Promise<GethNetwork> {
    const root = mkdtempSync(join(tmpdir(), 'concordat-geth-'))
    try {
      const dir = join(root, 'net')
      const { basePort, prepare, periodSeconds } = options
      const ports = { basePort, baseP2pPort: basePort + 2_000 }
      const timestamp = Math.floor(Date.now() / 1_000) - 60
      const network = await createNetwork({
        out: dir,
        nodes: SEALERS,
        hosts: [],
        chainId: CHAIN_ID,
        ...ports,
        timestamp,
      })
      await prepare?.(dir, network)
      const nodes = await initialise(dir, network, options)
      const geth = new GethNetwork(root, dir, network, nodes, periodSeconds)
      await geth.#start()
      return geth
    } catch (error) {
      rmSync(root, { recursive: true, force: true })
      throw error
    }
  }

  /** Process ids of the nodes. */
  get pids(): readonly number[] {
    return this.#running.map(({ pid }) => pid)
  }

  /** Starts the departments' agents beside their nodes. */
  async startAgents(): Promise<void> {
    const departments = this.network.nodes.filter(({ department }) => department !== undefined)
    this.#agents = departments.map((node) => startAgent(this.dir, node, true))
    await Promise.all(this.#agents.map((agent) => waitSaysReady(agent, READY_TIMEOUT_MS)))
  }

  async stopAgents(): Promise<void> {
    await stopProcesses(this.#agents.map(({ pid }) => pid))
    this.#agents = []
  }

  /** While it is not measured, a network that seals every second should not take time from one that is. */
  async setSealing(sealing: boolean): Promise<void> {
    await this.#withClients((clients) => setSealing(clients, sealing))
  }

  /** Ends all processes; the folder stays. */
  async stop(): Promise<void> {
    await this.stopAgents()
    await stopProcesses(this.pids, STOP_GRACE_MS)
    this.#running = []
  }

  /** Stops the network and removes its folder. */
  async close(): Promise<void> {
    await this.stop().catch(() => {})
    rmSync(this.root, { recursive: true, force: true })
  }

  /** Lines of the nodes' logs that are warnings or errors: what a failed measurement should show. */
  trouble(): string {
    return this.nodes
      .map(({ logFile }) => {
        const lines = readFileSync(logFile, 'utf8').split('\n')
        return `${logFile}:\n${lines
          .filter((line) => /^(WARN|ERROR|Fatal)/.test(line))
          .slice(-6)
          .join('\n')}\n`
      })
      .join('')
  }

  /** Starts the nodes, connects each with each, and has them seal. */
  async #start(): Promise<void> {
    this.#running = this.nodes.map(startNode)
    try {
      await Promise.all(this.network.nodes.map(({ rpc }, i) => waitReady(rpc, this.#running[i]!, READY_TIMEOUT_MS)))
      await this.#withClients(async (clients) => {
        await connectAll(clients)
        await setSealing(clients, true)
        if (this.periodSeconds > 0) await Promise.all(clients.map(untilFirstBlock))
      })
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async #withClients<T>(work: (clients: readonly RpcClient[]) => Promise<T>): Promise<T> {
    const clients = this.network.nodes.map(({ rpc }) => createRpcClient({ url: rpc }))
    try {
      return await work(clients)
    } finally {
      for (const client of clients) client.close()
    }
  }
}

/** Block 0 of every node. Departments' keys seal, as they do in the concordat network. */
async function initialise(dir: string, network: NetworkFile, options: GethNetworkOptions): Promise<GethNode[]> {
  const { basePort, periodSeconds, fund } = options
  const genesis = loadGenesis(join(dir, 'genesis.json'))
  const own = Object.values(network.accounts).map(({ address }) => address)
  const genesisFile = join(dir, 'clique.json')
  writeFileSync(
    genesisFile,
    JSON.stringify(cliqueGenesis({ genesis, periodSeconds, fund: [...own, ...fund] }, readArtifact())),
  )
  const nodes = network.nodes.map(({ name, department }, index) => ({
    dataDir: join(dir, name, 'geth'),
    logFile: join(dir, name, 'logs', 'geth.log'),
    key: fromHex(network.accounts[department ?? name]!.privateKey),
    chainId: CHAIN_ID,
    gasLimit: genesis.gasLimit,
    rpcPort: basePort + index,
    authPort: basePort + 1_000 + index,
    p2pPort: basePort + 2_000 + index,
  }))
  await Promise.all(nodes.map((node) => initialiseNode(node, genesisFile)))
  return nodes
}

async function connectAll(clients: readonly RpcClient[]): Promise<void> {
  const infos = (await Promise.all(clients.map((client) => client.request('admin_nodeInfo')))) as { enode: string }[]
  for (const [index, client] of clients.entries()) {
    for (const { enode } of infos.slice(index + 1)) await client.request('admin_addPeer', [enode])
  }
  const connected = async (client: RpcClient) => Number(await client.request('net_peerCount')) === clients.length - 1
  await Promise.all(clients.map((client) => until(() => connected(client), 'all geth nodes to be connected')))
}

function untilFirstBlock(client: RpcClient): Promise<void> {
  return until(async () => Number(await client.call('eth_blockNumber')) > 0, 'the first block of geth')
}

async function until(reached: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS
  while (!(await reached())) {
    if (Date.now() > deadline) {
      throw new CommandError(`waited ${READY_TIMEOUT_MS / 1_000} s for ${what}; is the machine overloaded?`)
    }
    await delay(POLL_MS)
  }
}
