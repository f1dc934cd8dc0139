/** Random SIGKILLs of the nodes of a real network under load, and everything that must hold meanwhile and afterwards. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createRpcClient, type RpcClient } from '../../src/rpc/client.js'
import { eventually, freeBasePort, type LocalNetwork, startLocalNetwork } from '../support/localNetwork.js'
import { MemberLoad } from '../support/memberLoad.js'
import { Random } from '../support/random.js'
import { VoteObserver } from '../support/voteObserver.js'

export interface KillRunOptions {
  /** Processes to kill; several may go at once. */
  readonly kills: number
  readonly seed: number
  /** Limit for the first new final block after the last process of a round was started again, in ms. */
  readonly recoveryMsMax: number
  readonly say?: (line: string) => void
}

export interface KillRunReport {
  readonly kills: number
  readonly rounds: number
  /** Of each round: from the start of its last process to a block above all that were final before, in ms. */
  readonly recoveriesMs: readonly number[]
  /** To when all processes of the round had such a block. */
  readonly rejoinsMs: readonly number[]
  readonly height: number
  readonly acknowledged: number
  readonly votes: number
  readonly messages: number
  /** What must not have happened; empty when all holds. */
  readonly faults: readonly string[]
}

const NODES = [0, 1, 2, 3]
/** How many go at once. */
const GROUPS = [1, 1, 1, 1, 2, 2, 3, 4]
/** Share of the processes that are killed once more while they start. */
const AGAIN = 0.15

export async function runKills(options: KillRunOptions): Promise<KillRunReport> {
  const run = await KillRun.open(options)
  try {
    await run.kill()
    return await run.finish()
  } finally {
    await run.close()
  }
}

class KillRun {
  readonly #random: Random
  readonly #running = new Set(NODES)
  readonly #recoveriesMs: number[] = []
  readonly #rejoinsMs: number[] = []
  readonly #clients: readonly RpcClient[]
  readonly #load: MemberLoad
  #kills = 0
  #rounds = 0
  #final = 0

  private constructor(
    private readonly options: KillRunOptions,
    private readonly net: LocalNetwork,
    private readonly observer: VoteObserver,
  ) {
    this.#random = new Random(options.seed)
    this.#clients = net.network.nodes.map(({ rpc }) => createRpcClient({ url: rpc, timeoutMs: 2_000 }))
    this.#load = new MemberLoad(net.network, () => [...this.#running].map((node) => this.#clients[node]!))
  }

  static async open(options: KillRunOptions): Promise<KillRun> {
    const port = await freeBasePort(1)
    let observer: VoteObserver | undefined
    const net = await startLocalNetwork({
      prepare(dir, network) {
        observer = new VoteObserver(network, port)
        observer.install(dir)
      },
    })
    const run = new KillRun(options, net, observer!)
    await observer!.start()
    run.#load.start()
    return run
  }

  async kill(): Promise<void> {
    const { kills, say } = this.options
    let said = 0
    while (this.#kills < kills) {
      await this.#round()
      if (this.#kills - said < 10) continue
      said = this.#kills
      say?.(`${this.#kills} of ${kills} kills, block ${this.#final}, ${this.#load.acknowledged.length} acknowledged`)
    }
  }

  async #round(): Promise<void> {
    const left = this.options.kills - this.#kills
    const group = this.#random.shuffle(NODES).slice(0, Math.min(this.#random.pick(GROUPS), left))
    await delay(this.#random.between(0, 1_000))
    const before = await this.#highest()
    await Promise.all(group.map((node) => this.#killOne(node)))
    for (const node of group) await this.#startOne(node)
    const startedAt = performance.now()
    const passed = (nodes: readonly number[]) => this.#pass(nodes, before, startedAt)
    const first = Promise.any(NODES.map((node) => passed([node])))
    const [recoveryMs, rejoinMs] = await Promise.all([first, passed(group)])
    this.#recoveriesMs.push(recoveryMs)
    this.#rejoinsMs.push(rejoinMs)
    this.#rounds++
  }

  async #killOne(node: number): Promise<void> {
    this.#running.delete(node)
    await this.net.kill(node)
    this.#kills++
    this.observer.readJournal(this.#folder(node))
  }

  async #startOne(node: number): Promise<void> {
    await delay(this.#random.between(0, 300))
    this.net.start(node)
    if (this.#kills < this.options.kills && this.#random.next() < AGAIN) {
      await delay(this.#random.between(50, 1_500))
      await this.#killOne(node)
      this.net.start(node)
    }
    this.#running.add(node)
  }

  /** Resolves with the time since `startedAt` at which all `nodes` have a block above `height`. */
  async #pass(nodes: readonly number[], height: number, startedAt: number): Promise<number> {
    const reached = async () => (await Promise.all(nodes.map((node) => this.#height(node)))).every((at) => at > height)
    const { recoveryMsMax } = this.options
    await eventually(reached, `nodes ${nodes} to pass block ${height}`, recoveryMsMax)
    return performance.now() - startedAt
  }

  /** -1 while the node does not answer. */
  async #height(node: number): Promise<number> {
    return this.#clients[node]!.call('eth_blockNumber').then(Number, () => -1)
  }

  async #highest(): Promise<number> {
    this.#final = Math.max(this.#final, ...(await Promise.all(NODES.map((node) => this.#height(node)))))
    return this.#final
  }

  /** Lets the load come to its end and compares everything on all nodes. */
  async finish(): Promise<KillRunReport> {
    await this.#load.drain(60_000)
    const height = await eventually(() => this.#agreedHeight(), 'all nodes to have the same head')
    const faults = [...(await this.#chainFaults(height)), ...(await this.#receiptFaults()), ...this.#logFaults()]
    await Promise.all(NODES.map((node) => this.net.kill(node)))
    for (const node of NODES) this.observer.readJournal(this.#folder(node))
    const { votes, messages, conflicts } = this.observer
    return {
      kills: this.#kills,
      rounds: this.#rounds,
      recoveriesMs: this.#recoveriesMs,
      rejoinsMs: this.#rejoinsMs,
      height,
      acknowledged: this.#load.acknowledged.length,
      votes,
      messages,
      faults: [...faults, ...conflicts.map((conflict) => `conflicting votes: ${conflict}`)],
    }
  }

  async #agreedHeight(): Promise<number | undefined> {
    const heads = await Promise.all(
      this.#clients.map((client) => client.call('eth_getBlockByNumber', 'latest', false).catch(() => null)),
    )
    const [first] = heads
    const same = first && heads.every((head) => head?.hash === first.hash && head.stateRoot === first.stateRoot)
    return same ? Number(first.number) : undefined
  }

  /** One block for each height, the same on all nodes. */
  async #chainFaults(height: number): Promise<string[]> {
    const calls = Array.from({ length: height + 1 }, (_, at) => ({
      method: 'eth_getBlockByNumber',
      params: [`0x${at.toString(16)}`, false],
    }))
    const chains = await Promise.all(this.#clients.map((client) => hashesOf(client, calls)))
    return chains[0]!.flatMap((hash, at) =>
      chains.every((chain) => chain[at] === hash)
        ? []
        : [`two final blocks ${at}: ${chains.map((chain) => chain[at])}`],
    )
  }

  /** Whoever was told that a transaction is final finds it in the same block, at every node. */
  async #receiptFaults(): Promise<string[]> {
    const { acknowledged } = this.#load
    const calls = acknowledged.map(({ hash }) => ({ method: 'eth_getTransactionReceipt', params: [hash] }))
    const faults: string[] = []
    for (const client of this.#clients) {
      const blocks = await hashesOf(client, calls, 'blockHash')
      acknowledged.forEach(({ hash, blockHash }, at) => {
        if (blocks[at] !== blockHash) faults.push(`${client.url} has ${hash} in ${blocks[at]}, not in ${blockHash}`)
      })
    }
    return faults
  }

  /** Nobody but this run may end a process, and no node accuses another. */
  #logFaults(): string[] {
    return this.net.network.nodes.flatMap(({ name }) =>
      readFileSync(join(this.net.dir, name, 'logs', 'node.log'), 'utf8')
        .split('\n')
        .filter((line) => /"level":(50|60)/.test(line))
        .map((line) => `${name}: ${line}`),
    )
  }

  #folder(node: number): string {
    return join(this.net.dir, this.net.network.nodes[node]!.name)
  }

  async close(): Promise<void> {
    this.#load.stop()
    for (const client of this.#clients) client.close()
    await this.observer.stop()
    await this.net.stop()
  }
}

const BATCH = 100

async function hashesOf(
  client: RpcClient,
  calls: readonly { readonly method: string; readonly params: readonly unknown[] }[],
  field = 'hash',
): Promise<unknown[]> {
  const found: unknown[] = []
  for (let at = 0; at < calls.length; at += BATCH) {
    const results = await client.batch(calls.slice(at, at + BATCH))
    found.push(
      ...results.map((result) =>
        result.ok ? (result.result as Record<string, unknown> | null)?.[field] : result.error.message,
      ),
    )
  }
  return found
}
