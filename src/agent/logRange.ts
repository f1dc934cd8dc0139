/** How wide a log search may be: every node has limits of its own, and says so only when they are exceeded. */
import { RPC_CODES, RpcError } from '../rpc/errors.js'

const TOO_WIDE: ReadonlySet<number> = new Set([
  /** More blocks than the operator allows (`rpc.logBlockRangeMax`). */
  RPC_CODES.invalidParams,
  RPC_CODES.responseTooLarge,
  RPC_CODES.timeout,
])

/** Whether half of `blocks` may be answered where all of them were not. */
export function isTooWide(error: unknown, blocks: number): boolean {
  return blocks > 1 && error instanceof RpcError && TOO_WIDE.has(error.code)
}
