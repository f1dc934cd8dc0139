/** Traces what members have done, from final blocks through a node's RPC (docs/audit.md). */
import type { LogFilter, TraceQuery } from '../audit/query.js'
import type { TraceLog, TraceSource, TraceTransaction } from '../audit/source.js'
import { Trail, type TrailPage } from '../audit/trail.js'
import { fromHex, type Hash, type Hex, toHex } from '../core/bytes.js'
import { rpcBatchMax } from '../core/limits.js'
import { readVanity } from '../core/seal.js'
import type { RpcClient } from '../rpc/client.js'
import { RPC_CODES, RpcError } from '../rpc/errors.js'
import type { RpcHeader } from '../rpc/wire.js'
import { readTransactions } from './department/carried.js'
import { isTooWide } from './logRange.js'

export type { TraceEntry } from '../audit/entry.js'
export type { TraceQuery } from '../audit/query.js'
export type { TrailPage } from '../audit/trail.js'

const quantity = (height: number): Hex => `0x${height.toString(16)}`

/**
 * Entries of the blocks of `query`, page by page in order; a page holds all entries of its blocks. Throws RpcError or RpcClientError.
 *
 *     for await (const { entries } of traceChain(client, { fromBlock: 0, toBlock: 120 })) show(entries)
 */
export function traceChain(client: RpcClient, query: TraceQuery): AsyncGenerator<TrailPage> {
  return new Trail(clientSource(client)).pages(query)
}

/** A node as a source of trails. */
export function clientSource(client: RpcClient): TraceSource {
  return {
    logs: (filters, fromBlock, toBlock) => readLogs(client, filters, fromBlock, toBlock),
    isTooWide,
    transactions: (hashes): Promise<ReadonlyMap<Hash, TraceTransaction>> => readTransactions(client, hashes),
    times: (heights) => readTimes(client, heights),
    async view(contract, calldata) {
      try {
        return fromHex(await client.call('eth_call', { to: contract, data: toHex(calldata) }, 'latest'), 'result')
      } catch (error) {
        if (error instanceof RpcError && error.code === RPC_CODES.revert) return undefined
        throw error
      }
    },
  }
}

async function readLogs(
  client: RpcClient,
  filters: readonly LogFilter[],
  fromBlock: number,
  toBlock: number,
): Promise<TraceLog[]> {
  const range = { fromBlock: quantity(fromBlock), toBlock: quantity(toBlock) }
  const calls = filters.map((filter) => ({ method: 'eth_getLogs', params: [{ ...filter, ...range }] }))
  return (await inBatches<readonly TraceLog[]>(client, calls)).flat()
}

/** Times of blocks in ms since 1970. */
export async function readTimes(client: RpcClient, heights: readonly number[]): Promise<Map<number, number>> {
  const headers = await readHeaders(client, heights)
  return new Map(headers.map((header) => [Number(header.number), timeOf(header)]))
}

function readHeaders(client: RpcClient, heights: readonly number[]): Promise<RpcHeader[]> {
  const calls = heights.map((height) => ({ method: 'eth_getBlockByNumber', params: [quantity(height), false] }))
  return inBatches<RpcHeader>(client, calls)
}

/** Genesis has no milliseconds. */
function timeOf({ number, timestamp, extraData }: RpcHeader): number {
  return Number(timestamp) * 1_000 + (Number(number) === 0 ? 0 : readVanity(fromHex(extraData, 'extraData')).ms)
}

/** Results of calls that have to succeed; an answer to a batch stays within the node's limits as a single one would. */
export async function inBatches<T>(
  client: RpcClient,
  calls: readonly { method: string; params: readonly unknown[] }[],
) {
  const results: T[] = []
  for (let from = 0; from < calls.length; from += rpcBatchMax) {
    for (const answer of await client.batch(calls.slice(from, from + rpcBatchMax))) {
      if (!answer.ok) throw answer.error
      results.push(answer.result as T)
    }
  }
  return results
}

/** First block at or after a time, in ms since 1970; one above the head when all are earlier. By halving, some headers in all. */
export async function blockAt(client: RpcClient, timeMs: number, head: number): Promise<number> {
  let low = 0
  let high = head + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const time = (await readTimes(client, [middle])).get(middle) ?? 0
    if (time < timeMs) low = middle + 1
    else high = middle
  }
  return low
}
