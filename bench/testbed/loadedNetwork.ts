/** A network with registered enterprises, ready to be loaded with submissions. */
import { dataSharing, view } from '../../src/agent/contractClient.js'
import { datasetCompanies } from '../../src/agent/dataset/generate.js'
import { CommandError } from '../../src/cli/errors.js'
import type { NetworkFile } from '../../src/cli/network/file.js'
import type { RpcClient } from '../../src/rpc/client.js'
import { untilIdle } from './idle.js'
import { closedLoop, openLoop, type Timed } from './loops.js'
import { patiently } from './patience.js'
import { enterpriseOf, registerEnterprises } from './population.js'
import { SubmissionMaker, type SubmissionShape } from './submissions.js'
import { type SeenBlock, Submitter } from './submitter.js'
import { Testbed } from './testbed.js'
import type { NodeUsage } from './usage.js'

export interface LoadedNetworkOptions {
  readonly running: string | undefined
  readonly nodes: number
  readonly basePort: number
  readonly seed: string
  /** Enterprises that submit in turn. */
  readonly senders: number
  readonly signal: AbortSignal
  /** Only the first so many nodes take transactions and are looked at: the others may be away. Default all. */
  readonly taking?: number
  /** Changes the created network before its first start. */
  readonly prepare?: (dir: string, network: NetworkFile) => Promise<void>
}

/** What a load did. */
export interface Loaded {
  readonly operations: readonly Timed[]
  /** Those that were final before the last one was begun: the rest drained into emptier blocks. */
  readonly inTime: readonly Timed[]
  readonly transactions: number
  /** Of a signed transaction, on average. */
  readonly bytes: number
  /** Sent once more because the node was too busy to answer; the time counts on. */
  readonly resent: number
  /** Final blocks with transactions, as they were seen. */
  readonly blocks: readonly SeenBlock[]
  /** CPU time of this process while the load was on, without what was signed before, in µs. */
  readonly generatorMicros: number
  /** Of the nodes before and after; undefined where /metrics of a node cannot be reached. */
  readonly usage: { readonly before: readonly NodeUsage[]; readonly after: readonly NodeUsage[] } | undefined
}

/** Patience with a load beyond its own duration: a node that loses transactions would be waited for without end. */
const LOAD_TIMEOUT_MS = 120_000

/** A rate needs some blocks, however slow the machine is. */
const BLOCKS_MIN = 6

export class LoadedNetwork {
  readonly #transactionBytes = new Map<string, number>()

  private constructor(
    readonly testbed: Testbed,
    private readonly submissions: SubmissionMaker,
    private submitter: Submitter,
    private readonly signal: AbortSignal,
    private readonly taking: number,
  ) {}

  static async open(options: LoadedNetworkOptions): Promise<LoadedNetwork> {
    const { running, nodes, basePort, seed, senders, signal, taking = Number.POSITIVE_INFINITY, prepare } = options
    const testbed = await Testbed.open({ running, nodes, basePort, agents: false, ...(prepare && { prepare }) })
    try {
      const companies = [...datasetCompanies({ seed, records: senders })]
      const enterprises = companies.map((company) => enterpriseOf(company, seed))
      await registerEnterprises(testbed, enterprises, undefined, signal)
      const clients = testbed.clients.slice(0, taking)
      const submissions = await SubmissionMaker.create(clients, testbed.network.chainId, enterprises, seed)
      return new LoadedNetwork(testbed, submissions, await Submitter.open(clients), signal, taking)
    } catch (error) {
      await testbed.close()
      throw error
    }
  }

  /** Of the nodes that take transactions. */
  get clients(): readonly RpcClient[] {
    return this.testbed.clients.slice(0, this.taking)
  }

  get nodes(): number {
    return this.testbed.network.nodes.length
  }

  /** Bytes of one signed transaction; those of the first one, as nonces and signatures differ by a byte or two. */
  transactionBytes(shape: SubmissionShape): number {
    const key = `${shape.departments} ${shape.envelopeBytes}`
    const known = this.#transactionBytes.get(key)
    if (known !== undefined) return known
    const sample = this.submissions.stock(shape, 1)
    const bytes = (sample.first.raw.length - 2) / 2
    sample.release()
    this.#transactionBytes.set(key, bytes)
    return bytes
  }

  /** Submissions due at a fixed rate, from an idle network to an idle network. */
  open(shape: SubmissionShape, perSecond: number, seconds: number): Promise<Loaded> {
    const count = Math.max(2, Math.round(perSecond * seconds))
    return this.#load(shape, count, (operate, signal) => openLoop({ operate, signal, perSecond, count }))
  }

  /**
   * `clients` submissions under way at a time for `seconds`, or until some blocks are final, from an idle network to an idle
   * network. `signedPerSecond`: how many are signed beforehand; beyond these they are signed as they are sent.
   */
  closed(shape: SubmissionShape, clients: number, seconds: number, signedPerSecond: number): Promise<Loaded> {
    const stocked = Math.ceil(clients + signedPerSecond * seconds)
    return this.#load(shape, stocked, (operate, signal) =>
      closedLoop({ operate, signal, clients, seconds, endsMin: BLOCKS_MIN }),
    )
  }

  /** `count` submissions, `clients` under way at a time, from an idle network to an idle network. */
  fill(shape: SubmissionShape, clients: number, count: number, signed = 0): Promise<Loaded> {
    return this.#load(shape, signed, (operate, signal) => closedLoop({ operate, signal, clients, count }))
  }

  /** Waits until no transaction waits anywhere and all nodes have the same head. */
  idle(): Promise<void> {
    return untilIdle(this.clients, this.signal)
  }

  /** Runs `work` while no node runs. */
  async whileStopped<T>(work: () => Promise<T>): Promise<T> {
    await this.testbed.stop()
    try {
      return await work()
    } finally {
      await this.testbed.start()
      await this.reconnect()
    }
  }

  /** After the testbed was stopped and started. */
  async reconnect(): Promise<void> {
    this.submitter.stop()
    this.submitter = await Submitter.open(this.clients)
  }

  async close(): Promise<void> {
    this.submitter.stop()
    await this.testbed.close()
  }

  async #load(
    shape: SubmissionShape,
    stocked: number,
    loop: (operate: (index: number) => Promise<number>, signal: AbortSignal) => Promise<Timed[]>,
  ): Promise<Loaded> {
    const stock = this.submissions.stock(shape, stocked)
    await this.idle()
    const before = await this.#submissionCount()
    this.submitter.blocks = []
    this.submitter.resent = 0
    const timeout = AbortSignal.timeout(LOAD_TIMEOUT_MS)
    try {
      const usageBefore = await this.#usage()
      const cpuBefore = process.cpuUsage()
      const operate = () => this.submitter.send(stock.next())
      const operations = await loop(operate, AbortSignal.any([this.signal, timeout]))
      const { user, system } = process.cpuUsage(cpuBefore)
      await this.idle()
      const usageAfter = await this.#usage()
      await this.#checkCount(before, stock.taken)
      const lastBegun = operations.reduce((last, { startedAt }) => Math.max(last, startedAt), 0)
      return {
        operations,
        inTime: operations.filter(({ endedAt }) => endedAt <= lastBegun),
        transactions: stock.taken,
        bytes: stock.takenBytes / stock.taken,
        resent: this.submitter.resent,
        blocks: this.submitter.blocks,
        generatorMicros: user + system,
        usage: usageBefore && usageAfter && { before: usageBefore, after: usageAfter },
      }
    } catch (error) {
      throw timeout.aborted && !this.signal.aborted ? this.#lost() : error
    } finally {
      stock.release()
    }
  }

  async #usage(): Promise<readonly NodeUsage[] | undefined> {
    try {
      return await this.testbed.usage(Math.min(this.taking, this.nodes))
    } catch (error) {
      if (this.testbed.own) throw error
      return undefined
    }
  }

  async #submissionCount(): Promise<number> {
    return Number(await patiently(() => view(this.testbed.clients[0]!, dataSharing, 'submissionCount', {})))
  }

  /** A refused submission is final too, and much cheaper: figures would be of something else. */
  async #checkCount(before: number, count: number): Promise<void> {
    const stored = (await this.#submissionCount()) - before
    if (stored < count) {
      throw new CommandError(
        `the contract stored ${stored} of ${count} submissions; are the enterprises of this seed active members of the network?`,
      )
    }
  }

  #lost(): CommandError {
    const limit = LOAD_TIMEOUT_MS / 1_000
    return new CommandError(
      `submissions were not final within ${limit} s; look at the nodes' logs, or measure with less load\n${this.testbed.trouble()}`,
    )
  }
}
