/** The network and the client/server system that are measured, their enterprises, and what belongs to both. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DatasetCompany, type DatasetOptions, datasetCompanies } from '../../src/agent/dataset/generate.js'
import { textId } from '../../src/contracts/textId.js'
import { assert } from '../../src/core/assert.js'
import { fromHex } from '../../src/core/bytes.js'
import { BaselineClient } from '../baseline/client.js'
import { createBaseline } from '../baseline/create.js'
import { systemPath } from '../baseline/files.js'
import { type RunningBaseline, startBaseline } from '../baseline/processes.js'
import type { Run } from '../harness/experiment.js'
import { type Enterprise, enterpriseOf, registerEnterprises, sharePortraitKeys } from '../testbed/population.js'
import { Testbed } from '../testbed/testbed.js'
import { ASKER, BaselineSide, ConcordatSide } from './sides.js'
import type { LatencySizes } from './sizes.js'

const NODES = 4
/** Ports of the client/server system, above those of the network's nodes. */
const BASELINE_PORTS = 100
/** Members looked up at a time. */
const LOOKUPS = 100

export class Systems {
  readonly baseline: BaselineSide
  concordat: ConcordatSide
  #fresh: readonly Enterprise[] = []
  #used = 0
  #restore: (() => Promise<void>) | undefined

  private constructor(
    private readonly testbed: Testbed,
    private readonly client: BaselineClient,
    private readonly processes: RunningBaseline | undefined,
    private readonly root: string,
    concordat: ConcordatSide,
  ) {
    this.baseline = new BaselineSide(client)
    this.concordat = concordat
  }

  /** Starts both, or joins the running network and, where its folder has one, the client/server system beside it. */
  static async open(run: Run, sizes: LatencySizes): Promise<Systems> {
    const { network: running, basePort } = run.settings
    const dataset = datasetOf(run, sizes)
    const testbed = await Testbed.open({ running, nodes: NODES, basePort, agents: true, dataset })
    const root = mkdtempSync(join(tmpdir(), 'concordat-baseline-'))
    let processes: RunningBaseline | undefined
    try {
      let dir = join(testbed.dir, 'baseline')
      if (!existsSync(systemPath(dir))) {
        dir = join(root, 'system')
        await createBaseline({ network: testbed.dir, out: dir, basePort: basePort + BASELINE_PORTS, dataset })
        processes = await startBaseline(dir)
        if (running !== undefined) run.note(LOCAL_BASELINE)
      }
      const key = fromHex(testbed.network.accounts[ASKER]!.privateKey)
      const client = await BaselineClient.open(dir, key, join(root, 'asked.log'), sizes.askers)
      return new Systems(testbed, client, processes, root, await ConcordatSide.open(testbed))
    } catch (error) {
      await processes?.stop()
      await testbed.close()
      rmSync(root, { recursive: true, force: true })
      throw error
    }
  }

  /** Makes up to `count` enterprises known that nobody has asked about; resolves with how many there are. */
  async populate(run: Run, sizes: LatencySizes, count: number, onProgress: (share: number) => void): Promise<number> {
    const companies = await this.#unknown([...datasetCompanies(datasetOf(run, sizes))], count)
    const enterprises = companies.map((company) => enterpriseOf(company, run.settings.seed))
    const half = (from: number) => (done: number) => onProgress(from + done / enterprises.length / 2)
    await registerEnterprises(this.testbed, enterprises, half(0), run.signal)
    await sharePortraitKeys(this.testbed, enterprises, [ASKER], half(0.5), run.signal)
    this.#fresh = enterprises
    return enterprises.length
  }

  /** Keeps the state of now for when the enterprises are used up; a running network cannot be taken back. */
  async keepState(): Promise<void> {
    if (!this.testbed.own) return
    this.concordat.close()
    const snapshot = await this.testbed.snapshot()
    this.concordat = await ConcordatSide.open(this.testbed)
    this.#restore = async () => {
      this.concordat.close()
      await this.testbed.restore(snapshot)
      this.concordat = await ConcordatSide.open(this.testbed)
      this.#used = 0
    }
  }

  /** Whether fewer than `count` enterprises are left that nobody has asked about. */
  runsOut(count: number): boolean {
    return this.#used + count > this.#fresh.length
  }

  get mayRestore(): boolean {
    return this.#restore !== undefined
  }

  /** Takes the network back to the state that was kept: nobody has asked about anyone. */
  async restore(): Promise<void> {
    assert(this.#restore, 'a state was kept')
    await this.#restore()
  }

  /** Enterprises that nobody has asked about, each given once. */
  take(count: number): readonly Enterprise[] {
    assert(!this.runsOut(count), 'there are enterprises left')
    this.#used += count
    return this.#fresh.slice(this.#used - count, this.#used)
  }

  trouble(): string {
    return this.testbed.trouble()
  }

  async close(): Promise<void> {
    this.concordat.close()
    await this.client.close()
    await this.processes?.stop()
    await this.testbed.close()
    rmSync(this.root, { recursive: true, force: true })
  }

  /** On a running network others may have asked before. */
  async #unknown(companies: readonly DatasetCompany[], count: number): Promise<readonly DatasetCompany[]> {
    if (this.testbed.own) return companies.slice(0, count)
    const connection = await this.testbed.connectAs(ASKER)
    const unknown: DatasetCompany[] = []
    try {
      for (let from = 0; from < companies.length && unknown.length < count; from += LOOKUPS) {
        const some = companies.slice(from, from + LOOKUPS)
        const ids = some.map(({ truth }) => textId(truth.unifiedSocialCreditCode))
        const found = await Promise.all(ids.map((id) => connection.directory.memberById(id)))
        unknown.push(...some.filter((_, i) => found[i] === null))
      }
    } finally {
      connection.close()
    }
    return unknown.slice(0, count)
  }
}

const LOCAL_BASELINE =
  'The client/server system ran on this machine alone: the folder of the running network has no folder baseline with one on its servers.'

/** The departments of a running network hold what `concordat dataset load` gives them. */
function datasetOf({ settings }: Run, { records }: LatencySizes): DatasetOptions {
  return settings.network === undefined ? { seed: settings.seed, records } : {}
}
