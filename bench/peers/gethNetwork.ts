/** Four geth processes that seal with Clique, in the folder of a concordat network: same keys, ports and departments' agents. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from '../../src/cli/errors.js'
import { createNetwork } from '../../src/cli/network/create.js'
import type { NetworkFile } from '../../src/cli/network/file.js'
import { startAgent } from '../../src/cli/network/lifecycle.js'
import {
  isRunning,
  type StartedProcess,
  stopProcesses,
  waitReady,
  waitSaysReady,
} from '../../src/cli/network/processes.js'
import { type Address, fromHex, type Hash } from '../../src/core/bytes.js'
import { loadGenesis } from '../../src/node/genesisFile.js'
import { createRpcClient, type RpcClient } from '../../src/rpc/client.js'
import { abortable } from '../testbed/loops.js'
import { readArtifact } from './artifact.js'
import { cliqueGenesis } from './cliqueGenesis.js'
import { type GethNode, initialiseNode, setSealing, startNode } from './gethNode.js'
import { type Head, unlessStandstill } from './standstill.js'
import { withTrouble } from './trouble.js'

export interface GethNetworkOptions {
  readonly basePort: number
  /** Seconds between blocks; 0: a block as soon as there is a transaction. */
  readonly periodSeconds: number
  /** Accounts that send transactions, beside the network's own. */
  readonly fund: readonly Address[]
  /** Fills the new folder before its first start. */
  readonly prepare?: (dir: string, network: NetworkFile) => Promise<void>
  /** Ends the start early. */
  readonly signal: AbortSignal
}

export const SEALERS = 4
/** As of the networks of bench/testbed. */
const CHAIN_ID = 20_261
const READY_TIMEOUT_MS = 60_000
const CALL_TIMEOUT_MS = 10_000
/** geth writes its state when it ends. */
const STOP_GRACE_MS = 60_000
const POLL_MS = 50
/** Of a question for the head: a node that takes longer counts as one that does not answer. */
const HEAD_TIMEOUT_MS = 2_000
/** Of each log in an error. */
const LOG_LINES = 8

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

  /** Creates the network and starts its nodes. Throws CommandError, StandstillError, or the signal's reason. */
  static async open(options: GethNetworkOptions): Promise<GethNetwork> {
    const root = mkdtempSync(join(tmpdir(), 'concordat-geth-'))
    try {
      const dir = join(root, 'net')
      const { basePort, prepare, periodSeconds, signal } = options
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
      await geth.#start(signal)
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
  async startAgents(signal: AbortSignal): Promise<void> {
    const departments = this.network.nodes.filter(({ department }) => department !== undefined)
    this.#agents = departments.map((node) => startAgent(this.dir, node, true))
    await abortable(Promise.all(this.#agents.map((agent) => waitSaysReady(agent, READY_TIMEOUT_MS))), signal)
  }

  async stopAgents(): Promise<void> {
    await stopProcesses(this.#agents.map(({ pid }) => pid))
    this.#agents = []
  }

  /** While it is not measured, a network that seals every second should not take time from one that is. */
  async setSealing(sealing: boolean): Promise<void> {
    await this.#withClients((clients) => setSealing(clients, sealing))
  }

  /** `work`, ended early with StandstillError when the sealers make no more blocks, though they should make one each second. */
  unlessStandstill<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.periodSeconds === 0) return abortable(work(signal), signal)
    const watching = (clients: readonly RpcClient[]) => {
      const heads = () => Promise.all(clients.map((client, i) => headOf(this.network.nodes[i]!.name, client)))
      return unlessStandstill({ name: 'the Clique network', heads }, signal, work)
    }
    return this.#withClients(watching, HEAD_TIMEOUT_MS)
  }

  /** Ends all processes in order; the folder stays. */
  async stop(): Promise<void> {
    await this.stopAgents()
    await stopProcesses(this.pids, STOP_GRACE_MS)
    this.#running = []
  }

  /** Ends the network and removes its folder: nobody needs what geth writes when it ends in order. */
  async close(): Promise<void> {
    await stopProcesses(
      [...this.#agents, ...this.#running].map(({ pid }) => pid),
      0,
    )
    while ([...this.#agents, ...this.#running].some(({ pid }) => isRunning(pid))) await delay(POLL_MS)
    rmSync(this.root, { recursive: true, force: true })
  }

  /** The end of the nodes' logs, and warnings and errors before it: what an error should show. */
  trouble(): string {
    return this.nodes
      .filter(({ logFile }) => existsSync(logFile))
      .map(({ logFile }) => `${logFile}:\n${telling(readFileSync(logFile, 'utf8')).join('\n')}\n`)
      .join('')
  }

  /** Starts the nodes, connects each with each, and has them seal. */
  async #start(signal: AbortSignal): Promise<void> {
    this.#running = this.nodes.map(startNode)
    try {
      const ready = this.network.nodes.map(({ rpc }, i) => waitReady(rpc, this.#running[i]!, READY_TIMEOUT_MS))
      await abortable(Promise.all(ready), signal)
      await this.#withClients(async (clients) => {
        await connectAll(clients, signal)
        await setSealing(clients, true)
        if (this.periodSeconds === 0) return
        await this.unlessStandstill(signal, (either) =>
          Promise.all(clients.map((client) => untilFirstBlock(client, either))),
        )
      })
    } catch (error) {
      const told = withTrouble(error, this.trouble(), signal)
      await this.close()
      throw told
    }
  }

  async #withClients<T>(work: (clients: readonly RpcClient[]) => Promise<T>, timeoutMs = CALL_TIMEOUT_MS): Promise<T> {
    const clients = this.network.nodes.map(({ rpc }) => createRpcClient({ url: rpc, timeoutMs }))
    try {
      return await work(clients)
    } finally {
      for (const client of clients) client.close()
    }
  }
}

/** Block 0 of every node. Departments' keys seal, as they do in the concordat network. */
async function initialise(dir: string, network: NetworkFile, options: GethNetworkOptions): Promise<GethNode[]> {
  const { basePort, periodSeconds, fund, signal } = options
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
  await Promise.all(nodes.map((node) => initialiseNode(node, genesisFile, signal)))
  return nodes
}

async function connectAll(clients: readonly RpcClient[], signal: AbortSignal): Promise<void> {
  const infos = (await Promise.all(clients.map((client) => client.request('admin_nodeInfo')))) as { enode: string }[]
  for (const [index, client] of clients.entries()) {
    for (const { enode } of infos.slice(index + 1)) await client.request('admin_addPeer', [enode])
  }
  const connected = async (client: RpcClient) => Number(await client.request('net_peerCount')) === clients.length - 1
  await Promise.all(clients.map((client) => until(() => connected(client), 'all geth nodes to be connected', signal)))
}

function untilFirstBlock(client: RpcClient, signal: AbortSignal): Promise<void> {
  return until(async () => Number(await client.call('eth_blockNumber')) > 0, 'the first block of geth', signal)
}

async function headOf(node: string, client: RpcClient): Promise<Head> {
  try {
    const header = await client.request('eth_getHeaderByNumber', ['latest'])
    const { number, hash } = header as { number: string; hash: Hash }
    return { node, block: { height: Number(number), hash } }
  } catch {
    return { node, block: undefined }
  }
}

function telling(log: string): string[] {
  const lines = log.trimEnd().split('\n')
  const warnings = lines.slice(0, -LOG_LINES).filter((line) => /^(WARN|ERROR|Fatal)/.test(line))
  return [...warnings.slice(-LOG_LINES), ...lines.slice(-LOG_LINES)]
}

async function until(reached: () => Promise<boolean>, what: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS
  while (!(await reached())) {
    if (Date.now() > deadline) {
      throw new CommandError(`waited ${READY_TIMEOUT_MS / 1_000} s for ${what}; is the machine overloaded?`)
    }
    await delay(POLL_MS, undefined, { signal })
  }
}
