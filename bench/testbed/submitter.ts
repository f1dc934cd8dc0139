/** Hands transactions to the nodes of a network, and sees when each is final. */
import { followHeads, type Heads } from '../../src/agent/heads.js'
import type { Hash, Hex } from '../../src/core/bytes.js'
import type { RpcClient } from '../../src/rpc/client.js'
import { patiently, timedOut } from './patience.js'
import { blockNumber } from './transactions.js'

export interface SignedTransaction {
  readonly raw: Hex
  readonly hash: Hash
  /** Index of the node that takes it. A sender always has the same one, so that its nonces arrive in order. */
  readonly node: number
}

export interface SeenBlock {
  /** Instant at which its header was pushed, in ms as of performance.now(). */
  readonly seenAt: number
  readonly transactions: number
  readonly bytes: number
  readonly gasUsed: number
  readonly gasLimit: number
}

/** Transactions and characters of one request: a third of what a node takes. */
const BATCH_MAX = 50
const BATCH_CHARACTERS_MAX = 350_000

/** Answers to a transaction that was sent again, though the node had taken it the first time. */
const TAKEN_BEFORE = /already known|nonce too low/

/**
 * Follows the final blocks of the first node: a pushed header gives the instant, the block's hashes give the transactions, so
 * that nothing is asked for one transaction. Transactions of one turn of the event loop travel to their node in one batch.
 */
export class Submitter {
  /** Final blocks with transactions, until taken away by the reader. */
  blocks: SeenBlock[] = []
  readonly #waiting = new Map<Hash, { resolve: (seenAt: number) => void; reject: (error: unknown) => void }>()
  readonly #heads: Heads
  readonly #outbound: SignedTransaction[][]
  /** Transactions that were sent once more because the node was too busy to answer. */
  resent = 0
  #flushing = false
  #stopped = false
  #reading: Promise<void> = Promise.resolve()

  private constructor(
    private readonly clients: readonly RpcClient[],
    /** Last block that was read. */
    private height: number,
  ) {
    this.#outbound = clients.map(() => [])
    this.#heads = followHeads(clients[0]!)
    this.#heads.onHead((height) => {
      const seenAt = performance.now()
      this.#reading = this.#reading.then(() => this.#read(height, seenAt)).catch((error) => this.#fail(error))
    })
  }

  static async open(clients: readonly RpcClient[]): Promise<Submitter> {
    return new Submitter(clients, await blockNumber(clients[0]!))
  }

  /**
   * Resolves with the instant (performance.now()) at which the header of its final block was pushed. Rejects with RpcError when
   * the node refuses it, with RpcClientError when a node cannot be reached.
   */
  send(transaction: SignedTransaction): Promise<number> {
    const final = new Promise<number>((resolve, reject) => {
      this.#waiting.set(transaction.hash, { resolve, reject })
    })
    this.#outbound[transaction.node]!.push(transaction)
    if (!this.#flushing) {
      this.#flushing = true
      setImmediate(() => this.#flush())
    }
    return final
  }

  stop(): void {
    this.#stopped = true
    this.#heads.stop()
    this.#waiting.clear()
  }

  #flush(): void {
    this.#flushing = false
    for (const [node, queue] of this.#outbound.entries()) {
      for (const batch of batches(queue.splice(0))) void this.#hand(node, batch)
    }
  }

  async #hand(node: number, batch: readonly SignedTransaction[], again = false): Promise<void> {
    const late: SignedTransaction[] = []
    try {
      const calls = batch.map(({ raw }) => ({ method: 'eth_sendRawTransaction', params: [raw] }))
      const results = await this.clients[node]!.batch(calls)
      for (const [index, result] of results.entries()) {
        if (result.ok || (again && TAKEN_BEFORE.test(result.error.message))) continue
        if (timedOut(result.error)) late.push(batch[index]!)
        else this.#reject(batch[index]!.hash, result.error)
      }
    } catch (error) {
      if (timedOut(error)) late.push(...batch)
      else for (const { hash } of batch) this.#reject(hash, error)
    }
    if (late.length === 0 || this.#stopped) return
    this.resent += late.length
    void this.#hand(node, late, true)
  }

  async #read(head: number, seenAt: number): Promise<void> {
    for (; this.height < head; this.height++) {
      const next: Hex = `0x${(this.height + 1).toString(16)}`
      const block = await patiently(() => this.clients[0]!.call('eth_getBlockByNumber', next, false))
      if (block === null)
        throw new Error(`${this.clients[0]!.url} pushed block ${head}, but has no block ${this.height + 1}`)
      const { transactions, size, gasUsed, gasLimit } = block
      if (transactions.length === 0) continue
      const sizes = { bytes: Number(size), gasUsed: Number(gasUsed), gasLimit: Number(gasLimit) }
      this.blocks.push({ seenAt, transactions: transactions.length, ...sizes })
      for (const hash of transactions as readonly Hash[]) {
        this.#waiting.get(hash)?.resolve(seenAt)
        this.#waiting.delete(hash)
      }
    }
  }

  #reject(hash: Hash, error: unknown): void {
    this.#waiting.get(hash)?.reject(error)
    this.#waiting.delete(hash)
  }

  #fail(error: unknown): void {
    for (const hash of [...this.#waiting.keys()]) this.#reject(hash, error)
  }
}

function* batches(queue: readonly SignedTransaction[]): Generator<readonly SignedTransaction[]> {
  let batch: SignedTransaction[] = []
  let characters = 0
  for (const transaction of queue) {
    const full = batch.length === BATCH_MAX || characters + transaction.raw.length > BATCH_CHARACTERS_MAX
    if (full && batch.length > 0) {
      yield batch
      batch = []
      characters = 0
    }
    batch.push(transaction)
    characters += transaction.raw.length
  }
  if (batch.length > 0) yield batch
}
