/**
 * Sees when transactions stand in a block and when a majority of the sealers has built on it, on chains whose last blocks may
 * still be replaced. A Clique sealer may not seal again before as many others have that three blocks in a row are of three
 * sealers of four: then the block and the two above it are a majority's. That is custom, not finality: Clique has none.
 */
import type { Hash } from '../../src/core/bytes.js'
import type { RpcClient, Subscription } from '../../src/rpc/client.js'
import type { RpcBlock } from '../../src/rpc/wire.js'
import type { SignedTransaction } from '../testbed/submitter.js'
import { blockNumber } from '../testbed/transactions.js'

export interface InclusionOptions {
  /** Blocks that have to stand on a transaction's block until it counts as confirmed; 0: its block is enough. */
  readonly confirmations: number
  /** Last blocks that may still be replaced, and are read again with each new one; 0: all blocks are final. */
  readonly replaceable: number
}

interface Waiting {
  included(at: number): void
  confirmed(at: number): void
  failed(error: unknown): void
}

/** Instants in ms of performance.now(); they reject when the node refuses the transaction. */
export interface Sent {
  /** First seen in a block, which may still be replaced. */
  readonly included: Promise<number>
  readonly confirmed: Promise<number>
}

const BATCH_MAX = 50

export class Inclusions {
  /** Blocks that were seen and then replaced by others. */
  replaced = 0
  readonly #waiting = new Map<Hash, Waiting>()
  /** Seen blocks by height, as long as something about them may change. */
  readonly #blocks = new Map<number, { hash: Hash; transactions: readonly Hash[] }>()
  readonly #heads: Subscription
  readonly #outbound: SignedTransaction[][]
  #flushing = false
  #reading: Promise<void> = Promise.resolve()

  private constructor(
    private readonly clients: readonly RpcClient[],
    private readonly options: InclusionOptions,
    private height: number,
  ) {
    this.#outbound = clients.map(() => [])
    // Also a head no higher than the one before is news: it may replace that one.
    this.#heads = clients[0]!.subscribe('newHeads', [], {
      onValue: ({ number }) => {
        const seenAt = performance.now()
        this.#reading = this.#reading.then(() => this.#read(Number(number), seenAt)).catch((error) => this.#fail(error))
      },
    })
  }

  /** Follows the blocks of the first node. */
  static async open(clients: readonly RpcClient[], options: InclusionOptions): Promise<Inclusions> {
    return new Inclusions(clients, options, await blockNumber(clients[0]!))
  }

  /** Hands the transaction to its node; those of one turn of the event loop travel together. */
  send(transaction: SignedTransaction): Sent {
    const included = deferred()
    const confirmed = deferred()
    const failed = (error: unknown) => {
      included.reject(error)
      confirmed.reject(error)
    }
    this.#waiting.set(transaction.hash, { included: included.resolve, confirmed: confirmed.resolve, failed })
    // Whoever waits for one of the two sees the fault.
    for (const { promise } of [included, confirmed]) promise.catch(() => {})
    this.#outbound[transaction.node]!.push(transaction)
    if (!this.#flushing) {
      this.#flushing = true
      setImmediate(() => this.#flush())
    }
    return { included: included.promise, confirmed: confirmed.promise }
  }

  stop(): void {
    this.#heads.close()
    this.#waiting.clear()
  }

  #flush(): void {
    this.#flushing = false
    for (const [node, queue] of this.#outbound.entries()) {
      const all = queue.splice(0)
      for (let at = 0; at < all.length; at += BATCH_MAX) void this.#hand(node, all.slice(at, at + BATCH_MAX))
    }
  }

  async #hand(node: number, batch: readonly SignedTransaction[]): Promise<void> {
    const fail = ({ hash }: SignedTransaction, error: unknown) => this.#waiting.get(hash)?.failed(error)
    try {
      const calls = batch.map(({ raw }) => ({ method: 'eth_sendRawTransaction', params: [raw] }))
      const results = await this.clients[node]!.batch(calls)
      for (const [index, result] of results.entries()) if (!result.ok) fail(batch[index]!, result.error)
    } catch (error) {
      for (const transaction of batch) fail(transaction, error)
    }
  }

  async #read(head: number, seenAt: number): Promise<void> {
    const from = Math.max(1, Math.min(this.height + 1, head - this.options.replaceable))
    const heights = Array.from({ length: head - from + 1 }, (_, i) => from + i)
    const calls = heights.map((height) => ({
      method: 'eth_getBlockByNumber',
      params: [`0x${height.toString(16)}`, false],
    }))
    const results = await this.clients[0]!.batch(calls)
    for (const [index, result] of results.entries()) {
      if (!result.ok) throw result.error
      // A shorter branch may have become the chain meanwhile; its blocks come with the next head.
      if (result.result !== null) this.#see(heights[index]!, result.result as RpcBlock<Hash>, seenAt)
    }
    this.height = head
    this.#confirm(head, seenAt)
  }

  #see(height: number, { hash, transactions }: RpcBlock<Hash>, seenAt: number): void {
    const before = this.#blocks.get(height)
    if (before?.hash === hash) return
    if (before !== undefined) this.replaced++
    this.#blocks.set(height, { hash, transactions })
    for (const transaction of transactions) this.#waiting.get(transaction)?.included(seenAt)
  }

  #confirm(head: number, seenAt: number): void {
    const { confirmations, replaceable } = this.options
    for (const [height, { transactions }] of this.#blocks) {
      if (height > head - confirmations) continue
      for (const transaction of transactions) {
        this.#waiting.get(transaction)?.confirmed(seenAt)
        this.#waiting.delete(transaction)
      }
      if (height < head - Math.max(replaceable, confirmations)) this.#blocks.delete(height)
    }
  }

  #fail(error: unknown): void {
    for (const waiting of this.#waiting.values()) waiting.failed(error)
    this.#waiting.clear()
  }
}

function deferred() {
  let resolve!: (at: number) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<number>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
