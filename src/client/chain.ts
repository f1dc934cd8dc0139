/** A concordat chain as viem describes chains. */
import { type Chain, defineChain } from 'viem'

export interface ConcordatChainOptions {
  readonly name?: string
  /** Default: `rpc` with ws:// or wss://. */
  readonly webSocket?: string
}

/** Milliseconds between viem's polls, where it polls: blocks come when something waits, and are final at once. */
const BLOCK_TIME_MS = 1_000

/**
 * Gas costs nothing: no account needs a balance, and viem is told not to offer a tip. `rpc` is a node's http:// or https:// endpoint.
 *
 *     const chain = concordatChain(20261, 'http://127.0.0.1:8545')
 */
export function concordatChain(id: number, rpc: string, options: ConcordatChainOptions = {}): Chain {
  const { name = 'concordat', webSocket = rpc.replace(/^http/, 'ws') } = options
  return defineChain({
    id,
    name,
    nativeCurrency: { name: 'none', symbol: 'NONE', decimals: 18 },
    rpcUrls: { default: { http: [rpc], webSocket: [webSocket] } },
    blockTime: BLOCK_TIME_MS,
    fees: { estimateFeesPerGas: async () => ({ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }) },
  })
}
