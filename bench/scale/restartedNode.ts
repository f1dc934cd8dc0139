/** The one node of the network that is stopped, looked into, started again, and started from nothing. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from '../../src/cli/errors.js'
import { compactStore, countStateEntries } from '../testbed/disk.js'
import type { Testbed } from '../testbed/testbed.js'
import { blockNumber } from '../testbed/transactions.js'

const POLL_MS = 10
const SYNC_TIMEOUT_MS = 400_000

export class RestartedNode {
  constructor(
    private readonly testbed: Testbed,
    /** Not the first node, whose blocks the load generator follows. */
    private readonly index: number,
    private readonly signal: AbortSignal,
  ) {}

  /** Accounts and storage slots in its store. */
  async countEntries(): Promise<number> {
    await this.testbed.stopNode(this.index)
    try {
      return await countStateEntries(this.#dataDir)
    } finally {
      await this.testbed.startNode(this.index)
    }
  }

  /** Seconds from the start of the process until it says that it is ready: it has opened its chain and found a quorum. */
  async restart(): Promise<number> {
    await this.testbed.stopNode(this.index)
    const started = performance.now()
    await this.testbed.startNode(this.index)
    return (performance.now() - started) / 1_000
  }

  /**
   * `bytes`: of its compacted chain store. `seconds`: from the start of the process with neither chain nor journal until it has
   * the network's last final block. The network has to be idle: a sealer must not vote without its journal.
   */
  async syncFromEmpty(): Promise<{ bytes: number; seconds: number }> {
    const head = await blockNumber(this.testbed.clients[0]!)
    await this.testbed.stopNode(this.index)
    const bytes = await compactStore(this.#dataDir)
    rmSync(this.#dataDir, { recursive: true })
    rmSync(join(this.#dataDir, '..', 'journal'), { recursive: true })
    const started = performance.now()
    await this.testbed.startNode(this.index)
    while ((await blockNumber(this.testbed.clients[this.index]!)) < head) {
      this.signal.throwIfAborted()
      if (performance.now() - started > SYNC_TIMEOUT_MS) throw this.#late(head)
      await delay(POLL_MS)
    }
    return { bytes, seconds: (performance.now() - started) / 1_000 }
  }

  get #dataDir(): string {
    return join(this.testbed.dir, this.testbed.network.nodes[this.index]!.dataDir)
  }

  #late(head: number): CommandError {
    const limit = SYNC_TIMEOUT_MS / 1_000
    return new CommandError(
      `a node that started from nothing did not reach block ${head} within ${limit} s\n${this.testbed.trouble()}`,
    )
  }
}
