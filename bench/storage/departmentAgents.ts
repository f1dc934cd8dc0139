/**
 * The departments' databases with their agents, run inside this process instead of beside it: only so can records be loaded
 * and databases be compacted while the network goes on.
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { DepartmentDatabase } from '../../src/agent/database/departmentDatabase.js'
import { openDepartmentDatabase } from '../../src/agent/database/open.js'
import { type DepartmentService, startDepartmentService } from '../../src/agent/department/service.js'
import { silentLog } from '../../src/agent/log.js'
import type { NetworkNode } from '../../src/cli/network/file.js'
import { fromHex } from '../../src/core/bytes.js'
import { readKeyFile } from '../../src/crypto/keyFile.js'
import type { Testbed } from '../testbed/testbed.js'
import { compactedUse, type DiskUse, sumOf } from './disk.js'

const SETTLE_TIMEOUT_MS = 600_000
const SETTLE_PAUSE_MS = 50
const FINAL_TIMEOUT_MS = 120_000

interface RunningAgent {
  readonly database: DepartmentDatabase
  readonly service: DepartmentService
  /** Why it ended by itself. */
  fault?: unknown
}

export class DepartmentAgents {
  readonly #running = new Map<string, RunningAgent>()

  private constructor(private readonly testbed: Testbed) {}

  static async start(testbed: Testbed): Promise<DepartmentAgents> {
    const agents = new DepartmentAgents(testbed)
    try {
      for (const node of testbed.network.nodes) if (node.department !== undefined) await agents.#start(node)
      return agents
    } catch (error) {
      await agents.stop()
      throw error
    }
  }

  database(department: string): DepartmentDatabase {
    return this.#running.get(department)!.database
  }

  /** Waits until every agent has handled all final blocks and the chain has all that the agents had to say; resolves with the last block. */
  async settled(signal: AbortSignal): Promise<number> {
    const deadline = performance.now() + SETTLE_TIMEOUT_MS
    for (;;) {
      signal.throwIfAborted()
      const heights = await Promise.all(this.testbed.clients.map((client) => client.call('eth_blockNumber')))
      const height = Math.max(...heights.map(Number))
      const together = heights.every((one) => Number(one) === height)
      if (together && (await this.#haveHandled(height))) return height
      if (performance.now() > deadline)
        throw new Error("the departments' agents do not come to rest: see the nodes' logs")
      await delay(SETTLE_PAUSE_MS)
    }
  }

  /** Disk use of all databases after compaction. */
  async use(): Promise<DiskUse> {
    const uses: DiskUse[] = []
    for (const node of this.testbed.network.nodes) {
      if (node.department === undefined) continue
      await this.#stop(node.department)
      uses.push(await compactedUse(folderOf(this.testbed, node)))
      await this.#start(node)
    }
    return sumOf(uses)
  }

  async stop(): Promise<void> {
    for (const department of [...this.#running.keys()]) await this.#stop(department)
  }

  async #haveHandled(height: number): Promise<boolean> {
    for (const { service, database, fault } of this.#running.values()) {
      if (fault !== undefined) throw fault
      if (service.height <= height || (await database.outbox()).length > 0) return false
    }
    return true
  }

  async #start(node: NetworkNode): Promise<void> {
    const department = node.department!
    const { privateKey } = this.testbed.network.accounts[department]!
    const encryptionKeys = [await readKeyFile(join(this.testbed.dir, node.name, 'encryption.key'))]
    const connection = { rpc: { url: node.rpc }, privateKey: fromHex(privateKey), finalTimeoutMs: FINAL_TIMEOUT_MS }
    const database = await openDepartmentDatabase(folderOf(this.testbed, node))
    try {
      const service = await startDepartmentService({ connection, encryptionKeys }, { database, log: silentLog })
      const agent: RunningAgent = { database, service }
      service.finished.catch((error: unknown) => {
        agent.fault = error
      })
      this.#running.set(department, agent)
    } catch (error) {
      await database.close()
      throw error
    }
  }

  async #stop(department: string): Promise<void> {
    const agent = this.#running.get(department)
    if (agent === undefined) return
    this.#running.delete(department)
    await agent.service.stop().finally(() => agent.database.close())
  }
}

const folderOf = (testbed: Testbed, { name }: NetworkNode): string => join(testbed.dir, name, 'department')
