/** A network of four processes that grows: enterprises come, submit, are asked about; and what it then has on disk. */
import { join } from 'node:path'
import type { Connection } from '../../src/agent/connection.js'
import { members } from '../../src/agent/contractClient.js'
import { DATASET_DEPARTMENTS } from '../../src/agent/dataset/departments.js'
import type { DatasetCompany } from '../../src/agent/dataset/generate.js'
import { ROLE } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { type Address, toHash, utf8 } from '../../src/core/bytes.js'
import { generateEncryptionKey } from '../../src/crypto/encryptionKey.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { type Enterprise, enterpriseOf, registerEnterprises, sharePortraitKeys } from '../testbed/population.js'
import { Testbed } from '../testbed/testbed.js'
import { askAboutAll } from './coldQueries.js'
import { DepartmentAgents } from './departmentAgents.js'
import type { DiskUse } from './disk.js'
import { measureNode, type NodeDisk, type PortraitShare } from './nodeDisk.js'
import { FIRST_USERS, rowsOf } from './recordStores.js'
import { submitAll } from './submissions.js'

const NODES = 4

export interface NetworkDisk {
  readonly departments: DiskUse
  /** In the order of network.json. */
  readonly nodes: readonly (NodeDisk & { readonly name: string })[]
}

export interface Context {
  readonly basePort: number
  readonly seed: string
  readonly signal: AbortSignal
}

/** Told how much of the work in hand is done, 0 to 1. */
export type Report = (share: number) => void

export class SharingNetwork {
  readonly enterprises: Enterprise[] = []
  #asked = 0

  private constructor(
    readonly testbed: Testbed,
    private readonly agents: DepartmentAgents,
    private readonly context: Context,
  ) {}

  static async open(context: Context): Promise<SharingNetwork> {
    const testbed = await Testbed.open({ nodes: NODES, basePort: context.basePort, agents: false })
    try {
      return new SharingNetwork(testbed, await DepartmentAgents.start(testbed), context)
    } catch (error) {
      await testbed.close()
      throw error
    }
  }

  /** Enterprises whose records the departments have: registered, with their portrait key given to these departments. */
  async join(companies: readonly DatasetCompany[], users: readonly string[], report: Report): Promise<void> {
    for (const { id } of DATASET_DEPARTMENTS) await this.agents.database(id).bulkLoad(rowsOf(companies, [id]))
    const coming = await this.#register(companies, (share) => report(share / 2))
    await this.share(coming, users, (share) => report(0.5 + share / 2))
  }

  /** Enterprises whose records reach the departments through the chain. */
  async submit(companies: readonly DatasetCompany[], report: Report): Promise<void> {
    const before = await this.#records()
    const coming = await this.#register(companies, (share) => report(0.2 * share))
    const each = (done: number) => report(0.2 + (0.4 * done) / coming.length)
    await submitAll(this.testbed, coming, each, this.context.signal)
    await this.share(coming, FIRST_USERS, (share) => report(0.6 + 0.2 * share))
    await this.agents.settled(this.context.signal)
    const sent = companies.reduce((sum, { rows }) => sum + rows.length, 0)
    const kept = (await this.#records()) - before
    if (kept !== sent) throw new Error(`the departments stored ${kept} of ${sent} submitted records`)
  }

  /** The operator registers departments without node or database, which ask through the nodes there are; resolves with their accounts. */
  async addDepartments(names: readonly string[]): Promise<readonly Address[]> {
    const operator = await this.testbed.connectAs('operator')
    try {
      return await Promise.all(names.map((name) => registerDepartment(operator, name, this.context.seed)))
    } finally {
      operator.close()
    }
  }

  /** Each enterprise gives its portrait key to these departments, names of the network or accounts. */
  async share(enterprises: readonly Enterprise[], users: readonly string[], report: Report): Promise<void> {
    const each = (done: number) => report(done / enterprises.length)
    await sharePortraitKeys(this.testbed, enterprises, users, each, this.context.signal)
  }

  /** Asks about enterprises in the order in which they came, until `count` of them have been asked about. */
  async ask(count: number, report: Report): Promise<void> {
    const asked = this.enterprises.slice(this.#asked, count)
    await this.agents.settled(this.context.signal)
    await askAboutAll(this.testbed, FIRST_USERS[0], asked, (done) => report(done / asked.length), this.context.signal)
    this.#asked = count
  }

  /** Everything compacted; waits for the agents first. */
  async measure(): Promise<NetworkDisk> {
    const height = await this.agents.settled(this.context.signal)
    const asked = this.enterprises.slice(0, this.#asked).map(({ id }) => id)
    let portraits: PortraitShare = { enterprises: asked }
    const nodes: (NodeDisk & { readonly name: string })[] = []
    for (const { name } of this.testbed.network.nodes) {
      const folder = join(this.testbed.dir, name)
      const { disk, portraitShare } = await measureNode(folder, join(this.testbed.dir, 'copy'), height, portraits)
      nodes.push({ ...disk, name })
      portraits = portraitShare
    }
    return { departments: await this.agents.use(), nodes }
  }

  async close(): Promise<void> {
    await this.agents.stop().catch(() => {})
    await this.testbed.close()
  }

  async #register(companies: readonly DatasetCompany[], report: Report): Promise<readonly Enterprise[]> {
    const coming = companies.map((company) => enterpriseOf(company, this.context.seed))
    const each = (done: number) => report(done / coming.length)
    await registerEnterprises(this.testbed, coming, each, this.context.signal)
    this.enterprises.push(...coming)
    return coming
  }

  async #records(): Promise<number> {
    const counts = await Promise.all(DATASET_DEPARTMENTS.map(({ id }) => this.agents.database(id).count()))
    return counts.reduce((sum, count) => sum + count, 0)
  }
}

async function registerDepartment({ sender }: Connection, name: string, seed: string): Promise<Address> {
  const account = privateKeyToAddress(keccak256(utf8(`${seed}/department/${name}`)))
  const encryptionKey = toHash(generateEncryptionKey().publicKey)
  const member = { account, role: ROLE.department, id: textId(name), name, encryptionKey }
  const receipt = await sender.final(await sender.send(members, 'registerMember', { member }))
  if (receipt.status !== '0x1') throw new Error(`${name} could not be registered`)
  return account
}
