/** Transactions to the system contracts that had no effect: their receipts are all that tells of them. */
import type { TraceEntry } from '../audit/entry.js'
import { callOf } from '../audit/readings.js'
import type { TrailPage } from '../audit/trail.js'
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import type { Address, Hex } from '../core/bytes.js'
import type { RpcClient } from '../rpc/client.js'
import type { RpcReceipt } from '../rpc/wire.js'
import { readTransactions } from './department/carried.js'
import { inBatches, readTimes } from './trace.js'

/** Blocks that one search goes through: the receipts of each have to be read. */
export const FAILED_BLOCKS_MAX = 10_000
/** Blocks whose receipts are asked for at once: a full block has about half a MiB of them. */
const BLOCKS_AT_ONCE = 8

const NAMES = new Map<Address | null, string>(Object.entries(CONTRACT_ADDRESSES).map(([name, at]) => [at, name]))

/** Failed transactions of these blocks, page by page. Throws RpcError or RpcClientError. */
export async function* traceFailed(client: RpcClient, fromBlock: number, last: number): AsyncGenerator<TrailPage> {
  for (let from = fromBlock; from <= last; from += BLOCKS_AT_ONCE) {
    const toBlock = Math.min(last, from + BLOCKS_AT_ONCE - 1)
    const calls = Array.from({ length: toBlock - from + 1 }, (_, i) => {
      return { method: 'eth_getBlockReceipts', params: [`0x${(from + i).toString(16)}` as Hex] }
    })
    const receipts = (await inBatches<readonly RpcReceipt[] | null>(client, calls)).flatMap((all) => all ?? [])
    const failed = receipts.filter(({ status, to }) => status === '0x0' && NAMES.has(to))
    yield { entries: await entriesOf(client, failed), fromBlock: from, toBlock }
  }
}

async function entriesOf(client: RpcClient, receipts: readonly RpcReceipt[]): Promise<TraceEntry[]> {
  const transactions = await readTransactions(
    client,
    receipts.map(({ transactionHash }) => transactionHash),
  )
  const times = await readTimes(client, [...new Set(receipts.map(({ blockNumber }) => Number(blockNumber)))])
  return receipts.map(({ transactionHash, transactionIndex, blockNumber, from, to }) => {
    const input = transactions.get(transactionHash)?.input ?? '0x'
    const name = callOf(to, input)?.name ?? 'unknown function'
    const block = Number(blockNumber)
    return {
      kind: 'failed',
      contract: NAMES.get(to) ?? String(to),
      event: name,
      block,
      timeMs: times.get(block) ?? 0,
      transaction: transactionHash,
      logIndex: Number(transactionIndex),
      who: from,
      says: `tries ${name}`,
      parties: [],
      enterprise: null,
      attributes: [],
      purpose: null,
      basis: null,
      outcome: 'without effect',
      exchange: null,
      after: null,
    }
  })
}
