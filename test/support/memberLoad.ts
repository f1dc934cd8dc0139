/** Transactions of members all the time, through whatever node answers, until their receipts are seen; none is given up. */
import { setTimeout as delay } from 'node:timers/promises'
import type { NetworkFile } from '../../src/cli/network/file.js'
import { type Address, fromHex, type Hash, type Hex, toHex } from '../../src/core/bytes.js'
import { signTransaction } from '../../src/crypto/transaction.js'
import type { RpcClient } from '../../src/rpc/client.js'

export interface Acknowledged {
  readonly hash: Hash
  readonly blockHash: Hash
  readonly height: number
}

interface Waiting {
  readonly hash: Hash
  readonly raw: Hex
}

interface Account {
  readonly key: Uint8Array
  readonly address: Address
  nonce: bigint
  waiting: Waiting[]
}

const TO = `0x${'77'.repeat(20)}` as Address
/** Under way for each account: enough for blocks without a pause. */
const WAITING_MAX = 6
const PAUSE_MS = 60

export class MemberLoad {
  readonly acknowledged: Acknowledged[] = []
  readonly #accounts: Account[]
  #stopped = false
  #running: Promise<unknown> = Promise.resolve()
  #turn = 0

  /** `nodes`: clients of the nodes that are thought to run. */
  constructor(
    private readonly network: NetworkFile,
    private readonly nodes: () => readonly RpcClient[],
    /** Calldata of each, all zeros. */
    private readonly dataBytes = 0,
  ) {
    this.#accounts = Object.values(network.accounts).map(({ address, privateKey }) => ({
      key: fromHex(privateKey),
      address,
      nonce: 0n,
      waiting: [],
    }))
  }

  start(): void {
    this.#running = Promise.all(this.#accounts.map((account) => this.#run(account)))
    this.#running.catch(() => {})
  }

  /** Sends no new ones; resolves when all that were sent are acknowledged, or rejects after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    this.#stopped = true
    const timeout = new AbortController()
    const late = delay(timeoutMs, undefined, { signal: timeout.signal }).then(() => {
      const waiting = this.#accounts.reduce((sum, account) => sum + account.waiting.length, 0)
      throw new Error(`${waiting} transactions were not final within ${timeoutMs} ms`)
    })
    try {
      await Promise.race([this.#running, late])
    } finally {
      timeout.abort()
      late.catch(() => {})
    }
  }

  /** Gives up what is not acknowledged. */
  stop(): void {
    this.#stopped = true
    for (const account of this.#accounts) account.waiting = []
  }

  async #run(account: Account): Promise<void> {
    account.nonce = BigInt(await this.nodes()[0]!.call('eth_getTransactionCount', account.address, 'latest'))
    while (!this.#stopped || account.waiting.length > 0) {
      while (!this.#stopped && account.waiting.length < WAITING_MAX) account.waiting.push(this.#sign(account))
      const client = this.#next()
      if (client !== undefined) await this.#push(account, client).catch(() => {})
      await delay(PAUSE_MS)
    }
  }

  /** Hands over everything that waits, again and again: a node that was killed has forgotten it. */
  async #push(account: Account, client: RpcClient): Promise<void> {
    const receipts = await client.batch(
      account.waiting.map(({ hash }) => ({ method: 'eth_getTransactionReceipt', params: [hash] })),
    )
    const found = new Set<Hash>()
    for (const result of receipts) {
      if (!result.ok || result.result === null) continue
      const { transactionHash, blockHash, blockNumber } = result.result as Record<string, Hex>
      found.add(transactionHash as Hash)
      this.acknowledged.push({
        hash: transactionHash as Hash,
        blockHash: blockHash as Hash,
        height: Number(blockNumber),
      })
    }
    account.waiting = account.waiting.filter(({ hash }) => !found.has(hash))
    await client.batch(account.waiting.map(({ raw }) => ({ method: 'eth_sendRawTransaction', params: [raw] })))
  }

  #next(): RpcClient | undefined {
    const nodes = this.nodes()
    return nodes[this.#turn++ % Math.max(1, nodes.length)]
  }

  #sign(account: Account): Waiting {
    const { raw, hash } = signTransaction(
      {
        type: 2,
        chainId: BigInt(this.network.chainId),
        nonce: account.nonce++,
        gasPrice: 0n,
        maxPriorityFeePerGas: 0n,
        gasLimit: 1_000_000n,
        to: TO,
        value: 0n,
        data: new Uint8Array(this.dataBytes),
        accessList: [],
      },
      account.key,
    )
    return { raw: toHex(raw), hash }
  }
}
