/** Where a trail reads the chain: a node's RPC, or the node itself. */
import type { Address, Hash, Hex } from '../core/bytes.js'
import type { LogFilter } from './query.js'

/** A log as JSON-RPC has it. */
export interface TraceLog {
  readonly address: Address
  readonly topics: readonly Hash[]
  readonly data: Hex
  readonly blockNumber: Hex
  readonly transactionHash: Hash
  readonly logIndex: Hex
}

export interface TraceTransaction {
  readonly hash: Hash
  readonly from: Address
  readonly to: Address | null
  readonly input: Hex
}

export interface TraceSource {
  /** Logs that match any of the filters, in any order, maybe doubled. */
  logs(filters: readonly LogFilter[], fromBlock: number, toBlock: number): Promise<readonly TraceLog[]>
  /** Whether fewer blocks may be answered where these were not. */
  isTooWide(error: unknown, blocks: number): boolean
  transactions(hashes: readonly Hash[]): Promise<ReadonlyMap<Hash, TraceTransaction>>
  /** Times of blocks, in ms since 1970. */
  times(heights: readonly number[]): Promise<ReadonlyMap<number, number>>
  /** Answer of a view; undefined when it reverts. */
  view(contract: Address, calldata: Uint8Array): Promise<Uint8Array | undefined>
}
