/** eth_: facts of chain and node, blocks, fees. */
import { asHeight } from '../../core/bytes.js'
import { rpcFeeHistoryBlocksMax } from '../../core/limits.js'
import { notKept, readBlock, readHeight } from '../blockRef.js'
import type { ChainApi, FinalBlock } from '../chainApi.js'
import { invalidParams, serverError } from '../errors.js'
import { type MethodEntries, type MethodNeeds, method } from '../method.js'
import { asQuantity, isAbsent, type Params, readArray, readBoolean, readHash } from '../params.js'
import { presentBlock, presentHeader, presentReceipts, presentSync, quantity } from '../present.js'

export function ethMethods({ api }: MethodNeeds): MethodEntries {
  return [...factMethods(api), ...blockMethods(api), ...feeMethods(api)]
}

function factMethods(api: ChainApi): MethodEntries {
  return [
    ['eth_chainId', method(0, () => quantity(api.chainId))],
    ['eth_blockNumber', method(0, () => quantity(api.head().header.number))],
    ['eth_accounts', method(0, () => [])],
    ['eth_coinbase', method(0, () => api.consensusStatus().self)],
    ['eth_syncing', method(0, () => presentSync(api.syncing()))],
  ]
}

function blockMethods(api: ChainApi): MethodEntries {
  const byHash = (params: Params) => {
    const hash = readHash(params, 0)
    return api.blockByHash(hash) ?? notKept(api, api.heightOf(hash))
  }
  const byNumber = (params: Params) => readBlock(api, params, 0)
  return [
    ['eth_getBlockByNumber', method(2, (p) => present(byNumber(p), readBoolean(p, 1, false)))],
    ['eth_getBlockByHash', method(2, (p) => present(byHash(p), readBoolean(p, 1, false)))],
    ['eth_getHeaderByNumber', method(1, (p) => headerOf(byNumber(p)))],
    ['eth_getHeaderByHash', method(1, (p) => headerOf(byHash(p)))],
    ['eth_getBlockTransactionCountByNumber', method(1, (p) => transactionCount(byNumber(p)))],
    ['eth_getBlockTransactionCountByHash', method(1, (p) => transactionCount(byHash(p)))],
    ['eth_getUncleCountByBlockNumber', method(1, (p) => (byNumber(p) ? '0x0' : null))],
    ['eth_getUncleCountByBlockHash', method(1, (p) => (byHash(p) ? '0x0' : null))],
    ['eth_getUncleByBlockNumberAndIndex', method(2, () => null)],
    ['eth_getUncleByBlockHashAndIndex', method(2, () => null)],
    ['eth_getBlockReceipts', method(1, (p) => blockReceipts(api, byNumber(p)))],
  ]
}

const present = (final: FinalBlock | undefined, full: boolean) => (final ? presentBlock(final, full) : null)

const headerOf = (final: FinalBlock | undefined) => (final ? presentHeader(final.hash, final.block.header) : null)

const transactionCount = (final: FinalBlock | undefined) => (final ? quantity(final.block.transactions.length) : null)

function blockReceipts(api: ChainApi, final: FinalBlock | undefined) {
  const receipts = final && api.receipts(final.block.header.number)
  return receipts ? presentReceipts(final, receipts) : null
}

function feeMethods(api: ChainApi): MethodEntries {
  return [
    ['eth_gasPrice', method(0, () => '0x0')],
    ['eth_maxPriorityFeePerGas', method(0, () => '0x0')],
    ['eth_baseFee', method(0, () => '0x0')],
    ['eth_feeHistory', method(3, (p) => feeHistory(api, p))],
  ]
}

/** EIP-1559 fee history: all fees are 0, the gas ratios are real. */
function feeHistory(api: ChainApi, params: Params) {
  const newest = readHeight(api, params, 1)
  if (newest === undefined) throw serverError('request beyond head block')
  const count = Math.min(readCount(params), newest + 1)
  const percentiles = readPercentiles(params)
  if (count === 0) return { oldestBlock: '0x0', gasUsedRatio: [] }
  const oldest = newest - count + 1
  const numbers = Array.from({ length: count }, (_, i) => asHeight(oldest + i))
  return {
    oldestBlock: quantity(oldest),
    baseFeePerGas: Array.from({ length: count + 1 }, () => '0x0'),
    gasUsedRatio: numbers.map((number) => gasUsedRatio(api, number)),
    ...(percentiles.length > 0 && { reward: numbers.map(() => percentiles.map(() => '0x0')) }),
  }
}

/** Geth takes hex and, from older clients, plain numbers; more than it serves is cut, not refused. */
function readCount(params: Params): number {
  const value = params[0]
  const isNumber = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  const count = isNumber ? BigInt(value) : asQuantity(value, 64, (r) => invalidParams(`invalid argument 0: ${r}`))
  return count > BigInt(rpcFeeHistoryBlocksMax) ? rpcFeeHistoryBlocksMax : Number(count)
}

const PERCENTILES_MAX = 100

function readPercentiles(params: Params): readonly unknown[] {
  if (isAbsent(params[2])) return []
  const list = readArray(params, 2)
  if (list.length > PERCENTILES_MAX) throw invalidParams(`over the query limit ${PERCENTILES_MAX}`)
  let last = 0
  for (const value of list) {
    if (typeof value !== 'number' || value < last || value > 100) {
      throw serverError('invalid reward percentile: want ascending numbers from 0 to 100')
    }
    last = value
  }
  return list
}

function gasUsedRatio(api: ChainApi, number: ReturnType<typeof asHeight>): number {
  const header = api.headerByNumber(number)
  return header ? Number(header.gasUsed) / Number(header.gasLimit) : 0
}
