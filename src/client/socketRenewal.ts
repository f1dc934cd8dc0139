/**
 * WebSockets of viem that it has given up. It tries a few times to open one again, in Node once, and then keeps the closed one for
 * good: whoever asked over it would never hear of the node again. Closing it makes viem open another at the next request.
 */
import type { Client, Transport } from 'viem'

/** Milliseconds without an answer: as viem tries five times with 2 s between, nothing of it is disturbed. */
const GIVEN_UP_AFTER_MS = 12_000

export interface SocketRenewal {
  /** The node has answered. */
  works(): void
  /** It could not be reached. Resolves once what viem has given up is closed. */
  failed(): Promise<void>
}

/** `renewed`: subscriptions of the socket before are gone. Undefined for other transports. */
export function socketRenewal({ transport }: Client<Transport>, renewed: () => void): SocketRenewal | undefined {
  const { getRpcClient } = transport as { getRpcClient?: () => Promise<{ close(): void }> }
  if (!getRpcClient) return undefined
  let failingSinceMs: number | undefined
  return {
    works() {
      failingSinceMs = undefined
    },
    async failed() {
      const nowMs = Date.now()
      failingSinceMs ??= nowMs
      if (nowMs - failingSinceMs < GIVEN_UP_AFTER_MS) return
      failingSinceMs = undefined
      const kept = await getRpcClient().catch(() => undefined)
      kept?.close()
      renewed()
    },
  }
}
