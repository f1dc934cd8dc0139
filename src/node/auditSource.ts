/** This node as a source of trails: its own final blocks, without JSON-RPC in between. */
import type { TraceSource, TraceTransaction } from '../audit/source.js'
import { type Address, asHeight, type Hash, toHex, ZERO_ADDRESS } from '../core/bytes.js'
import { readVanity } from '../core/seal.js'
import type { ChainApi } from '../rpc/chainApi.js'
import { RPC_CODES, RpcError } from '../rpc/errors.js'
import { readLogMatcher } from '../rpc/logFilter.js'
import { LogScanner } from '../rpc/logScan.js'
import type { Slices } from '../rpc/slices.js'

/** JSON of the logs of one page, in bytes about. */
const PAGE_BYTES_MAX = 1024 * 1024
/** What a search that was cut short leaves for a narrower one, as a share of the time. */
const SEARCH_SHARE = 0.3

export function nodeSource(api: ChainApi, slices: Slices): TraceSource {
  const scanner = new LogScanner(api, PAGE_BYTES_MAX)
  return {
    async logs(filters, fromBlock, toBlock) {
      const now = performance.now()
      const search = slices.until(now + (slices.deadlineMs - now) * SEARCH_SHARE)
      const found = []
      for (const filter of filters) {
        const matcher = readLogMatcher(api, { ...filter }, 0)
        found.push(...(await scanner.scan(matcher, fromBlock, toBlock, search)))
      }
      return found
    },
    isTooWide: (error, blocks) =>
      blocks > 1 &&
      error instanceof RpcError &&
      (error.code === RPC_CODES.responseTooLarge || error.code === RPC_CODES.timeout) &&
      performance.now() + 100 < slices.deadlineMs,
    transactions: async (hashes) => new Map(hashes.flatMap((hash) => transactionOf(api, hash) ?? [])),
    times: async (heights) => new Map(heights.map((height) => [height, timeMsOf(api, height)])),
    async view(contract: Address, calldata) {
      const request = { from: ZERO_ADDRESS, to: contract, data: calldata, value: 0n, gas: undefined }
      const outcome = api.state(api.head().header.number)?.call(request)
      return outcome?.ok ? outcome.returnData : undefined
    },
  }
}

/** Time of a final block in ms since 1970; genesis has no milliseconds. */
export function timeMsOf(api: ChainApi, height: number): number {
  const header = api.headerByNumber(asHeight(height))
  if (header === undefined) return 0
  return header.timestamp * 1_000 + (height === 0 ? 0 : readVanity(header.extraData).ms)
}

function transactionOf(api: ChainApi, hash: Hash): [Hash, TraceTransaction][] | undefined {
  const place = api.locate(hash)
  const transaction = place && api.blockByNumber(place.blockNumber)?.block.transactions[place.index]
  if (transaction === undefined) return undefined
  const { sender: from, to, data } = transaction
  return [[hash, { hash, from, to, input: toHex(data) }]]
}
