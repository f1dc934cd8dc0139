/** A chain in memory behind ChainApi: no consensus, one contract, real transactions, hashes, roots and blooms. */
import {
  type Abi,
  type AbiFunction,
  decodeFunctionData,
  encodeErrorResult,
  encodeEventTopics,
  encodeFunctionResult,
  parseAbi,
  toFunctionSelector,
} from 'viem'
import { type Block, encodeBlock } from '../../src/core/block.js'
import {
  type Address,
  asEpoch,
  asHeight,
  asView,
  fromHex,
  type Hash,
  type Height,
  toHash,
  toHex,
  uintToWord,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '../../src/core/bytes.js'
import { EMPTY_OMMERS_HASH, EMPTY_TRIE_ROOT, encodeHeader, type Header } from '../../src/core/header.js'
import type { Log, Receipt } from '../../src/core/receipt.js'
import { decodeTransaction, TransactionError } from '../../src/core/transaction.js'
import { logsBloom, mergeBloom } from '../../src/crypto/bloom.js'
import { hashHeader } from '../../src/crypto/header.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { recoverTransaction } from '../../src/crypto/transaction.js'
import type {
  CallOutcome,
  CallRequest,
  ChainApi,
  ChainState,
  ChainTransaction,
  FinalBlock,
  FinalBlockEvent,
  SubmitFault,
  SubmitResult,
  SyncStatus,
} from '../../src/rpc/chainApi.js'

export const COUNTER = '0x0000000000000000000000000000000000c0de99' as Address
export const CHAIN_ID = 20261
export const SEALER = `0x${'5e'.repeat(20)}` as Address

export const counterAbi = parseAbi([
  'function increment(uint256 by) returns (uint256 value)',
  'function value() view returns (uint256 value)',
  'function refuse(string reason) view',
  'function refuseCustom(uint256 amount) view',
  'function spam(uint256 logCount, uint256 dataBytes)',
  'event Incremented(address indexed by, uint256 value)',
  'error TooMany(uint256 amount)',
])

const SELECTORS = new Set(['increment', 'value', 'refuse', 'refuseCustom', 'spam'].map(selectorOf))

const GAS = 30_000n
const GAS_LIMIT = 30_000_000n

export interface FakeChain extends ChainApi {
  /** Seals what the pool holds into the next block (an empty one when it holds nothing). */
  seal(): FinalBlock
  sealMany(count: number): void
  /** Seal each transaction as soon as it is submitted. */
  autoSeal: boolean
  ready: boolean
  /** What `syncing` answers. */
  lag: SyncStatus
  /** First block that is kept; blocks below it are there by header alone. */
  oldest: number
  /** Thrown by the next state(): a defect of the node. */
  defect: Error | undefined
  listeners(): number
}

export function createFakeChain(): FakeChain {
  const blocks: FinalBlock[] = []
  const receiptsOf: Receipt[][] = []
  const heights = new Map<Hash, Height>()
  const places = new Map<Hash, { blockNumber: Height; index: number }>()
  const nonces = new Map<Address, bigint>()
  const pool = new Map<Hash, ChainTransaction>()
  const onBlock = new Set<(event: FinalBlockEvent) => void>()
  const onPending = new Set<(tx: ChainTransaction) => void>()
  let counter = 0n

  function execute(tx: ChainTransaction): Omit<Receipt, 'cumulativeGasUsed'> {
    const outcome = run({ from: tx.sender, to: tx.to, data: tx.data, value: tx.value, gas: undefined }, true)
    nonces.set(tx.sender, tx.nonce + 1n)
    const logs = outcome.ok ? outcome.logs : []
    return { type: tx.type, status: outcome.ok ? 1 : 0, logs, logsBloom: logsBloom(logs) }
  }

  function run(request: CallRequest, commit: boolean): CallOutcome & { logs: Log[] } {
    const done = (returnData: Uint8Array, logs: Log[] = []) => ({ ok: true as const, returnData, gasUsed: GAS, logs })
    if (request.to === null)
      return { ok: false, code: 'FAILED', message: 'contract creation is not supported', logs: [] }
    if (request.to !== COUNTER || request.data.length === 0) return done(new Uint8Array(0))
    if (!SELECTORS.has(toHex(request.data.subarray(0, 4)))) {
      return { ok: false, code: 'REVERTED', returnData: new Uint8Array(0), logs: [] }
    }
    const { functionName, args } = decodeFunctionData({ abi: counterAbi as Abi, data: toHex(request.data) })
    const [first, second] = (args ?? []) as [bigint | string, bigint]
    switch (functionName) {
      case 'increment': {
        const value = counter + (first as bigint)
        if (commit) counter = value
        const topics = encodeEventTopics({
          abi: counterAbi,
          eventName: 'Incremented',
          args: { by: request.from },
        }) as unknown as Hash[]
        const log: Log = { address: COUNTER, topics, data: uintToWord(value) }
        return done(fromHex(encodeFunctionResult({ abi: counterAbi, functionName: 'increment', result: value })), [log])
      }
      case 'spam':
        return done(new Uint8Array(0), spamLogs(Number(first), Number(second)))
      case 'value':
        return done(uintToWord(counter))
      case 'refuse': {
        const abi = parseAbi(['error Error(string)'])
        const data = encodeErrorResult({ abi, errorName: 'Error', args: [first as string] })
        return { ok: false, code: 'REVERTED', returnData: fromHex(data), logs: [] }
      }
      default: {
        const data = encodeErrorResult({ abi: counterAbi, errorName: 'TooMany', args: [first as bigint] })
        return { ok: false, code: 'REVERTED', returnData: fromHex(data), logs: [] }
      }
    }
  }

  function append(transactions: readonly ChainTransaction[]): FinalBlockEvent {
    let gas = 0n
    const receipts = transactions.map((tx) => {
      gas += GAS
      return { ...execute(tx), cumulativeGasUsed: gas }
    })
    const block: Block<ChainTransaction> = { header: nextHeader(blocks.at(-1), receipts, gas), transactions }
    const final: FinalBlock = { hash: hashHeader(block.header), block, sizeBytes: encodeBlock(block).length }
    blocks.push(final)
    receiptsOf.push(receipts)
    heights.set(final.hash, block.header.number)
    transactions.forEach(({ hash }, index) => {
      places.set(hash, { blockNumber: block.header.number, index })
      pool.delete(hash)
    })
    return { ...final, receipts }
  }

  function seal(): FinalBlock {
    const event = append([...pool.values()])
    for (const listener of onBlock) listener(event)
    return event
  }

  function submit(raw: Uint8Array): SubmitResult {
    let tx: ChainTransaction
    try {
      const decoded = decodeTransaction(raw.slice())
      if (decoded.chainId === null) return { ok: false, code: 'NOT_REPLAY_PROTECTED' }
      if (decoded.chainId !== BigInt(CHAIN_ID)) {
        return { ok: false, code: 'WRONG_CHAIN_ID', detail: `have ${decoded.chainId} want ${CHAIN_ID}` }
      }
      tx = recoverTransaction(decoded)
    } catch (error) {
      return { ok: false, code: submitFault(error) }
    }
    if (pool.has(tx.hash)) return { ok: false, code: 'ALREADY_KNOWN' }
    const next = chain.pendingNonce(tx.sender)
    if (tx.nonce < next) return { ok: false, code: 'NONCE_TOO_LOW', detail: `next nonce ${next}, tx nonce ${tx.nonce}` }
    pool.set(tx.hash, tx)
    for (const listener of onPending) listener(tx)
    if (chain.autoSeal) setImmediate(seal)
    return { ok: true, hash: tx.hash }
  }

  const state: ChainState = {
    account: (address) =>
      address === COUNTER || nonces.has(address) ? { nonce: nonces.get(address) ?? 0n, balance: 0n } : undefined,
    code: (address) => (address === COUNTER ? fromHex('0xef01') : new Uint8Array(0)),
    storage: (address, slot) => (address === COUNTER && slot === ZERO_HASH ? toHash(uintToWord(counter)) : ZERO_HASH),
    call: (request) => withoutLogs(run(request, false)),
    estimateGas(request) {
      const outcome = run(request, false)
      return outcome.ok ? { ok: true, gas: GAS } : failureOf(outcome)
    },
    accessList(request) {
      const outcome = run(request, false)
      if (!outcome.ok && outcome.code === 'FAILED') return { ok: false, code: 'FAILED', message: outcome.message }
      const accessList = [{ address: COUNTER, storageKeys: [ZERO_HASH] }]
      return { ok: true, accessList, gasUsed: GAS, ...(!outcome.ok && { fault: 'REVERTED' as const }) }
    },
    prove: (address, slots) => ({
      nonce: nonces.get(address) ?? 0n,
      balance: 0n,
      codeHash: ZERO_HASH,
      storageRoot: EMPTY_TRIE_ROOT,
      accountProof: [Uint8Array.of(0xc0)],
      storageProof: slots.map((slot) => ({
        slot,
        value: state.storage(address, slot),
        proof: [Uint8Array.of(0xc1, 0x80)],
      })),
    }),
  }

  const chain: FakeChain = {
    autoSeal: false,
    ready: true,
    lag: false,
    oldest: 1,
    defect: undefined,
    chainId: CHAIN_ID,
    clientVersion: 'concordat/v0.0.0-test/node',
    genesisHash: ZERO_HASH,
    contracts: { counter: COUNTER },
    keccak256,
    seal,
    sealMany(count) {
      for (let i = 0; i < count; i++) seal()
    },
    listeners: () => onBlock.size + onPending.size,
    head: () => ({ hash: blocks.at(-1)!.hash, header: blocks.at(-1)!.block.header }),
    blockByNumber: (number) => (number > 0 && number < chain.oldest ? undefined : blocks[number]),
    blockByHash: (hash) => chain.blockByNumber(asHeight(heights.get(hash) ?? -1)),
    hashOf: (number) => blocks[number]?.hash,
    heightOf: (hash) => heights.get(hash),
    headerByNumber: (number) => blocks[number]?.block.header,
    receipts: (number) => receiptsOf[number],
    locate: (hash) => places.get(hash),
    pendingTransaction: (hash) => pool.get(hash),
    pendingNonce(address) {
      const waiting = [...pool.values()].filter((tx) => tx.sender === address).length
      return (nonces.get(address) ?? 0n) + BigInt(waiting)
    },
    state(number) {
      if (chain.defect) throw chain.defect
      return number === blocks.length - 1 ? state : undefined
    },
    oldestState: () => asHeight(blocks.length - 1),
    oldestBlock: () => asHeight(chain.oldest),
    submitTransaction: submit,
    poolCounts: () => ({ pending: pool.size, queued: 0 }),
    pool: () => ({ pending: [...pool.values()], queued: [] }),
    onFinalBlock: (listener) => subscribe(onBlock, listener),
    onPendingTransaction: (listener) => subscribe(onPending, listener),
    syncing: () => chain.lag,
    readiness: () => ({ ready: chain.ready, reasons: chain.ready ? [] : ['2 of 3 peers are missing'] }),
    peers: () => [
      { address: SEALER, name: 'node2', connected: true, rttMs: 0.4 },
      { address: COUNTER, connected: false },
    ],
    certificate(number) {
      const final = blocks[number]
      if (!final || number === 0) return undefined
      const signatures = [new Uint8Array(65).fill(7)]
      const at = { blockNumber: number, blockHash: final.hash, epoch: asEpoch(0), view: asView(number) }
      return { ...at, kind: 'finalize', signers: [SEALER], signatures }
    },
    genesisProof: () => ({ header: encodeHeader(blocks[0]!.block.header), nodes: [Uint8Array.of(0xc1, 0x80)] }),
    epochEnd: (epoch) => (epoch === 0 ? asHeight(0) : undefined),
    sealers: () => ({ epoch: asEpoch(0), sealers: [{ address: SEALER, weight: 1 }] }),
    consensusStatus: () => ({
      epoch: asEpoch(0),
      view: asView(blocks.length),
      leader: SEALER,
      finalView: asView(blocks.length - 1),
      finalHeight: asHeight(blocks.length - 1),
      self: SEALER,
      isSealer: true,
      history: { checked: 1, total: 3 },
    }),
    consensus: () => ({
      self: SEALER,
      name: 'node1',
      epoch: asEpoch(0),
      view: asView(blocks.length),
      leader: SEALER,
      finalHeight: asHeight(blocks.length - 1),
      finalHash: blocks.at(-1)!.hash,
      finalView: asView(blocks.length - 1),
      halted: 'no',
      haltReason: '',
      inDoubt: false,
      stage: 'proposal',
      stageView: asView(blocks.length),
      stageAgeMs: 3_100.04,
      givenUpInMs: 900,
      weightTotal: 2,
      weightConnected: 1,
      weightQuorum: 2,
      sealers: [
        { address: SEALER, weight: 1, connected: true, heardAgeMs: 0, vote: 'none', awaited: 'proposal' },
        {
          address: COUNTER,
          name: 'node2',
          weight: 1,
          connected: false,
          heardAgeMs: null,
          vote: 'nullify',
          awaited: null,
        },
      ],
      missingBlocks: 0,
      missingCertificates: false,
      why: 'view 1 waits',
      clockMs: 1_700_000_000_000,
    }),
  }
  append([])
  return chain
}

function selectorOf(name: string): string {
  const item = counterAbi.find((entry) => entry.type === 'function' && entry.name === name)
  return toFunctionSelector(item as AbiFunction)
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function withoutLogs(outcome: CallOutcome): CallOutcome {
  if (outcome.ok) return { ok: true, returnData: outcome.returnData, gasUsed: outcome.gasUsed }
  return failureOf(outcome)
}

type Failure = Extract<CallOutcome, { ok: false }>

function failureOf(outcome: Failure): Failure {
  if (outcome.code === 'REVERTED') return { ok: false, code: 'REVERTED', returnData: outcome.returnData }
  return { ok: false, code: 'FAILED', message: outcome.message }
}

const spamLogs = (count: number, bytes: number): Log[] =>
  Array.from({ length: count }, (_, i) => ({
    address: COUNTER,
    topics: [toHash(uintToWord(i))],
    data: new Uint8Array(bytes).fill(0xab),
  }))

function submitFault(error: unknown): SubmitFault {
  if (!(error instanceof TransactionError)) throw error
  switch (error.code) {
    case 'UNSUPPORTED_TYPE':
    case 'MALFORMED':
      return error.code
    case 'TOO_LARGE':
      return 'OVERSIZED'
    case 'BAD_SIGNATURE':
    case 'HIGH_S':
      return 'INVALID_SIGNATURE'
    default:
      return 'MALFORMED'
  }
}

function nextHeader(parent: FinalBlock | undefined, receipts: readonly Receipt[], gasUsed: bigint): Header {
  const bloom = new Uint8Array(256)
  for (const receipt of receipts) mergeBloom(bloom, receipt.logsBloom)
  const number = parent ? parent.block.header.number + 1 : 0
  return {
    parentHash: parent?.hash ?? ZERO_HASH,
    ommersHash: EMPTY_OMMERS_HASH,
    miner: parent ? SEALER : ZERO_ADDRESS,
    stateRoot: EMPTY_TRIE_ROOT,
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: bloom,
    difficulty: 1n,
    number: asHeight(number),
    gasLimit: GAS_LIMIT,
    gasUsed,
    timestamp: 1_700_000_000 + number,
    extraData: new Uint8Array(97),
    mixHash: ZERO_HASH,
    nonce: new Uint8Array(8),
    baseFeePerGas: 0n,
  }
}
