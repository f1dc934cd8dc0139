/**
 * A chain in one process behind the RpcClient interface: the real contracts and transactions, one block as soon as
 * something waits, every block final. Faults can be put between the client and the chain.
 */
import { applyGenesis } from '../../../src/contracts/genesis.js'
import type { GenesisConfig } from '../../../src/contracts/genesisTypes.js'
import { systemContracts } from '../../../src/contracts/registry.js'
import {
  type Address,
  asEpoch,
  asHeight,
  asView,
  fromHex,
  type Hash,
  type Hex,
  toHex,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '../../../src/core/bytes.js'
import type { Log } from '../../../src/core/receipt.js'
import { unsealedExtraData } from '../../../src/core/seal.js'
import { decodeTransaction } from '../../../src/core/transaction.js'
import { keccakHash } from '../../../src/crypto/keccak.js'
import { type RecoveredTransaction, recoverTransaction } from '../../../src/crypto/transaction.js'
import type { BatchResult, RpcClient, SubscriptionHandlers } from '../../../src/rpc/client.js'
import { RpcError } from '../../../src/rpc/errors.js'
import { presentTransaction } from '../../../src/rpc/present.js'
import type { CallParams, LogFilter, RpcHeader, RpcLog, RpcReceipt, RpcTransaction } from '../../../src/rpc/wire.js'
import { EMPTY_STATE } from '../../../src/state/layer.js'
import { StateOverlay } from '../../../src/state/overlay.js'
import { type CallRequest, callContract, estimateGas } from '../../../src/vm/call.js'
import type { BlockContext } from '../../../src/vm/contract.js'
import { BlockExecution } from '../../../src/vm/executeBlock.js'
import { ScratchState } from '../../../src/vm/scratchState.js'

/** Of block 0 as its header says, in seconds since 1970. */
export const BLOCK_TIME = 1_800_000_000

const quantity = (value: number | bigint): Hex => `0x${value.toString(16)}`

interface FinalTransaction {
  readonly transaction: RpcTransaction
  readonly receipt: RpcReceipt
}

type AnyHandlers = SubscriptionHandlers<unknown>

export class TestChain {
  readonly chainId: number
  height = 0
  /** Of the next block, in seconds. */
  timestamp = 1
  /** Set false to hold transactions back until `seal`. */
  sealing = true
  /** Blocks that one eth_getLogs may span. */
  logRangeBlocksMax = 10_000
  /** Spans that were asked for, refused ones too. */
  readonly logSpans: number[] = []
  /** Runs before each method; throws to make it fail, after the chain has acted when `after` is true. */
  fault: ((method: string, params: readonly unknown[], after: boolean) => void) | undefined
  /** Raw bytes of everything sent. */
  readonly sent: Uint8Array[] = []
  readonly #state: ScratchState
  readonly #gasLimit: bigint
  readonly #transactions = new Map<Hash, FinalTransaction>()
  readonly #logs: RpcLog[] = []
  readonly #blooms = new Map<number, Hex>()
  readonly #heads = new Set<AnyHandlers>()
  readonly #blockListeners = new Set<(height: number, logs: readonly Log[]) => void>()
  readonly #logSubscriptions = new Set<{ filter: LogFilter; handlers: AnyHandlers }>()
  #pool: RecoveredTransaction[] = []

  constructor(genesis: GenesisConfig) {
    const base = new StateOverlay(EMPTY_STATE)
    applyGenesis(base, genesis)
    this.chainId = genesis.chainId
    this.#gasLimit = genesis.gasLimit
    this.#state = new ScratchState(base)
  }

  /**
   * A client of its own, which notes its methods in `calls`; closing it ends its subscriptions. `node` answers what is no
   * matter of the chain: undefined for methods that it does not know.
   */
  client(calls: string[] = [], node?: (method: string, params: readonly unknown[]) => unknown): RpcClient {
    const open = new Set<() => void>()
    let closed = false
    const request = async (method: string, params: readonly unknown[] = []): Promise<unknown> => {
      if (closed) throw new Error('client is closed')
      await new Promise((resolve) => setImmediate(resolve))
      calls.push(method)
      this.fault?.(method, params, false)
      const ofNode = node?.(method, params)
      const result = structuredClone(ofNode === undefined ? this.#answer(method, params) : await ofNode)
      this.fault?.(method, params, true)
      return result
    }
    return {
      url: 'test:',
      call: (method, ...params) => request(method, params) as never,
      request,
      batch: (calls) => Promise.all(calls.map(({ method, params }) => request(method, params).then(success, failure))),
      subscribe: (kind, params, handlers) => {
        const close = this.#subscribe(kind, params as readonly unknown[], handlers as AnyHandlers)
        open.add(close)
        return { close }
      },
      close() {
        closed = true
        for (const close of open) close()
      },
    }
  }

  /** The chain as the parts of a node read it. */
  readonly final = {
    height: () => this.height,
    state: () => this.#state,
    context: () => this.#context(this.height),
    call: (call: CallRequest) => callContract(this.#state, this.#context(this.height), call, systemContracts),
    submit: (raw: Uint8Array) => void this.#submit(raw),
    pendingNonce: (address: Address) => this.#pendingNonce(address),
  }

  /** Calls back after each block. */
  onBlock(listener: (height: number, logs: readonly Log[]) => void): () => void {
    this.#blockListeners.add(listener)
    return () => this.#blockListeners.delete(listener)
  }

  /** Forgets what waits, as a node does that is restarted. */
  lose(): void {
    this.#pool = []
  }

  /** Seals one block with everything that can run; an empty one too. */
  seal(): void {
    const block = this.#context(this.height + 1)
    const execution = new BlockExecution(this.#state, block, systemContracts)
    const left: RecoveredTransaction[] = []
    for (const tx of this.#pool) if (!execution.tryTransaction(tx).ok) left.push(tx)
    this.#pool = left
    this.height++
    const logs = this.#record(execution)
    const logsBloom = toHex(execution.result().logsBloom)
    this.#blooms.set(this.height, logsBloom)
    const header = { number: quantity(this.height), hash: this.#hash(this.height), logsBloom } as RpcHeader
    const plain = logs.map(({ address, topics, data }) => ({ address, topics, data: fromHex(data) }))
    for (const listener of [...this.#blockListeners]) listener(this.height, plain)
    for (const handlers of [...this.#heads]) handlers.onValue(header)
    for (const { filter, handlers } of [...this.#logSubscriptions]) {
      for (const log of logs) if (matches(filter, log)) handlers.onValue(log)
    }
  }

  logs(): readonly RpcLog[] {
    return this.#logs
  }

  receipt(hash: Hash): RpcReceipt | undefined {
    return this.#transactions.get(hash)?.receipt
  }

  #record(execution: BlockExecution): RpcLog[] {
    const { receipts } = execution.result()
    const place = {
      blockHash: this.#hash(this.height),
      blockNumber: quantity(this.height),
      blockTimestamp: '0x1' as Hex,
    }
    const blockLogs: RpcLog[] = []
    execution.transactions.forEach((tx, index) => {
      const receipt = receipts[index]!
      const own = { ...place, transactionHash: tx.hash, transactionIndex: quantity(index) }
      const parties = { from: tx.sender, to: tx.to }
      const logs = receipt.logs.map((log) => {
        const shown = {
          ...own,
          address: log.address,
          topics: log.topics,
          data: toHex(log.data),
          removed: false,
        } as const
        const placed = { ...shown, logIndex: quantity(blockLogs.length) }
        blockLogs.push(placed)
        return placed
      })
      const transaction = presentTransaction(tx, place, index)
      const result = { ...own, ...parties, status: quantity(receipt.status), logs } as unknown as RpcReceipt
      this.#transactions.set(tx.hash, { transaction, receipt: result })
    })
    this.#logs.push(...blockLogs)
    return blockLogs
  }

  #subscribe(kind: string, params: readonly unknown[], handlers: AnyHandlers): () => void {
    queueMicrotask(() => handlers.onConnected?.())
    if (kind === 'newHeads') {
      this.#heads.add(handlers)
      return () => this.#heads.delete(handlers)
    }
    const entry = { filter: params[0] as LogFilter, handlers }
    this.#logSubscriptions.add(entry)
    return () => this.#logSubscriptions.delete(entry)
  }

  #answer(method: string, params: readonly unknown[]): unknown {
    const [first] = params
    switch (method) {
      case 'eth_chainId':
        return quantity(this.chainId)
      case 'eth_gasPrice':
      case 'eth_maxPriorityFeePerGas':
        return '0x0'
      case 'eth_blockNumber':
        return quantity(this.height)
      case 'eth_call':
        return this.#call(first as CallParams)
      case 'eth_estimateGas':
        return this.#estimate(first as CallParams)
      case 'eth_getTransactionCount':
        return quantity(
          params[1] === 'latest'
            ? (this.#state.account(first as Address)?.nonce ?? 0n)
            : this.#pendingNonce(first as Address),
        )
      case 'eth_sendRawTransaction':
        return this.#submit(fromHex(first as Hex))
      case 'eth_getTransactionByHash':
        return this.#transactions.get(first as Hash)?.transaction ?? null
      case 'eth_getTransactionReceipt':
        return this.#transactions.get(first as Hash)?.receipt ?? null
      case 'eth_getBlockByNumber':
        return this.#header(first === 'latest' ? this.height : Number(first))
      case 'eth_getBlockReceipts':
        return [...this.#transactions.values()]
          .map(({ receipt }) => receipt)
          .filter(({ blockNumber }) => blockNumber === first)
      case 'eth_getLogs':
        return this.#getLogs(first as LogFilter)
      default:
        throw new RpcError(-32601, `the method ${method} does not exist/is not available`)
    }
  }

  #getLogs(filter: LogFilter): readonly RpcLog[] {
    const heightOf = (end: string | undefined) => (end?.startsWith('0x') ? Number(end) : this.height)
    const span = heightOf(filter.toBlock) - heightOf(filter.fromBlock) + 1
    this.logSpans.push(span)
    if (span > this.logRangeBlocksMax) throw new RpcError(-32602, `block range of ${span} exceeds the limit`)
    return this.#logs.filter((log) => matches(filter, log))
  }

  /** Blocks are a second and a millisecond apart. */
  #header(height: number): Pick<RpcHeader, 'number' | 'timestamp' | 'extraData' | 'logsBloom'> {
    const vanity = { epoch: asEpoch(0), view: asView(height), ms: height % 1_000 }
    const timestamp = quantity(BLOCK_TIME + height)
    const logsBloom = this.#blooms.get(height) ?? toHex(new Uint8Array(256))
    return { number: quantity(height), timestamp, extraData: toHex(unsealedExtraData(vanity)), logsBloom }
  }

  #call(params: CallParams): Hex {
    const result = callContract(this.#state, this.#context(this.height), request(params), systemContracts)
    if (result.ok) return toHex(result.returnData)
    throw fault(result)
  }

  #estimate(params: CallParams): Hex {
    const result = estimateGas(this.#state, this.#context(this.height), request(params), systemContracts)
    if (result.ok) return quantity(result.gas)
    throw fault(result)
  }

  #submit(raw: Uint8Array): Hash {
    const tx = recoverTransaction(decodeTransaction(raw))
    if (this.#pool.some(({ hash }) => hash === tx.hash) || this.#transactions.has(tx.hash)) {
      throw new RpcError(-32000, 'already known')
    }
    if (tx.nonce < (this.#state.account(tx.sender)?.nonce ?? 0n)) throw new RpcError(-32000, 'nonce too low')
    this.#pool.push(tx)
    this.sent.push(raw)
    if (this.sealing) setImmediate(() => this.sealing && this.#pool.length > 0 && this.seal())
    return tx.hash
  }

  #pendingNonce(address: Address): bigint {
    const waiting = new Set(this.#pool.filter(({ sender }) => sender === address).map(({ nonce }) => nonce))
    let next = this.#state.account(address)?.nonce ?? 0n
    while (waiting.has(next)) next++
    return next
  }

  #context(height: number): BlockContext {
    const chain = { chainId: BigInt(this.chainId), genesisHash: ZERO_HASH }
    return {
      number: asHeight(height),
      timestamp: this.timestamp,
      ...chain,
      sealer: ZERO_ADDRESS,
      gasLimit: this.#gasLimit,
    }
  }

  #hash(height: number): Hash {
    return keccakHash(Uint8Array.of(height & 255, height >> 8))
  }
}

const success = (result: unknown): BatchResult => ({ ok: true, result })

function failure(error: unknown): BatchResult {
  if (error instanceof RpcError) return { ok: false, error }
  throw error
}

function request({ from, to, data }: CallParams) {
  return { from: from ?? ZERO_ADDRESS, to: to ?? null, data: fromHex(data ?? '0x'), value: 0n, gas: undefined }
}

function fault(result: { code: string; returnData?: Uint8Array; message?: string }): RpcError {
  if (result.returnData) return new RpcError(3, 'execution reverted', toHex(result.returnData))
  return new RpcError(-32000, result.message ?? 'failed')
}

function matches(filter: LogFilter, log: RpcLog): boolean {
  const addresses = filter.address === undefined ? undefined : [filter.address].flat()
  const height = Number(log.blockNumber)
  if (filter.fromBlock?.startsWith('0x') && height < Number(filter.fromBlock)) return false
  if (filter.toBlock?.startsWith('0x') && height > Number(filter.toBlock)) return false
  if (addresses && !addresses.includes(log.address)) return false
  return (filter.topics ?? []).every((topic, i) => {
    return topic === null || [topic].flat().includes(log.topics[i] ?? ZERO_HASH)
  })
}
