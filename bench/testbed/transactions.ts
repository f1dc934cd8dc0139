/** Many signed transactions at once: signing, handing over in batches, waiting until all are final. */
import type { Fee } from '../../src/agent/fee.js'
import { followHeads } from '../../src/agent/heads.js'
import { type Address, type Hex, toHex } from '../../src/core/bytes.js'
import { signTransaction } from '../../src/crypto/transaction.js'
import type { RpcClient } from '../../src/rpc/client.js'
import { RpcError } from '../../src/rpc/errors.js'
import { abortable } from './loops.js'

/** An account whose nonces the bench counts itself. */
export interface Account {
  readonly key: Uint8Array
  readonly address: Address
  nonce: bigint
  /** What the chain wants for gas; absent: nothing. */
  fee?: Fee
}

const GAS_LIMIT = 2_000_000n
const BATCH = 50
/** Transactions handed over and not yet final, at most: less than a pool takes from one sender. */
const PENDING_MAX = 4_000
const FINAL_TIMEOUT_MS = 600_000

export function signedCall(chainId: number, from: Account, to: Address, data: Uint8Array, gasLimit = GAS_LIMIT): Hex {
  return toHex(signCall(chainId, from, to, data, gasLimit).raw)
}

/** Counts the account's nonce up. */
export function signCall(chainId: number, from: Account, to: Address, data: Uint8Array, gasLimit = GAS_LIMIT) {
  const unsigned = {
    type: 2 as const,
    chainId: BigInt(chainId),
    nonce: from.nonce++,
    gasPrice: 0n,
    maxPriorityFeePerGas: 0n,
    ...from.fee,
    gasLimit,
    to,
    value: 0n,
    data,
    accessList: [],
  }
  return signTransaction(unsigned, from.key)
}

/**
 * Sends all in order through one node and resolves when all are final. `make(i)` is called when transaction i is due, so that a
 * large load need not fit into memory. Throws RpcError when the node refuses one, RpcClientError, WaitError, the signal's reason.
 */
export async function sendAll(
  client: RpcClient,
  count: number,
  make: (index: number) => Hex,
  onProgress: (done: number) => void = () => {},
  signal: AbortSignal = new AbortController().signal,
  replaceable = 0,
): Promise<void> {
  const heads = followHeads(client)
  const counter = new FinalCounter(client, await blockNumber(client), replaceable)
  try {
    for (let sent = 0; sent < count; ) {
      signal.throwIfAborted()
      const size = Math.min(BATCH, count - sent)
      const calls = Array.from({ length: size }, (_, i) => ({
        method: 'eth_sendRawTransaction',
        params: [make(sent + i)],
      }))
      for (const result of await client.batch(calls)) if (!result.ok) throw result.error
      sent += size
      const due = sent === count ? count : sent - PENDING_MAX
      if (counter.transactions >= due) continue
      const reached = async () => ((await counter.advance()) >= due ? true : undefined)
      await abortable(heads.until(reached, FINAL_TIMEOUT_MS, `${due} transactions to be final`), signal)
      onProgress(counter.transactions)
    }
  } finally {
    heads.stop()
  }
}

/** Counts final transactions block by block. */
export class FinalCounter {
  transactions = 0
  readonly #begun: number
  /** Of counted blocks that may still be replaced. */
  readonly #counts = new Map<number, number>()

  constructor(
    private readonly client: RpcClient,
    /** Last block that is counted. */
    public height: number,
    /** Last blocks that others may replace, on a chain without finality. */
    private readonly replaceable = 0,
  ) {
    this.#begun = height
  }

  /** Counts new final blocks; resolves with the sum. */
  async advance(): Promise<number> {
    const head = await blockNumber(this.client)
    this.#forget(head)
    for (; this.height < head; this.height++) {
      const block = await this.client.call('eth_getBlockByNumber', `0x${(this.height + 1).toString(16)}`, false)
      if (block === null && this.replaceable > 0) break
      if (block === null) throw new RpcError(-32_000, `block ${this.height + 1} is missing`)
      this.transactions += block.transactions.length
      this.#counts.set(this.height + 1, block.transactions.length)
    }
    return this.transactions
  }

  /** What may have been replaced is counted again. */
  #forget(head: number): void {
    const kept = Math.max(this.#begun, Math.min(this.height, head) - this.replaceable)
    for (const [height, transactions] of this.#counts) if (height > kept) this.transactions -= transactions
    this.#counts.clear()
    this.height = kept
  }
}

export async function blockNumber(client: RpcClient): Promise<number> {
  return Number(await client.call('eth_blockNumber'))
}
