/** What the readers ask, and who they are: the same for nodes and for servers that only echo. */
import { dataSharing } from '../../src/agent/contractClient.js'
import type { Hex } from '../../src/core/bytes.js'
import type { RpcCall } from '../../src/rpc/client.js'

/** Members of a batch: what a node takes by default. */
export const BATCH = 100

export type Kind = 'portraitHits' | 'blocks' | 'logSearches'

export interface Ask {
  readonly kind: Kind
  readonly calls: readonly RpcCall[]
}

/** `lookUps`: calldata of queries that the portrait answers. */
export function asksOf(lookUps: readonly Hex[]): readonly Ask[] {
  const hit = (index: number): RpcCall => {
    return {
      method: 'eth_call',
      params: [{ to: dataSharing.address, data: lookUps[index % lookUps.length]! }, 'latest'],
    }
  }
  const block: RpcCall = { method: 'eth_getBlockByNumber', params: ['latest', true] }
  const logs: RpcCall = { method: 'eth_getLogs', params: [{ fromBlock: '0x0', toBlock: 'latest' }] }
  return [
    { kind: 'logSearches', calls: [logs] },
    { kind: 'portraitHits', calls: Array.from({ length: BATCH }, (_, index) => hit(index)) },
    { kind: 'blocks', calls: Array.from({ length: BATCH }, () => block) },
  ]
}

/** First message to the process of readers. */
export interface StormTask {
  readonly urls: readonly string[]
  readonly lookUps: readonly Hex[]
}

/** First message to an echo: a node's result of each method. */
export type EchoTask = Readonly<Record<string, unknown>>

/** What an echo says when it is asked: so far. */
export interface Used {
  readonly cpuSeconds: number
}

/** What the process of readers says when it is asked: so far. */
export interface Done extends Used {
  /** Calls that were answered with a result. */
  readonly answered: Readonly<Record<Kind, number>>
  /** Calls that were answered with an error, or not at all. */
  readonly refused: number
  /** Clients that read nothing and were cut. */
  readonly cut: number
}

export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
